import json
from pathlib import Path

import pytest

from shared import settings
from shared.domain.configuration import Backup, Backups
from shared.domain.stamp import StampLimits
from tests.policies import DEPLOYMENT, MODEL_URL
from tests.unit.environments import AZURE, LOCAL, listed, refusal

NUMBERS = [
    "LETHE_MODEL_TIMEOUT_SECONDS",
    "LETHE_LEASE_SECONDS",
    "LETHE_GRACE_SECONDS",
    "LETHE_MAX_REQUEST_BYTES",
    "LETHE_MAX_WAIT_IN_PLACE_SECONDS",
    "LETHE_MAX_DELIVERY_COUNT",
    "LETHE_DEAD_LETTER_MAX_AGE_SECONDS",
    "LETHE_RETENTION_BUDGET_SECONDS",
    "LETHE_MAX_REQUESTS_IN_FLIGHT",
    "LETHE_MAX_OUTPUT_TOKENS",
    "LETHE_MAX_REQUESTS_PER_MINUTE",
]
CANARY = "canary4f1c"


def test_the_settings_of_the_embedded_stack_are_read() -> None:
    read = settings.load(LOCAL)
    assert [one.endpoint for one in read.stamp.deployments.values()] == [MODEL_URL]
    assert read.stamp.limits == StampLimits(requests_in_flight=16, output_tokens_per_request=16_384, requests_per_minute=6000)
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
    assert read.management_endpoint == "https://management.azure.com"


def test_an_identity_based_connection_wins_over_a_connection_string() -> None:
    namespace = {"ServiceBus__fullyQualifiedNamespace": "lethe.servicebus.windows.net"}
    read = settings.load(LOCAL | namespace | {"LETHE_REAL_SERVICES": "true"})
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
        read.retention_budget,
    ] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert read.stamp.limits == StampLimits(requests_in_flight=9, output_tokens_per_request=10, requests_per_minute=11)
    assert (read.cosmos_database, read.clock_offset_file) == ("d", Path("/tmp/o"))  # noqa: S108


@pytest.mark.parametrize(
    ("given", "stated"),
    [
        ({}, Backups(mode=Backup.PERIODIC, horizon_hours=8)),
        ({"LETHE_BACKUP_MODE": "continuous"}, Backups(mode=Backup.CONTINUOUS, horizon_hours=720)),
        ({"LETHE_BACKUP_HORIZON_HOURS": "720"}, Backups(mode=Backup.PERIODIC, horizon_hours=720)),
        (
            {"LETHE_BACKUP_MODE": "continuous", "LETHE_BACKUP_HORIZON_HOURS": "168"},
            Backups(mode=Backup.CONTINUOUS, horizon_hours=168),
        ),
    ],
)
def test_backups_are_stated_as_azure_makes_them_unless_something_else_is_said(given: dict[str, str], stated: Backups) -> None:
    assert settings.load(LOCAL | given).backups == stated


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *(("LETHE_BACKUP_MODE", value) for value in ("", "none", "Periodic", CANARY)),
        *(("LETHE_BACKUP_HORIZON_HOURS", value) for value in ("", "0", "-8", "8.5", "8h", "721", CANARY)),
    ],
)
def test_backups_that_no_account_can_have_are_named_and_not_quoted(setting: str, value: str) -> None:
    error = refusal(LOCAL | {setting: value})
    assert error.setting == setting
    assert CANARY not in f"{error} {error!r}"


@pytest.mark.parametrize(("given", "app"), [({}, "generation"), *(({"LETHE_APP": app}, app) for app in settings.App)])
def test_the_app_is_the_one_that_generates_unless_it_is_to_be_the_reviewers(given: dict[str, str], app: str) -> None:
    assert settings.load(LOCAL | given).app == app


@pytest.mark.parametrize("value", ["", " ", "Review", "review ", "generation,review", "all", CANARY])
def test_an_app_that_there_is_not_is_named_and_not_quoted(value: str) -> None:
    error = refusal(LOCAL | {"LETHE_APP": value})
    assert error.setting == "LETHE_APP"
    assert CANARY not in f"{error} {error!r}"


@pytest.mark.parametrize("value", [None, "", "  "])
@pytest.mark.parametrize("name", sorted({*LOCAL} - {"LETHE_COSMOS_KEY", "LETHE_MANAGEMENT_ENDPOINT"}))
def test_a_missing_setting_is_named(name: str, value: str | None) -> None:
    environment = {other: kept for other, kept in LOCAL.items() if other != name}
    assert refusal(environment if value is None else environment | {name: value}).setting == name


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "60s", "+60", " 60", "six", "\u0664", CANARY])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_is_no_positive_whole_one_is_named_and_not_quoted(name: str, value: str) -> None:
    error = refusal(LOCAL | {name: value})
    assert error.setting == name
    assert CANARY not in f"{error} {error!r}"


DUPLICATE = listed(DEPLOYMENT, DEPLOYMENT | {"sku": "DataZoneStandard"})
MALFORMED = [
    # no list of objects
    *(CANARY, "[]", "{}", "null", "1", f'["{CANARY}"]', "[[]]", listed(DEPLOYMENT) + CANARY, json.dumps(DEPLOYMENT)),
    # a field missing, of the wrong type, or unknown
    *(listed({name: value for name, value in DEPLOYMENT.items() if name != missing}) for missing in DEPLOYMENT),
    *(listed(DEPLOYMENT | {name: 1}) for name in DEPLOYMENT),
    *(listed(DEPLOYMENT | {name: None}) for name in DEPLOYMENT),
    listed(DEPLOYMENT | {"api_key": CANARY}),
    # names: none that a policy could not say, and each once
    *(listed(DEPLOYMENT | {"name": name}) for name in ("", f"../{CANARY}", "a b", "a" * 65, "a\n")),
    DUPLICATE,
    # endpoints: resources of Azure OpenAI, or loopback
    *(
        listed(DEPLOYMENT | {"endpoint": endpoint})
        for endpoint in (
            CANARY,
            f"ftp://{CANARY}",
            f"https:///{CANARY}",
            f"https://[{CANARY}",  # urlsplit raises
            f"https://{CANARY}.example.com/openai/v1/",
            "https://api.openai.com/v1/",
            "https://lethe.openai.azure.com.example.com/openai/v1/",
            "https://evilopenai.azure.com/openai/v1/",
            "https://lethe.openai.azure.com@example.com/openai/v1/",
            f"https://{CANARY}@lethe.openai.azure.com/openai/v1/",
            f"https://user:{CANARY}@lethe.openai.azure.com/openai/v1/",
            f"https://lethe.openai.azure.com/openai/v1/?{CANARY}",
            f"https://lethe.openai.azure.com/openai/v1/#{CANARY}",
            "http://lethe.openai.azure.com/openai/v1/",
            "https://127.0.0.1:9000/openai/v1/",
        )
    ),
    # resource ids of Azure Resource Manager
    *(listed(DEPLOYMENT | {"resource_id": f"{start}{CANARY}"}) for start in ("", "subscriptions/", "/subscriptions/a?")),
    listed(DEPLOYMENT | {"resource_id": "/subscriptions/"}),
    # a region of the geography, the geography of the stamp, a SKU that answers requests
    *(
        listed(DEPLOYMENT | {"region": region})
        for region in (CANARY, "", "eastus", "uksouth", "SwedenCentral", "Sweden Central")
    ),
    *(listed(DEPLOYMENT | {"geography": geography}) for geography in (CANARY, "us", "EU", "europe")),
    listed(DEPLOYMENT | {"region": "eastus", "geography": "us"}),
    listed(DEPLOYMENT, DEPLOYMENT | {"name": "elsewhere", "region": "eastus", "geography": "us"}),
    *(listed(DEPLOYMENT | {"sku": sku}) for sku in (CANARY, "standard", "GlobalBatch", "DataZoneBatch")),
    *(listed(DEPLOYMENT | {"model": model}) for model in ("", CANARY * 11)),
]


@pytest.mark.parametrize("value", MALFORMED)
def test_malformed_deployments_are_named_and_not_quoted(value: str) -> None:
    error = refusal(LOCAL | {"LETHE_DEPLOYMENTS": value})
    assert error.setting == "LETHE_DEPLOYMENTS"
    assert "JSON list of deployments" in str(error)
    assert CANARY not in f"{error} {error!r} {error.__cause__}"


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("True", True), (" true ", True), ("false", False)])
def test_loopback_webhooks_are_allowed_only_by_the_word(value: str, expected: object) -> None:
    assert settings.load(LOCAL | {"LETHE_WEBHOOK_ALLOW_LOOPBACK": value}).webhook_allow_loopback is expected


@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        ("[]", ()),
        ('["hooks.example.com"]', ("hooks.example.com",)),
        ('["*.example.com", "localhost"]', ("*.example.com", "localhost")),
    ],
)
def test_hosts_of_operators_webhooks_are_none_but_those_that_are_listed(value: str, hosts: tuple[str, ...]) -> None:
    assert settings.load(LOCAL).operator_webhook_hosts == ()
    assert settings.load(LOCAL | {"LETHE_OPERATOR_WEBHOOK_HOSTS": value}).operator_webhook_hosts == hosts


@pytest.mark.parametrize(
    "value", ["", CANARY, "{}", "null", "[1]", f'["{CANARY} x"]', '["*"]', '["*.com"]', '["A.example.com"]', '["a"]']
)
def test_malformed_hosts_of_operators_webhooks_are_named_and_not_quoted(value: str) -> None:
    error = refusal(LOCAL | {"LETHE_OPERATOR_WEBHOOK_HOSTS": value})
    assert error.setting == "LETHE_OPERATOR_WEBHOOK_HOSTS"
    assert CANARY not in f"{error} {error!r} {error.__cause__}"


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


@pytest.mark.parametrize("value", [CANARY, "europa", "EU", "e u"])
def test_an_unknown_geography_is_named_and_not_quoted(value: str) -> None:
    error = refusal(LOCAL | {"LETHE_GEOGRAPHY": value})
    assert error.setting == "LETHE_GEOGRAPHY"
    assert "south_africa" in str(error)
    assert CANARY not in f"{error} {error!r}"


@pytest.mark.parametrize("value", [CANARY, f"subscriptions/{CANARY}", f"/subscriptions/{CANARY}?a=b", "/subscriptions/"])
@pytest.mark.parametrize("name", ["LETHE_SERVICE_BUS_ID", "LETHE_COSMOS_ID"])
def test_a_malformed_resource_id_is_named_and_not_quoted(name: str, value: str) -> None:
    error = refusal(LOCAL | {name: value})
    assert error.setting == name
    assert CANARY not in f"{error} {error!r}"


KEY_URLS = [
    *(
        CANARY,
        f"https://{CANARY}",
        f"ftp://{CANARY}/keys/evidence",
        f"https://[{CANARY}/keys/evidence",
        "https:///keys/evidence",
    ),
    f"https://lethe.vault.azure.net/keys/evidence/{CANARY}",
    f"https://lethe.vault.azure.net/keys/evidence?{CANARY}",
    f"https://{CANARY}@lethe.vault.azure.net/keys/evidence",
    f"https://lethe.vault.azure.net:{CANARY}/keys/evidence",
    f"https://lethe.vault.azure.net/secrets/{CANARY}",
    "https://lethe.vault.azure.net/keys/",
    "https://lethe.vault.azure.net/keys/two words",
    "https://lethe.vault.azure.net\\@example.com/keys/evidence",
]


@pytest.mark.parametrize("value", KEY_URLS)
def test_what_is_no_url_of_a_key_is_named_and_not_quoted(value: str) -> None:
    error = refusal(LOCAL | {"LETHE_EVIDENCE_KEY": value})
    assert error.setting == "LETHE_EVIDENCE_KEY"
    assert CANARY not in f"{error} {error!r}"


@pytest.mark.parametrize(
    "value", [CANARY, f"ftp://{CANARY}", f"https://{CANARY}/keys", f"https://{CANARY}@vault.azure.net", "https://"]
)
def test_what_is_no_url_of_a_vault_is_named_and_not_quoted(value: str) -> None:
    error = refusal(LOCAL | {"LETHE_ABUSE_VAULT": value})
    assert error.setting == "LETHE_ABUSE_VAULT"
    assert CANARY not in f"{error} {error!r}"


@pytest.mark.parametrize("value", ["6", "29", "90", "0", "-7", "seven", CANARY])
def test_a_vault_that_keeps_keys_too_long_for_any_record_is_refused(value: str) -> None:
    error = refusal(LOCAL | {"LETHE_ABUSE_KEY_RECOVERY_DAYS": value})
    assert error.setting == "LETHE_ABUSE_KEY_RECOVERY_DAYS"
    assert CANARY not in f"{error} {error!r}"


def test_secrets_are_kept_out_of_repr() -> None:
    shown = repr(settings.load(LOCAL))
    assert "cosmos_database='lethe'" in shown
    assert "secret" not in shown
