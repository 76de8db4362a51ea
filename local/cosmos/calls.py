"""A request and its reply, free of any HTTP library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from local.cosmos.address import Address


class Operation(StrEnum):
    """What a request wants with items; the names that faults and counts use."""

    CREATE = "create"
    READ = "read"
    REPLACE = "replace"
    UPSERT = "upsert"
    PATCH = "patch"
    DELETE = "delete"
    BATCH = "batch"
    QUERY = "query"


_ON_ITEMS = {
    "GET": Operation.READ,
    "PUT": Operation.REPLACE,
    "PATCH": Operation.PATCH,
    "DELETE": Operation.DELETE,
}


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request; header names in lower case."""

    method: str
    address: Address
    headers: Mapping[str, str]
    body: bytes
    base: str
    """``http://host:port/`` as the client knows it."""

    def flag(self, name: str) -> bool:
        """Whether a header says true."""
        return self.headers.get(name, "").lower() == "true"

    @property
    def query_plan(self) -> bool:
        """Whether the client asks how to run a query, not for its results."""
        return self.flag("x-ms-cosmos-is-query-plan-request")

    @property
    def operation(self) -> Operation | None:
        """The item operation; None for everything that concerns no items."""
        if self.address.kinds != ("dbs", "colls", "docs") or self.query_plan:
            return None
        if self.address.feed:
            return {"GET": Operation.QUERY, "POST": self._posted()}.get(self.method)
        return _ON_ITEMS.get(self.method)

    def _posted(self) -> Operation:
        if self.flag("x-ms-cosmos-is-batch-request"):
            return Operation.BATCH
        if self.flag("x-ms-documentdb-isquery") or "query+json" in self.headers.get("content-type", ""):
            return Operation.QUERY
        return Operation.UPSERT if self.flag("x-ms-documentdb-is-upsert") else Operation.CREATE


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One response. ``charge`` is in request units, roughly."""

    status: int
    body: object = None
    charge: float = 1.0
    etag: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
