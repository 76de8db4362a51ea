"""Where a model may process: Azure's regions in geographies and data zones, and what a deployment's SKU promises.

The levels of a policy are areas inside each other: a region, a data zone, a geography, the world. Data at rest stays in the
geography at every level, so a resource elsewhere is refused even by ``global``.
"""

from enum import StrEnum

REVIEWED_ON = "2026-11-25"
EXPIRES_ON = "2027-11-25"
"""When these tables were last compared with the sources below, and from when on the build refuses to rely on them."""

SOURCES = (
    "learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/deployment-types",
    "learn.microsoft.com/azure/ai-foundry/responsible-ai/openai/data-privacy",
    "learn.microsoft.com/azure/reliability/regions-list",
)


class Geography(StrEnum):
    """Where a stamp stands and a tenant's data stays. ``eu`` is the Union; ``europe`` has its neighbours, too."""

    EU = "eu"
    EUROPE = "europe"
    UK = "uk"
    SWITZERLAND = "switzerland"
    NORWAY = "norway"
    US = "us"
    CANADA = "canada"
    BRAZIL = "brazil"
    AUSTRALIA = "australia"
    JAPAN = "japan"
    KOREA = "korea"
    INDIA = "india"
    SINGAPORE = "singapore"
    UAE = "uae"
    SOUTH_AFRICA = "south_africa"


class Residency(StrEnum):
    """The widest area in which a policy lets a model process, from the narrowest level to the widest."""

    REGION = "region"
    DATA_ZONE = "data_zone"
    GEOGRAPHY = "geography"
    GLOBAL = "global"

    def wider_than(self, other: "Residency") -> bool:
        """Whether this level allows more than another."""
        levels = list(Residency)
        return levels.index(self) > levels.index(other)


class Sku(StrEnum):
    """SKU names of deployments that answer requests; those of batch jobs do not."""

    STANDARD = "Standard"
    PROVISIONED = "ProvisionedManaged"
    DATA_ZONE_STANDARD = "DataZoneStandard"
    DATA_ZONE_PROVISIONED = "DataZoneProvisionedManaged"
    GLOBAL_STANDARD = "GlobalStandard"
    GLOBAL_PROVISIONED = "GlobalProvisionedManaged"
    DEVELOPER = "DeveloperTier"


class Unusable(StrEnum):
    """Why a policy cannot use a deployment."""

    OTHER_GEOGRAPHY = "resource_in_other_geography"
    MAY_PROCESS_ANYWHERE = "sku_may_process_anywhere"
    MAY_LEAVE_REGION = "sku_may_leave_region"
    MAY_LEAVE_DATA_ZONE = "outside_data_zone"
    MAY_LEAVE_GEOGRAPHY = "sku_may_leave_geography"


_EU = frozenset(
    {
        *("austriaeast", "belgiumcentral", "denmarkeast", "francecentral", "francesouth", "germanynorth", "germanywestcentral"),
        *("italynorth", "northeurope", "polandcentral", "spaincentral", "swedencentral", "swedensouth", "westeurope"),
    }
)
_US = frozenset(
    {
        *("centralus", "eastus", "eastus2", "northcentralus", "southcentralus"),
        *("westcentralus", "westus", "westus2", "westus3"),
    }
)
_NEIGHBOURS = {
    Geography.UK: frozenset({"uksouth", "ukwest"}),
    Geography.SWITZERLAND: frozenset({"switzerlandnorth", "switzerlandwest"}),
    Geography.NORWAY: frozenset({"norwayeast", "norwaywest"}),
}

REGIONS: dict[Geography, frozenset[str]] = {
    Geography.EU: _EU,
    Geography.EUROPE: _EU.union(*_NEIGHBOURS.values()),
    **_NEIGHBOURS,
    Geography.US: _US,
    Geography.CANADA: frozenset({"canadacentral", "canadaeast"}),
    Geography.BRAZIL: frozenset({"brazilsouth", "brazilsoutheast"}),
    Geography.AUSTRALIA: frozenset({"australiacentral", "australiacentral2", "australiaeast", "australiasoutheast"}),
    Geography.JAPAN: frozenset({"japaneast", "japanwest"}),
    Geography.KOREA: frozenset({"koreacentral", "koreasouth"}),
    Geography.INDIA: frozenset({"centralindia", "southindia", "westindia"}),
    Geography.SINGAPORE: frozenset({"southeastasia"}),
    Geography.UAE: frozenset({"uaecentral", "uaenorth"}),
    Geography.SOUTH_AFRICA: frozenset({"southafricanorth", "southafricawest"}),
}

DATA_ZONES = (_EU, _US)
"""Microsoft's two data zones: the member nations of the European Union, and the United States."""

_REGIONAL = frozenset({Sku.STANDARD, Sku.PROVISIONED})
_ZONAL = frozenset({Sku.DATA_ZONE_STANDARD, Sku.DATA_ZONE_PROVISIONED})
_LEAVES = {
    Residency.REGION: Unusable.MAY_LEAVE_REGION,
    Residency.DATA_ZONE: Unusable.MAY_LEAVE_DATA_ZONE,
    Residency.GEOGRAPHY: Unusable.MAY_LEAVE_GEOGRAPHY,
}


def unusable(*, sku: Sku, region: str, geography: Geography, residency: Residency) -> Unusable | None:
    """Decide why a deployment with this SKU in this region may not serve a policy; None when it may."""
    if region not in REGIONS[geography]:
        return Unusable.OTHER_GEOGRAPHY
    if residency is Residency.GLOBAL:
        return None
    processing = _processing(sku, region)
    if processing is None:
        return Unusable.MAY_PROCESS_ANYWHERE
    return None if processing <= _allowed(residency, region, geography) else _LEAVES[residency]


def _processing(sku: Sku, region: str) -> frozenset[str] | None:
    """Regions in which a deployment may process; None for anywhere.

    A regional SKU processes in its region; Microsoft reserves the geography for operations (data-privacy page, 2026-03).
    """
    if sku in _REGIONAL:
        return frozenset({region})
    return _data_zone(region) if sku in _ZONAL else None


def _allowed(residency: Residency, region: str, geography: Geography) -> frozenset[str]:
    """Regions in which a policy lets a deployment of this region process."""
    if residency is Residency.REGION:
        return frozenset({region})
    if residency is Residency.DATA_ZONE:
        return (_data_zone(region) or frozenset()) & REGIONS[geography]
    return REGIONS[geography]


def _data_zone(region: str) -> frozenset[str] | None:
    return next((regions for regions in DATA_ZONES if region in regions), None)
