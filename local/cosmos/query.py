"""Answers queries and feeds of items: a page at a time, read from SQLite as far as the page needs."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from local.cosmos.documents import Document, encode
from local.cosmos.errors import bad_request
from local.cosmos.partition import PartitionKey
from local.cosmos.rows import item_of, scan
from local.cosmos.sql import evaluate
from local.cosmos.sql.nodes import Query
from local.cosmos.sql.parser import parse
from local.cosmos.sql.pushdown import can_order, narrowed, ordered
from local.cosmos.store import Container, Store

_DEFAULT_PAGE: Final = 100
_MAX_PAGE: Final = 1000
_MAX_PAGE_BYTES: Final = 4 * 1024 * 1024
_ROWS_PER_CHARGE: Final = 40


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which items a query sees: those whose effective partition key lies in a range, or one whole partition."""

    partition: PartitionKey | None = None
    start: str = ""
    end: str = "FF"

    def sql(self) -> tuple[str, list[object]]:
        """The condition and its arguments."""
        if self.partition is not None and self.partition.full:
            return "partition = ?", [self.partition.text]
        if self.partition is not None:
            return "effective >= ? AND effective < ?", [self.partition.effective, self.partition.end]
        if (self.start, self.end) == ("", "FF"):
            return "1", []
        return "effective >= ? AND effective < ?", [self.start, self.end]


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of results; ``continuation`` is None on the last."""

    documents: list[object]
    continuation: str | None
    charge: float


@dataclass(frozen=True, kw_only=True)
class _Position:
    """Where a page begins: behind a row's sort key, with so many rows still to skip and to return."""

    after: list[object] | None
    skip: int
    left: int | None


def parse_body(body: object) -> Query:
    """The query of a request body ``{"query": …, "parameters": [{"name", "value"}]}``; raises CosmosError 400."""
    text = body.get("query") if isinstance(body, dict) else None
    given = body.get("parameters") or [] if isinstance(body, dict) else []
    if not isinstance(text, str) or not isinstance(given, list):
        raise bad_request("The body of a query must hold query and parameters.")
    parameters: Document = {}
    for each in given:
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            raise bad_request("A parameter of a query must hold name and value.")
        parameters[each["name"]] = each.get("value")
    return parse(text, parameters)


def run(
    store: Store, container: Container, query: Query, scope: Scope, *, wanted: int | None, continuation: str | None
) -> Page:
    """Answer one page; ``wanted`` is the client's ``max_item_count`` (None or -1: as many as suits the server)."""
    if not can_order(query.order):
        raise bad_request("This endpoint does not support ORDER BY of this property.")
    position = _resumed(query, continuation)
    if query.aggregate is not None:
        operand = evaluate.compiled(query.aggregate.operand)
        seen = [operand(document) for document, _ in _matches(store, container, query, scope, position)]
        value = _aggregate(query.aggregate.name, [value for value in seen if value is not evaluate.UNDEFINED])
        documents = [] if value is evaluate.UNDEFINED else [value]
        return Page(documents=documents, continuation=None, charge=_charge(len(seen)))
    size = _DEFAULT_PAGE if wanted is None else _MAX_PAGE if wanted <= 0 else min(wanted, _MAX_PAGE)
    return _page(query, _matches(store, container, query, scope, position), position, size)


def _page(query: Query, matches: Iterator[tuple[Document, list[object]]], position: _Position, size: int) -> Page:
    shape = _shape(query)
    documents: list[object] = []
    read = used = 0
    skip, left, last = position.skip, position.left, position.after
    for document, key in matches:
        if left == 0:
            break
        if len(documents) == size or used > _MAX_PAGE_BYTES:
            token = _token(_Position(after=last, skip=skip, left=left))
            return Page(documents=documents, continuation=token, charge=_charge(read))
        last = key
        read += 1
        if skip:
            skip -= 1
            continue
        left = None if left is None else left - 1
        value = shape(document)
        if value is not evaluate.UNDEFINED:
            documents.append(value)
            used += len(encode(value))
    return Page(documents=documents, continuation=None, charge=_charge(read))


def _matches(
    store: Store, container: Container, query: Query, scope: Scope, position: _Position
) -> Iterator[tuple[Document, list[object]]]:
    """Documents that pass the filter, each with its sort key, in the order of the query."""
    within, arguments = scope.sql()
    condition, pushed = narrowed(query.where)
    ordering = ordered(query.order, query.where)
    where = [within, condition]
    arguments = [*arguments, *pushed]
    if position.after is not None:
        where.append(ordering.after)
        arguments += position.after
    passes = evaluate.compiled(query.where)
    keys = ", ".join(f"{key} AS key{number}" for number, key in enumerate(ordering.keys))
    for row in scan(store, container, " AND ".join(where), ordering.sql, arguments, keys):
        document = item_of(container, row).document
        if passes(document) is True:
            yield document, [row[f"key{number}"] for number in range(len(ordering.keys))]


def _shape(query: Query) -> evaluate.Evaluator:
    if query.value is not None:
        return evaluate.compiled(query.value)
    columns = [(name, evaluate.compiled(expression)) for name, expression in query.columns or []]

    def projected(document: Mapping[str, object]) -> object:
        values = ((name, column(document)) for name, column in columns)
        return {name: value for name, value in values if value is not evaluate.UNDEFINED}

    return projected


def _aggregate(name: str, values: Sequence[object]) -> object:
    if name == "COUNT":
        return len(values)
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if name in {"SUM", "AVG"}:
        if len(numbers) < len(values) or (name == "AVG" and not numbers):
            return evaluate.UNDEFINED
        return sum(numbers) if name == "SUM" else sum(numbers) / len(numbers)
    ranked = [(evaluate.rank(value), value) for value in values if isinstance(value, str | int | float)]
    if not ranked:
        return evaluate.UNDEFINED
    return (min if name == "MIN" else max)(ranked)[1]


def _charge(rows: int) -> float:
    return round(2.5 + rows / _ROWS_PER_CHARGE, 2)


def _token(position: _Position) -> str:
    raw = json.dumps([position.after, position.skip, position.left]).encode()
    return base64.urlsafe_b64encode(raw).decode()


def _resumed(query: Query, continuation: str | None) -> _Position:
    if continuation is None:
        return _Position(after=None, skip=query.offset, left=query.limit)
    try:
        after, skip, left = json.loads(base64.urlsafe_b64decode(continuation))
    except (ValueError, TypeError):
        raise bad_request("The continuation token is not one of this endpoint.") from None
    return _Position(after=after, skip=skip, left=left)
