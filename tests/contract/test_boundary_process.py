"""Attacks that work when a process starts: what ``openai`` reads on import, seen in processes of their own."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.boundary import AMBIENT, CANARY, base_url, scene, undisturbed, wire
from tests.contract.loopback import Server

ROOT = Path(__file__).parents[2]
ASYNC_CLIENT = """
import asyncio, sys
from openai import AsyncOpenAI

async def main():
    async with AsyncOpenAI(base_url=sys.argv[1], api_key="none", max_retries=0) as client:
        await client.responses.create(model="gpt-small-eu", input=sys.argv[2])

asyncio.run(main())
"""
MODULE_CLIENT = """
import sys
import openai

openai.api_key = "none"
openai.responses.create(model="gpt-small-eu", input=sys.argv[2])
"""
OURS = """
import asyncio, sys
from shared.telemetry import quieten_libraries
{imports}

async def token():
    return "entra-token"

async def main():
    models = Models([sys.argv[1]], token=token, timeout=5)
    await models.call(sys.argv[1], "responses", {{"model": "gpt-small-eu", "input": sys.argv[2]}})
    await models.close()

asyncio.run(main())
"""
IMPORT, QUIETEN = "from shared.azure.model import Models", "quieten_libraries()"
OURS_AS_COMPOSED = OURS.format(imports=f"{IMPORT}\n{QUIETEN}")
OURS_QUIETENED_TOO_EARLY = OURS.format(imports=f"{QUIETEN}\n{IMPORT}")
LOUD = "import logging; logging.basicConfig(level=logging.DEBUG)\n"
AZURE = {"OPENAI_API_TYPE": "azure", "OPENAI_API_VERSION": "2024-10-21"}
NOT_READ_TODAY = {
    # an argument only
    "OPENAI_DATA_RESIDENCY": "eu",
    # read, and never sent
    "OPENAI_WEBHOOK_SECRET": "whsec_ZXZpbA==",
    # httpx2 reads it only when it is asked to
    "NETRC": "{folder}/.netrc",
    "HOME": "{folder}",
    # names of older versions, and of other stacks
    "OPENAI_ORGANIZATION": "org-evil",
    "REQUESTS_CA_BUNDLE": "{folder}/.netrc",
    "CURL_CA_BUNDLE": "{folder}/.netrc",
}


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A process that ended: its exit code, and everything that it printed."""

    code: int | None
    printed: str


async def run(script: str, server: Server, environment: dict[str, str]) -> Ended:
    """Run a script that posts the prompt to a server, in a process with nothing of the machine's own settings."""
    clean = {name: value for name, value in os.environ.items() if name not in AMBIENT and not name.startswith("AZURE_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, base_url(server), CANARY),
        cwd=ROOT,
        env=clean | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    return Ended(code=process.returncode, printed=printed.decode())


async def test_the_module_client_becomes_one_of_azure_and_ours_has_no_module_client() -> None:
    async with scene() as at:
        address = {"OPENAI_BASE_URL": base_url(at.listed)}
        await run(MODULE_CLIENT, at.listed, address)
        assert (len(at.listed.asked), at.elsewhere.asked) == (1, [])
        at.listed.asked.clear()
        attack = address | AZURE | {"AZURE_OPENAI_ENDPOINT": at.elsewhere.origin}
        await run(MODULE_CLIENT, at.listed, attack)
        (stolen,) = at.elsewhere.asked
        assert CANARY.encode() in stolen.body
        assert stolen.header("api-key") == ["none"]  # the key for the other service
        at.elsewhere.asked.clear()
        assert await run(OURS_AS_COMPOSED, at.listed, attack) == Ended(code=0, printed="")
    assert [wire(asked) for asked in at.listed.asked] == [undisturbed(at.listed)]
    assert at.elsewhere.asked == []


async def test_the_official_client_logs_by_the_environment_and_ours_says_nothing() -> None:
    async with scene() as at:
        loud = await run(ASYNC_CLIENT, at.listed, {"OPENAI_LOG": "debug"})
        assert "Sending HTTP Request: POST" in loud.printed
        assert CANARY not in loud.printed  # this version logs no body, which holds for ours in versions to come, too
        assert await run(OURS_AS_COMPOSED, at.listed, {"OPENAI_LOG": "debug"}) == Ended(code=0, printed="")


@pytest.mark.parametrize("script", [OURS_AS_COMPOSED, OURS_QUIETENED_TOO_EARLY])
async def test_a_process_that_logs_everything_logs_no_prompt_and_no_token(script: str) -> None:
    async with scene() as at:
        ended = await run(LOUD + script, at.listed, {"OPENAI_LOG": "debug", "PYTHONASYNCIODEBUG": "1"})
    assert ended.code == 0
    assert CANARY not in ended.printed
    assert "entra-token" not in ended.printed
    assert [wire(asked) for asked in at.listed.asked] == [undisturbed(at.listed)]


async def test_what_no_client_reads_today_changes_nothing_tomorrow(tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login evil password evil\n")
    netrc.chmod(0o600)
    environment = {name: value.replace("{folder}", str(tmp_path)) for name, value in NOT_READ_TODAY.items()}
    async with scene() as at:
        await run(ASYNC_CLIENT, at.listed, {})
        await run(ASYNC_CLIENT, at.listed, environment)
        before, after = (at.listed.asked.pop() for _ in range(2))
        assert sorted(before.headers) == sorted(after.headers)
        assert await run(OURS_AS_COMPOSED, at.listed, environment) == Ended(code=0, printed="")
    assert [wire(asked) for asked in at.listed.asked] == [undisturbed(at.listed)]
