import json
from pathlib import Path

import pytest

from shared import settings
from shared.errors import InvalidSettings

DIRECTORY = "11e7be00-0000-4000-8000-000000000001"


def issuer_at(origin: str) -> str:
    return json.dumps({f"{origin}/{DIRECTORY}/v2.0": f"{origin}/{DIRECTORY}/discovery/v2.0/keys"})


LOCAL = {
    "ServiceBus": "Endpoint=sb://localhost:5672;SharedAccessKeyName=k;SharedAccessKey=bus-secret;UseDevelopmentEmulator=true",
    "LETHE_COSMOS_ENDPOINT": "http://127.0.0.1:8081",
    "LETHE_COSMOS_KEY": "cosmos-secret",
    "LETHE_MODEL_RESOURCES": '{"primary": "http://127.0.0.1:9000/openai/v1/"}',
    "LETHE_KEY_STORE": "file:///keys.json",
    "LETHE_TOKEN_ISSUERS": issuer_at("http://127.0.0.1:9100"),
    "LETHE_TOKEN_AUDIENCES": '["11e7be00-0000-4000-8000-0000000000aa"]',
}
AZURE = {
    "WEBSITE_SITE_NAME": "lethe-eu",
    "ServiceBus__fullyQualifiedNamespace": "lethe.servicebus.windows.net",
    "LETHE_COSMOS_ENDPOINT": "https://lethe.documents.azure.com",
    "LETHE_MODEL_RESOURCES": '{"primary": "https://lethe.openai.azure.com/openai/v1/"}',
    "LETHE_KEY_STORE": "https://lethe.vault.azure.net",
    "LETHE_TOKEN_ISSUERS": issuer_at("https://login.microsoftonline.com"),
    "LETHE_TOKEN_AUDIENCES": LOCAL["LETHE_TOKEN_AUDIENCES"],
}
NUMBERS = [
    "LETHE_MODEL_TIMEOUT_SECONDS",
    "LETHE_LEASE_SECONDS",
    "LETHE_GRACE_SECONDS",
    "LETHE_MAX_REQUEST_BYTES",
    "LETHE_MAX_WAIT_IN_PLACE_SECONDS",
    "LETHE_MAX_DELIVERY_COUNT",
    "LETHE_DEAD_LETTER_MAX_AGE_SECONDS",
]
CANARY = "canary4f1c"


def refusal(environment: dict[str, str]) -> InvalidSettings:
    with pytest.raises(InvalidSettings) as refused:
        settings.load(environment)
    return refused.value


def test_the_settings_of_the_embedded_stack_are_read() -> None:
    read = settings.load(LOCAL)
    assert read.model_resources == {"primary": "http://127.0.0.1:9000/openai/v1/"}
    assert (read.service_bus_connection, read.service_bus_namespace) == (LOCAL["ServiceBus"], None)
    assert (read.cosmos_database, read.max_request_bytes, read.grace) == ("lethe", 200_000, 900)
    assert read.clock_offset_file is None
    assert read.token_issuers == json.loads(LOCAL["LETHE_TOKEN_ISSUERS"])
    assert read.token_audiences == {"11e7be00-0000-4000-8000-0000000000aa"}
    assert not read.webhook_allow_loopback


def test_the_settings_of_an_app_in_azure_are_read() -> None:
    read = settings.load(AZURE)
    assert (read.service_bus_connection, read.cosmos_key) == (None, None)
    assert read.service_bus_namespace == "lethe.servicebus.windows.net"


def test_an_identity_based_connection_wins_over_a_connection_string() -> None:
    read = settings.load(LOCAL | {"ServiceBus__fullyQualifiedNamespace": "lethe.servicebus.windows.net"})
    assert read.service_bus_connection is None


def test_settings_with_a_default_can_be_set() -> None:
    given = {name: str(number) for number, name in enumerate(NUMBERS, 1)}
    read = settings.load(LOCAL | given | {"LETHE_COSMOS_DATABASE": "d", "LETHE_CLOCK_OFFSET_FILE": "/tmp/o"})  # noqa: S108
    assert [
        read.model_timeout,
        read.lease,
        read.grace,
        read.max_request_bytes,
        read.max_wait_in_place,
        read.max_delivery_count,
        read.dead_letter_max_age,
    ] == [1, 2, 3, 4, 5, 6, 7]
    assert (read.cosmos_database, read.clock_offset_file) == ("d", Path("/tmp/o"))  # noqa: S108


@pytest.mark.parametrize("value", [None, "", "  "])
@pytest.mark.parametrize("name", sorted({*LOCAL} - {"LETHE_COSMOS_KEY"}))
def test_a_missing_setting_is_named(name: str, value: str | None) -> None:
    environment = {other: kept for other, kept in LOCAL.items() if other != name}
    assert refusal(environment if value is None else environment | {name: value}).setting == name


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "60s", "+60", " 60", "six", "\u0664", CANARY])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_is_no_positive_whole_one_is_named_and_not_quoted(name: str, value: str) -> None:
    error = refusal(LOCAL | {name: value})
    assert error.setting == name
    assert CANARY not in f"{error} {error!r}"


@pytest.mark.parametrize(
    "value",
    [
        CANARY,
        "[]",
        "{}",
        "null",
        f'{{"primary": "{CANARY}"}}',
        f'{{"primary": "ftp://{CANARY}"}}',
        f'{{"primary": "https:///{CANARY}"}}',
        f'{{"primary": "https://[{CANARY}"}}',  # urlsplit raises
        f'{{"primary": ["https://{CANARY}"]}}',
        '{"primary": 1}',
        f'{{"primary": "https://{CANARY}.example.com/openai/v1/"}}',
        '{"primary": "https://api.openai.com/v1/"}',
        '{"primary": "https://lethe.openai.azure.com.example.com/openai/v1/"}',
        '{"primary": "https://evilopenai.azure.com/openai/v1/"}',
        '{"primary": "https://lethe.openai.azure.com@example.com/openai/v1/"}',
        '{"primary": "https://user@lethe.openai.azure.com/openai/v1/"}',
        '{"primary": "http://lethe.openai.azure.com/openai/v1/"}',
        '{"primary": "https://127.0.0.1:9000/openai/v1/"}',
    ],
)
def test_malformed_model_resources_are_named_and_not_quoted(value: str) -> None:
    error = refusal(LOCAL | {"LETHE_MODEL_RESOURCES": value})
    assert error.setting == "LETHE_MODEL_RESOURCES"
    assert "JSON object" in str(error)
    assert CANARY not in f"{error} {error!r}"


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("True", True), (" true ", True), ("false", False)])
def test_loopback_webhooks_are_allowed_only_by_the_word(value: str, expected: object) -> None:
    assert settings.load(LOCAL | {"LETHE_WEBHOOK_ALLOW_LOOPBACK": value}).webhook_allow_loopback is expected


@pytest.mark.parametrize("value", ["", "1", "yes", "on", CANARY])
def test_a_flag_that_is_neither_true_nor_false_is_named_and_not_quoted(value: str) -> None:
    error = refusal(LOCAL | {"LETHE_WEBHOOK_ALLOW_LOOPBACK": value})
    assert error.setting == "LETHE_WEBHOOK_ALLOW_LOOPBACK"
    assert CANARY not in f"{error} {error!r}"


@pytest.mark.parametrize("name", ["LETHE_TOKEN_ISSUERS", "LETHE_TOKEN_AUDIENCES"])
@pytest.mark.parametrize("value", [CANARY, "[]", "{}", "null", f'["{CANARY}", 1]', f'{{"{CANARY}": 1}}'])
def test_malformed_issuers_and_audiences_are_named_and_not_quoted(name: str, value: str) -> None:
    error = refusal(LOCAL | {name: value})
    assert error.setting == name
    assert CANARY not in f"{error} {error!r}"


def models(url: str) -> str:
    return json.dumps({"primary": "https://lethe.openai.azure.com/openai/v1/", "other": url})


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"ServiceBus__fullyQualifiedNamespace": "", "ServiceBus": LOCAL["ServiceBus"]}, "ServiceBus"),
        ({"LETHE_COSMOS_KEY": "cosmos-secret"}, "LETHE_COSMOS_KEY"),
        ({"LETHE_CLOCK_OFFSET_FILE": "/tmp/offset"}, "LETHE_CLOCK_OFFSET_FILE"),  # noqa: S108
        ({"LETHE_COSMOS_ENDPOINT": "http://lethe.documents.azure.com"}, "LETHE_COSMOS_ENDPOINT"),
        ({"LETHE_COSMOS_ENDPOINT": "https://localhost:8081"}, "LETHE_COSMOS_ENDPOINT"),
        ({"LETHE_COSMOS_ENDPOINT": "https://LOCALHOST:8081"}, "LETHE_COSMOS_ENDPOINT"),
        ({"LETHE_COSMOS_ENDPOINT": "https://[::1]:8081"}, "LETHE_COSMOS_ENDPOINT"),
        ({"LETHE_KEY_STORE": "file:///keys.json"}, "LETHE_KEY_STORE"),
        ({"LETHE_KEY_STORE": "https://127.0.0.1/"}, "LETHE_KEY_STORE"),
        ({"LETHE_KEY_STORE": "http://lethe.vault.azure.net"}, "LETHE_KEY_STORE"),
        ({"LETHE_KEY_STORE": "https://127.0.0.2/"}, "LETHE_KEY_STORE"),
        ({"LETHE_KEY_STORE": "https://localhost./"}, "LETHE_KEY_STORE"),
        ({"LETHE_MODEL_RESOURCES": models("http://127.0.0.1:9000/openai/v1/")}, "LETHE_MODEL_RESOURCES"),
        ({"LETHE_WEBHOOK_ALLOW_LOOPBACK": "true"}, "LETHE_WEBHOOK_ALLOW_LOOPBACK"),
        ({"LETHE_TOKEN_ISSUERS": LOCAL["LETHE_TOKEN_ISSUERS"]}, "LETHE_TOKEN_ISSUERS"),
        ({"LETHE_TOKEN_ISSUERS": issuer_at("https://login.example.com")}, "LETHE_TOKEN_ISSUERS"),
    ],
)
def test_azure_refuses_what_only_the_embedded_stack_may_have(change: dict[str, str], name: str) -> None:
    error = refusal(AZURE | change)
    assert error.setting == name
    assert "Azure" in str(error)
    assert "secret" not in str(error)


def test_secrets_are_kept_out_of_repr() -> None:
    shown = repr(settings.load(LOCAL))
    assert "cosmos_database='lethe'" in shown
    assert "secret" not in shown
