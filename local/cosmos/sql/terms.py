"""The terms of a query: expressions, paths, literals and function calls."""

from collections.abc import Mapping, Sequence

from local.cosmos.errors import CosmosError, bad_request
from local.cosmos.sql.lexer import Kind, Token
from local.cosmos.sql.nodes import And, Comparison, Expression, Function, Literal, Membership, Not, Or, Path

_WORDS = """SELECT VALUE TOP DISTINCT FROM AS JOIN IN WHERE AND OR NOT ORDER GROUP BY ASC DESC OFFSET LIMIT
    BETWEEN LIKE EXISTS ARRAY HAVING RANK TRUE FALSE NULL UNDEFINED"""
KEYWORDS = frozenset(_WORDS.split())

FUNCTIONS = {
    "IS_DEFINED": (1, 1),
    "IS_NULL": (1, 1),
    "ARRAY_CONTAINS": (2, 3),
    "STARTSWITH": (2, 3),
    "CONTAINS": (2, 3),
    "ENDSWITH": (2, 3),
    "ARRAY_LENGTH": (1, 1),
}
"""Name: fewest and most arguments."""

_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None}
_COMPARISONS = {"=", "!=", "<>", "<", "<=", ">", ">="}
_UNKNOWN_MARKS = {"+", "-", "*", "/", "%", "||", "??", "?", "&", "|", "^", "~"}
_UNKNOWN_WORDS = {"LIKE", "EXISTS", "ARRAY"}


class Terms:
    """A position in the tokens, and the grammar of expressions."""

    def __init__(self, tokens: Sequence[Token], parameters: Mapping[str, object]) -> None:
        self.tokens = tokens
        self.parameters = parameters
        self.position = 0
        self.alias = ""

    def peek(self, ahead: int = 0) -> Token:
        """The token at the position, or some tokens behind it."""
        return self.tokens[min(self.position + ahead, len(self.tokens) - 1)]

    def next(self) -> Token:
        """Take one token."""
        token = self.peek()
        self.position += 1
        return token

    def accept(self, word: str) -> bool:
        """Take the next token if it is this word."""
        if self.peek().word() == word:
            self.position += 1
            return True
        return False

    def expect(self, word: str) -> None:
        """Take this word, or refuse the query."""
        if not self.accept(word):
            raise self.syntax()

    def name(self) -> str:
        """Take an identifier, or refuse the query."""
        token = self.next()
        if token.kind is not Kind.NAME or token.word() in KEYWORDS:
            raise self.syntax()
        return token.text

    def syntax(self) -> CosmosError:
        """A refusal that says where, without quoting the query."""
        word = self.peek().word()
        return bad_request(f"Syntax error in the query near token {self.position + 1}{word and f', {word[:40]}'}.")

    def unsupported(self, construct: str) -> CosmosError:
        """A refusal that names what this endpoint does not know."""
        return bad_request(f"This endpoint does not support {construct[:60]} in queries.")

    def expression(self) -> Expression:
        """``a OR b OR …``."""
        operands = [self._conjunction()]
        while self.accept("OR"):
            operands.append(self._conjunction())
        return operands[0] if len(operands) == 1 else Or(operands=operands)

    def _conjunction(self) -> Expression:
        operands = [self._negation()]
        while self.accept("AND"):
            operands.append(self._negation())
        return operands[0] if len(operands) == 1 else And(operands=operands)

    def _negation(self) -> Expression:
        return Not(operand=self._negation()) if self.accept("NOT") else self._comparison()

    def _comparison(self) -> Expression:
        left = self.unary()
        word = self.peek().word()
        if word in _COMPARISONS:
            self.next()
            return Comparison(operator="!=" if word == "<>" else word, left=left, right=self.unary())
        if word == "NOT" and self.peek(1).word() in {"IN", "BETWEEN", "LIKE"}:
            self.next()
            return Not(operand=self._range(left))
        return self._range(left)

    def _range(self, left: Expression) -> Expression:
        if self.accept("IN"):
            self.expect("(")
            return Membership(operand=left, choices=self._list(")"))
        if self.accept("BETWEEN"):
            low = self.unary()
            self.expect("AND")
            return And(
                operands=[
                    Comparison(operator=">=", left=left, right=low),
                    Comparison(operator="<=", left=left, right=self.unary()),
                ]
            )
        word = self.peek().word()
        if word in _UNKNOWN_MARKS | _UNKNOWN_WORDS:
            raise self.unsupported(word)
        return left

    def unary(self) -> Expression:
        """One operand of a comparison."""
        token = self.peek()
        if token.kind is Kind.NAME:
            return self._named()
        if token.kind in {Kind.STRING, Kind.NUMBER, Kind.PARAMETER}:
            return Literal(value=self._constant())
        if self.accept("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if token.word() == "-" and self.peek(1).kind is Kind.NUMBER:
            self.next()
            return Literal(value=-_number(self.next().text))
        if self.accept("["):
            return self._array()
        raise self.unsupported(token.word()) if token.word() in _UNKNOWN_MARKS else self.syntax()

    def _array(self) -> Expression:
        if self.accept("]"):
            return Literal(value=[])
        values = []
        for element in self._list("]"):
            if not isinstance(element, Literal):
                raise self.unsupported("an array of anything but constants")
            values.append(element.value)
        return Literal(value=values)

    def _constant(self) -> object:
        token = self.next()
        if token.kind is Kind.STRING:
            return token.text
        if token.kind is Kind.NUMBER:
            return _number(token.text)
        if token.text not in self.parameters:
            raise bad_request("The query uses a parameter that has no value.")
        return self.parameters[token.text]

    def _named(self) -> Expression:
        word = self.peek().word()
        if word in _CONSTANTS:
            self.next()
            return Literal(value=_CONSTANTS[word])
        if self.peek(1).word() == "(" and word not in KEYWORDS:
            return self._call()
        if word in _UNKNOWN_WORDS:
            raise self.unsupported(word)
        if self.name() != self.alias:
            raise bad_request("The query names something that is not the alias of its FROM clause.")
        return self._path()

    def _call(self) -> Expression:
        name = self.next().word()
        if name not in FUNCTIONS:
            raise self.unsupported(f"the function {name}")
        self.expect("(")
        arguments = self._list(")")
        fewest, most = FUNCTIONS[name]
        if not fewest <= len(arguments) <= most:
            raise bad_request(f"{name} was called with a wrong number of arguments.")
        return Function(name=name, arguments=arguments)

    def _path(self) -> Path:
        steps: list[str | int] = []
        while True:
            if self.accept("."):
                token = self.next()
                if token.kind is not Kind.NAME:
                    raise self.syntax()
                steps.append(token.text)
            elif self.accept("["):
                step = self.unary()
                if not isinstance(step, Literal) or not isinstance(step.value, str | int):
                    raise self.unsupported("an index that is no constant")
                steps.append(step.value)
                self.expect("]")
            else:
                return Path(steps=tuple(steps))

    def _list(self, end: str) -> list[Expression]:
        elements = [self.expression()]
        while self.accept(","):
            elements.append(self.expression())
        self.expect(end)
        return elements


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)
