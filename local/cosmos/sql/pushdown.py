"""What SQLite can do beforehand: narrow a scan by simple comparisons, and order it.

A pushed condition may let too much through (the evaluator looks at every row again) but never too little.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from local.cosmos.documents import SYSTEM_PROPERTIES
from local.cosmos.sql.nodes import Comparison, Expression, Function, Literal, Order, Path
from local.cosmos.sql.parser import conjunction

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_EXACT_INTEGERS: Final = 2**53
_INDEXED: Final = "expires_at"
"""The one property that has a column and an index of its own: deadlines are what large scans ask for."""
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


@dataclass(frozen=True, kw_only=True)
class Ordering:
    """How a scan is ordered: SQL expressions of its sort key, each row's key being unique."""

    keys: tuple[str, ...]
    descending: bool

    @property
    def sql(self) -> str:
        """The ``ORDER BY`` list."""
        return ", ".join(key + (" DESC" if self.descending else "") for key in self.keys)

    @property
    def after(self) -> str:
        """The condition that a row comes after a given key."""
        marks = ", ".join("?" for _ in self.keys)
        return f"({', '.join(self.keys)}) {'<' if self.descending else '>'} ({marks})"


def narrowed(where: Expression) -> tuple[str, list[object]]:
    """An SQL condition, with its arguments, that every row which satisfies the filter satisfies."""
    conditions: list[str] = []
    arguments: list[object] = []
    for part in conjunction(where):
        if isinstance(part, Function) and part.name == "IS_DEFINED" and (column := _defined(part.arguments[0])):
            conditions.append(f"{column} IS NOT NULL")
        elif pushed := _comparison(part):
            column, sign, value = pushed
            conditions.append(f"{column} {sign} ?")
            arguments.append(value)
    return " AND ".join(conditions) or "1", arguments


def ordered(order: Order | None, where: Expression) -> Ordering:
    """The order of a scan; when the query asks for none, the one that costs least."""
    column = None if order is None else _column(order.path)
    if order is None or column is None:
        indexed = any(_one_type(part, _INDEXED) for part in conjunction(where))
        return Ordering(keys=(_INDEXED, "number") if indexed else ("number",), descending=False)
    if column == "ts" or any(_one_type(part, column) for part in conjunction(where)):
        # The plain value orders numbers, or texts, among themselves, and an index can serve.
        return Ordering(keys=(column, "number"), descending=order.descending)
    return Ordering(keys=(_rank(order.path), f"ifnull({column}, 0)", "number"), descending=order.descending)


def can_order(order: Order | None) -> bool:
    """Whether SQL can express the path of an ``ORDER BY``."""
    return order is None or _column(order.path) is not None


def _comparison(part: Expression) -> tuple[str, str, int | float | str] | None:
    if not isinstance(part, Comparison) or part.operator not in _MIRRORED:
        return None
    path, literal, sign = part.left, part.right, part.operator
    if isinstance(path, Literal):
        path, literal, sign = literal, path, _MIRRORED[sign]
    if not isinstance(path, Path) or not isinstance(literal, Literal):
        return None
    value = literal.value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and ("\0" in value or not value.isprintable()):
        return None
    if not isinstance(value, str) and not abs(value) <= _EXACT_INTEGERS:
        return None
    column = _column(path)
    return None if column is None else (column, sign, value)


def _one_type(part: Expression, column: str) -> bool:
    """Whether what passes a condition has numbers only, or texts only, in a column: nothing compares with another type."""
    pushed = _comparison(part)
    return pushed is not None and pushed[0] == column


def _defined(argument: Expression) -> str | None:
    json_path = _json_path(argument.steps) if isinstance(argument, Path) else None
    return f"json_type(body, {json_path})" if json_path else None


def _column(path: Path) -> str | None:
    match path.steps:
        case ("_ts",):
            return "ts"
        case ("id",):
            return "id"
        case (step,) if step == _INDEXED:
            return _INDEXED
    json_path = _json_path(path.steps)
    return f"json_extract(body, {json_path})" if json_path else None


def _rank(path: Path) -> str:
    return (
        f"CASE json_type(body, {_json_path(path.steps)}) WHEN 'null' THEN 1 WHEN 'false' THEN 2 WHEN 'true' THEN 2 "
        "WHEN 'integer' THEN 3 WHEN 'real' THEN 3 WHEN 'text' THEN 4 WHEN 'array' THEN 5 WHEN 'object' THEN 6 "
        "ELSE 0 END"
    )


def _json_path(steps: Sequence[str | int]) -> str | None:
    if not steps or steps[0] in SYSTEM_PROPERTIES:
        return None
    if not all(isinstance(step, str) and _PLAIN.fullmatch(step) for step in steps):
        return None
    return "'$" + "".join(f'."{step}"' for step in steps) + "'"
