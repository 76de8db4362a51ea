import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from openai import OpenAI
from openai.types.webhooks import ResponseCompletedWebhookEvent
from standardwebhooks import Webhook, WebhookVerificationError

from shared.domain.signing import Signing, hint_of, new_secret
from shared.domain.webhook import EVENT_TYPES, Message, body_of, data_id_of, sign
from shared.domain.webhook_endpoint import new_endpoint_id, secret_name

EVENT = "evt_" + "a" * 32
JOB = "b" * 40


def message(*secrets: str, at: float | None = None) -> Message:
    body = body_of(event_id=EVENT, event_type="response.completed", created_at=1_700_000_000.7, data_id=f"resp_{JOB}")
    return sign(body, event_id=EVENT, at=time.time() if at is None else at, signing_secrets=secrets)


def test_the_body_is_the_thin_one_of_the_interface() -> None:
    assert json.loads(message(new_secret()).body) == {
        "id": EVENT,
        "object": "event",
        "type": "response.completed",
        "created_at": 1_700_000_000,
        "data": {"id": f"resp_{JOB}"},
    }


@pytest.mark.parametrize(
    ("event_type", "source", "expected"),
    [
        ("response.failed", JOB, f"resp_{JOB}"),
        ("generation.completed", JOB, f"gen_{JOB}"),
        ("webhook_endpoint.disabled", "we_1.1700000000", "we_1"),
    ],
)
def test_the_data_id_is_the_public_one(event_type: str, source: str, expected: str) -> None:
    assert event_type in EVENT_TYPES
    assert data_id_of(event_type, source) == expected


def test_the_openai_client_unwraps_it() -> None:
    secret = new_secret()
    sent = message(secret)
    with OpenAI(api_key="none", base_url="http://127.0.0.1:9/", webhook_secret=secret) as client:
        event = client.webhooks.unwrap(sent.body, sent.headers)
    assert isinstance(event, ResponseCompletedWebhookEvent)
    assert event.data.id == f"resp_{JOB}"


def test_standardwebhooks_verifies_it_with_either_secret_while_one_is_rotated_out() -> None:
    new, old = new_secret(), new_secret()
    sent = message(new, old)
    assert len(sent.headers["webhook-signature"].split(" ")) == 2
    for secret in (new, old):
        assert Webhook(secret).verify(sent.body, sent.headers)["id"] == EVENT


def test_another_secret_does_not_verify_it() -> None:
    sent = message(new_secret())
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(sent.body, sent.headers)


def test_a_changed_body_does_not_verify() -> None:
    secret = new_secret()
    sent = message(secret)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(sent.body.replace(b"completed", b"cancelled"), sent.headers)


def test_each_attempt_has_its_own_timestamp_and_the_same_id() -> None:
    secret = new_secret()
    first, second = message(secret, at=1_700_000_000.9), message(secret, at=1_700_000_005.0)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == EVENT
    assert (first.headers["webhook-timestamp"], second.headers["webhook-timestamp"]) == ("1700000000", "1700000005")
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_the_signature_of_a_known_input_is_the_libraries_own() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    sent = message(secret, at=(moment + timedelta(seconds=0.5)).timestamp())
    assert sent.headers["webhook-signature"] == Webhook(secret).sign(EVENT, moment, sent.body.decode())


def test_a_message_is_never_printed() -> None:
    assert "whsec" not in repr(message(new_secret()))
    assert "v1," not in repr(message(new_secret()))


def test_secrets_are_fresh_and_their_hint_gives_four_characters_away() -> None:
    secret = new_secret()
    assert secret.startswith("whsec_")
    assert secret != new_secret()
    hint = hint_of(secret)
    assert hint == f"whsec_…{secret.rstrip('=')[-4:]}"


def test_a_previous_secret_signs_for_a_day_or_no_more() -> None:
    kept = Signing(current="1").rotated("2", now=100.0, keep_old=True)
    assert kept.kids(now=100.0 + 86_399) == ["2", "1"]
    assert kept.kids(now=100.0 + 86_400) == ["2"]
    assert Signing(current="1").rotated("2", now=100.0, keep_old=False).kids(now=100.0) == ["2"]


def test_the_name_of_a_secret_is_one_that_key_vault_takes() -> None:
    name = secret_name("contoso", new_endpoint_id())
    assert name.startswith("lethe-contoso-webhook-we-")
    assert all(character.isalnum() or character == "-" for character in name)
    assert len(secret_name("t" * 40, new_endpoint_id())) <= 127
