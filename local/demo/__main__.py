"""``python -m local.demo``: show Lethe on a stack of its own, or run an OpenAI Batch input file on one."""

import argparse
import secrets
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from local.demo import batch_file, forgetting, over_http, progress, promises, reviewing, samples, showcase, steps
from local.demo.client import Client
from local.stack import child
from local.stack.errors import StackError

RESULTS = Path("results.jsonl")


def main() -> int:
    """Return 0 when everything held, 1 when something did not, 2 when there was nothing to run."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--file", type=Path, metavar="FILE", help="an OpenAI Batch input file (JSON lines)")
    parser.add_argument("--model", metavar="ALIAS", help="with --file: run every line with this model alias")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    console = progress.make_console()
    try:
        lines = batch_file.read(arguments.file, model=arguments.model) if arguments.file else None
        console.print("Starting a local stack of its own ...")
        with (
            tempfile.TemporaryDirectory(prefix="lethe-") as folder,
            child.running(Path(folder)) as stack,
            Client(stack.endpoints) as client,
        ):
            if lines is not None:
                return batch_file.run(client, console, lines, RESULTS)
            return _show(client, console, stack.endpoints)
    except batch_file.NothingToRunError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _show(client: Client, console: Console, endpoints: dict[str, Any]) -> int:
    canary = f"canary{secrets.token_hex(8)}"
    requests = samples.samples(canary)
    found = showcase.run(client, console, requests)
    console.print(showcase.table(requests, found))
    failures = showcase.failed_expectations(client, requests, found)
    forgotten = found.get(samples.FORGOTTEN)
    if forgotten is not None and forgotten.output is not None:
        watched = forgetting.Watch(output=forgotten.output, canary=canary, state=Path(endpoints["state"]))
        failures += forgetting.watch(client, console, watched)
    over = over_http.run(endpoints)
    console.print()
    console.print(steps.table(over, title="Over HTTP, with the official OpenAI client", means="method of the client"))
    reviewed = reviewing.run(client, endpoints)
    console.print()
    console.print(steps.table(reviewed, title="Abuse is noticed, and reviewed by a person", means="by whom"))
    failures += steps.failed_expectations([*over, *reviewed])
    stated = promises.read(endpoints)
    console.print()
    console.print(promises.table(stated["promises"]))
    console.print(promises.clocks(stated))
    failures += promises.failed_expectations(stated["promises"])
    for failure in failures:
        console.print(f"NOT as expected: {failure}")
    if not failures:
        console.print(
            f"\nAll {len(requests)} requests and {len(over) + len(reviewed)} steps ended as expected, "
            "and what had to be forgotten is gone.\n"
            "To look around: make up, then open /privacy of the address in .local/endpoints.json."
        )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
