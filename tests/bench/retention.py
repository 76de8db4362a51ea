"""How long the timer takes to clear what is due: documents and dead letters, while jobs run.

``python -m tests.bench.retention 100000 10000`` prints a line of a table for each run that deleted something.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.domain.run_record import Run
from tests.system import seeding
from tests.system.jobs import job
from tests.system.stack import Stack, running_stack, wait_for
from tests.system.timer_log import last, runs, total

DOCUMENTS, MESSAGES, JOBS = 100_000, 10_000, 200
SCHEDULE = "*/30 * * * * *"
QUEUE, DEAD = "generation-rejected", "dead_letters_generation_rejected"
LONGEST = 3_600.0


def measure(stack: Stack, documents: int, messages: int) -> list[Run]:
    """Let everything become due at once, submit jobs, and return the runs until all is gone and all jobs are done."""
    seeding.dead_letters(stack.endpoints["servicebus"], QUEUE, messages)
    seeding.insert(stack.state, seeding.receipts(documents, expires_at=seeding.now(stack.state) + 7_200))
    before = last(stack)
    stack.advance(7_300)
    stack.submit([job("meanwhile", f"job-{n}", f"number {n}") for n in range(JOBS)])

    def cleared() -> list[Run] | None:
        time.sleep(1)
        found = runs(stack, after=before)
        if total(found, "expired_documents") < documents or total(found, DEAD) < messages:
            return None
        return [run for _, run in found]

    stack.wait_for_outputs("contoso", "meanwhile", JOBS, seconds=LONGEST)
    print(f"{JOBS} jobs done {seeding.now(stack.state) - _oldest(stack):.0f} s after they were submitted")
    return wait_for("everything to be gone", cleared, seconds=LONGEST)


def _oldest(stack: Stack) -> float:
    return min(float(output["created_at"]) for output in stack.outputs("contoso", "meanwhile"))


def main(documents: int, messages: int) -> None:
    """Measure on a stack of its own."""
    print("| run | took | documents | dead letters | left over |\n|---|---|---|---|---|", flush=True)
    with TemporaryDirectory() as folder, running_stack(Path(folder), LETHE_RETENTION_SCHEDULE=SCHEDULE) as stack:
        for number, run in enumerate(measure(stack, documents, messages), 1):
            steps = run.steps
            left = [name for name in ("expired_documents", DEAD) if not steps[name].complete]
            cells = [f"{run.seconds:.0f} s", steps["expired_documents"].deleted, steps[DEAD].deleted, ", ".join(left) or "-"]
            print(f"| {number} | {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(*(numbers or [DOCUMENTS, MESSAGES]))
