"""A transactional batch: up to 100 operations in one logical partition, all of them or none."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from local.cosmos.documents import MAX_BYTES, Document, decode
from local.cosmos.errors import CosmosError, bad_request, too_large
from local.cosmos.items import Conditions, Items, Outcome

_MAX_OPERATIONS: Final = 100


class _Failed(Exception):
    """One operation failed: nothing of the batch may stay. Carries the results out of the transaction."""

    def __init__(self, results: list[Document]) -> None:
        super().__init__()
        self.results = results


def run(items: Items, body: bytes, *, minimal: bool) -> tuple[int, list[Document]]:
    """Apply a batch; 200 with all results, or 207 when one failed, its fellows marked 424 and nothing changed.

    Raises CosmosError 400 or 413 for a batch that is no batch.
    """
    if len(body) > MAX_BYTES:
        raise too_large()
    operations = decode(body)
    if not isinstance(operations, list) or not 1 <= len(operations) <= _MAX_OPERATIONS:
        raise bad_request("A batch takes 1 to 100 operations.")
    if not all(isinstance(operation, dict) for operation in operations):
        raise bad_request("An operation of a batch must be an object.")
    try:
        with items.store.transaction():
            return HTTPStatus.OK, _applied(items, operations, minimal=minimal)
    except _Failed as failed:
        return HTTPStatus.MULTI_STATUS, failed.results


def _applied(items: Items, operations: Sequence[Mapping[str, object]], *, minimal: bool) -> list[Document]:
    results: list[Document] = []
    for index, operation in enumerate(operations):
        try:
            outcome = _apply(items, operation)
        except CosmosError as error:
            others: list[Document] = [{"statusCode": int(HTTPStatus.FAILED_DEPENDENCY), "requestCharge": 0} for _ in operations]
            others[index] = {"statusCode": error.status, "requestCharge": 1.0, "message": error.message}
            raise _Failed(others) from None
        result: Document = {"statusCode": int(outcome.status), "requestCharge": outcome.charge}
        if outcome.item is not None:
            result["eTag"] = outcome.item.etag
            if not minimal:
                result["resourceBody"] = outcome.item.document
        results.append(result)
    return results


def _apply(items: Items, operation: Mapping[str, object]) -> Outcome:
    name = str(operation.get("id", ""))
    body = operation.get("resourceBody")
    conditions = Conditions(if_match=_etag(operation, "ifMatch"), if_none_match=_etag(operation, "ifNoneMatch"))
    match str(operation.get("operationType")).lower():
        case "read":
            return items.read(name, conditions)
        case "delete":
            return items.delete(name, conditions)
        case "patch":
            return items.patch(name, body, conditions)
        case "create" if isinstance(body, dict):
            return items.create(body)
        case "upsert" if isinstance(body, dict):
            return items.upsert(body, conditions)
        case "replace" if isinstance(body, dict):
            return items.replace(name, body, conditions)
    raise bad_request("An operation of a batch is unknown, or lacks its resourceBody.")


def _etag(operation: Mapping[str, object], name: str) -> str | None:
    value = operation.get(name)
    return value if isinstance(value, str) else None
