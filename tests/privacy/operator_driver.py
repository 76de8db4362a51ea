"""Runs the operators' command many times in one process, because each process would pay a second for the SDKs.

Reads what to run as JSON from standard input, and writes as JSON how each run ended. A run that raises ends as Python would
end it: with a traceback on standard error.
"""

import io
import json
import os
import sys
import traceback
import urllib.request
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from commands import policy, session
from shared.patience import patience


def main() -> None:
    """Run all."""
    given = json.load(sys.stdin)
    json.dump([_run(each, faults=given["faults"], seconds=given["patience"]) for each in given["runs"]], sys.stdout)


def _run(each: dict[str, Any], *, faults: str, seconds: float) -> dict[str, object]:
    os.environ[session.TOKEN] = each["token"]
    for fault in each["faults"]:
        _call(faults, "POST", json.dumps(fault).encode())
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), patience(seconds):
        try:
            code = policy.main(each["arguments"])
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:  # noqa: BLE001 - whatever a shell would show
            traceback.print_exc()
            code = 1
    if each["faults"]:
        _call(faults, "DELETE", None)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


def _call(url: str, method: str, body: bytes | None) -> None:
    urllib.request.urlopen(urllib.request.Request(url, body, method=method)).close()  # noqa: S310 - the stack's own URL


if __name__ == "__main__":
    main()
