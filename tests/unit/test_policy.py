import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.policy import DAY, LETHES_QUEUES, Deadlines, Retention, TenantPolicy, deadlines, ttl

DIRECTORY, CLIENT = "11e7be00-0000-4000-8000-000000000001", "11e7be00-0000-4000-8000-000000000c01"

POLICY: dict[str, Any] = {
    "tenant_id": "contoso",
    "retention": {"output_seconds": DAY, "receipt_seconds": 30 * DAY},
    "models": {"gpt-small": [{"resource": "primary", "deployment": "gpt-small-eu"}]},
    "queue_submission": "open",
    "principals": [{"directory": DIRECTORY, "client_id": CLIENT}],
    "webhook_hosts": ["hooks.contoso.example"],
    "reply_queues": ["contoso-replies"],
}


def read(document: object) -> TenantPolicy:
    return TenantPolicy.model_validate_json(json.dumps(document))


def test_a_whole_policy_is_read() -> None:
    policy = read(POLICY)
    assert policy.models["gpt-small"][0].deployment == "gpt-small-eu"
    assert policy.retention.shortest_seconds == DAY
    assert (policy.principals[0].directory, policy.principals[0].client_id) == (DIRECTORY, CLIENT)
    assert (policy.webhook_hosts, policy.reply_queues) == (("hooks.contoso.example",), ("contoso-replies",))


def test_a_tenant_may_have_neither_callers_nor_webhooks_nor_replies() -> None:
    policy = read(POLICY | {"principals": [], "webhook_hosts": [], "reply_queues": []})
    assert (policy.principals, policy.webhook_hosts, policy.reply_queues) == ((), (), ())


@pytest.mark.parametrize("queue", sorted(LETHES_QUEUES | {queue.title() for queue in LETHES_QUEUES}))
def test_a_queue_of_lethe_is_no_reply_queue(queue: str) -> None:
    with pytest.raises(ValidationError):
        read(POLICY | {"reply_queues": ["contoso-replies", queue]})


@pytest.mark.parametrize("field", POLICY)
def test_a_policy_without_one_of_its_fields_is_refused(field: str) -> None:
    with pytest.raises(ValidationError):
        read({name: value for name, value in POLICY.items() if name != field})


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        *[{"tenant_id": name} for name in ("", "Contoso", "-a", "a-", "a_b", "a" * 41, "a/b", "a\n", None)],
        {"retention": {"output_seconds": DAY}},
        {"retention": {"receipt_seconds": DAY}},
        {"retention": {"output_seconds": 0, "receipt_seconds": DAY}},
        {"retention": {"output_seconds": 30 * DAY + 1, "receipt_seconds": 60 * DAY}},
        {"retention": {"output_seconds": DAY, "receipt_seconds": 400 * DAY + 1}},
        {"retention": {"output_seconds": DAY, "receipt_seconds": DAY - 1}},  # a receipt answers 410 after the output
        {"retention": {"output_seconds": "60", "receipt_seconds": DAY}},
        {"retention": {"output_seconds": 60.5, "receipt_seconds": DAY}},
        {"models": {"gpt-small": []}},
        {"models": {"gpt small": POLICY["models"]["gpt-small"]}},
        {"models": {"gpt-small": [{"resource": "primary"}]}},
        {"models": {"gpt-small": [{"resource": "primary", "deployment": "../other"}]}},
        {"queue_submission": "signed"},  # until signatures are checked, nobody may believe that they are
        {"queue_submission": ""},
        *[{"principals": [{"directory": DIRECTORY, "client_id": name}]} for name in ("", CLIENT.upper(), CLIENT + "\n", None)],
        *[{"principals": [{"directory": name, "client_id": CLIENT}]} for name in ("common", "*", f"{{{DIRECTORY}}}")],
        {"principals": [{"client_id": CLIENT}]},
        {"principals": [{"directory": DIRECTORY, "client_id": CLIENT, "role": "Lethe.Operator"}]},
        *[
            {"webhook_hosts": [host]}
            for host in ("", "*", "*.*", "https://contoso.example", "contoso.example:443", "a b", None)
        ],
        *[{"reply_queues": [queue]} for queue in ("", "/replies", "replies/", "a b", "replies\n", "q" * 261, None)],
        {"reply_queues": "contoso-replies"},
    ],
)
def test_a_policy_of_the_wrong_shape_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(POLICY | change)


@pytest.mark.parametrize(
    ("expires_after", "content"),
    [
        (None, 1060.0),
        (1, 1001.0),
        (59, 1059.0),
        (60, 1060.0),
        (61, 1060.0),  # it can only shorten
        (10**30, 1060.0),
    ],
)
def test_expires_after_can_only_shorten_the_deadline_of_the_content(expires_after: int | None, content: float) -> None:
    retention = Retention(output_seconds=60, receipt_seconds=600)
    fixed = deadlines(retention, admitted_at=1000.0, expires_after=expires_after)
    assert fixed == Deadlines(content=content, receipt=1600.0)


@pytest.mark.parametrize(
    ("expires_at", "now", "seconds"),
    [
        (1060.0, 1000.0, 60 + 900),
        (1060.9, 1000.0, 60 + 900),  # never later than the deadline and its grace
        (1060.0, 1059.9, 1 + 900),
        (1060.0, 1060.0, 1 + 900),  # Cosmos refuses 0
        (1060.0, 99_999.0, 1 + 900),  # long past: still visible to the timer
    ],
)
def test_ttl_is_what_remains_and_the_grace_at_least_a_second(expires_at: float, now: float, seconds: int) -> None:
    assert ttl(expires_at, now=now, grace=900) == seconds
