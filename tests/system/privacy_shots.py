"""``python -m tests.system.privacy_shots``: takes the pictures of the privacy page for the documents, on a stack of its own."""

import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from local.demo import over_http, samples, showcase
from tests.contract import javascript
from tests.system import policy_command
from tests.system.http import Http, calling
from tests.system.stack import Stack, running_stack, wait_for

IMAGES = policy_command.ROOT / "docs" / "images"
PROMISES, OVERVIEW = "#promises", "#overview"


def main() -> int:
    """Write the four pictures."""
    with tempfile.TemporaryDirectory(prefix="lethe-") as folder, running_stack(Path(folder)) as stack, calling(stack) as http:
        with stack.client() as client:
            showcase.run(client, Console(file=io.StringIO()), samples.samples("a sample"))
        over_http.run(stack.endpoints)
        wait_for("a violation", lambda: _state(http, "geography") == "violated", seconds=60)
        _shoot(stack, {"name": "violated", "first": PROMISES, "last": ".card:nth-child(6)"})
        for tenant in ("contoso", "fabrikam", "adatum"):
            policy = policy_command.shown(stack, tenant)
            done = policy_command.apply(stack, policy | {"queue_submission": "forbidden"})
            assert done.code == 0, done.err
        wait_for("no violation", lambda: _state(http, "geography") == "holding", seconds=120)
        _shoot(
            stack,
            {"name": "light", "last": ".card:nth-child(9)"},
            {"name": "dark", "first": OVERVIEW, "last": OVERVIEW, "colorScheme": "dark"},
            {"name": "phone", "last": ".card:nth-child(3)", "phone": True},
        )
    return 0


def _state(http: Http, promise: str) -> str | None:
    answer = http.call("GET", "/v1/privacy/statement", tenant=None)
    return (
        next((one["state"] for one in answer.json["promises"] if one["id"] == promise), None) if answer.status == 200 else None
    )


def _shoot(stack: Stack, *shots: dict[str, Any]) -> None:
    wanted = [{"colorScheme": "light", **shot, "path": str(IMAGES / f"privacy-{shot['name']}.png")} for shot in shots]
    javascript.run("page-shots.mjs", URL=f"{stack.endpoints['http']}/privacy", SHOTS=json.dumps(wanted))


if __name__ == "__main__":
    sys.exit(main())
