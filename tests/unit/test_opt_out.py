"""An opt-out as Azure confirms it: for how long a showing counts, who is routed where, and what is found or cannot be said."""

from itertools import product

import pytest

from shared.domain.drift import Drift, Finding
from shared.domain.opt_out import (
    CONFIRMED_SECONDS,
    Confirmation,
    Shown,
    after_look,
    confirmation,
    confirmed,
    unconfirmed,
    unreadable,
)
from shared.domain.policy import TenantPolicy
from shared.errors import Reason, RequestRefused
from tests.policies import RESOURCE_ID, deployment, policy, stamp

NOW = 1_800_000_000.0
OPTED_OUT = {"mode": "opted_out", "approval": "AOAI-2026-0117", "approved_on": "2026-03-02"}
ONE, TWO = "one", "two"
STAMP = stamp(
    deployment("on-one", resource_id=RESOURCE_ID.replace("primary", ONE)),
    deployment("on-two", resource_id=RESOURCE_ID.replace("primary", TWO)),
    deployment("world", resource_id=RESOURCE_ID.replace("primary", TWO), sku="GlobalStandard"),
)
OFF, ABSENT, UNREADABLE = False, True, None
FRESH, OLD = NOW - CONFIRMED_SECONDS, NOW - CONFIRMED_SECONDS - 1


def opted_out(**models: list[str]) -> TenantPolicy:
    named = {alias.replace("_", "-"): names for alias, names in models.items()}
    return policy(tenant_id="fabrikam", abuse_monitoring=OPTED_OUT, models=named)


@pytest.mark.parametrize(
    ("logs", "at", "says"),
    [
        # What was shown within 24 hours counts
        (OFF, NOW, OFF),
        (OFF, FRESH, OFF),
        (ABSENT, NOW, ABSENT),
        # and nothing that is older
        (OFF, OLD, UNREADABLE),
        (ABSENT, OLD, UNREADABLE),
        # A clock of another host may be ahead by minutes, and not by more
        (OFF, NOW + 299, OFF),
        (OFF, NOW + 301, UNREADABLE),
        # What never could be read says nothing
        (UNREADABLE, None, UNREADABLE),
    ],
)
def test_a_showing_counts_for_a_day(at: float | None, *, logs: bool | None, says: bool | None) -> None:
    assert Shown(logs=logs, at=at, looked_at=NOW).says(NOW) is says


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        # The first look
        (None, OFF, Shown(logs=OFF, at=NOW, looked_at=NOW)),
        (None, ABSENT, Shown(logs=ABSENT, at=NOW, looked_at=NOW)),
        (None, UNREADABLE, Shown(logs=None, at=None, looked_at=NOW)),
        # What is seen takes the place of what was seen
        (Shown(logs=OFF, at=NOW - 9, looked_at=NOW - 9), ABSENT, Shown(logs=ABSENT, at=NOW, looked_at=NOW)),
        (Shown(logs=ABSENT, at=NOW - 9, looked_at=NOW - 9), OFF, Shown(logs=OFF, at=NOW, looked_at=NOW)),
        (Shown(logs=None, at=None, looked_at=NOW - 9), OFF, Shown(logs=OFF, at=NOW, looked_at=NOW)),
        # What cannot be read does not, and is no reason to count longer what was seen
        (Shown(logs=OFF, at=NOW - 9, looked_at=NOW - 5), UNREADABLE, Shown(logs=OFF, at=NOW - 9, looked_at=NOW)),
        (Shown(logs=None, at=None, looked_at=NOW - 5), UNREADABLE, Shown(logs=None, at=None, looked_at=NOW)),
        # A later look that was written first stands, but for one of a clock that was set back
        (Shown(logs=ABSENT, at=NOW + 1, looked_at=NOW + 1), OFF, Shown(logs=ABSENT, at=NOW + 1, looked_at=NOW + 1)),
        (Shown(logs=ABSENT, at=NOW, looked_at=NOW), OFF, Shown(logs=ABSENT, at=NOW, looked_at=NOW)),
        (Shown(logs=ABSENT, at=NOW + 900, looked_at=NOW + 900), OFF, Shown(logs=OFF, at=NOW, looked_at=NOW)),
    ],
)
def test_the_last_look_is_remembered_and_the_last_showing(before: Shown | None, after: Shown, *, said: bool | None) -> None:
    assert after_look(before, said, at=NOW) == after


@pytest.mark.parametrize(("looked_at", "late"), [(NOW, False), (NOW - 600, False), (NOW - 601, True), (NOW + 301, True)])
def test_a_resource_at_which_nobody_looked_for_too_long_is_late(looked_at: float, *, late: bool) -> None:
    assert Shown(logs=OFF, at=looked_at, looked_at=looked_at).is_late(NOW, after=600) is late


STATES = {"false": OFF, "absent": ABSENT, "unreadable": UNREADABLE, "too old": Shown(logs=OFF, at=OLD, looked_at=NOW).says(NOW)}


@pytest.mark.parametrize("first", STATES)
def test_one_deployment_serves_an_opted_out_tenant_only_if_its_resource_shows_false(first: str) -> None:
    found = confirmed({ONE: STATES[first]})
    if first == "false":
        assert [one.name for one in STAMP.terms(opted_out(m=["on-one"]), "m", confirmed=found).deployments] == ["on-one"]
        return
    with pytest.raises(RequestRefused) as refused:
        STAMP.terms(opted_out(m=["on-one"]), "m", confirmed=found)
    assert (refused.value.reason, refused.value.field) == (Reason.ABUSE_MONITORING_UNCONFIRMED, "body.model")


@pytest.mark.parametrize(("first", "second"), [*product(STATES, STATES)])
def test_of_two_deployments_those_serve_whose_resource_shows_false(first: str, second: str) -> None:
    found = confirmed({ONE: STATES[first], TWO: STATES[second]})
    expected = [name for name, state in (("on-two", second), ("on-one", first)) if state == "false"]
    if expected:
        terms = STAMP.terms(opted_out(m=["on-two", "on-one"]), "m", confirmed=found)
        assert [one.name for one in terms.deployments] == expected  # in the policy's order
        return
    with pytest.raises(RequestRefused) as refused:
        STAMP.terms(opted_out(m=["on-two", "on-one"]), "m", confirmed=found)
    assert refused.value.reason is Reason.ABUSE_MONITORING_UNCONFIRMED


@pytest.mark.parametrize("mode", ["off", "flagged", "all"])
def test_a_tenant_that_did_not_opt_out_is_served_whatever_a_resource_shows(mode: str) -> None:
    terms = STAMP.terms(policy(abuse_monitoring={"mode": mode}, models={"m": ["on-one", "on-two"]}), "m")
    assert [one.name for one in terms.deployments] == ["on-one", "on-two"]


def test_residency_comes_first_and_is_not_mended_by_a_confirmation() -> None:
    with pytest.raises(RequestRefused) as refused:
        STAMP.terms(opted_out(m=["world"]), "m", confirmed={TWO})
    assert refused.value.reason is Reason.RESIDENCY_FORBIDDEN


CONFIRMED, UNCONFIRMED, UNKNOWN = Confirmation


@pytest.mark.parametrize(
    ("models", "first", "second", "expected"),
    [
        # One deployment
        ({"m": ["on-one"]}, OFF, ABSENT, CONFIRMED),
        ({"m": ["on-one"]}, ABSENT, OFF, UNCONFIRMED),
        ({"m": ["on-one"]}, UNREADABLE, OFF, UNKNOWN),
        # Two: one that shows it is enough; one that shows the opposite decides where none does
        ({"m": ["on-one", "on-two"]}, ABSENT, OFF, CONFIRMED),
        ({"m": ["on-one", "on-two"]}, UNREADABLE, OFF, CONFIRMED),
        ({"m": ["on-one", "on-two"]}, ABSENT, ABSENT, UNCONFIRMED),
        ({"m": ["on-one", "on-two"]}, UNREADABLE, ABSENT, UNCONFIRMED),
        ({"m": ["on-one", "on-two"]}, UNREADABLE, UNREADABLE, UNKNOWN),
        # Two models: the worst of them
        ({"m": ["on-one"], "n": ["on-two"]}, OFF, OFF, CONFIRMED),
        ({"m": ["on-one"], "n": ["on-two"]}, OFF, ABSENT, UNCONFIRMED),
        ({"m": ["on-one"], "n": ["on-two"]}, OFF, UNREADABLE, UNKNOWN),
        ({"m": ["on-one"], "n": ["on-two"]}, UNREADABLE, ABSENT, UNCONFIRMED),
        # What residency forbids neither confirms nor denies
        ({"m": ["on-one", "world"]}, ABSENT, OFF, UNCONFIRMED),
        ({"m": ["on-one"], "n": ["world"]}, OFF, ABSENT, CONFIRMED),
    ],
)  # fmt: skip
def test_absent_is_found_and_unreadable_is_unchecked(
    models: dict[str, list[str]], expected: Confirmation, *, first: bool | None, second: bool | None
) -> None:
    tenant, said = opted_out(**models), {ONE: first, TWO: second}
    assert confirmation(tenant, STAMP, said) is expected
    finding = Finding(kind=Drift.OPT_OUT_UNCONFIRMED, target="fabrikam")
    assert unconfirmed([policy(), tenant], STAMP, said) == ((finding,) if expected is UNCONFIRMED else ())
    assert unreadable([policy(), tenant], STAMP, said) == (("fabrikam",) if expected is UNKNOWN else ())


@pytest.mark.parametrize("models", [{}, {"m": ["world"]}, {"m": ["retired"]}])
def test_where_nothing_can_run_nothing_is_found_and_nothing_is_confirmed(models: dict[str, list[str]]) -> None:
    said = {ONE: ABSENT, TWO: ABSENT}
    assert unconfirmed([opted_out(**models)], STAMP, said) == ()
    assert unreadable([opted_out(**models)], STAMP, said) == ()
    assert confirmation(opted_out(**models), STAMP, said) is UNKNOWN


def test_a_resource_of_which_nothing_is_known_is_unreadable() -> None:
    assert unreadable([opted_out(m=["on-one"])], STAMP, {}) == ("fabrikam",)


@pytest.mark.parametrize("mode", ["off", "flagged", "all"])
def test_a_tenant_that_did_not_opt_out_is_no_finding(mode: str) -> None:
    tenant = policy(abuse_monitoring={"mode": mode}, models={"m": ["on-one"]})
    assert unconfirmed([tenant], STAMP, {ONE: ABSENT}) == ()
    assert unreadable([tenant], STAMP, {ONE: UNREADABLE}) == ()
