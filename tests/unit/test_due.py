from dataclasses import dataclass, field

import pytest

from shared.azure.due_documents import Due
from shared.domain.step_report import StepReport, Tally
from shared.privacy.due import settle_due

NOW = 1000.0
PAGE = 3


@dataclass
class Store:
    """Due documents; some cannot be deleted, and some say that they are and stay."""

    names: list[str]
    refusing: set[str] = field(default_factory=set)
    lying: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    pages: int = 0

    async def page(self) -> list[Due]:
        self.pages += 1
        return [Due(document_id=name, tenant_id="t", job_id="j", etag="e", since=NOW - 60) for name in self.names[:PAGE]]

    async def settle(self, due: Due) -> bool:
        if due.document_id in self.refusing:
            return False
        if due.document_id not in self.lying:
            self.names.remove(due.document_id)
        return True

    async def may_go(self, dues: list[Due]) -> list[Due]:
        return [due for due in dues if due.document_id not in self.held]

    async def run(self) -> StepReport:
        tally = Tally(step="due")
        await settle_due(self.page, self.settle, self.may_go, lambda: NOW, tally)
        return tally.report()


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.privacy.due.PAGE", PAGE)


def names(count: int) -> list[str]:
    return [f"d{number}" for number in range(count)]


async def test_nothing_due_costs_one_query() -> None:
    store = Store(names=[])
    assert await store.run() == StepReport(step="due")
    assert store.pages == 1


@pytest.mark.parametrize(("count", "pages"), [(1, 2), (3, 2), (7, 4)])
async def test_what_is_deleted_is_counted_when_it_is_in_no_later_page(count: int, pages: int) -> None:
    store = Store(names=names(count))
    report = await store.run()
    assert (report.checked, report.found, report.deleted, report.overdue) == (count, count, count, 0)
    assert (report.oldest_overdue_seconds, report.complete, store.pages) == (60, True, pages)


async def test_what_was_written_meanwhile_counts_once_and_stops_nothing() -> None:
    report = await Store(names=names(7), refusing={"d0", "d4"}).run()
    assert (report.found, report.deleted, report.overdue, report.complete) == (7, 5, 2, True)


async def test_what_is_still_there_was_not_deleted_whatever_the_store_has_said() -> None:
    report = await Store(names=names(4), lying={"d1"}).run()
    assert (report.found, report.deleted, report.overdue, report.complete) == (4, 3, 1, True)


async def test_what_a_hold_keeps_is_not_counted_and_stops_nothing() -> None:
    report = await Store(names=names(7), held={"d0", "d4"}).run()
    assert (report.checked, report.found, report.deleted, report.overdue, report.complete) == (5, 5, 5, 0, True)


async def test_a_page_of_nothing_but_what_cannot_be_deleted_hides_the_rest() -> None:
    report = await Store(names=names(5), refusing={"d0", "d1", "d2"}).run()
    assert (report.found, report.deleted, report.overdue, report.complete) == (3, 0, 3, False)


async def test_a_run_is_bounded_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.privacy.due.MAX_DOCUMENTS", 6)
    report = await Store(names=names(20)).run()
    assert (report.deleted, report.complete) == (6, False)
