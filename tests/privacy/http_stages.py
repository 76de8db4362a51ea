"""The canary run over HTTP: what is called in which order, and what is looked at in between."""

import json
import signal
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from local import parts
from tests.privacy import about_subjects, bus, hooks, http_callers, http_calls, refusals, reviews, surroundings
from tests.privacy.about_subjects import Concerning
from tests.privacy.cases import QUEUES, RESPONSES, STORE, Case, Ending, Kind, Planting, request
from tests.privacy.exact import Exact
from tests.privacy.flock import Flock, Label
from tests.privacy.hostile_receiver import ANSWERS
from tests.privacy.http_calls import LOOKUP, SHOWN, Call
from tests.privacy.http_outages import fail_inside, official_client
from tests.privacy.http_run import Run, started
from tests.privacy.journey import Look
from tests.privacy.reviews import REVIEW_LOG, Reviewed
from tests.privacy.scan import Finding, scan_bytes
from tests.system.http import TERMINAL
from tests.system.stack import Stack, wait_for

DAY = 86_400
HOST_LOG = "logs/host.log"
DELIVERIES, REPLIES = "webhook-deliveries", "contoso-replies"


@dataclass(frozen=True, kw_only=True)
class HttpEvidence:
    """What the run found, stage after stage."""

    queued: Look
    concerning: Concerning
    reviewed: Reviewed
    ended: Look
    forgotten: Look
    secrets: list[Look]
    tokens: Look
    signatures: Look
    signed: int
    told_wrongly: list[Finding]
    unexpected_answers: list[str]
    around: list[Finding]
    urls: list[Finding]
    secrets_elsewhere: list[Finding]
    a_token_is_found: list[Finding]
    failed_deliveries: set[str]
    statuses: set[int]


def run(folder: Path) -> HttpEvidence:
    """Run all of it on a stack of its own."""
    temporary = folder / "temporary"
    temporary.mkdir()
    settings = {
        "TMPDIR": str(temporary),
        "LETHE_MODEL_TIMEOUT_SECONDS": "30",
        "LETHE_GRACE_SECONDS": "900",  # so that it is the timer that deletes, not the store's time to live
        "LETHE_RETENTION_SCHEDULE": "*/2 * * * * *",
    }
    with started(folder, settings) as run:
        return _run(run)


def _run(run: Run) -> HttpEvidence:
    journey, stack, own = run.journey, run.journey.stack, run.hooks
    _register(run)
    blocked, attempts = reviews.block(run), reviews.attempts(journey.flock)
    ordinary = http_calls.admitted(journey.flock)
    by_policy = [*http_calls.by_rule(journey.flock), *http_calls.too_many(journey.flock)]
    admitted = [*ordinary, *attempts, *(call for call in by_policy if call.in_body)]
    urls, of_reviewers = http_calls.in_urls(journey.flock), reviews.in_urls(run)
    bad_tokens = http_callers.refused(journey.flock, run.http)
    journey.signal("model", signal.SIGSTOP)
    try:
        run.all(admitted)
        run.all([*(call for call in by_policy if not call.in_body), *blocked.calls])
        run.all([*http_calls.refused(journey.flock), *bad_tokens, *urls, *of_reviewers, _conflict(journey.flock, ordinary[0])])
        in_urls = {(str(label), HOST_LOG) for call in urls for label in call.in_body}
        in_urls |= {(str(label), REVIEW_LOG) for call in of_reviewers for label in call.in_body}
        configured = in_urls | own.configured
        queued = journey.look_for({(str(label), QUEUES) for call in admitted for label in call.in_body} | configured)
        secrets = [journey.look_for(own.expected(), among=own.known())]
        dropped = _cancel_and_delete(run, ordinary)
    finally:
        journey.signal("model", signal.SIGCONT)
    concerning = about_subjects.act(run)  # while jobs that are over their tenant's minute wait for the next
    _wait_until_ended(run)
    run.call(_lookup_of(ordinary[0]))
    flagged = [call for call in ordinary if call.is_sealed and call.path not in dropped]
    reviewed = reviews.act(run, blocked, [*flagged, *attempts])
    replies = _replied(run)
    fail_inside(run, ordinary[::5])
    client_urls = official_client(run)
    _wait_until_settled(run)
    wait_for("every bad answer", lambda: len(run.hostile.given) >= len(ANSWERS))
    own.delete("an endpoint to delete")
    left = {(str(label), STORE) for call in admitted if call.path not in dropped for label in call.outputs}
    left |= {(str(label), QUEUES) for label in replies.in_body | blocked.case.in_body}
    configured = in_urls | own.configured
    ended = journey.look_for(left | configured)
    secrets.append(journey.look_for(own.expected(), among=own.known()))
    tokens = {
        f"the token of {name}": token
        for name, token in {**run.tokens, "an operator": run.operator, "a reviewer": run.reviewer}.items()
    } | {call.path: call.token or "" for call in bad_tokens}
    signatures = [str(report["headers"]) for report in hooks.received(run.http)]
    made = {f"signature {number}": text for number, text in enumerate(_sample(signatures))}
    handed_out = _signatures_of(stack.endpoints["tokens"])
    token_look = journey.look_for(
        {(label, "endpoints.json") for label in handed_out}, among=Exact(handed_out | _signatures_of(tokens))
    )
    beside = _around(run)
    around = scan_bytes(journey.flock, **beside)
    elsewhere = scan_bytes(own.known(), **beside, **run.answers, **run.shown, endpoints=own.shown().encode())
    told = _told_wrongly(run)
    _pass_the_deadlines(run)
    return HttpEvidence(
        queued=queued,
        concerning=concerning,
        reviewed=reviewed,
        ended=ended,
        forgotten=journey.look_for(configured),
        secrets=[*secrets, journey.look_for(own.expected(), among=own.known())],
        tokens=token_look,
        signatures=journey.look_for(set(), among=Exact(made)),
        signed=len(made),
        told_wrongly=told + scan_bytes(journey.flock, **run.answers),
        unexpected_answers=run.unexpected,
        around=around,
        urls=scan_bytes(journey.flock, urls=client_urls.encode()),
        secrets_elsewhere=elsewhere,
        a_token_is_found=scan_bytes(journey.flock, token=run.token.encode()),
        failed_deliveries=set(run.hostile.given),
        statuses=run.statuses,
    )


def _register(run: Run) -> None:
    """Endpoints that work, that answer badly, that nobody answers for, and that do not speak TLS; secrets in every state."""
    port = int(run.journey.stack.endpoints["webhook_receiver"].rpartition(":")[2])
    own = run.hooks
    for path in ("an endpoint", "an endpoint with two secrets", "an endpoint with a new secret", "an endpoint to delete"):
        own.listen(path, port=port)
    own.rotate("an endpoint with two secrets", keep_old=True)
    own.rotate("an endpoint with a new secret", keep_old=False)
    own.rotate("an endpoint to delete", keep_old=True)
    own.try_out("an endpoint with two secrets")
    own.listen("an endpoint that answers badly", port=run.hostile.port)
    own.listen("an endpoint that nobody answers for", port=parts.free_port())


def _key(call: Call) -> dict[str, str]:
    return {name: json.loads(call.content or b"")[name] for name in ("batch", "custom_id")}


def _lookup_of(call: Call) -> Call:
    return Call(path=call.path, target=LOOKUP, status=(200,), content=json.dumps(_key(call)).encode())


def _conflict(flock: Flock, other: Call) -> Call:
    planted = Planting(flock=flock, path="a conflict over HTTP")
    content = json.dumps({**{n: v for n, v in request(planted, RESPONSES).items() if n != "tenant"}, **_key(other)}).encode()
    return Call(path=planted.path, status=(409,), content=content)


def _cancel_and_delete(run: Run, admitted: list[Call]) -> set[str]:
    """Cancel one job that the model works on, delete another; nothing is left of them. Return their paths."""
    cancelled, deleted = admitted[-1].path, admitted[1].path
    run.call(Call(path="a cancel", target=f"{run.to(cancelled)}/cancel", status=(200,)))
    run.call(Call(path="a deletion", method="DELETE", target=run.to(deleted), status=(204,)))
    run.call(Call(path="what was deleted", method="GET", target=run.to(deleted), status=(404,)))
    del run.ids[deleted]
    return {cancelled, deleted}


def _wait_until_ended(run: Run) -> None:
    """Read until all have ended; keep what was read last."""

    def ended(path: str) -> bool:
        reply = run.http.call("GET", run.to(path), tenant=None, token=run.tokens[run.owners[path]])
        return reply.json.get("status") in TERMINAL

    for path in run.ids:
        wait_for(path, partial(ended, path), seconds=100)  # one that is over its minute waits for the next
        run.call(run.read(path))
    _wait_until_settled(run)


def _wait_until_settled(run: Run) -> None:
    """A job's end is stored before its message is settled, so that whoever reads the one may still find the other."""
    wait_for("the queue to be empty", lambda: not bus.peek(run.journey.connection, bus.REQUESTS))


def _replied(run: Run) -> Case:
    """Let a message be refused whose sender wants a reply; the message itself lies among the rejected ones then."""
    planted = Planting(flock=run.journey.flock, path="a refusal with a reply")
    _, spoil = refusals.REFUSALS["an unknown field of the body"]
    case = planted.case(spoil(planted, request(planted, RESPONSES)), Ending(kind=Kind.REJECTED))
    case = replace(case, properties=case.properties | {"reply_to": REPLIES})
    bus.send(run.journey.connection, [case])
    wait_for("the reply", lambda: bus.peek(run.journey.connection, REPLIES))
    return case


def _around(run: Run) -> dict[str, bytes]:
    """What is in no file, or is read by others than the submitter."""
    connection = run.journey.connection
    deliveries, replies = bus.peek(connection, DELIVERIES), bus.peek(connection, REPLIES)
    reports, rejected = hooks.received(run.http), bus.peek(connection, bus.REJECTED)
    assert deliveries, "no webhook waits"
    assert replies, "no reply to look at"
    assert reports, "no webhook was received"
    assert rejected, "no rejected message to look at"
    return {
        "messages of deliveries": repr([(each.body, each.own, each.properties) for each in deliveries]).encode(),
        "rejected messages": repr([(each.own, each.reason, each.properties) for each in rejected]).encode(),
        "replies": repr([(each.body, each.own, each.properties) for each in replies]).encode(),
        "webhooks": json.dumps(reports).encode(),
        "documents": surroundings.content_free_documents(run.journey, but="webhook-endpoints"),
        "the model's journal": surroundings.model_journal(run.journey),
        "processes": surroundings.processes(run.journey),
    }


def _told_wrongly(run: Run) -> list[Finding]:
    """What answers about jobs show besides what their owner may see."""
    found = scan_bytes(run.journey.flock, **run.shown)
    return [each for each in found if each.label not in _may_show(each.where.partition(" to ")[2])]


def _may_show(path: str) -> set[str]:
    return {str(Label(path=path, place=place)) for place in SHOWN}


def _signatures_of(tokens: dict[str, str]) -> dict[str, str]:
    ends = {f"signature of {label}": http_callers.signature(token) for label, token in tokens.items()}
    return {label: end for label, end in ends.items() if len(end) > 20}


def _sample(reports: list[str]) -> list[str]:
    """Signatures of some webhooks, without their version."""
    return [report.partition("v1,")[2][:44] for report in reports if "v1," in report][:8]


def _pass_the_deadlines(run: Run) -> None:
    """Move the clock past every deadline; what a caller is told then, and two runs of the timer."""
    stack: Stack = run.journey.stack
    stack.advance(DAY + 1)
    for name, token in run.tokens.items():
        run.tokens[name] = http_callers.fresh(run.journey.flock, run.http, token)
    for path in run.ids:
        run.call(run.read(path, status=410, told=f"{path}, too late"))
    wait_for("the outputs to be deleted", lambda: not run.journey.documents("output"))
    wait_for("rejections to be deleted", lambda: not bus.peek(run.journey.connection, bus.REJECTED))
    runs = run.journey.timer_runs()
    wait_for("two more runs of the timer", lambda: run.journey.timer_runs() >= runs + 2)
