"""What operators and tenants do about data subjects: holds, erasures, exports; refused, with services away, and done.

Two subjects have a job each: one that a hold keeps beyond its erasure, and one whose job waits as a copy in the queue.
"""

import json
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tests.privacy import bus, http_callers, reviews
from tests.privacy.cases import QUEUES, RESPONSES, STORE, Planting
from tests.privacy.flock import Among
from tests.privacy.http_calls import Call, subject_of, to_lethe
from tests.privacy.http_run import Run
from tests.privacy.journey import Look
from tests.privacy.paths import COMPLETED, LONG_WAIT
from tests.system import faults
from tests.system.holds import DAY, now
from tests.system.http import TERMINAL, Reply
from tests.system.stack import wait_for

HOLDS, ERASURES, EXPORTS = "/v1/holds", "/v1/subjects/erasures", "/v1/subjects/exports"
NO_HOLD = f"{HOLDS}/hold_{'0' * 32}"
TERM = 7 * DAY
REFUSED, STRANGER = "a hold that is refused", "somebody who may not"


@dataclass(frozen=True, kw_only=True)
class Concerning:
    """What was found: a look while both subjects' jobs were there, and the states of the two erasures, first and last."""

    held_and_waiting: Look
    at_first: list[str]
    at_last: list[str]


def act(run: Run, flagged: Call) -> Concerning:
    """Do it all, while other jobs may be at work: what is looked for are the canaries of what is done here.

    ``flagged``: a job that leaves a sealed record, which nobody opens without a vault.
    """
    flock = run.journey.flock
    kept = to_lethe(flock, "a subject under a hold", RESPONSES, "", COMPLETED)
    waits = to_lethe(flock, "a subject whose job waits", RESPONSES, f"[[status:429:2:{LONG_WAIT}]]", COMPLETED)
    run.all([kept, waits])
    for call in (kept, flagged):
        wait_for("an answer", partial(_has_ended, run, call.path))
    wait_for("a copy that waits", partial(_copies, run, waits))

    hold = _hold(run, subject_of(kept))
    _refuse(run, hold)
    run.call(Call(path=kept.path, target=EXPORTS, status=(200,), content=_about(subject_of(kept))))
    erased = _erase(run, subject_of(kept))
    found = {(str(label), STORE) for label in kept.outputs} | {(str(label), QUEUES) for label in waits.in_body}
    look = run.journey.look_for(found, among=Among(run.journey.flock, {kept.path, waits.path, REFUSED, STRANGER}))
    with ExitStack() as outage:
        for part in ("management", "broker"):
            outage.enter_context(faults.down(run.journey.stack, part))
        without_queue = _erase(run, subject_of(waits))
    _without_a_vault(run, hold, reviews.unrecorded(run, "no vault for a review", flagged))

    _operate(run, "DELETE", f"{HOLDS}/{hold}", 204)
    wait_for("the copy to be gone", lambda: not _copies(run, waits))
    wait_for("the held documents to be gone", lambda: not run.http.documents("output", run.ids[kept.path]))
    answers = [erased, without_queue]
    states = wait_for("both to be swept", lambda: _swept(run, [answer.json["id"] for answer in answers]))
    for call in (kept, waits):
        run.call(Call(path="a job of an erased subject", method="GET", target=run.to(call.path), status=(404,)))
        del run.ids[call.path]
    return Concerning(held_and_waiting=look, at_first=[answer.json["status"] for answer in answers], at_last=states)


def _has_ended(run: Run, path: str) -> bool:
    reply = run.http.call("GET", run.to(path), tenant=None, token=run.token)
    return reply.json.get("status") in TERMINAL


def calls(run: Run, path: str) -> list[Call]:
    """A request of each sort, as somebody makes it who may; ``path`` says what goes wrong with it."""
    planted = Planting(flock=run.journey.flock, path=path)
    operators = Call(path=path, token=run.operator, target=NO_HOLD, status=(200,))
    return [
        Call(path=path, target=ERASURES, status=(202,), content=_about(planted("subject to erase"))),
        Call(path=path, target=EXPORTS, status=(200,), content=_about(planted("subject to export"))),
        replace(operators, target=HOLDS, content=json.dumps(_order(run, planted("subject to hold"))).encode()),
        replace(operators, target=HOLDS, method="GET"),
        replace(operators, method="GET"),
        replace(operators, target=f"{NO_HOLD}/renew", content=b'{"ends_at": 1}'),
        replace(operators, method="DELETE"),
    ]


def _hold(run: Run, subject: str) -> str:
    """Place a hold on a subject, look at it in every way, and renew it; return its id."""
    order = _order(run, subject)
    hold = str(_operate(run, "POST", HOLDS, 201, order).json["id"])
    for target in (HOLDS, f"{HOLDS}?tenant=contoso&limit=1", f"{HOLDS}/{hold}"):
        _operate(run, "GET", target, 200)
    _operate(run, "POST", f"{HOLDS}/{hold}/renew", 200, {"ends_at": order["ends_at"] + DAY})
    return hold


def _refuse(run: Run, hold: str) -> None:
    """Bad bodies, unknown tenants, and callers who may not do it."""
    planted = Planting(flock=run.journey.flock, path=REFUSED)
    good = _order(run, planted("subject"))
    bad: list[dict[str, Any]] = [
        good | {"tenant": planted("unknown tenant")},
        good | {"tenant": f"{planted('tenant that is no name')}!"},
        good | {"case_reference": f"{planted('case')} of somebody"},
        good | {"ends_at": planted("end")},
        good | {"subject": planted("subject that is text")},
        good | {"subject": {"safety_identifier": [planted("subject in a list")]}},
        good | {"subject": {planted("unknown field of the subject"): planted("value")}},
        good | {"generation": planted("generation besides a subject")},
        good | {"subject": None, "generation": f"gen_{planted('generation')}"},
        good | {planted("unknown field"): planted("value")},
    ]
    told = [Call(path=planted.path, target=HOLDS, status=(400, 404), content=json.dumps(body).encode()) for body in bad]
    renewal = json.dumps({"ends_at": planted("end of a renewal"), planted("unknown field"): 1}).encode()
    told += [Call(path=planted.path, target=f"{HOLDS}/{hold}/renew", status=(400,), content=renewal)]
    run.all(replace(call, token=run.operator) for call in told)

    stranger = Planting(flock=run.journey.flock, path=STRANGER)
    order, about = json.dumps(_order(run, stranger("subject to hold"))).encode(), _about(stranger("subject"))
    submits = run.http.token("contoso", claims={"roles": ["Lethe.Submit"]})
    unknown = run.http.token("contoso", claims=http_callers.claims(stranger) | {"azp": stranger("claim azp")})
    run.all(
        Call(path=stranger.path, target=target, status=(403,), content=content, token=token)
        for target, content, tokens in (
            (HOLDS, order, (run.token, submits, unknown)),
            (f"{HOLDS}/{hold}/renew", about, (run.token,)),
            (ERASURES, about, (run.operator, submits, unknown)),
            (EXPORTS, about, (run.operator, submits, unknown)),
        )
        for token in tokens
    )


def _without_a_vault(run: Run, hold: str, reviewing: list[Call]) -> None:
    """Nothing is placed, renewed, released, erased or reviewed without evidence, which a vault signs; an export needs none."""
    wanted = calls(run, "no vault")
    placing, renewal = wanted[2], json.dumps({"ends_at": now(run.http) + TERM + 2 * DAY}).encode()
    standing = [
        Call(path="no vault", target=f"{HOLDS}/{hold}/renew", status=(503,), content=renewal, token=run.operator),
        Call(path="no vault", target=f"{HOLDS}/{hold}", method="DELETE", status=(503,), token=run.operator),
    ]
    with faults.down(run.journey.stack, "vault"):
        run.all([wanted[0], placing, *standing, *reviewing], status=503)
        run.call(wanted[1])


def _order(run: Run, subject: str) -> dict[str, Any]:
    return {
        "tenant": "contoso",
        "case_reference": "case-1",
        "ends_at": now(run.http) + TERM,
        "subject": {"safety_identifier": subject},
    }


def _about(subject: str) -> bytes:
    return json.dumps({"safety_identifier": subject}).encode()


def _operate(run: Run, method: str, target: str, status: int, body: object = None) -> Reply:
    content = None if body is None else json.dumps(body).encode()
    return run.call(Call(path="a hold", method=method, target=target, status=(status,), content=content, token=run.operator))


def _erase(run: Run, subject: str) -> Reply:
    return run.call(Call(path="an erasure", target=ERASURES, status=(202,), content=_about(subject)))


def _swept(run: Run, erasures: list[str]) -> list[str] | None:
    read = [Call(path="an erasure", method="GET", target=f"{ERASURES}/{each}", status=(200,)) for each in erasures]
    states = [run.call(call).json["status"] for call in read]
    return states if {*states} == {"swept"} else None


def _copies(run: Run, call: Call) -> list[bytes]:
    """Messages of a job that waits."""
    bodies = [message.body for message in bus.peek(run.journey.connection, bus.REQUESTS)]
    return [body for body in bodies if subject_of(call).encode() in body]
