"""Where a deployment may process, by its SKU and region, against what a policy's level of residency lets it."""

import itertools
import re
from datetime import UTC, date, datetime

import pytest

from shared.domain import residency
from shared.domain.residency import DATA_ZONES, REGIONS, SOURCES, Geography, Residency, Sku, Unusable, unusable

REGIONAL = (Sku.STANDARD, Sku.PROVISIONED)
ZONAL = (Sku.DATA_ZONE_STANDARD, Sku.DATA_ZONE_PROVISIONED)
WORLDWIDE = (Sku.GLOBAL_STANDARD, Sku.GLOBAL_PROVISIONED, Sku.DEVELOPER)

FITS = None
REGION, ZONE, ANYWHERE = Unusable.MAY_LEAVE_REGION, Unusable.MAY_LEAVE_DATA_ZONE, Unusable.MAY_PROCESS_ANYWHERE
ELSEWHERE = Unusable.OTHER_GEOGRAPHY

type Row = tuple[Geography, str, tuple[Sku, ...], tuple[Unusable | None, ...]]
ROWS: list[Row] = [
    # geography, region, SKUs:                    region,    data_zone, geography, global
    # The Union is a data zone whole
    (Geography.EU, "swedencentral", REGIONAL, (FITS, FITS, FITS, FITS)),
    (Geography.EU, "swedencentral", ZONAL, (REGION, FITS, FITS, FITS)),
    (Geography.EU, "swedencentral", WORLDWIDE, (ANYWHERE, ANYWHERE, ANYWHERE, FITS)),
    # Europe has the same zone inside it
    (Geography.EUROPE, "francecentral", REGIONAL, (FITS, FITS, FITS, FITS)),
    (Geography.EUROPE, "francecentral", ZONAL, (REGION, FITS, FITS, FITS)),
    (Geography.EUROPE, "francecentral", WORLDWIDE, (ANYWHERE, ANYWHERE, ANYWHERE, FITS)),
    # and regions outside it: a policy that says data zone means one, and a zonal SKU is in none that we know
    (Geography.EUROPE, "uksouth", REGIONAL, (FITS, ZONE, FITS, FITS)),
    (Geography.EUROPE, "uksouth", ZONAL, (ANYWHERE, ANYWHERE, ANYWHERE, FITS)),
    (Geography.EUROPE, "uksouth", WORLDWIDE, (ANYWHERE, ANYWHERE, ANYWHERE, FITS)),
    # A geography without a zone
    (Geography.UK, "uksouth", REGIONAL, (FITS, ZONE, FITS, FITS)),
    (Geography.UK, "uksouth", ZONAL, (ANYWHERE, ANYWHERE, ANYWHERE, FITS)),
    (Geography.UK, "uksouth", WORLDWIDE, (ANYWHERE, ANYWHERE, ANYWHERE, FITS)),
    (Geography.JAPAN, "japaneast", REGIONAL, (FITS, ZONE, FITS, FITS)),
    (Geography.JAPAN, "japaneast", ZONAL, (ANYWHERE, ANYWHERE, ANYWHERE, FITS)),
    # The other zone
    (Geography.US, "eastus2", REGIONAL, (FITS, FITS, FITS, FITS)),
    (Geography.US, "eastus2", ZONAL, (REGION, FITS, FITS, FITS)),
    (Geography.US, "eastus2", WORLDWIDE, (ANYWHERE, ANYWHERE, ANYWHERE, FITS)),
    # Data at rest stays in the geography, so that a resource elsewhere fits no level
    (Geography.EU, "uksouth", tuple(Sku), (ELSEWHERE, ELSEWHERE, ELSEWHERE, ELSEWHERE)),
    (Geography.EU, "eastus2", tuple(Sku), (ELSEWHERE, ELSEWHERE, ELSEWHERE, ELSEWHERE)),
    (Geography.UK, "swedencentral", tuple(Sku), (ELSEWHERE, ELSEWHERE, ELSEWHERE, ELSEWHERE)),
    (Geography.US, "canadaeast", tuple(Sku), (ELSEWHERE, ELSEWHERE, ELSEWHERE, ELSEWHERE)),
    # and a name that is no region's fits none either
    (Geography.EU, "Sweden Central", tuple(Sku), (ELSEWHERE, ELSEWHERE, ELSEWHERE, ELSEWHERE)),
    (Geography.EU, "", tuple(Sku), (ELSEWHERE, ELSEWHERE, ELSEWHERE, ELSEWHERE)),
]
CASES = [
    (geography, region, sku, level, reason)
    for geography, region, skus, reasons in ROWS
    for sku in skus
    for level, reason in zip(Residency, reasons, strict=True)
]


@pytest.mark.parametrize(("geography", "region", "sku", "level", "reason"), CASES)
def test_a_deployment_fits_a_level_or_is_refused_with_the_reason(
    geography: Geography, region: str, sku: Sku, level: Residency, reason: Unusable | None
) -> None:
    assert unusable(sku=sku, region=region, geography=geography, residency=level) is reason


def test_the_table_has_every_sku_and_level_and_every_reason_that_todays_zones_can_give() -> None:
    assert {(sku, level) for _, _, sku, level, _ in CASES} == {*itertools.product(Sku, Residency)}
    assert {reason for *_, reason in CASES} == {FITS, *Unusable} - {Unusable.MAY_LEAVE_GEOGRAPHY}


@pytest.mark.parametrize(
    ("level", "reason"),
    [
        (Residency.REGION, Unusable.MAY_LEAVE_REGION),
        (Residency.DATA_ZONE, Unusable.MAY_LEAVE_DATA_ZONE),
        (Residency.GEOGRAPHY, Unusable.MAY_LEAVE_GEOGRAPHY),
        (Residency.GLOBAL, None),
    ],
)
def test_a_zone_that_spanned_two_geographies_would_fit_global_only(
    level: Residency, reason: Unusable | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(residency, "DATA_ZONES", (frozenset({"canadaeast", "eastus"}),))
    found = unusable(sku=Sku.DATA_ZONE_STANDARD, region="eastus", geography=Geography.US, residency=level)
    assert found is reason


@pytest.mark.parametrize("geography", Geography)
def test_no_wider_level_refuses_what_a_narrower_one_takes_where_the_region_is_in_a_zone(geography: Geography) -> None:
    zoned = REGIONS[geography] & frozenset().union(*DATA_ZONES)
    for region, sku in itertools.product(sorted(zoned), Sku):
        fits = [unusable(sku=sku, region=region, geography=geography, residency=level) is None for level in Residency]
        assert fits == sorted(fits), (region, sku)


def test_levels_are_ordered_from_the_region_to_the_world() -> None:
    ordered = [Residency.REGION, Residency.DATA_ZONE, Residency.GEOGRAPHY, Residency.GLOBAL]
    for one, other in itertools.product(ordered, ordered):
        assert one.wider_than(other) is (ordered.index(one) > ordered.index(other))


def test_skus_of_batch_jobs_are_not_among_those_that_answer() -> None:
    assert not [sku for sku in Sku if "Batch" in sku]


def test_every_geography_has_regions_by_azures_names() -> None:
    assert {*REGIONS} == {*Geography}
    for regions in REGIONS.values():
        assert regions
        assert all(re.fullmatch(r"[a-z]+[0-9]?", region) for region in regions)


def test_every_region_is_in_one_geography_and_europe_is_the_union_and_its_neighbours() -> None:
    inside = {Geography.EU, Geography.UK, Geography.SWITZERLAND, Geography.NORWAY}
    assert REGIONS[Geography.EUROPE] == frozenset().union(*(REGIONS[geography] for geography in inside))
    apart = [regions for geography, regions in REGIONS.items() if geography is not Geography.EUROPE]
    assert sum(len(regions) for regions in apart) == len(frozenset().union(*apart))


def test_every_data_zone_lies_inside_a_geography_and_no_region_is_in_two() -> None:
    for zone in DATA_ZONES:
        assert any(zone <= regions for regions in REGIONS.values())
    assert sum(len(zone) for zone in DATA_ZONES) == len(frozenset().union(*DATA_ZONES))


def test_the_tables_were_compared_with_microsofts_pages_within_a_year() -> None:
    """It fails when they are due: compare them with SOURCES, then move both dates."""
    reviewed, expires = date.fromisoformat(residency.REVIEWED_ON), date.fromisoformat(residency.EXPIRES_ON)
    assert 0 < (expires - reviewed).days <= 366
    assert all(source.startswith("learn.microsoft.com/") for source in SOURCES)
    assert datetime.now(UTC).date() < expires, "residency's tables are due for review"
