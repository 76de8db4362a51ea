"""What the app does not start with: in Azure nothing of the embedded stack, on a laptop no real service unless asked for."""

import json
from pathlib import Path

import pytest

from local.parts import PORTS
from local.stack.settings import Addresses, app_settings
from shared import settings
from tests.policies import DEPLOYMENT, MODEL_URL
from tests.unit.environments import AZURE, AZURE_MODEL, LOCAL, issuer_at, listed, refusal

ROOT = Path(__file__).parent.parent.parent
CANARY = "canary4f1c"


def models(url: str) -> str:
    """Deployments of an app in Azure, the second one behind a URL."""
    return listed(DEPLOYMENT | {"endpoint": AZURE_MODEL}, DEPLOYMENT | {"name": "other", "endpoint": url})


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
        ({"LETHE_EVIDENCE_KEY": LOCAL["LETHE_EVIDENCE_KEY"]}, "LETHE_EVIDENCE_KEY"),
        ({"LETHE_ABUSE_VAULT": LOCAL["LETHE_ABUSE_VAULT"]}, "LETHE_ABUSE_VAULT"),
        ({"LETHE_ABUSE_VAULT": "https://lethe.documents.azure.com"}, "LETHE_ABUSE_VAULT"),
        ({"LETHE_EVIDENCE_KEY": "http://lethe.vault.azure.net/keys/lethe-evidence"}, "LETHE_EVIDENCE_KEY"),
        ({"LETHE_EVIDENCE_KEY": "https://lethe.documents.azure.com/keys/lethe-evidence"}, "LETHE_EVIDENCE_KEY"),
        ({"LETHE_EVIDENCE_KEY": "https://lethe.vault.azure.net.example.com/keys/lethe-evidence"}, "LETHE_EVIDENCE_KEY"),
        ({"LETHE_DEPLOYMENTS": models(MODEL_URL)}, "LETHE_DEPLOYMENTS"),
        ({"LETHE_MANAGEMENT_ENDPOINT": "http://127.0.0.1:8085"}, "LETHE_MANAGEMENT_ENDPOINT"),
        ({"LETHE_MANAGEMENT_ENDPOINT": "http://management.azure.com"}, "LETHE_MANAGEMENT_ENDPOINT"),
        ({"LETHE_MANAGEMENT_ENDPOINT": "https://management.azure.com.example.com"}, "LETHE_MANAGEMENT_ENDPOINT"),
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


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"ServiceBus__fullyQualifiedNamespace": "lethe.servicebus.windows.net"}, "ServiceBus__fullyQualifiedNamespace"),
        ({"ServiceBus": "Endpoint=sb://lethe.servicebus.windows.net/;SharedAccessKeyName=k;SharedAccessKey=s"}, "ServiceBus"),
        ({"ServiceBus": LOCAL["ServiceBus"].replace("UseDevelopmentEmulator=true", "")}, "ServiceBus"),
        ({"ServiceBus": LOCAL["ServiceBus"].replace("localhost", "lethe.servicebus.windows.net")}, "ServiceBus"),
        ({"ServiceBus": f"{LOCAL['ServiceBus']};HostName=sb://lethe.servicebus.windows.net"}, "ServiceBus"),  # the SDK's
        ({"ServiceBus": LOCAL["ServiceBus"].replace("Endpoint=", "Address=")}, "ServiceBus"),
        ({"LETHE_COSMOS_ENDPOINT": "https://lethe.documents.azure.com"}, "LETHE_COSMOS_ENDPOINT"),
        ({"LETHE_COSMOS_ENDPOINT": "http://127.0.0.1.example.com:8081"}, "LETHE_COSMOS_ENDPOINT"),
        ({"LETHE_COSMOS_ENDPOINT": "http://127.0.0.1@example.com:8081"}, "LETHE_COSMOS_ENDPOINT"),
        ({"LETHE_COSMOS_ENDPOINT": "127.0.0.1:8081"}, "LETHE_COSMOS_ENDPOINT"),  # no URL, so nobody knows where it leads
        ({"LETHE_KEY_STORE": "https://lethe.vault.azure.net"}, "LETHE_KEY_STORE"),
        ({"LETHE_ABUSE_VAULT": "https://lethe.vault.azure.net"}, "LETHE_ABUSE_VAULT"),
        ({"LETHE_EVIDENCE_KEY": "https://lethe.vault.azure.net/keys/lethe-evidence"}, "LETHE_EVIDENCE_KEY"),
        ({"LETHE_EVIDENCE_KEY": "http://127.0.0.1.example.com/keys/lethe-evidence"}, "LETHE_EVIDENCE_KEY"),
        ({"LETHE_DEPLOYMENTS": listed(DEPLOYMENT | {"endpoint": AZURE_MODEL})}, "LETHE_DEPLOYMENTS"),
        ({"LETHE_DEPLOYMENTS": models(MODEL_URL)}, "LETHE_DEPLOYMENTS"),  # one of two
        ({"LETHE_MANAGEMENT_ENDPOINT": "https://management.azure.com"}, "LETHE_MANAGEMENT_ENDPOINT"),
    ],
)
def test_a_laptop_calls_a_real_service_only_by_the_word(change: dict[str, str], name: str) -> None:
    for word in ({}, {"LETHE_REAL_SERVICES": "false"}):
        error = refusal(LOCAL | change | word)
        assert error.setting == name
        assert "LETHE_REAL_SERVICES=true" in str(error)
        assert "secret" not in str(error)
    assert settings.load(LOCAL | change | {"LETHE_REAL_SERVICES": "true"})


def test_a_laptop_without_a_management_endpoint_would_read_the_real_one() -> None:
    environment = {name: value for name, value in LOCAL.items() if name != "LETHE_MANAGEMENT_ENDPOINT"}
    assert refusal(environment).setting == "LETHE_MANAGEMENT_ENDPOINT"


@pytest.mark.parametrize("url", [f"https://[{CANARY}", f"https://[{CANARY}]:443/"])
@pytest.mark.parametrize("environment", [LOCAL, AZURE], ids=["laptop", "Azure"])
@pytest.mark.parametrize("name", ["LETHE_COSMOS_ENDPOINT", "LETHE_KEY_STORE", "LETHE_MANAGEMENT_ENDPOINT"])
def test_an_endpoint_that_is_no_url_is_named_and_not_quoted(name: str, environment: dict[str, str], url: str) -> None:
    error = refusal(environment | {name: url})
    assert error.setting == name
    assert CANARY not in f"{error} {error!r} {error.__cause__}"


def test_a_broker_that_is_no_url_is_named_and_not_quoted() -> None:
    error = refusal(LOCAL | {"ServiceBus": LOCAL["ServiceBus"].replace("localhost", f"[{CANARY}]")})
    assert error.setting == "ServiceBus"
    assert CANARY not in f"{error} {error!r} {error.__cause__}"


@pytest.mark.parametrize("value", ["", "1", "yes", CANARY])
def test_the_word_for_real_services_is_true_or_false(value: str) -> None:
    error = refusal(LOCAL | {"LETHE_REAL_SERVICES": value})
    assert error.setting == "LETHE_REAL_SERVICES"
    assert CANARY not in f"{error} {error!r}"


def test_the_sample_settings_are_those_of_the_stack_on_its_own_ports() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    ports = {part: port for part, (_, port) in PORTS.items()}
    ours = app_settings(ROOT / ".local", Addresses(ports=ports))["Values"]
    own = {"LETHE_KEY_STORE"}  # a path that each person fills in
    assert {name: value for name, value in sample.items() if name in ours and name not in own} == {
        name: value for name, value in ours.items() if name in sample and name not in own
    }
    assert settings.load(sample).stamp == settings.load(ours).stamp
