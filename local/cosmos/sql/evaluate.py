"""Evaluates expressions over documents with Cosmos's semantics of *undefined*.

A property that is not there is undefined; a comparison with it, or between two types, is undefined too, and only what
is true passes a filter (https://learn.microsoft.com/azure/cosmos-db/nosql/query/equality-comparison-operators).
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final

from local.cosmos.sql.nodes import And, Comparison, Expression, Function, Literal, Membership, Not, Or, Path


class Missing(Enum):
    """The type of the one undefined value, which JSON cannot write."""

    UNDEFINED = "undefined"


UNDEFINED: Final = Missing.UNDEFINED

type Evaluator = Callable[[Mapping[str, object]], object]

_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compiled(expression: Expression) -> Evaluator:  # noqa: PLR0911 - one return for each kind of node
    """A function from a document to the value of the expression."""
    match expression:
        case Literal(value=value):
            return lambda _: value
        case Path(steps=steps):
            return lambda document: at(document, steps)
        case Comparison(operator=sign, left=left, right=right):
            first, second = compiled(left), compiled(right)
            return lambda document: compare(sign, first(document), second(document))
        case And(operands=operands):
            parts = [compiled(part) for part in operands]
            return lambda document: _all(part(document) for part in parts)
        case Or(operands=operands):
            parts = [compiled(part) for part in operands]
            return lambda document: _negated(_all(_negated(part(document)) for part in parts))
        case Not(operand=operand):
            inner = compiled(operand)
            return lambda document: _negated(inner(document))
        case Membership(operand=operand, choices=choices):
            inner = compiled(operand)
            parts = [compiled(choice) for choice in choices]
            return lambda document: _member(inner(document), [part(document) for part in parts])
        case Function(name=name, arguments=arguments):
            parts = [compiled(argument) for argument in arguments]
            return lambda document: call(name, [part(document) for part in parts])


def at(document: object, steps: Sequence[str | int]) -> object:
    """The value at a path, or undefined."""
    value = document
    for step in steps:
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step, UNDEFINED)
        elif isinstance(step, int) and isinstance(value, list) and 0 <= step < len(value):
            value = value[step]
        else:
            return UNDEFINED
    return value


def compare(sign: str, left: object, right: object) -> object:
    """A comparison of two values: true, false or undefined."""
    kind = rank(left)
    if kind != rank(right) or kind == 0:
        return UNDEFINED
    if sign == "=":
        return left == right
    if sign == "!=":
        return left != right
    return _ORDERINGS[sign](left, right) if kind in {_BOOLEAN, _NUMBER, _STRING} else UNDEFINED


_BOOLEAN: Final = 2
_NUMBER: Final = 3
_STRING: Final = 4
_RANKS: Final[Mapping[type, int]] = {
    type(None): 1,
    bool: _BOOLEAN,
    int: _NUMBER,
    float: _NUMBER,
    str: _STRING,
    list: 5,
    dict: 6,
}


def rank(value: object) -> int:
    """The place of a value's type in Cosmos's order of types; 0 for undefined."""
    return _RANKS.get(type(value), 0)


def call(name: str, arguments: Sequence[object]) -> object:
    """The value of a function of the dialect."""
    first = arguments[0]
    if name == "IS_DEFINED":
        return first is not UNDEFINED
    if name == "IS_NULL":
        return first is None
    if name in {"ARRAY_CONTAINS", "ARRAY_LENGTH"}:
        if not isinstance(first, list):
            return UNDEFINED if name == "ARRAY_LENGTH" or first is UNDEFINED else False
        return len(first) if name == "ARRAY_LENGTH" else _contains(first, arguments[1], partial=arguments[2:] == [True])
    return _text(name, first, arguments[1], fold=arguments[2:] == [True])


def _text(name: str, value: object, other: object, *, fold: bool) -> object:
    if not isinstance(value, str) or not isinstance(other, str):
        return UNDEFINED
    if fold:
        value, other = value.lower(), other.lower()
    match name:
        case "STARTSWITH":
            return value.startswith(other)
        case "ENDSWITH":
            return value.endswith(other)
        case _:
            return other in value


def _contains(elements: Sequence[object], wanted: object, *, partial: bool) -> bool:
    if partial and isinstance(wanted, Mapping):
        return any(
            isinstance(element, Mapping) and all(_same(element.get(key, UNDEFINED), wanted[key]) for key in wanted)
            for element in elements
        )
    return any(_same(element, wanted) for element in elements)


def _same(left: object, right: object) -> bool:
    return compare("=", left, right) is True


def _member(value: object, choices: Sequence[object]) -> object:
    if value is UNDEFINED:
        return UNDEFINED
    return any(_same(value, choice) for choice in choices)


def _negated(value: object) -> object:
    return not value if isinstance(value, bool) else UNDEFINED


def _all(values: Iterable[object]) -> object:
    result: object = True
    for value in values:
        if value is False:
            return False
        if value is not True:
            result = UNDEFINED
    return result
