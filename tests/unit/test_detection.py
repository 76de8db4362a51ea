"""What looks like abuse, as a table of cases, and rules that hold for any trace."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.abuse_alert import AlertKind
from shared.domain.detection import Finding, Signal, findings, new_subject_candidates
from shared.domain.filter_outcome import Verdict
from shared.domain.macs import Mac
from shared.domain.policy import Detection
from tests import traces

NOW = 1_000_000.0
RULES = Detection(window_seconds=3600, jailbreak_attempts=3, blocked_prompts=5, new_subjects=4)
ANN, BOB = Mac(kid="1", mac="a" * 64), Mac(kid="1", mac="b" * 64)
SHOP = "11e7be00-0000-4000-8000-000000000c01"
NUMBERS = count()


def sign(
    *,
    subject: Mac | None = ANN,
    at: float = NOW - 60,
    verdict: Verdict = Verdict.ANNOTATED,
    codes: tuple[str, ...] = (),
    principal: str | None = None,
    tenant: str = "contoso",
) -> Signal:
    """A job that ended a minute ago."""
    return Signal(
        tenant_id=tenant,
        job_id=f"{next(NUMBERS):040x}",
        subject=subject,
        principal=principal,
        at=at,
        verdict=verdict,
        codes=codes,
    )


def attempts(number: int, code: str = "jailbreak:detected", **more: object) -> list[Signal]:
    return [replace(sign(codes=(code,)), **more) for _ in range(number)]  # type: ignore[arg-type]


def blocked(number: int, **more: object) -> list[Signal]:
    return [replace(sign(verdict=Verdict.PROMPT_BLOCKED), **more) for _ in range(number)]  # type: ignore[arg-type]


def subjects(number: int) -> list[Mac]:
    return [Mac(kid="1", mac=f"{n:064x}") for n in range(number)]


def found(signals: list[Signal], rules: Detection = RULES) -> list[tuple[AlertKind, Mac | None, str | None, int]]:
    """Findings, everybody being new who is asked about."""
    new = new_subject_candidates(signals, rules, now=NOW)
    return [(each.kind, each.subject, each.principal, len(each.signals)) for each in decided(signals, rules, new=new)]


def decided(
    signals: list[Signal],
    rules: Detection = RULES,
    *,
    new: frozenset[Mac] = frozenset(),
    resolved: Mapping[str, float] = MappingProxyType({}),
) -> list[Finding]:
    return [*findings(signals, rules, now=NOW, new=new, resolved=resolved)]


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ([], []),
        (attempts(2), []),
        (attempts(3), [(AlertKind.JAILBREAK_ATTEMPTS, ANN, None, 3)]),
        (attempts(3, "jailbreak:filtered"), [(AlertKind.JAILBREAK_ATTEMPTS, ANN, None, 3)]),
        (attempts(1) + attempts(2, "indirect_attack:detected"), [(AlertKind.JAILBREAK_ATTEMPTS, ANN, None, 3)]),
        (attempts(3, "violence:detected:low"), []),
        (attempts(2) + attempts(2, subject=BOB), []),
        (attempts(2) + attempts(2, subject=replace(ANN, kid="2")), []),  # another key's MAC is another subject
        (attempts(3, subject=None), []),  # nobody in particular
        (attempts(2) + attempts(1, at=NOW - 3600), []),  # outside the window
        (attempts(2) + attempts(1, at=NOW - 3599), [(AlertKind.JAILBREAK_ATTEMPTS, ANN, None, 3)]),
        (blocked(4), []),
        (blocked(5), [(AlertKind.BLOCKED_PROMPTS, ANN, None, 5)]),
        (blocked(5, subject=None), [(AlertKind.BLOCKED_PROMPTS, None, None, 5)]),
        (blocked(5, subject=None, principal=SHOP), [(AlertKind.BLOCKED_PROMPTS, None, SHOP, 5)]),
        (blocked(3, subject=None) + blocked(3, subject=None, principal=SHOP), []),
        (blocked(4) + attempts(1), []),
        (attempts(5, verdict=Verdict.PASSED), []),
        (attempts(5, verdict=Verdict.UNFILTERED), []),  # says something of the filter, nothing of the subject
        ([sign(subject=each) for each in subjects(3)], []),
        ([sign(subject=each) for each in subjects(4)], [(AlertKind.NEW_SUBJECTS, None, None, 4)]),
        ([sign(subject=each, principal=SHOP) for each in subjects(4)], [(AlertKind.NEW_SUBJECTS, None, SHOP, 4)]),
        ([sign(subject=each) for each in subjects(2) * 2], []),  # the same two twice
        ([sign(subject=each, principal=principal) for each, principal in zip(subjects(4), [SHOP, None] * 2, strict=True)], []),
    ],
)
def test_signs_of_one_actor_add_up_to_an_alert(
    signals: list[Signal], expected: list[tuple[AlertKind, Mac | None, str | None, int]]
) -> None:
    assert found(signals) == expected


def test_tenants_are_apart() -> None:
    assert found(attempts(2) + attempts(2, tenant_id="fabrikam")) == []


def test_a_job_that_is_told_of_twice_counts_once() -> None:
    signals = attempts(2)
    assert found(signals * 3) == []


def test_only_what_came_after_the_last_resolution_counts() -> None:
    signals = attempts(3)
    [finding] = decided(signals)
    assert decided(signals, resolved={finding.alert_id: NOW - 60}) == []
    assert len(decided(signals, resolved={finding.alert_id: NOW - 61})) == 1
    assert len(decided(signals, resolved={"another": NOW})) == 1


def test_subjects_that_were_seen_before_are_not_new() -> None:
    signals = [sign(subject=each) for each in subjects(5)]
    assert decided(signals, new=frozenset(subjects(3))) == []
    assert len(decided(signals, new=frozenset(subjects(4)))) == 1


def test_nobody_is_asked_about_where_too_few_could_be_new() -> None:
    few, many = subjects(3), subjects(6)
    assert new_subject_candidates([sign(subject=each) for each in few], RULES, now=NOW) == frozenset()
    assert new_subject_candidates([sign(subject=each) for each in many], RULES, now=NOW) == frozenset(many)


@pytest.mark.parametrize(
    ("name", "signals"),
    [
        ("jailbreak_attempts", attempts(9)),
        ("blocked_prompts", blocked(9)),
        ("new_subjects", [sign(subject=each) for each in subjects(9)]),
    ],
)
def test_a_kind_that_the_policy_does_not_look_for_is_not_found(name: str, signals: list[Signal]) -> None:
    off = RULES.model_copy(update={name: None})
    assert len(found(signals)) == 1
    assert found(signals, off) == []


SIGNALS = st.builds(
    lambda subject, at, verdict, code, principal: sign(
        subject=subject, at=NOW - at, verdict=verdict, codes=(code,) if code else (), principal=principal
    ),
    st.sampled_from([ANN, BOB, None]),
    st.floats(0, 7200),
    st.sampled_from([*Verdict]),
    st.sampled_from(["jailbreak:detected", "violence:filtered:high", ""]),
    st.sampled_from([SHOP, None]),
)


@settings(max_examples=150, deadline=None, database=None)
@given(st.lists(SIGNALS, max_size=20), st.randoms())
def test_the_order_of_signals_does_not_matter(signals: list[Signal], random: object) -> None:
    shuffled = [*signals]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sorted(found(signals), key=str) == sorted(found(shuffled), key=str)


@settings(max_examples=150, deadline=None, database=None)
@given(st.lists(SIGNALS, max_size=20))
def test_every_finding_has_enough_signs_of_its_actor_within_the_window(signals: list[Signal]) -> None:
    for finding in decided(signals, new=new_subject_candidates(signals, RULES, now=NOW)):
        assert len(finding.signals) >= 3
        assert all(NOW - 3600 < signal.at <= NOW for signal in finding.signals)
        if finding.subject is not None:
            assert {signal.subject for signal in finding.signals} == {finding.subject}


def test_a_benign_day_raises_no_alarm_and_each_attack_on_it_does() -> None:
    day = traces.benign(3_000, 7)
    assert [*traces.alerts(day)] == []
    for kind in AlertKind:
        attack = traces.attack(kind, 7)
        until = attack[-1].at + 600
        raised = [*traces.alerts([*day, *attack], until=until)]
        assert {(each.tenant, each.kind) for each in raised} >= {(attack[0].tenant_id, kind)}
