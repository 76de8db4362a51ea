"""What reviewers do: they block subjects, look at alerts, and open sealed records; done, refused, and what fails meanwhile.

While services are away, `http_outages` and `about_subjects` call what `calls` and `unrecorded` give.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

from tests.privacy import bus, sealed
from tests.privacy.cases import NEVER_SEALED, RESPONSES, Case, Ending, Kind, Planting, request
from tests.privacy.flock import Flock, Label
from tests.privacy.hooks import received
from tests.privacy.http_calls import ABSENT, Call, subject_of, to_lethe, to_openai
from tests.privacy.http_run import Run
from tests.privacy.paths import ANNOTATED, COMPLETED
from tests.privacy.scan import scan_bytes
from tests.system import faults
from tests.system.review import put_alert
from tests.system.stack import wait_for
from tests.system.subjects import macs

REVIEW_LOG = "logs/review.log"
ATTEMPTS = 3
"""So many attempts of one subject make an alert where a policy says nothing else."""
DAY = 86_400
TOLD = {"safety.alert.created", "safety_identifier.blocked"}
GOOD = {"tenant": "contoso", "case_reference": "CASE-1"}
RESOLVED = {**GOOD, "resolution": "confirmed"}

type Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """What is asked about subjects that are blocked: over both faces, and over the queue."""

    calls: list[Call]
    case: Case
    alert: str
    """Public id of one of the alerts, which is resolved."""


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """What was found: of the readings, what a reviewer was shown otherwise than was sealed; what is evidence; who is named."""

    missing: list[str]
    surplus: list[str]
    recorded: set[str]
    names_a_subject: bool


def block(run: Run) -> Blocked:
    """Have a reviewer resolve alerts about three subjects so that they are blocked, before anybody asks about these."""
    flock = run.journey.flock
    lethe = to_lethe(flock, "a blocked subject over HTTP", RESPONSES, "", COMPLETED)
    openai = to_openai(flock, "a blocked subject on OpenAI's face", "", COMPLETED)
    planted = Planting(flock=flock, path="a blocked subject on the queue")
    case = planted.case(request(planted, RESPONSES), Ending(kind=Kind.REJECTED, detail="subject_blocked"))
    of_openai = str(json.loads(openai.content or b"")["safety_identifier"])
    for subject in (subject_of(lethe), of_openai, planted("safety_identifier")):
        alert = f"alr_{put_alert(run.journey.stack, 'contoso', subject=subject)['jobId']}"
        run.call(_to(run, f"alerts/{alert}/resolve", 200, {**RESOLVED, "block_seconds": DAY}))
    none: frozenset[Label] = frozenset()
    calls = [replace(call, status=(403,), in_body=none) for call in (lethe, openai)]
    return Blocked(calls=calls, case=case, alert=alert)


def attempts(flock: Flock) -> list[Call]:
    """Prompts of one subject in which the filter notices an attempt: they leave records, and make an alert."""
    calls = [
        to_lethe(flock, f"an attempt ({number})", RESPONSES, "[[annotate:jailbreak]]", ANNOTATED) for number in range(ATTEMPTS)
    ]
    subject, [whose] = subject_of(calls[0]), [label for label in calls[0].in_body if label.place == "safety_identifier"]
    made = []
    for call in calls:
        envelope = json.loads(call.content or b"")
        envelope["body"]["safety_identifier"] = subject
        labels = frozenset(label for label in call.in_body if label.place != "safety_identifier") | {whose}
        made.append(replace(call, content=json.dumps(envelope).encode(), in_body=labels))
    return made


def in_urls(run: Run) -> list[Call]:
    """What somebody writes into a URL of the review app: its host logs that."""
    planted = Planting(flock=run.journey.flock, path="a URL of the review app")
    listed: dict[str, int] = {
        f"alerts?tenant={planted('tenant')}": 200,  # of which there are none
        f"alerts?tenant={planted('tenant that is no name')}!": 404,
        f"alerts?tenant=contoso&status={planted('status')}": 400,
        f"alerts?tenant=contoso&limit={planted('limit')}": 400,
        f"alerts?tenant=contoso&after={planted('after')}": 400,
        f"alerts?tenant=contoso&{planted('unknown parameter')}=1": 400,
        planted("no route"): 404,
    }
    posted: dict[str, Json] = {
        f"records/abr_{planted('id of a record')}/open": GOOD,
        f"alerts/alr_{planted('id of an alert')}/resolve": RESOLVED,
    }
    calls = [replace(_to(run, path, status), path=planted.path, method="GET") for path, status in listed.items()]
    calls += [replace(_to(run, path, 404, body), path=planted.path) for path, body in posted.items()]
    return [replace(call, in_body=planted.labels_in(call.target.encode())) for call in calls]


def act(run: Run, blocked: Blocked, jobs: list[Call]) -> Reviewed:
    """Do it all once the jobs have ended: ``jobs`` are those whose records are opened, the last one an attempt."""
    _ask_about_a_blocked_subject(run, blocked)
    alert = wait_for("an alert", lambda: _alerts(run), seconds=90)
    _refuse(run, _record(run, jobs[0]), blocked.alert)
    missing, surplus = _open(run, jobs)
    _unforeseen(run, _record(run, jobs[0]), alert["id"])
    listing = run.call(replace(_to(run, "alerts?tenant=contoso", 200), method="GET")).text
    wait_for("webhooks about alerts", lambda: _types(run) >= TOLD)
    known = macs(run.journey.stack, "contoso", subject_of(jobs[-1]))
    return Reviewed(
        missing=missing,
        surplus=surplus,
        recorded=sealed.kinds(run.journey, "abuse") | sealed.kinds(run.journey, "access"),
        names_a_subject=any(mac.mac in listing for mac in known),
    )


def calls(run: Run, path: str, record: str = f"abr_{ABSENT}", alert: str = f"alr_{ABSENT}") -> list[Call]:
    """A request of each sort, as a reviewer makes it; ``path`` says what goes wrong with it."""
    planted = Planting(flock=run.journey.flock, path=path)
    made = [
        replace(_to(run, "alerts?tenant=contoso", 200), method="GET"),
        _to(run, f"records/{record}/open", 200, GOOD | {"case_reference": planted("case")}),
        _to(run, f"alerts/{alert}/resolve", 200, RESOLVED | {"case_reference": planted("case of a resolution")}),
    ]
    return [replace(call, path=path) for call in made]


def unrecorded(run: Run, path: str, job: Call) -> list[Call]:
    """What nobody may do while there can be no evidence of it: open a job's record, resolve an alert, be refused."""
    record, alert = _record(run, job), f"alr_{put_alert(run.journey.stack, 'contoso', subject=path)['jobId']}"
    refusal = replace(_to(run, f"records/{record}/open", 503, {"tenant": "contoso"}), path=path)
    return [*calls(run, path, record, alert)[1:], refusal]


def _to(run: Run, path: str, status: int, body: object = None) -> Call:
    content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    url = f"{run.journey.stack.endpoints['review']}/v1/abuse/{path}"
    return Call(path="a review", target=url, status=(status,), content=content, token=run.reviewer)


def _record(run: Run, job: Call) -> str:
    return f"abr_{run.ids[job.path].partition('_')[2]}"


def _alerts(run: Run) -> Json | None:
    """The open alert about the subject that tried it, as reviewers see it."""
    listed = run.call(replace(_to(run, "alerts?tenant=contoso&status=open&limit=100", 200), method="GET")).json["data"]
    return next((alert for alert in listed if alert["kind"] == "jailbreak_attempts"), None)


def _types(run: Run) -> set[str]:
    """Types of the events that receivers were told."""
    return {str(json.loads(str(report["body"]))["type"]) for report in received(run.http)}


def _ask_about_a_blocked_subject(run: Run, blocked: Blocked) -> None:
    bus.send(run.journey.connection, [blocked.case])

    def refused() -> list[str]:
        return [each.reason for each in bus.peek(run.journey.connection, bus.REJECTED) if each.body == blocked.case.body]

    assert wait_for("the refusal", refused) == [blocked.case.ending.detail]


def _open(run: Run, jobs: list[Call]) -> tuple[list[str], list[str]]:
    """Open each job's record; return what was not shown though it was sealed, and what was shown besides."""
    missing, surplus = set[str](), set[str]()
    for job in jobs:
        call = _to(run, f"records/{_record(run, job)}/open", 200, GOOD)
        reply = run.http.call("POST", call.target, tenant=None, token=run.reviewer, content=call.content or b"")
        assert reply.status == 200, reply.status
        shown = {one.label for one in scan_bytes(run.journey.flock, shown=reply.text.encode())}
        wanted = {str(label) for label in job.in_body if label.place not in NEVER_SEALED}
        missing |= wanted - shown
        surplus |= shown - wanted
    return sorted(missing), sorted(surplus)


def _refuse(run: Run, record: str, resolved: str) -> None:
    """Bad bodies, other tenants, and callers who may not do it."""
    planted = Planting(flock=run.journey.flock, path="a review that is refused")
    bad: list[tuple[int, object]] = [
        (400, {"tenant": "contoso"}),
        (400, GOOD | {"case_reference": f"{planted('case')} of somebody"}),
        (400, GOOD | {"case_reference": [planted("case in a list")]}),
        (400, GOOD | {"tenant": {planted("tenant key"): planted("tenant value")}}),
        (400, GOOD | {planted("unknown field"): planted("value")}),
        (400, planted("text")),
        (400, b"{not JSON: " + planted("no JSON").encode()),
        (400, b'{"%s": 1, "%s": 2}' % (planted("key").encode(), planted("key").encode())),
        (413, {planted("long key"): planted("long value") * 300_000}),
        (404, GOOD | {"tenant": planted("unknown tenant")}),
        (404, GOOD | {"tenant": f"{planted('tenant that is no name')}!"}),
        (404, GOOD | {"tenant": "fabrikam"}),
    ]
    bad_resolutions: list[tuple[int, object]] = [
        (400, RESOLVED | {"resolution": planted("resolution")}),
        (400, RESOLVED | {"block_seconds": planted("seconds")}),
        (400, RESOLVED | {"case_reference": f"{planted('case of a resolution')} of somebody"}),
        (400, RESOLVED | {planted("unknown field of a resolution"): planted("value of a resolution")}),
        (404, RESOLVED | {"tenant": planted("unknown tenant of a resolution")}),
        (409, RESOLVED),
    ]
    told = [_to(run, f"records/{record}/open", status, body) for status, body in bad]
    told += [_to(run, f"alerts/{resolved}/resolve", status, body) for status, body in bad_resolutions]
    plain = _to(run, f"records/{record}/open", 415, GOOD | {"case_reference": planted("case in text")})
    run.all(replace(call, path=planted.path) for call in [*told, replace(plain, headers={"Content-Type": "text/plain"})])
    _refuse_strangers(run, record)


def _refuse_strangers(run: Run, record: str) -> None:
    stranger = Planting(flock=run.journey.flock, path="somebody who may not review")
    tokens = {
        403: [
            run.token,
            run.operator,
            run.http.token("operator", claims={"roles": ["Lethe.Reviewer", stranger("claim roles")], "name": stranger("name")}),
            run.http.token("reviewer", claims={"roles": [stranger("other roles")], "upn": stranger("upn")}),
        ],
        401: [
            run.http.token("reviewer", claims={"scp": stranger("scope")}),
            run.http.token("reviewer", claims={"aud": stranger("audience")}),
            run.http.token("reviewer", claims={"oid": stranger("oid"), "sub": stranger("oid")}),
            stranger("no token"),
        ],
    }
    for status, several in tokens.items():
        for token in several:
            made = calls(run, stranger.path, record)
            run.all((replace(call, token=token) for call in made), status=status)


def _unforeseen(run: Run, record: str, alert: str) -> None:
    """Let the store answer an error object where a document is expected: nothing is opened then."""
    faults.arm(run.journey.stack, container=sealed.CONTAINER, operation="read", status=200, count=1000)
    run.all(calls(run, "a record that is none", record, alert)[1:], status=500)
    faults.disarm(run.journey.stack)
