"""Recursive descent over the tokens of a query. What it does not know it refuses by name."""

from collections.abc import Mapping

from local.cosmos.errors import bad_request
from local.cosmos.sql.lexer import Kind, Token, tokens
from local.cosmos.sql.nodes import Aggregate, And, Expression, Order, Path, Query
from local.cosmos.sql.terms import KEYWORDS, Terms

_AGGREGATES = {"COUNT", "MIN", "MAX", "SUM", "AVG"}


def parse(text: str, parameters: Mapping[str, object]) -> Query:
    """Parse ``SELECT …``; raises CosmosError 400."""
    return _Parser(tokens(text), parameters).query()


def parse_predicate(text: str) -> Expression:
    """Parse the filter predicate of a patch, ``FROM c WHERE …``; raises CosmosError 400."""
    return _Parser(tokens(text), {}).predicate()


class _Parser(Terms):
    """The clauses of a query, on top of its terms."""

    def query(self) -> Query:
        self.expect("SELECT")
        if self.accept("DISTINCT"):
            raise self.unsupported("DISTINCT")
        limit = self._count() if self.accept("TOP") else None
        select = self.position
        self._skip_to_from()
        self._from()
        after_from, self.position = self.position, select
        shape = self._select()
        if self.peek().word() != "FROM":
            raise self.syntax()
        self.position = after_from
        where = self.expression() if self.accept("WHERE") else Query().where
        order = self._order()
        offset = 0
        if self.accept("OFFSET"):
            offset = self._count()
            self.expect("LIMIT")
            limit = self._count()
        self._end()
        return Query(
            value=shape if not isinstance(shape, Aggregate | list) else None,
            columns=shape if isinstance(shape, list) else None,
            aggregate=shape if isinstance(shape, Aggregate) else None,
            where=where,
            order=order,
            offset=offset,
            limit=limit,
        )

    def predicate(self) -> Expression:
        self._from()
        self.expect("WHERE")
        where = self.expression()
        self._end()
        return where

    def _skip_to_from(self) -> None:
        # The alias is needed to read the paths of the SELECT clause, and stands behind them.
        depth, previous = 0, ""
        while (token := self.peek()).kind is not Kind.END:
            if token.word() == "FROM" and depth == 0 and previous != ".":
                return
            previous = token.word()
            depth += {"(": 1, ")": -1, "[": 1, "]": -1}.get(token.word(), 0)
            self.next()
        raise self.syntax()

    def _from(self) -> None:
        self.expect("FROM")
        self.alias = self.name()
        if self.peek().word() in {".", "["}:
            raise self.unsupported("a path in FROM")
        if self.accept("AS") or (self.peek().kind is Kind.NAME and self.peek().word() not in KEYWORDS):
            self.alias = self.name()
        if self.peek().word() in {"IN", "JOIN", ","}:
            raise self.unsupported("JOIN or IN in FROM")

    def _select(self) -> Expression | Aggregate | list[tuple[str, Expression]]:
        if self.accept("*"):
            return Path(steps=())
        if self.accept("VALUE"):
            aggregate = self._aggregate()
            return self.expression() if aggregate is None else aggregate
        columns: list[tuple[str, Expression]] = []
        while True:
            if self._aggregate() is not None:
                raise self.unsupported("an aggregate without VALUE")
            expression = self.expression()
            if self.accept("AS") or (self.peek().kind is Kind.NAME and self.peek().word() not in KEYWORDS):
                name = self.name()
            elif isinstance(expression, Path):
                name = str(expression.steps[-1]) if expression.steps else self.alias
            else:
                name = f"${len(columns) + 1}"
            columns.append((name, expression))
            if not self.accept(","):
                return columns

    def _aggregate(self) -> Aggregate | None:
        name = self.peek().word()
        if name not in _AGGREGATES or self.peek(1).word() != "(":
            return None
        self.next()
        self.expect("(")
        operand = self.expression()
        self.expect(")")
        return Aggregate(name=name, operand=operand)

    def _order(self) -> Order | None:
        if not self.accept("ORDER"):
            return None
        self.expect("BY")
        path = self.expression()
        if not isinstance(path, Path) or not path.steps:
            raise self.unsupported("ORDER BY of anything but a property")
        descending = self.accept("DESC")
        if not descending:
            self.accept("ASC")
        if self.peek().word() == ",":
            raise self.unsupported("ORDER BY of several properties")
        return Order(path=path, descending=descending)

    def _count(self) -> int:
        value = getattr(self.unary(), "value", None)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise bad_request("TOP, OFFSET and LIMIT take an integer that is not negative.")
        return value

    def _end(self) -> None:
        token = self.peek()
        if token.kind is Kind.END:
            return
        raise self.unsupported(token.word()) if _known(token) else self.syntax()


def _known(token: Token) -> bool:
    return token.word() in KEYWORDS


def conjunction(where: Expression) -> list[Expression]:
    """The conditions that must all hold."""
    return [part for each in where.operands for part in conjunction(each)] if isinstance(where, And) else [where]
