"""How services have to be, derived from settings and deployments; the seed of the embedded stack is set up so."""

import json
from pathlib import Path

from shared.domain.configuration import Backup, Backups, DeploymentSettings
from shared.domain.drift import ExpectedAccount, ExpectedQueue, ExpectedStore, ExpectedVault
from shared.domain.expected import CONTAINERS, LONGEST_TTL_SECONDS, Expected
from shared.domain.policy import LETHES_QUEUES
from shared.domain.residency import REGIONS, Geography
from shared.domain.stamp import Stamp
from tests.policies import RESOURCE_ID, deployment, stamp

SEED = Path(__file__).parent.parent.parent / "local" / "seed"
STORE_ID = "/subscriptions/11e7be00/resourceGroups/lethe/providers/Microsoft.DocumentDB/databaseAccounts/lethe-store"


BACKUPS = Backups(mode=Backup.CONTINUOUS, horizon_hours=168)


def expected(of: Stamp) -> Expected:
    return Expected.of(
        of,
        lease=60,
        max_delivery_count=20,
        cosmos_id=STORE_ID,
        cosmos_endpoint="https://lethe.documents.azure.com:443/",
        backups=BACKUPS,
        abuse_vault="https://lethe-abuse.vault.azure.net",
        recovery_days=7,
    )


def test_the_vault_is_known_by_its_host() -> None:
    assert expected(stamp()).vault == ExpectedVault(name="lethe-abuse.vault.azure.net", recovery_days=7)


def test_queues_are_locked_as_long_as_the_lease_and_keep_no_prompt_longer_than_any_policy() -> None:
    requests, rejected, deliveries = expected(stamp()).queues
    assert requests == ExpectedQueue(
        name="generation-requests", lease_seconds=60, max_delivery_count=20, longest_ttl_seconds=30 * 86_400
    )
    assert (rejected.longest_ttl_seconds, deliveries.longest_ttl_seconds) == (30 * 86_400, 7 * 86_400)


def test_the_queues_are_all_of_lethes_and_the_stacks_own_keep_nothing_too_long() -> None:
    seeded = json.loads((SEED / "queues.json").read_text())
    assert LONGEST_TTL_SECONDS.keys() == LETHES_QUEUES
    assert all(seeded[name]["ttl_seconds"] <= longest for name, longest in LONGEST_TTL_SECONDS.items())


def test_the_containers_are_those_that_the_stack_makes() -> None:
    seeded = json.loads((SEED / "containers.json").read_text())
    assert {each.name: [*each.partition_key] for each in CONTAINERS} == {
        name: definition["partition_key"] for name, definition in seeded.items()
    }


def test_deployments_of_one_resource_are_expected_in_one_account() -> None:
    found = expected(stamp(deployment("small"), deployment("world", sku="GlobalStandard")))
    assert found.accounts == (
        ExpectedAccount(
            resource="primary",
            region="swedencentral",
            endpoint_host="127.0.0.1:9000",
            deployments=(
                DeploymentSettings(name="small", sku="Standard", model="gpt-4.1-mini"),
                DeploymentSettings(name="world", sku="GlobalStandard", model="gpt-4.1-mini"),
            ),
        ),
    )


def test_a_resource_that_is_listed_with_two_regions_cannot_be_right_and_is_read_once() -> None:
    found = expected(stamp(deployment("small"), deployment("other", region="germanywestcentral")))
    assert [(each.resource, each.region) for each in found.accounts] == [
        ("primary", "swedencentral"),
        ("primary", "germanywestcentral"),
    ]
    assert found.resources == ("primary",)


def test_resources_are_known_by_the_last_part_of_their_id() -> None:
    second = RESOURCE_ID.replace("primary", "second")
    assert expected(stamp(deployment("small"), deployment("other", resource_id=second))).resources == ("primary", "second")


def test_the_store_is_the_one_that_is_written_to_in_the_stamps_geography() -> None:
    assert expected(stamp(geography=Geography.EU)).store == ExpectedStore(
        name="lethe-store", endpoint_host="lethe.documents.azure.com:443", regions=REGIONS[Geography.EU], backups=BACKUPS
    )
