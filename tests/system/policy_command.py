"""The operators' commands as an operator runs it: a process of its own, with a token in its environment."""

import json
import os
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.system.stack import Stack

ROOT = Path(__file__).parent.parent.parent
SECOND = "11e7be00-0000-4000-8000-000000000c14"


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def token_of(stack: Stack, **claims: object) -> str:
    """Have the issuer make an operator's token, with claims changed."""
    url = f"{stack.endpoints['issuer_control']}/tokens"
    body = json.dumps({"principal": "operator", "claims": claims}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body)) as answer:  # noqa: S310 - the stack's own loopback URL
        token: str = json.load(answer)["token"]
    return token


def run(stack: Stack, *arguments: str, document: object = None, token: str | None = None, command: str = "policy") -> Done:
    """Run a command to its end; a document goes to its standard input."""
    given = document if isinstance(document, bytes) else json.dumps(document).encode()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")}
    process = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", f"commands.{command}", "--settings", str(stack.state / "local.settings.json"), *arguments],
        cwd=ROOT,
        env=environment | {"LETHE_OPERATOR_TOKEN": stack.endpoints["tokens"]["operator"] if token is None else token},
        input=given,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return Done(code=process.returncode, out=process.stdout.decode(), err=process.stderr.decode())


def apply(stack: Stack, document: object, *, token: str | None = None) -> Done:
    """Apply a policy."""
    return run(stack, "apply", "-", document=document, token=token)


def shown(stack: Stack, tenant: str) -> dict[str, Any]:
    """Return a tenant's policy as `show` prints it."""
    policy: dict[str, Any] = json.loads(run(stack, "show", tenant).out)
    return policy


def evidence(stack: Stack, tenant: str) -> list[dict[str, Any]]:
    """Return what the chain of policies says of a tenant, the oldest first."""
    query = "SELECT * FROM c WHERE c.sequence > 0 ORDER BY c.sequence ASC"
    records = stack.store.container("evidence").query_items(query, partition_key="policies")
    return [record for record in records if record["fields"]["tenant"] == tenant]
