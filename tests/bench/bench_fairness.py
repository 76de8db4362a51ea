"""How long one tenant's single job waits behind another tenant's backlog, with the limit of jobs in flight and without it.

``python -m tests.bench.bench_fairness 1000 10000`` prints a line of a table for each backlog and limit.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.system.host_log import HostLog
from tests.system.jobs import job
from tests.system.policies import limit
from tests.system.stack import Stack, running_stack, wait_for

JOB_SECONDS = 1.5
WORKERS = 32
"""``maxConcurrentCalls`` in host.json: a limit as high as this is none."""

LIMITS = (16, WORKERS)
LONGEST = 7200.0
LATER = 10.0
"""Seconds after the first single job at which a second one comes: into the midst of what is put back."""

RUN_TO_THE_END = 1000
"""Larger backlogs are left when their single job has ended and all of them were delivered once."""


def measure(stack: Stack, backlog: int, in_flight: int) -> str:
    """Let a tenant have a backlog, then another tenant submit one job; return a line of the table."""
    prompt = f"[[delay:{JOB_SECONDS * 1000:.0f}]]"
    limit(stack, "contoso", requests_in_flight=in_flight)
    stack.submit([job("warm", "one", "Hello.", tenant=tenant) for tenant in ("contoso", "fabrikam")])
    stack.wait_for_outputs("fabrikam", "warm", 1)
    log = HostLog.from_now(stack)
    began = time.time()
    stack.submit([job("backlog", f"job-{n}", f"{prompt} backlog {n}") for n in range(backlog)])
    cells = [str(backlog), _named(in_flight), _delay(stack, "first")]
    time.sleep(max(0.0, began + LATER - time.time()))
    cells.append(_delay(stack, "second"))
    cells += _putting_back(stack, log, backlog, began) if in_flight < WORKERS else ["-", "-"]
    cells.append(_end(stack, backlog, in_flight, began, log) if backlog <= RUN_TO_THE_END else "-")
    return f"| {' | '.join(cells)} |"


def _delay(stack: Stack, name: str) -> str:
    """Let another tenant submit one job; return how much longer than its own time it took."""
    submitted = time.time()
    stack.submit([job(name, "one", f"[[delay:{JOB_SECONDS * 1000:.0f}]] {name}", tenant="fabrikam")])
    [single] = wait_for("the single job", lambda: stack.outputs("fabrikam", name), seconds=LONGEST)
    delay = single["completed_at"] - submitted - JOB_SECONDS
    return f"{delay:.1f} s ({delay / JOB_SECONDS:.1f})"


def _named(in_flight: int) -> str:
    return "none" if in_flight >= WORKERS else str(in_flight)


def _putting_back(stack: Stack, log: HostLog, backlog: int, began: float) -> list[str]:
    """Wait until each message was delivered once; return how long that took, and how many were put back in a second."""

    def put_back() -> int | None:
        time.sleep(1)
        count = len(log.events("job_postponed"))
        return count if count + len(stack.outputs("contoso", "backlog")) >= backlog else None

    count = wait_for("every message to be delivered once", put_back, seconds=LONGEST)
    seconds = time.time() - began
    return [f"{seconds:.0f} s", f"{count / seconds:.0f}/s"]


def _end(stack: Stack, backlog: int, in_flight: int, began: float, log: HostLog) -> str:
    outputs = stack.wait_for_outputs("contoso", "backlog", backlog, seconds=LONGEST)
    seconds = max(output["completed_at"] for output in outputs) - began
    ideal = backlog * JOB_SECONDS / in_flight
    return f"{seconds:.0f} s ({ideal:.0f} s at best), {len(log.events('job_postponed'))} put back"


def main(backlogs: list[int]) -> None:
    """Measure each backlog on a stack of its own."""
    columns = ["backlog", "limit", "delay", "10 s later", "all delivered once after", "put back", "backlog done after"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|", flush=True)
    for backlog in backlogs:
        for in_flight in LIMITS:
            with TemporaryDirectory() as folder, running_stack(Path(folder)) as stack:
                print(measure(stack, backlog, in_flight), flush=True)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [1000, 10_000])
