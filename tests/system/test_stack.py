import json
import os
import re
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest

from local.issuer import principals
from local.management import ids
from local.parts import HOST, PORTS, free_port
from local.stack import child
from local.stack.errors import StackError
from tests.system.stack import Stack, running_stack, wait_for

PARTS = {"broker", "cosmos", "model", "issuer", "receiver", "management", "vault", "host", "review"}
SETTINGS = ("local.settings.json", "review.settings.json")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def test_endpoints_say_what_a_client_needs_to_its_owner_only(stack: Stack) -> None:
    described = stack.endpoints
    assert stat.S_IMODE((stack.state / "endpoints.json").stat().st_mode) == 0o600
    assert {"http", "review", "servicebus", "cosmos", "openai", "tokens", "pids"} <= set(described)
    assert set(described["cosmos"]) == {"endpoint", "key"}
    assert set(described["openai"]) == {"base_url", "control_url"}
    assert set(described["tokens"]) == {"contoso", "fabrikam", "adatum", "operator", "reviewer"}
    assert set(described["pids"]) == PARTS
    assert described["management_control"] == described["management"] + "/_control"
    assert described["vault_control"] == described["vault"] + "/_control"


def test_files_with_keys_are_readable_by_their_owner_only(stack: Stack) -> None:
    for name in ("keys.json", "vault.json", *SETTINGS):
        assert stat.S_IMODE((stack.state / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("collection", "name"), [(ids.QUEUES, "generation-requests"), (ids.containers("lethe"), "generations")]
)
def test_the_management_endpoint_describes_the_parts_beside_it(stack: Stack, collection: str, name: str) -> None:
    settings = json.loads((stack.state / "local.settings.json").read_text())["Values"]
    url = settings["LETHE_MANAGEMENT_ENDPOINT"] + collection
    answer = httpx2.get(url, params={"api-version": "2024-01-01"}, headers={"Authorization": "Bearer token"}, timeout=10)
    assert name in {resource["name"] for resource in answer.json()["value"]}
    assert collection.startswith((settings["LETHE_SERVICE_BUS_ID"], settings["LETHE_COSMOS_ID"]))


@pytest.mark.parametrize("part", sorted(PARTS))
def test_a_killed_part_is_restarted_on_its_port(stack: Stack, part: str) -> None:
    before = stack.endpoints
    stack.kill(part)
    after = stack.endpoints
    assert {name for name in PARTS if after["pids"][name] != before["pids"][name]} == {part}
    assert {**after, "pids": None} == {**before, "pids": None}
    with socket.create_connection((HOST, _port(after, part)), timeout=5):
        pass


@pytest.mark.parametrize(("path", "app", "review"), [("/healthz", 200, 200), ("/privacy", 200, 404), ("/v1/holds", 401, 404)])
def test_the_review_app_has_none_of_the_apps_routes_but_health(stack: Stack, path: str, app: int, review: int) -> None:
    answers = [httpx2.get(stack.endpoints[name] + path, timeout=10).status_code for name in ("http", "review")]
    assert answers == [app, review]


def test_the_review_app_differs_by_its_functions_its_identity_and_its_metrics(stack: Stack) -> None:
    app, review = (json.loads((stack.state / name).read_text())["Values"] for name in SETTINGS)
    different = {name for name in app | review if app.get(name) != review.get(name)}
    assert different == {"LETHE_APP", "IDENTITY_HEADER", "LETHE_METRICS"}
    directory = principals.read()
    assert (_object_id(app), _object_id(review)) == (directory.managed_identity.object_id, directory.review_app.object_id)


def test_a_second_stack_on_the_same_state_is_refused(stack: Stack) -> None:
    with pytest.raises(StackError, match="already runs"), running_stack(stack.state):
        pass


def test_tokens_are_renewed_when_the_clock_has_passed_their_life(stack: Stack) -> None:
    before = stack.endpoints["tokens"]
    stack.advance(25 * 3600)
    wait_for("new tokens", lambda: stack.endpoints["tokens"] != before)


def test_a_port_in_use_is_named_with_its_part_and_variable(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(StackError, match=rf"Port {port} .*'cosmos'.*LETHE_COSMOS_PORT"),
            running_stack(tmp_path, LETHE_COSMOS_PORT=str(port)),
        ):
            pass


def test_sigterm_ends_every_process_and_the_state_serves_the_next_stack(tmp_path: Path) -> None:
    with child.running(tmp_path) as first:
        pids = [*first.endpoints["pids"].values(), first.process.pid]
        keys = (tmp_path / "keys.json").read_bytes()
        assert first.end() == 0
        assert not [pid for pid in pids if _is_alive(pid)]
        assert not (tmp_path / "endpoints.json").exists()
    with child.running(tmp_path) as second:
        assert (tmp_path / "keys.json").read_bytes() == keys
        assert second.end() == 0


def test_a_stack_ends_the_parts_that_a_killed_one_left(tmp_path: Path) -> None:
    with child.running(tmp_path) as killed:
        left = killed.endpoints
        killed.process.kill()
        killed.process.wait()
        assert all(_is_alive(pid) for pid in left["pids"].values())
    ports = {variable: str(free_port()) for variable, _ in PORTS.values()}
    with child.running(tmp_path, **ports):
        assert not [pid for pid in left["pids"].values() if _is_alive(pid)]


def test_a_part_that_keeps_dying_ends_the_stack_with_a_message(tmp_path: Path) -> None:
    with child.running(tmp_path) as stack:

        def kill_again() -> bool:
            if stack.process.poll() is None and (tmp_path / "endpoints.json").exists():
                with suppress(ProcessLookupError):
                    os.kill(stack.endpoints["pids"]["model"], signal.SIGKILL)
            return stack.process.poll() is not None

        wait_for("the stack to give up", kill_again, seconds=40)
        assert stack.process.returncode == 1
        assert "'model' died 5 times" in stack.process.communicate()[1]


def _port(endpoints: dict[str, Any], part: str) -> int:
    where = {
        "broker": endpoints["servicebus"],
        "cosmos": endpoints["cosmos"]["endpoint"],
        "model": endpoints["openai"]["base_url"],
        "issuer": endpoints["issuer_control"],
        "receiver": endpoints["webhook_receiver"],
        "management": endpoints["management"],
        "vault": endpoints["vault"],
        "host": endpoints["http"],
        "review": endpoints["review"],
    }
    found = re.search(r":(\d+)", where[part])
    assert found
    return int(found[1])


def _object_id(settings: dict[str, str]) -> str:
    """Whom the managed-identity endpoint takes an app with these settings for."""
    asked = httpx2.get(
        settings["IDENTITY_ENDPOINT"],
        params={"resource": "https://vault.azure.net", "api-version": "2019-08-01"},
        headers={"X-IDENTITY-HEADER": settings["IDENTITY_HEADER"]},
        timeout=10,
    )
    return str(jwt.decode(asked.json()["access_token"], options={"verify_signature": False})["oid"])


def _is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and that nobody has waited for yet has no command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except FileNotFoundError:
        return False
