"""An alert's id: the same for the same actor and kind, whoever notices it, and another for every other."""

from itertools import product

from shared.domain.abuse_alert import AlertKind, alert_id
from shared.domain.macs import Mac

SUBJECTS = (Mac(kid="1", mac="a" * 64), Mac(kid="2", mac="a" * 64), Mac(kid="1", mac="b" * 64), None)


def test_each_tenant_kind_and_actor_has_an_alert_of_its_own() -> None:
    actors = [(subject, None) for subject in SUBJECTS] + [(None, "11e7be00-0000-4000-8000-000000000c01")]
    named = {
        alert_id(tenant=tenant, kind=kind, subject=subject, principal=principal)
        for tenant, kind, (subject, principal) in product(("contoso", "adatum"), AlertKind, actors)
    }
    assert len(named) == 2 * len(AlertKind) * len(actors)
    assert all(len(each) == 40 and set(each) <= set("0123456789abcdef") for each in named)


def test_it_does_not_change() -> None:
    found = alert_id(tenant="contoso", kind=AlertKind.BLOCKED_PROMPTS, subject=SUBJECTS[0], principal=None)
    assert found == alert_id(tenant="contoso", kind=AlertKind.BLOCKED_PROMPTS, subject=SUBJECTS[0], principal=None)
