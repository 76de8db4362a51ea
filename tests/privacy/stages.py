"""The canary run: what is done to the stack in which order, and what is looked at in between."""

import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.privacy import bus, paths, refusals, rules, sealed, signatures, surroundings
from tests.privacy.cases import Case, Traces
from tests.privacy.flock import Flock
from tests.privacy.journey import Journey, Look
from tests.privacy.scan import Finding, scan_bytes
from tests.privacy.sealed import Sealed
from tests.system import faults, signing
from tests.system.host_log import HostLog
from tests.system.http import calling
from tests.system.policies import change_policy
from tests.system.stack import POLL_SECONDS, running_stack, wait_for

DELETED_SECONDS = 30.0
"""How long the timer has for its work, restarts of the broker and the store included."""

DAY = 86_400
"""Seconds of the longest deadline of content among the sample tenants, and of a rejected message's time to live."""

AT_ONCE = {"window_seconds": 3600, "jailbreak_attempts": 1, "blocked_prompts": 1, "new_subjects": 2}
"""From one sign on, there is an alert."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the run found, stage after stage."""

    queued: Look
    waiting: Look
    records: Sealed
    ended: Look
    recorded: set[str]
    """Kinds of evidence about abuse, and about accesses."""
    secrets: Look
    around: list[Finding]
    plain_digests: list[str]
    failed_invocations: int
    outputs: int
    forgotten: Look
    forgotten_around: list[Finding]
    receipts: list[dict[str, Any]]
    retention: list[dict[str, Any]]
    said_by_the_stack: list[Finding]


def run(folder: Path) -> Evidence:
    """Run all of it on a stack of its own, whose temporary files lie below its state folder and are scanned with it."""
    temporary = folder / "temporary"
    temporary.mkdir()
    settings = {
        "TMPDIR": str(temporary),
        "LETHE_MODEL_TIMEOUT_SECONDS": "2",
        "LETHE_MAX_DELIVERY_COUNT": "3",
        "LETHE_GRACE_SECONDS": "900",  # so that it is the timer that deletes, not the store's time to live
    }
    with running_stack(folder, **settings) as stack:
        journey = Journey(stack=stack, flock=Flock())
        with calling(stack) as http:
            rules.join(http)
        change_policy(stack, "contoso", abuse_monitoring={"mode": "flagged", "detection": AT_ONCE})
        signer = signing.signer(stack, "fourthcoffee", principals=[])
        signed = signatures.messages(journey.flock, signer)
        queued = _send_while_nothing_runs(journey, signed)
        _lose_broker_and_store_at_work(journey)
        journey.wait_until_ended()
        waiting = journey.look(Case.ended)
        with calling(stack) as http:
            records = sealed.look(journey, http)
        wait_for("an alert", lambda: "abuse_alert_created" in sealed.kinds(journey, "abuse"), seconds=90)
        around = scan_bytes(journey.flock, **_around(journey))
        _let_the_host_die(journey)
        journey.wait_until_ended()
        ended = journey.look(Case.ended)
        secrets = journey.look_for(signatures.PLACES, among=signatures.known(signer, signed))
        recorded = sealed.kinds(journey, "abuse") | sealed.kinds(journey, "access")
        digests = surroundings.plain_digests(surroundings.content_free_documents(journey), journey.flock.canaries)
        outputs = len(journey.documents("output"))
        _pass_the_deadlines(journey)
        forgotten = journey.look(nothing)
        forgotten_around = scan_bytes(journey.flock, documents=surroundings.content_free_documents(journey))
        receipts = journey.documents("receipt")
        retention, failed = journey.events("retention_step"), journey.events("invocation_failed")
        stack.child.process.terminate()
        said = "".join(stack.child.process.communicate(timeout=40))
        after_the_end = journey.look(nothing)
        return Evidence(
            queued=queued,
            waiting=waiting,
            records=records,
            ended=ended,
            recorded=recorded,
            secrets=secrets,
            around=around,
            plain_digests=digests,
            failed_invocations=len(failed),
            outputs=outputs,
            forgotten=Look(missing=[], surplus=forgotten.surplus + after_the_end.surplus),
            forgotten_around=forgotten_around,
            receipts=receipts,
            retention=retention,
            said_by_the_stack=scan_bytes(journey.flock, output=said.encode()),
        )


def nothing(_: Case) -> Traces:
    """What may be left of a case after its deadline."""
    return set()


def _send_while_nothing_runs(journey: Journey, signed: list[Case]) -> Look:
    """Send a message on most paths to a host that stands still; scan; let it run, into a store full of faults."""
    flock = journey.flock
    journey.signal("host", signal.SIGSTOP)
    try:
        journey.send(
            *paths.at_once(flock),
            paths.waiting(flock),
            *rules.by_queue(flock),
            *rules.crowd(flock),
            *signed,
            *refusals.refusals(flock)[::2],
            refusals.larger_than_a_copy(flock),
            refusals.not_in_data_sections(flock),
        )
        look = journey.look(Case.queued)
        nonsense = {"status": 200}  # an error object where a document is expected
        faults.arm(journey.stack, container="policies", operation="read", **nonsense)
        faults.arm(journey.stack, operation="batch", **nonsense)
        faults.arm(journey.stack, operation="create", status=503, count=5)
        faults.arm(journey.stack, operation="batch", drop_after_write=True, count=2)
    finally:
        journey.signal("host", signal.SIGCONT)
    journey.wait_until_ended()
    return look


def _lose_broker_and_store_at_work(journey: Journey) -> None:
    """Kill the broker while messages are refused, a conflict and a known request among them; let jobs meet no store."""
    known = journey.cases[0]
    rejected = len(journey.events("message_rejected"))
    bus.send(journey.connection, [known])
    journey.send(paths.conflict(journey.flock, known), *refusals.refusals(journey.flock)[1::2])
    wait_for("a refusal", lambda: len(journey.events("message_rejected")) > rejected)
    journey.stack.kill("broker")
    log = HostLog.from_now(journey.stack)
    with faults.down(journey.stack, "cosmos"):
        jobs = paths.while_the_store_is_away(journey.flock)
        journey.send(*jobs)
        wait_for("jobs that meet no store", lambda: len(log.deliveries()) >= len(jobs))


def _let_the_host_die(journey: Journey) -> None:
    """Kill the host during a message until its last delivery; meanwhile one deadline passes and one wait ends."""
    [waiting] = [case for case in journey.cases if case.ending == paths.WAITING]
    poison = paths.poison(journey.flock)
    journey.send(poison)
    wait_for("the first run", lambda: journey.model_calls(poison))
    with faults.down(journey.stack, "host"):
        journey.send(paths.late(journey.flock))
        calls = journey.model_calls(poison)
        journey.stack.advance(paths.LONG_WAIT + 10)
    wait_for("the second run", lambda: journey.model_calls(poison) > calls)
    with faults.down(journey.stack, "host"):
        journey.stack.advance(60)
    journey.now_ends(waiting, replace(waiting, ending=paths.COMPLETED))


def _around(journey: Journey) -> dict[str, bytes]:
    return {
        "the model's journal": surroundings.model_journal(journey),
        "documents without content": surroundings.content_free_documents(journey),
        "processes": surroundings.processes(journey),
        **surroundings.around_messages(journey),
    }


def _pass_the_deadlines(journey: Journey) -> None:
    """Move the clock past every deadline, kill broker and store while they delete, and wait for the timer's end."""
    stack = journey.stack
    faults.count_from_now(stack)
    faults.arm(stack, operation="delete", delay_ms=3000, count=3)  # long enough to be killed in it
    stack.advance(DAY + 1)
    stack.kill("broker")
    wait_for("the first deletion", lambda: faults.item_requests(stack).get("delete"))
    stack.kill("cosmos")

    def is_deleted() -> bool:
        left = [*journey.documents("output"), *bus.peek(journey.connection, bus.REJECTED)]
        return not left and not bus.peek(journey.connection, bus.REQUESTS, dead_letters=True)

    until = time.monotonic() + DELETED_SECONDS
    while not is_deleted() and time.monotonic() < until:  # what is left then is named by the scan
        time.sleep(POLL_SECONDS)
    runs = journey.timer_runs()
    wait_for("two more runs of the timer", lambda: journey.timer_runs() >= runs + 2)  # the first may be half through
