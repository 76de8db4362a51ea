"""Partition keys: how a container defines them, how a request states them, where a document carries them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local.cosmos.documents import decode, encode
from local.cosmos.errors import PARTITION_KEY_MISMATCH, bad_request
from local.cosmos.hashing import UNDEFINED, effective_key

_MAX_LEVELS = 3


@dataclass(frozen=True, kw_only=True)
class PartitionKey:
    """A key as stored: its canonical JSON and its effective partition key; ``full`` is false for a prefix."""

    text: str
    effective: str
    full: bool

    @property
    def end(self) -> str:
        """The exclusive upper end of the effective keys that begin with this one."""
        return self.effective + "FF"


def check_definition(definition: object) -> dict[str, object]:
    """A container's partition key definition, completed; raises CosmosError 400."""
    if not isinstance(definition, Mapping):
        raise bad_request("partitionKey is missing.")
    paths = definition.get("paths")
    kind = definition.get("kind", "Hash")
    most = {"Hash": 1, "MultiHash": _MAX_LEVELS}.get(str(kind), 0)
    if not isinstance(paths, Sequence) or isinstance(paths, str) or not 1 <= len(paths) <= most:
        raise bad_request("partitionKey must be of kind Hash with one path, or MultiHash with up to three.")
    if not all(isinstance(path, str) and path.startswith("/") and len(path) > 1 for path in paths):
        raise bad_request("A partition key path must start with /.")
    return {"paths": list(paths), "kind": kind, "version": 2}


def from_header(header: str, paths: Sequence[str]) -> PartitionKey:
    """The key that a request names; raises CosmosError 400."""
    values = decode(header)
    if not isinstance(values, list) or not 1 <= len(values) <= len(paths):
        raise bad_request("The partition key of the request does not fit the container's definition.")
    return _key(values, full=len(values) == len(paths))


def of_document(document: Mapping[str, object], paths: Sequence[str]) -> PartitionKey:
    """The key that a document carries."""
    return _key([_at(document, path) for path in paths], full=True)


def resolve(document: Mapping[str, object], header: str | None, paths: Sequence[str]) -> PartitionKey:
    """The key of a document to be written, which has to be the one that the request names.

    Raises CosmosError 400 (substatus 1001) when they differ.
    """
    carried = of_document(document, paths)
    if header is not None and from_header(header, paths) != carried:
        raise bad_request(
            "The partition key of the document differs from the one in the header.", substatus=PARTITION_KEY_MISMATCH
        )
    return carried


def _at(document: Mapping[str, object], path: str) -> object:
    value: object = document
    for name in path.strip("/").split("/"):
        if not isinstance(value, Mapping) or name.strip('"') not in value:
            return UNDEFINED
        value = value[name.strip('"')]
    return value


def _key(values: Sequence[object], *, full: bool) -> PartitionKey:
    plain: list[object] = []
    for value in values:
        if isinstance(value, list) or (isinstance(value, dict) and value):
            raise bad_request("A partition key value must be a string, a number, a boolean or null.")
        plain.append(int(value) if isinstance(value, float) and value.is_integer() else value)
    return PartitionKey(text=encode(plain), effective=effective_key(plain), full=full)
