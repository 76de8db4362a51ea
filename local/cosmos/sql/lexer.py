"""Cuts query text into tokens."""

import json
import re
from dataclasses import dataclass
from enum import Enum, auto

from local.cosmos.errors import bad_request


class Kind(Enum):
    """What a token is."""

    NAME = auto()
    PARAMETER = auto()
    STRING = auto()
    NUMBER = auto()
    MARK = auto()
    END = auto()


@dataclass(frozen=True, kw_only=True)
class Token:
    """One token; ``text`` is decoded for strings, and for everything else as written."""

    kind: Kind
    text: str

    def word(self) -> str:
        """In capitals, as keywords and functions are compared; empty for a literal."""
        return self.text.upper() if self.kind in (Kind.NAME, Kind.MARK) else ""


_PATTERN = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<parameter>@[A-Za-z_][A-Za-z0-9_]*)
    | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<mark><>|!=|<=|>=|\|\||\?\?|[=<>().,*\[\]{}:+\-/%&|^~?])
    )""",
    re.VERBOSE | re.DOTALL,
)

_KINDS = {
    "number": Kind.NUMBER,
    "name": Kind.NAME,
    "parameter": Kind.PARAMETER,
    "string": Kind.STRING,
    "mark": Kind.MARK,
}


def tokens(text: str) -> list[Token]:
    """All tokens of a query, with an end token behind them; raises CosmosError 400."""
    found = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _PATTERN.match(text, position)
        if match is None or match.lastgroup is None:
            raise bad_request("Syntax error: the query holds a character that starts no token.")
        kind = _KINDS[match.lastgroup]
        raw = match[match.lastgroup]
        found.append(Token(kind=kind, text=_unquoted(raw) if kind is Kind.STRING else raw))
        position = match.end()
    return [*found, Token(kind=Kind.END, text="")]


def _unquoted(raw: str) -> str:
    inner = raw[1:-1]
    if raw[0] == "'":
        inner = inner.replace("\\'", "'").replace('"', '\\"')
    try:
        return str(json.loads(f'"{inner}"', strict=False))
    except ValueError:
        raise bad_request("Syntax error: a string literal has an unknown escape.") from None
