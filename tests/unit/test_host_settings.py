import json
from pathlib import Path

import pytest

from local.host import settings
from local.host.errors import StartError
from local.host.settings import Connection


def write(folder: Path, text: str) -> Path:
    path = folder / "local.settings.json"
    path.write_text(text)
    return path


def test_values_become_settings_and_never_override(tmp_path: Path) -> None:
    path = write(tmp_path, json.dumps({"Values": {"A": "file", "B": "file"}, "Host": {"CORS": "*"}}))
    environment = {"B": "environment"}
    settings.load(path, environment, required=True)
    assert environment == {"A": "file", "B": "environment"}


def test_a_default_settings_file_may_be_missing(tmp_path: Path) -> None:
    settings.load(tmp_path / "local.settings.json", {}, required=False)


@pytest.mark.parametrize("text", ["{", "[]", '{"Values": []}', '{"Values": {"A": 1}}', '{"IsEncrypted": true}'])
def test_a_settings_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(StartError):
        settings.load(write(tmp_path, text), {}, required=False)


def test_a_refusal_does_not_show_a_value(tmp_path: Path) -> None:
    with pytest.raises(StartError) as refusal:
        settings.load(write(tmp_path, '{"Values": {"KEY": ["a secret"]}}'), {}, required=False)
    assert "secret" not in str(refusal.value)
    assert "KEY" in str(refusal.value)


@pytest.mark.parametrize(("text", "expected"), [("plain", "plain"), ("%A%", "1"), ("x-%A%-%B%", "x-1-2"), ("50%", "50%")])
def test_percent_names_are_replaced_by_settings(text: str, expected: str) -> None:
    assert settings.resolve(text, {"A": "1", "B": "2"}) == expected


def test_a_percent_name_without_a_setting_is_refused() -> None:
    with pytest.raises(StartError, match="%MISSING% names no app setting"):
        settings.resolve("%MISSING%", {})


@pytest.mark.parametrize(
    ("name", "environment", "expected"),
    [
        ("Bus", {"Bus": "Endpoint=a"}, Connection(connection_string="Endpoint=a")),
        ("Bus", {"Bus": "Endpoint=a", "AzureWebJobsBus": "Endpoint=b"}, Connection(connection_string="Endpoint=b")),
        ("Bus", {"Bus__fullyQualifiedNamespace": "ns.example"}, Connection(namespace="ns.example")),
        ("Bus", {"Bus:fullyQualifiedNamespace": "ns.example"}, Connection(namespace="ns.example")),
        ("", {"AzureWebJobsServiceBus": "Endpoint=c"}, Connection(connection_string="Endpoint=c")),
        (None, {"ServiceBus": "Endpoint=d"}, Connection(connection_string="Endpoint=d")),
    ],
)
def test_a_connection_is_found_by_its_prefix(name: str | None, environment: dict[str, str], expected: Connection) -> None:
    assert settings.connection(name, environment) == expected


def test_a_connection_that_is_not_set_is_refused() -> None:
    with pytest.raises(StartError, match="connection Bus is not set"):
        settings.connection("Bus", {"Bus": ""})


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("false", False), ("", False)])
def test_a_function_is_disabled_by_its_setting(value: str, expected: bool) -> None:  # noqa: FBT001
    assert settings.disabled("work", {"AzureWebJobs.work.Disabled": value}) is expected
