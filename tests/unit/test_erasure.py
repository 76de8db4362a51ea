"""What an erasure covers, which state it is in after a sweep, and what its tenant is shown."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.erasure import (
    LONGEST_BACKUP,
    LONGEST_MESSAGE,
    MARKER_SECONDS,
    Counts,
    Erasure,
    Held,
    Marked,
    State,
    Sweep,
    after,
    covering,
    latest,
)
from shared.domain.erasure_view import erasure as shown
from shared.domain.erasure_view import known_form
from shared.domain.macs import Mac
from shared.errors import NotFound

OLD, NEW, OTHER = Mac(kid="1", mac="a" * 64), Mac(kid="2", mac="b" * 64), Mac(kid="2", mac="c" * 64)
ERASURE = Erasure(
    tenant_id="contoso",
    id="erasure_" + "0" * 32,
    subjects=(NEW, OLD),
    requested_at=1000.25,
    cutoff=1000.25,
    settled_at=1300.25,
    rejected_until=87400.25,
)
FOUND = Counts(receipts=2, outputs=1, events=1, waiting_copies=1, sealed_records=3, alerts=1)
HELD = Held(documents=3, until=5000.0)


def swept(**changes: Any) -> Sweep:  # noqa: ANN401
    """A sweep after everything has settled, that looked at everything and found nothing."""
    return replace(Sweep(cutoff=1000.25, began_at=1301.0, ended_at=1302.5, complete=True), **changes)


@pytest.mark.parametrize(("subject", "admitted_at"), [(NEW, 999.0), (OLD, 999.0), (NEW, 1000.25)])
def test_an_erasure_covers_its_subject_up_to_the_cut_off_under_every_version_of_the_key(
    subject: Mac, admitted_at: float
) -> None:
    assert ERASURE.covers(subject, admitted_at)


@pytest.mark.parametrize(
    ("subject", "admitted_at"), [(NEW, 1000.26), (OTHER, 999.0), (Mac(kid="1", mac=NEW.mac), 999.0)], ids=str
)
def test_an_erasure_covers_nothing_later_and_nobody_else(subject: Mac, admitted_at: float) -> None:
    assert not ERASURE.covers(subject, admitted_at)


STATES: dict[str, tuple[State, Sweep, State]] = {
    "the first sweep was broken off": (State.PENDING, swept(began_at=1000.5, complete=False), State.PENDING),
    "the first sweep looked at everything": (State.PENDING, swept(began_at=1000.5, counts=FOUND), State.SWEPT),
    "a sweep before all has settled": (State.SWEPT, swept(began_at=1300.0), State.SWEPT),
    "the last sweep still found something": (State.SWEPT, swept(counts=FOUND), State.SWEPT),
    "the last sweep was broken off": (State.SWEPT, swept(complete=False), State.SWEPT),
    "the last sweep found nothing": (State.SWEPT, swept(), State.COMPLETED),
    "nobody swept until all had settled": (State.PENDING, swept(), State.COMPLETED),
    "the last sweep went by an older cut-off": (State.PENDING, swept(cutoff=900.0), State.PENDING),
    "a hold keeps something": (State.SWEPT, swept(held=HELD), State.DEFERRED),
    "a hold keeps something longer": (State.DEFERRED, swept(held=HELD), State.DEFERRED),
    "the hold is over": (State.DEFERRED, swept(counts=FOUND), State.SWEPT),
    "nothing is held any more": (State.DEFERRED, swept(), State.COMPLETED),
    "something came back after the end": (State.COMPLETED, swept(counts=FOUND), State.COMPLETED),
}


@pytest.mark.parametrize(("before", "sweep", "expected"), STATES.values(), ids=STATES)
def test_the_state_follows_from_the_sweep(before: State, sweep: Sweep, expected: State) -> None:
    ended = 1200.0 if before is State.COMPLETED else None
    found = after(replace(ERASURE, state=before, completed_at=ended), sweep)
    assert found.state is expected
    assert found.completed_at == (ended or (1302.5 if expected is State.COMPLETED else None))


def test_what_is_found_counts_as_erased_before_the_end_and_as_erased_again_after_it() -> None:
    first = after(after(ERASURE, swept(began_at=1001.0, counts=FOUND)), swept(counts=Counts(outputs=1)))
    assert (first.counts, first.re_erased) == (
        Counts(receipts=2, outputs=2, events=1, waiting_copies=1, sealed_records=3, alerts=1),
        Counts(),
    )
    again = after(after(first, swept()), swept(counts=FOUND))
    assert (again.counts, again.re_erased) == (first.counts, FOUND)


def test_a_sweep_of_nothing_changes_nothing_after_the_end() -> None:
    done = after(ERASURE, swept())
    assert after(done, swept(began_at=9000.0, ended_at=9001.0)) == done


def test_a_marker_has_no_end_before_its_erasure_and_then_outlives_messages_and_backups() -> None:
    assert ERASURE.expires_at is None
    assert after(ERASURE, swept()).expires_at == 1302.5 + MARKER_SECONDS
    assert max(LONGEST_MESSAGE, LONGEST_BACKUP) < MARKER_SECONDS


def test_one_that_is_asked_for_again_covers_what_came_meanwhile_and_is_swept_anew() -> None:
    again = replace(ERASURE, state=State.SWEPT, counts=FOUND).renewed((OTHER, NEW), now=1100.0, settle=300, rejected_until=9.0)
    assert again.subjects == (NEW, OLD, OTHER)
    assert (again.cutoff, again.settled_at, again.rejected_until) == (1100.0, 1400.0, 9.0)
    assert (again.state, again.requested_at, again.counts) == (State.PENDING, 1000.25, FOUND)


def test_a_job_belongs_to_the_open_erasure_with_the_earliest_cut_off() -> None:
    done = replace(ERASURE, id="done", cutoff=900.0, state=State.COMPLETED)
    later = replace(ERASURE, id="later", cutoff=2000.0)
    found = covering([done, later, ERASURE, replace(ERASURE, id="others", subjects=(OTHER,))], [(OLD, 800.0)])
    assert [each.id for each in found] == [ERASURE.id, "later", "done"]
    assert covering([done, ERASURE], [(NEW, 1500.0)]) == []


def test_a_worker_knows_the_latest_cut_off_of_a_subject_by_any_of_its_macs() -> None:
    marked = Marked.by([(OLD, 5.0), (OLD, 7.0), (OLD, 6.0), (NEW, 1.0)])
    assert {*marked.cutoffs} == {"1", "2"}
    assert marked.cutoff([OLD, NEW]) == 7.0
    assert marked.cutoff([NEW]) == 1.0
    assert marked.cutoff([OTHER]) is None
    assert marked.cutoff([]) is None
    assert Marked.by([]).cutoff([OLD]) is None


def test_the_latest_of_some_moments_ignores_missing_ones() -> None:
    assert latest(None, 1.0, 3.0, None, 2.0) == 3.0
    assert latest(None) is None


def test_the_receipt_of_an_open_erasure_says_what_remains() -> None:
    assert shown(replace(ERASURE, held=HELD, tombstones_until=2000.5), backup_horizon=28_800) == {
        "id": ERASURE.id,
        "object": "subject.erasure",
        "status": "pending",
        "requested_at": 1000,
        "cutoff": 1000,
        "last_sweep_after": 1301,
        "completed_at": None,
        "duration_seconds": None,
        "erased": {"receipts": 0, "outputs": 0, "events": 0, "waiting_copies": 0, "sealed_records": 0, "alerts": 0},
        "re_erased": {"receipts": 0, "outputs": 0, "events": 0, "waiting_copies": 0, "sealed_records": 0, "alerts": 0},
        "remains": {
            "waiting_messages": {"until": 1001 + LONGEST_MESSAGE, "how": "dropped when read"},
            "rejected_messages": {"until": 87401},
            "tombstones": {"until": 2001},
            "backups": {"until": None},
            "held": {"documents": 3, "until": 5000},
        },
        "expires_at": None,
    }


def test_the_receipt_of_a_completed_erasure_says_until_when_a_backup_has_it() -> None:
    told = shown(after(replace(ERASURE, counts=FOUND), swept()), backup_horizon=28_800)
    assert (told["status"], told["completed_at"], told["duration_seconds"]) == ("completed", 1302, 302.25)
    assert told["erased"] == {"receipts": 2, "outputs": 1, "events": 1, "waiting_copies": 1, "sealed_records": 3, "alerts": 1}
    assert told["remains"]["backups"] == {"until": 1303 + 28_800}
    assert told["expires_at"] == 1303 + MARKER_SECONDS


def test_nothing_of_the_subject_is_shown() -> None:
    told = str(shown(ERASURE, backup_horizon=28_800))
    assert not [mac for mac in (OLD.mac, NEW.mac) if mac in told]


@pytest.mark.parametrize("text", ["", "erasure_", "erasure_" + "g" * 32, "erasure_" + "0" * 33, "policy", "gen_" + "0" * 40])
def test_what_is_no_id_of_an_erasure_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        known_form(text)


def test_an_id_of_an_erasure_is_known() -> None:
    assert known_form(ERASURE.id) == ERASURE.id


def test_records_and_alerts_are_documents_and_a_waiting_copy_is_none() -> None:
    assert (FOUND.documents, Counts(waiting_copies=4).documents) == (8, 0)
    assert Counts(sealed_records=1) + Counts(sealed_records=2, alerts=1) == Counts(sealed_records=3, alerts=1)
