"""Everything that belongs to one tenant, store by store, and the identifiers that stand in it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.policies import DIRECTORY
from tests.privacy import bus, surroundings
from tests.privacy.hooks import SECRETS
from tests.privacy.isolation import Tenant
from tests.privacy.scan import scan_bytes
from tests.system.http import received
from tests.system.stack import Stack

_IDENTIFIER = re.compile(r"[0-9a-fA-F]{16,}|[A-Za-z0-9+/_-]{22,}={0,2}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What nobody writes by hand: MACs, ids, keys, secrets, signatures, GUIDs."""
_OPERATOR = "11e7be00-0000-4000-8000-000000000c04"
_REVIEWER, _PERSON = "11e7be00-0000-4000-8000-000000000c05", "11e7be00-0000-4000-8000-000000000d05"
_COMMON = {DIRECTORY, f"{DIRECTORY}/{_OPERATOR}", f"{DIRECTORY}/{_REVIEWER}", _PERSON}
"""What both have on purpose: the sample directory, the operator who brought both in, and the person who reviewed both."""


@dataclass(frozen=True, kw_only=True)
class Belongings:
    """What each store has of a tenant: documents by container, keys, secrets, messages by queue, webhooks, answers."""

    stores: dict[str, list[Any]] = field(repr=False)

    def blobs(self) -> dict[str, bytes]:
        """As bytes, for the scan."""
        return {name: json.dumps(things, ensure_ascii=False).encode() for name, things in self.stores.items()}

    def identifiers(self) -> set[str]:
        """Whatever looks like an id, a key, a secret or a MAC; names of fields are left out, codes have no digit.

        One key wraps those of all records that end on its day, whose ever they are: its name and version are in all of them.
        """
        found = {one for text in _texts(self.stores) for one in _IDENTIFIER.findall(text)}
        records = [one for one in self.stores["abuse-monitoring"] if one["dataClass"] == "abuse_record"]
        days_keys = {one[part] for one in records for part in ("key", "key_version")}
        return {one for one in found if any(letter.isdigit() for letter in one)} - _COMMON - days_keys


def of(tenant: Tenant, queues: list[str]) -> Belongings:
    """Collect a tenant's belongings."""
    stack = tenant.stack
    documents = {name: _documents(stack, name, tenant.name) for name in surroundings.CONTAINERS}
    keys = {"keys.json": [_file(stack, "keys.json")[tenant.name]]}
    secrets = _file(stack, SECRETS)
    keys[SECRETS] = [secrets[name] for name in sorted(secrets) if name.startswith(f"lethe-{tenant.name}-")]
    messages = _messages(tenant, queues)
    hooks = [one for one in received(stack) if scan_bytes(tenant.flock, name=str(one["name"]).encode())]
    told: dict[str, list[Any]] = {"webhooks": hooks, "answers": [*tenant.answers], "reviews": [*tenant.reviews]}
    return Belongings(stores={**documents, **keys, **messages, **told})


def _documents(stack: Stack, container: str, tenant: str) -> list[dict[str, Any]]:
    """Documents of the tenant's partition; of evidence, which has none, the records that name it."""
    store = stack.store.container(container)
    if container == "evidence":
        query = "SELECT * FROM c WHERE c.fields.tenant = @tenant"
        parameters: list[dict[str, object]] = [{"name": "@tenant", "value": tenant}]
        found = [*store.query_items(query, parameters=parameters, enable_cross_partition_query=True)]
        for record in found:
            del record["previous"]  # the hash of the record before it, whose ever that is: so the chain is one
    else:
        key = [tenant] if container in {"generations", "abuse-monitoring"} else tenant
        found = [*store.query_items("SELECT * FROM c", partition_key=key)]
    return [{name: value for name, value in one.items() if name[0] != "_"} for one in found]


def _messages(tenant: Tenant, queues: list[str]) -> dict[str, list[str]]:
    """Messages that name the tenant, lie in its reply queue, or, where nobody could read them, have its canaries."""
    everything = bus.peek_everything(str(tenant.stack.endpoints["servicebus"]), queues)
    return {queue: [_written(one) for one in lying if _is_of(tenant, queue, one)] for queue, lying in everything.items()}


def _is_of(tenant: Tenant, queue: str, message: bus.Peeked) -> bool:
    if queue.endswith(bus.DEAD):
        return bool(scan_bytes(tenant.flock, body=message.body))
    return queue == tenant.replies or f'"{tenant.name}"'.encode() in message.body


def _written(message: bus.Peeked) -> str:
    return f"{message.body.decode()} {message.own} {message.properties}"


def _file(stack: Stack, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((stack.state / name).read_text(encoding="utf-8"))
    return content


def _texts(value: object) -> Iterator[str]:
    """All texts but names of fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
