"""What a check says of its parts together, and what of it becomes evidence."""

import pytest

from shared.domain.checked import Checked, Part, Unchecked
from shared.domain.configuration import Backup, StoreSettings
from shared.domain.drift import Drift, Finding
from shared.domain.evidence_fields import LONGEST_LIST, LONGEST_TEXT, check_fields

LOCK = Finding(kind=Drift.QUEUE_LOCK, target="generation-requests")
KEYS = Finding(kind=Drift.ACCOUNT_LOCAL_AUTH, target="primary")
STORE = StoreSettings(
    endpoint_host="lethe.documents.azure.com",
    regions=("swedencentral",),
    backup=Backup.CONTINUOUS,
    backup_horizon_hours=168,
    local_auth=False,
    analytical_storage=False,
)


def open_to(tenant: str) -> Finding:
    return Finding(kind=Drift.QUEUE_SUBMISSION_OPEN, target=tenant)


def test_parts_are_put_together_and_a_finding_of_two_of_them_counts_once() -> None:
    parts = [
        Checked(compared=3, findings=(LOCK,)),
        Checked(compared=2, findings=(KEYS, KEYS), content_logging={"primary": False}),
        Checked(unchecked=(Unchecked(part=Part.ACCOUNT, target="second"),)),
        Checked.of_store(STORE, ()),
    ]
    assert Checked.together(parts) == Checked(
        compared=6,
        findings=(LOCK, KEYS),
        unchecked=(Unchecked(part=Part.ACCOUNT, target="second"),),
        content_logging={"primary": False},
        backup=Backup.CONTINUOUS,
        backup_horizon_hours=168,
    )


@pytest.mark.parametrize(
    ("checked", "serious", "complete"),
    [
        (Checked(), (), True),
        (Checked(findings=(KEYS,)), (), True),  # for information
        (Checked(findings=(KEYS, LOCK)), (LOCK,), True),
        (Checked(findings=(LOCK,), unchecked=(Unchecked(part=Part.STORE),)), (LOCK,), False),
    ],
)
def test_a_check_is_complete_when_it_saw_everything_whatever_it_found(
    checked: Checked, serious: tuple[Finding, ...], *, complete: bool
) -> None:
    assert (checked.serious, checked.complete) == (serious, complete)


def test_evidence_has_what_was_found_and_what_was_not_looked_at() -> None:
    checked = Checked(
        compared=9,
        findings=(LOCK, KEYS, open_to("a"), open_to("b")),
        unchecked=(Unchecked(part=Part.CONTAINERS), Unchecked(part=Part.ACCOUNT, target="second")),
        content_logging={"primary": False, "third": None, "fourth": True},
        backup=Backup.PERIODIC,
        backup_horizon_hours=8,
    )
    assert checked.evidence() == {
        "compared": 9,
        "complete": False,
        "found": 3,
        "counts": ("queue_lock:1", "account_local_auth:1", "queue_submission_open:2"),
        "findings": (
            "queue_lock:generation-requests",
            "account_local_auth:primary",
            "queue_submission_open:a",
            "queue_submission_open:b",
        ),
        "unchecked": ("containers", "account:second"),
        "content_logging": ("primary:false", "third:unreadable", "fourth:true"),
        "backup": "periodic",
        "backup_horizon_hours": 8,
    }
    check_fields(checked.evidence())


def test_a_store_that_was_not_read_has_no_horizon_in_evidence() -> None:
    assert not Checked(unchecked=(Unchecked(part=Part.STORE),)).evidence().keys() & {"backup", "backup_horizon_hours"}


def test_long_lists_are_cut_in_evidence_and_counted_whole() -> None:
    fields = Checked(findings=tuple(open_to(f"tenant-{n}") for n in range(150))).evidence()
    assert isinstance(fields["findings"], tuple)
    assert (len(fields["findings"]), fields["counts"]) == (LONGEST_LIST, ("queue_submission_open:150",))
    check_fields(fields)


def test_the_longest_names_of_azure_are_cut_in_evidence() -> None:
    longest = Finding(kind=Drift.DEPLOYMENT_MISSING, target=f"{'r' * 64}/{'d' * 64}")
    fields = Checked(findings=(longest,), content_logging={"r" * 64: None}).evidence()
    assert fields["findings"] == (f"deployment_missing:{longest.target}"[:LONGEST_TEXT],)
    check_fields(fields)
