"""The parsed form of a query."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Path:
    """A property of the document, such as ``c.a["b"][0]``; no steps: the document itself."""

    steps: tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Literal:
    """A constant of the query text, or the value of a parameter."""

    value: object


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """``left operator right`` with one of ``= != < <= > >=``."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, kw_only=True)
class And:
    """All of the operands."""

    operands: Sequence["Expression"]


@dataclass(frozen=True, kw_only=True)
class Or:
    """Any of the operands."""

    operands: Sequence["Expression"]


@dataclass(frozen=True, kw_only=True)
class Not:
    """The contrary."""

    operand: "Expression"


@dataclass(frozen=True, kw_only=True)
class Membership:
    """``operand IN (choices)``."""

    operand: "Expression"
    choices: Sequence["Expression"]


@dataclass(frozen=True, kw_only=True)
class Function:
    """A call of a scalar function, its name in capitals."""

    name: str
    arguments: Sequence["Expression"]


type Expression = Path | Literal | Comparison | And | Or | Not | Membership | Function


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    """``COUNT``, ``MIN``, ``MAX``, ``SUM`` or ``AVG`` over one expression."""

    name: str
    operand: Expression


@dataclass(frozen=True, kw_only=True)
class Order:
    """``ORDER BY`` one path."""

    path: Path
    descending: bool


@dataclass(frozen=True, kw_only=True)
class Query:
    """A whole query. Exactly one of ``value``, ``columns`` and ``aggregate`` is set."""

    value: Expression | None = None
    columns: Sequence[tuple[str, Expression]] | None = None
    aggregate: Aggregate | None = None
    where: Expression = field(default=Literal(value=True))
    order: Order | None = None
    offset: int = 0
    limit: int | None = None
