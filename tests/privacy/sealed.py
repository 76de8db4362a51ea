"""Sealed records of the canary run: which cases left one, what their documents show, and what a reviewer is shown of them."""

import json
from dataclasses import dataclass
from typing import Any

from tests.privacy.cases import Case
from tests.privacy.journey import Journey
from tests.privacy.scan import Finding, scan_bytes
from tests.system.http import Http
from tests.system.subjects import macs

CONTAINER = "abuse-monitoring"
STRANGER = "a job that nobody knows"


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """What was found of the records, by the paths of their cases."""

    wanted: dict[str, str]
    """What the filter said of each job that has to leave a record."""
    kept: dict[str, str]
    """What the records say of it."""
    in_documents: list[Finding]
    without_their_subject: list[str]
    """Paths whose record does not have the MAC of the subject, or has it and no such subject."""
    missing: list[str]
    """What a reviewer should have been shown of a record, and was not."""
    surplus: list[str]


def look(journey: Journey, http: Http) -> Sealed:
    """Look at every record, and have a reviewer open each."""
    cases = {case.custom_id: case for case in journey.cases}
    jobs = {output["jobId"]: cases[output["custom_id"]] for output in journey.documents("output")}
    found = [each for each in _documents(journey) if each["dataClass"] == "abuse_record"]
    missing, surplus = set[str](), set[str]()
    for record in found:
        wanted = {str(label) for label in jobs[record["jobId"]].sealed} if record["jobId"] in jobs else set[str]()
        shown = {one.label for one in scan_bytes(journey.flock, shown=_opened(record, http))}
        missing |= wanted - shown
        surplus |= shown - wanted
    paths = {job: case.path for job, case in jobs.items()}
    return Sealed(
        wanted={case.path: case.ending.sealed for case in journey.cases if case.ending.sealed},
        kept={paths.get(record["jobId"], STRANGER): record["verdict"] for record in found},
        in_documents=scan_bytes(journey.flock, records=json.dumps(found, ensure_ascii=False).encode()),
        without_their_subject=[
            case.path for record in found if (case := jobs.get(record["jobId"])) and not _names(journey, record, case)
        ],
        missing=sorted(missing),
        surplus=sorted(surplus),
    )


def kinds(journey: Journey, chain: str) -> set[str]:
    """Kinds of records in a chain of the evidence."""
    query = "SELECT VALUE c.kind FROM c WHERE c.sequence > 0"
    return {str(kind) for kind in journey.stack.store.container("evidence").query_items(query, partition_key=chain)}


def _documents(journey: Journey) -> list[dict[str, Any]]:
    container = journey.stack.store.container(CONTAINER)
    return [*container.query_items("SELECT * FROM c", enable_cross_partition_query=True)]


def _opened(record: dict[str, Any], http: Http) -> bytes:
    """What a reviewer is shown."""
    url = f"{http.stack.endpoints['review']}/v1/abuse/records/abr_{record['jobId']}/open"
    reply = http.call("POST", url, {"tenant": record["tenantId"], "case_reference": "CASE-1"}, tenant="reviewer")
    assert reply.status == 200, reply.status
    return reply.text.encode()


def _names(journey: Journey, record: dict[str, Any], case: Case) -> bool:
    """Whether a record has its subject's MAC, made with a key of its tenant."""
    envelope = json.loads(case.body)
    subject = envelope["body"].get("safety_identifier") or envelope["body"]["user"]
    known = [{"kid": mac.kid, "mac": mac.mac} for mac in macs(journey.stack, envelope["tenant"], subject)]
    return record["subject"] in known
