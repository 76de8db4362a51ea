"""Applies the operations of a partial update to a document."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Final

from local.cosmos.documents import SYSTEM_PROPERTIES, Document
from local.cosmos.errors import CosmosError, bad_request

_MAX_OPERATIONS: Final = 10


def patched(document: Mapping[str, object], operations: object, key_paths: Sequence[str]) -> Document:
    """The document after all operations, none of which may touch its id, partition key or system properties.

    Raises CosmosError 400.
    """
    if not isinstance(operations, list) or not 1 <= len(operations) <= _MAX_OPERATIONS:
        raise bad_request("A patch takes 1 to 10 operations.")
    result: Document = deepcopy(dict(document))
    for operation in operations:
        if not isinstance(operation, dict):
            raise bad_request("A patch operation must be an object.")
        steps = _steps(operation.get("path"), key_paths)
        match str(operation.get("op")).lower():
            case "add" | "set" | "replace" | "incr" | "increment" as name if "value" in operation:
                _apply(name, result, steps, operation["value"])
            case "remove":
                _take(result, steps)
            case "move":
                _apply("set", result, steps, _take(result, _steps(operation.get("from"), key_paths)))
            case _:
                raise bad_request("A patch operation is none of add, set, replace, remove, incr, move, or has no value.")
    return result


def _steps(path: object, key_paths: Sequence[str]) -> list[str]:
    if not isinstance(path, str) or not path.startswith("/") or len(path) == 1:
        raise bad_request("A patch path must start with / and name a property.")
    protected = {"/id", *key_paths, *(f"/{name}" for name in SYSTEM_PROPERTIES)}
    if any(path == own or path.startswith(own + "/") or own.startswith(path + "/") for own in protected):
        raise bad_request("A patch may not change the id, the partition key or a system property.")
    return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]


def _no_such_path() -> CosmosError:
    return bad_request("A patch path does not exist in the document.")


def _parent(document: Document, steps: Sequence[str]) -> tuple[Document | list[object], str]:
    value: object = document
    for step in steps[:-1]:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list):
            value = value[_index(value, step, len(value) - 1)]
        else:
            raise _no_such_path()
    if not isinstance(value, dict | list):
        raise _no_such_path()
    return value, steps[-1]


def _index(elements: Sequence[object], step: str, last: int) -> int:
    if step == "-":
        return len(elements)
    if not step.isdigit() or int(step) > last:
        raise _no_such_path()
    return int(step)


def _apply(name: str, document: Document, steps: Sequence[str], value: object) -> None:
    parent, step = _parent(document, steps)
    if isinstance(parent, dict):
        if name.startswith("incr"):
            value = _sum(parent.get(step, 0), value)
        elif name == "replace" and step not in parent:
            raise _no_such_path()
        parent[step] = value
        return
    inserts = name == "add" or step == "-"
    index = _index(parent, step, len(parent) if inserts else len(parent) - 1)
    if inserts:
        parent.insert(index, value)
    else:
        parent[index] = _sum(parent[index], value) if name.startswith("incr") else value


def _sum(current: object, by: object) -> int | float:
    for number in (current, by):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise bad_request("incr needs a number in the document and a number to add.")
    return current + by  # type: ignore[operator, no-any-return]


def _take(document: Document, steps: Sequence[str]) -> object:
    parent, step = _parent(document, steps)
    if isinstance(parent, list):
        return parent.pop(_index(parent, step, len(parent) - 1) if step != "-" else -1)
    if step not in parent:
        raise _no_such_path()
    return parent.pop(step)
