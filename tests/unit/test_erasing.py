"""What the erasure of one job does with each of its documents, with and without a hold."""

from dataclasses import replace

import pytest

from shared.domain.erasing import Plan, Standing, plan
from shared.domain.erasure import Counts, Held
from shared.domain.generation import Status
from shared.domain.macs import Mac

NOW = 1000.0
RECEIPT = Standing(
    id="receipt", expires_at=9000.0, etag="r", status=Status.COMPLETED, subject=Mac(kid="1", mac="a" * 64), deleted_at=None
)
OUTPUT = Standing(id="output", expires_at=2000.0, etag="o")
EVENT = Standing(id="event", expires_at=9000.0, etag="e")
SEALED = Standing(id="record", expires_at=9000.0, etag="s")
ALERT = Standing(id="alert", expires_at=9000.0, etag="a")
TOMBSTONE = replace(RECEIPT, subject=None, deleted_at=500.0)
HELD_TOMBSTONE = replace(RECEIPT, deleted_at=500.0)


def held(document: Standing, until: float = 1500.0, **changes: float) -> Standing:
    """The same document under a hold."""
    return replace(document, held_until=until, **changes)  # type: ignore[arg-type]


PLANS: dict[str, tuple[list[Standing], Plan, Counts]] = {
    "a finished job": (
        [RECEIPT, OUTPUT, EVENT],
        Plan(delete=(OUTPUT, EVENT), bury=RECEIPT),
        Counts(receipts=1, outputs=1, events=1),
    ),
    "a job that waits or runs": ([RECEIPT], Plan(bury=RECEIPT), Counts(receipts=1)),
    "a job without an output": ([RECEIPT, EVENT], Plan(delete=(EVENT,), bury=RECEIPT), Counts(receipts=1, events=1)),
    "a job that was erased": ([TOMBSTONE], Plan(), Counts()),
    "an output that came back beside a tombstone": ([TOMBSTONE, OUTPUT], Plan(delete=(OUTPUT,)), Counts(outputs=1)),
    "an output whose receipt is gone": ([OUTPUT], Plan(delete=(OUTPUT,)), Counts(outputs=1)),
    "a record for abuse review": ([SEALED], Plan(delete=(SEALED,)), Counts(sealed_records=1)),
    "an alert": ([ALERT], Plan(delete=(ALERT,)), Counts(alerts=1)),
    "a held record": (
        [held(SEALED)],
        Plan(shorten=(held(SEALED),), forget_subject=False, held=Held(documents=1, until=1500.0)),
        Counts(),
    ),
    "a held record whose deadline was brought forward": (
        [held(SEALED, expires_at=NOW)],
        Plan(forget_subject=False, held=Held(documents=1, until=1500.0)),
        Counts(),
    ),
    "an alert whose hold is over": ([held(ALERT, NOW)], Plan(delete=(held(ALERT, NOW),)), Counts(alerts=1)),
    "nothing": ([], Plan(), Counts()),
    "everything is held": (
        [held(RECEIPT), held(OUTPUT, 1700.0), held(EVENT)],
        Plan(
            shorten=(held(OUTPUT, 1700.0), held(EVENT)),
            bury=held(RECEIPT),
            forget_subject=False,
            held=Held(documents=3, until=1700.0),
        ),
        Counts(receipts=1),
    ),
    "the output alone is held": (
        [RECEIPT, held(OUTPUT), EVENT],
        Plan(
            delete=(EVENT,), shorten=(held(OUTPUT),), bury=RECEIPT, forget_subject=False, held=Held(documents=1, until=1500.0)
        ),
        Counts(receipts=1, events=1),
    ),
    "a held job that was erased as far as it can be": (
        [held(HELD_TOMBSTONE), held(OUTPUT, expires_at=900.0)],
        Plan(forget_subject=False, held=Held(documents=2, until=1500.0)),
        Counts(),
    ),
    "its hold is over": (
        [held(HELD_TOMBSTONE, 999.0), held(OUTPUT, 999.0)],
        Plan(delete=(held(OUTPUT, 999.0),), bury=held(HELD_TOMBSTONE, 999.0)),
        Counts(outputs=1),
    ),
    "its hold ends now": ([held(HELD_TOMBSTONE, NOW)], Plan(bury=held(HELD_TOMBSTONE, NOW)), Counts()),
}


@pytest.mark.parametrize(("documents", "expected", "counts"), PLANS.values(), ids=PLANS)
def test_a_job_is_erased_as_far_as_its_holds_allow(documents: list[Standing], expected: Plan, counts: Counts) -> None:
    decided = plan(documents, NOW)
    bare = replace(expected, forget_subject=decided.forget_subject) if not documents else expected
    assert decided == bare
    assert decided.counts == counts
    assert decided.is_empty is (not (decided.delete or decided.shorten or decided.bury))


def test_an_erased_job_needs_no_write() -> None:
    assert plan([TOMBSTONE], NOW).is_empty
    assert plan([held(HELD_TOMBSTONE)], NOW).is_empty
    assert not plan([OUTPUT], NOW).is_empty
