"""What is not in a file, or is read by others than the submitter: documents, properties, processes."""

import hashlib
import json
import re
from pathlib import Path

import httpx2

from tests.privacy import bus
from tests.privacy.journey import Journey

CONTAINERS = ("generations", "policies", "webhook-endpoints", "privacy", "abuse-monitoring", "fine-tuning", "evidence")
_DIGEST = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?![0-9a-f])")


def content_free_documents(journey: Journey, *, but: str | None = None) -> bytes:
    """Every document of every container (but one) except the outputs: receipts, events, sealed records and all evidence."""
    with journey.stack.client() as client:
        documents = [
            document
            for name in CONTAINERS
            if name != but
            for document in client.container(name).query_items("SELECT * FROM c", enable_cross_partition_query=True)
            if document.get("dataClass") != "output"
        ]
    assert {"receipt", "event", "abuse_record"} <= {each.get("dataClass") for each in documents}, "nothing to look at"
    assert {"retention", "abuse", "access"} <= {each.get("chain") for each in documents}, "no evidence to look at"
    return json.dumps(documents, ensure_ascii=False).encode()


def around_messages(journey: Journey) -> dict[str, bytes]:
    """Ids and reasons of every message, and everything around the body of rejected ones."""
    rejected = bus.peek(journey.connection, bus.REJECTED)
    waiting = bus.peek(journey.connection, bus.REQUESTS)
    dead = bus.peek(journey.connection, bus.REQUESTS, dead_letters=True)
    assert rejected, "no rejected message to look at"
    assert waiting, "no waiting message to look at"
    assert dead, "no dead letter to look at"
    return {
        "ids and reasons of messages": repr([message.own for message in rejected + waiting + dead]).encode(),
        "properties of rejected messages": repr([message.properties for message in rejected]).encode(),
    }


def model_journal(journey: Journey) -> bytes:
    """What the simulator remembers of its requests: names of fields, and the data subjects, which must be MACs by then."""
    answer = httpx2.get(f"{journey.stack.endpoints['openai']['control_url']}/calls", timeout=10)
    assert any(request["safety_identifier"] for request in answer.json()["requests"]), "no data subject to look at"
    return answer.content


def processes(journey: Journey) -> bytes:
    """Command lines and environments of all parts and of the supervisor."""
    described = journey.stack.endpoints
    pids = [*described["pids"].values(), described["supervisor"]]
    return b"\n".join(Path("/proc", str(pid), name).read_bytes() for pid in pids for name in ("cmdline", "environ"))


def plain_digests(data: bytes, canaries: list[str]) -> list[str]:
    """Algorithms by which some canary stands in ``data`` as an unkeyed hash, which guessing would reverse."""
    found = set(_DIGEST.findall(data.lower()))
    return [
        name
        for name in ("md5", "sha1", "sha256")
        if found & {hashlib.new(name, canary.encode(), usedforsecurity=False).hexdigest().encode() for canary in canaries}
    ]
