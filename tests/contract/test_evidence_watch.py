"""The timer's step that follows the evidence, on a real store and a real vault."""

import pytest
from azure.cosmos.aio import ContainerProxy

from local import clock
from shared.azure.evidence import Evidence
from shared.azure.evidence_pruning import KEPT_SECONDS
from shared.domain.evidence import Record
from shared.patience import patience
from shared.privacy.evidence_watch import EvidenceWatch
from tests.contract.evidence import CHAIN, Services


async def test_each_run_reads_what_is_new_and_finds_nothing_broken(chains: Evidence, chain: list[Record]) -> None:
    watch = EvidenceWatch(evidence=chains)
    first = await watch.follow("evidence")
    assert (first.checked, first.overdue, first.complete) == (len(chain), 0, True)
    assert (await watch.follow("evidence")).checked == 0


@pytest.mark.usefixtures("chain")
async def test_a_changed_record_is_found_by_the_next_process_and_the_next_day(
    chains: Evidence, container: ContainerProxy
) -> None:
    watch = EvidenceWatch(evidence=chains)
    await watch.follow("evidence")
    document = await container.read_item("2", CHAIN.value)
    await container.replace_item("2", {**document, "at": 1.0})
    assert (await EvidenceWatch(evidence=chains).follow("evidence")).overdue == 1


@pytest.mark.usefixtures("chain")
async def test_what_cannot_be_read_is_incomplete_and_not_broken(chains: Evidence, evidence_services: Services) -> None:
    watch = EvidenceWatch(evidence=chains)
    await watch.follow("evidence")
    evidence_services.endpoint.fault(operation="query", status=400, count=1000)
    with patience(0.2):
        report = await watch.follow("evidence")
    evidence_services.endpoint.reset()
    assert (report.complete, report.overdue) == (False, 0)


async def test_records_of_a_year_ago_are_pruned_once_a_day_and_the_rest_holds(chains: Evidence, chain: list[Record]) -> None:
    clock.advance(KEPT_SECONDS + 60)
    await chains.append(CHAIN, chain[0].kind, {"number": 5})
    report = await EvidenceWatch(evidence=chains).follow("evidence")
    assert (report.deleted, report.overdue, report.complete) == (len(chain), 0, True)
