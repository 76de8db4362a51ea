"""What the timer of a stack said of its runs: in the evidence, and in the host's log."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from shared.domain.run_record import Run, run_of
from tests.system.seeding import now
from tests.system.stack import Stack, wait_for

STORE_STEPS = {
    *("holds", "held_documents", "shortened_deadlines", "erasures", "expired_documents", "forgotten_contents"),
    *("shortened_abuse_records", "expired_abuse_records", "abuse_keys", "detection"),
    *("orphans", "abandoned_claims", "undelivered_events", "probe"),
}
QUEUE_STEPS = {
    "rejected_messages",
    "dead_letters_generation_requests",
    "dead_letters_generation_rejected",
    "dead_letters_webhook_deliveries",
}


def runs(stack: Stack, *, after: int = 0) -> list[tuple[int, Run]]:
    """Runs in the evidence behind a sequence number, with their own numbers, the oldest first."""
    found = stack.store.container("evidence").query_items(
        "SELECT * FROM c WHERE c.sequence > @after ORDER BY c.sequence ASC",
        parameters=[{"name": "@after", "value": after}],
        partition_key="retention",
    )
    return [(record["sequence"], run_of(_tuples(record["fields"]), at=record["at"])) for record in found]


def last(stack: Stack) -> int:
    """Sequence number of the last run."""
    return max([number for number, _ in runs(stack)], default=0)


def whole_run(stack: Stack, *, seconds: float = 60) -> Run:
    """Return the first run that begins from now on, once it has ended."""
    known, begin = last(stack), now(stack.state)

    def ended() -> Run | None:
        return next((run for _, run in runs(stack, after=known) if run.at - run.seconds > begin), None)

    return wait_for("a whole run of the timer", ended, seconds=seconds)


def total(found: list[tuple[int, Run]], step: str) -> int:
    """How much a step deleted in some runs."""
    return sum(run.steps[step].deleted for _, run in found)


def incomplete(run: Run) -> set[str]:
    """Steps that could not look at everything."""
    return {name for name, report in run.steps.items() if not report.complete}


@dataclass(frozen=True, kw_only=True)
class TimerLog:
    """The host's log of the timer, from a moment on."""

    stack: Stack
    begin: int

    @classmethod
    def from_now(cls, stack: Stack) -> "TimerLog":
        return cls(stack=stack, begin=(stack.state / "logs" / "host.log").stat().st_size)

    def lines(self) -> list[dict[str, Any]]:
        """Whole lines of the timer's function."""
        with (self.stack.state / "logs" / "host.log").open("rb") as file:
            file.seek(self.begin)
            text = file.read().decode(errors="replace")
        found = []
        for line in text.splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return [line for line in found if str(line.get("category", "")).startswith("Function.enforce_retention")]

    def whole_run(self) -> list[dict[str, Any]] | None:
        """What the app logged in the first run that began since, None until it has ended."""
        lines = self.lines()
        verbs = [str(line["message"]).partition(" ")[0] for line in lines]
        if "Executing" not in verbs or "Executed" not in verbs[verbs.index("Executing") :]:
            return None
        begin = verbs.index("Executing")
        end = verbs.index("Executed", begin)
        return [json.loads(line["message"]) for line in lines[begin:end] if line.get("logger") == "lethe"]

    def beginnings_and_ends(self) -> list[str]:
        """What the host says of runs since: ``Executing`` and ``Executed``; of one by itself just these two."""
        verbs = [str(line["message"]).partition(" ")[0] for line in self.lines()]
        return [verb for verb in verbs if verb in {"Executing", "Executed"}]


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
