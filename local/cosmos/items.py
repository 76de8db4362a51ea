"""The six operations on one item. Each runs inside a transaction of its caller, alone or as part of a batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from local.cosmos import rows
from local.cosmos.documents import Document, check_id, checked, encode
from local.cosmos.errors import bad_request, conflict, not_found, precondition_failed
from local.cosmos.partition import PartitionKey, of_document
from local.cosmos.patch import patched
from local.cosmos.sql import evaluate
from local.cosmos.sql.parser import parse_predicate
from local.cosmos.store import Container, Store

_READ_CHARGE: Final = 1.0
_WRITE_CHARGE: Final = 5.0
_BYTES_PER_CHARGE: Final = 4096


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The etags that a request depends on."""

    if_match: str | None = None
    if_none_match: str | None = None

    def check(self, item: rows.Item | None) -> None:
        """Raise CosmosError 412 when they do not hold; an item that is not there fails only ``If-None-Match``'s."""
        if item is None:
            return
        if self.if_match is not None and self.if_match not in {"*", item.etag}:
            raise precondition_failed()
        if self.if_none_match is not None and self.if_none_match in {"*", item.etag}:
            raise precondition_failed()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an operation did: its status, the item as it is now, and a rough charge."""

    status: int
    charge: float
    item: rows.Item | None = None


@dataclass(frozen=True, kw_only=True)
class Items:
    """The items of one logical partition."""

    store: Store
    container: Container
    key: PartitionKey

    def read(self, name: str, conditions: Conditions) -> Outcome:
        """Read by id; 304 when ``If-None-Match`` names the current etag."""
        item = self._existing(name)
        if conditions.if_none_match == item.etag:
            return Outcome(status=HTTPStatus.NOT_MODIFIED, charge=_READ_CHARGE, item=item)
        return Outcome(status=HTTPStatus.OK, charge=_cost(item, _READ_CHARGE), item=item)

    def create(self, document: Mapping[str, object]) -> Outcome:
        """Add an item; raises CosmosError 409 when its id is taken."""
        own = self._own(document)
        if rows.find(self.store, self.container, self.key, str(own["id"])):
            raise conflict()
        return self._written(HTTPStatus.CREATED, rows.insert(self.store, self.container, self.key, own))

    def upsert(self, document: Mapping[str, object], conditions: Conditions) -> Outcome:
        """Add or overwrite. As in Azure, ``If-Match`` does not keep an upsert from adding what is not there."""
        own = self._own(document)
        item = rows.find(self.store, self.container, self.key, str(own["id"]))
        conditions.check(item)
        if item is None:
            return self._written(HTTPStatus.CREATED, rows.insert(self.store, self.container, self.key, own))
        return self._written(HTTPStatus.OK, rows.update(self.store, self.container, self.key, own))

    def replace(self, name: str, document: Mapping[str, object], conditions: Conditions) -> Outcome:
        """Overwrite what is there."""
        own = self._own(document)
        if own["id"] != name:
            raise bad_request("The id of the document differs from the one in the address.")
        conditions.check(self._existing(name))
        return self._written(HTTPStatus.OK, rows.update(self.store, self.container, self.key, own))

    def patch(self, name: str, body: object, conditions: Conditions) -> Outcome:
        """Change parts; ``condition`` is a filter predicate that must hold (412 otherwise)."""
        operations = body.get("operations") if isinstance(body, dict) else body
        condition = body.get("condition") if isinstance(body, dict) else None
        predicate = evaluate.compiled(parse_predicate(str(condition))) if condition is not None else None
        item = self._existing(name)
        conditions.check(item)
        if predicate is not None and predicate(item.document) is not True:
            raise precondition_failed()
        own = self._own(patched(item.document, operations, self.container.paths))
        return self._written(HTTPStatus.OK, rows.update(self.store, self.container, self.key, own))

    def delete(self, name: str, conditions: Conditions) -> Outcome:
        """Remove for good."""
        item = self._existing(name)
        conditions.check(item)
        rows.remove(self.store, self.container, self.key, name)
        return Outcome(status=HTTPStatus.NO_CONTENT, charge=_cost(item, _WRITE_CHARGE))

    def _existing(self, name: str) -> rows.Item:
        item = rows.find(self.store, self.container, self.key, check_id(name))
        if item is None:
            raise not_found()
        return item

    def _own(self, document: Mapping[str, object]) -> Document:
        own = checked(document)
        if of_document(own, self.container.paths) != self.key:
            raise bad_request("The partition key of the document differs from the one of the request.")
        return own

    def _written(self, status: int, item: rows.Item) -> Outcome:
        return Outcome(status=status, charge=_cost(item, _WRITE_CHARGE), item=item)


def _cost(item: rows.Item, base: float) -> float:
    return round(base * (1 + len(encode(item.document)) // _BYTES_PER_CHARGE), 2)
