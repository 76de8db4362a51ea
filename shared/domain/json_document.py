"""Strict JSON: what two parsers could read differently is refused, so that the MAC of a content means one thing."""

import json
import math
from typing import Any, NoReturn

from shared.errors import Reason, RequestRefused

MAX_DEPTH = 64
"""Deepest nesting of a request; a real one stays under twenty."""

type Json = dict[str, Any]


def parse_object(data: bytes, *, max_bytes: int) -> Json:
    """Parse bytes into a JSON object.

    Raises `RequestRefused`: empty, too large, not UTF-8, not JSON, NaN or Infinity, a duplicate key, deeper than
    `MAX_DEPTH`, or not an object. Its field is always ``message``: names inside an unread document may be content.
    """
    if not data.strip():
        raise _refused(Reason.EMPTY)
    if len(data) > max_bytes:
        raise _refused(Reason.REQUEST_TOO_LARGE)
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except UnicodeDecodeError:
        raise _refused(Reason.INVALID_ENCODING) from None
    except RecursionError:
        raise _refused(Reason.TOO_DEEP) from None
    except ValueError:
        raise _refused(Reason.INVALID_JSON) from None
    if not isinstance(document, dict):
        raise _refused(Reason.INVALID_TYPE)
    _check_nesting_and_text(document)
    return document


def canonical(value: object) -> bytes:
    """Return the one spelling of a JSON value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def _refused(reason: Reason) -> RequestRefused:
    return RequestRefused(reason, "message")


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise _refused(Reason.DUPLICATE_KEY)
    return document


def _no_constant(_: str) -> NoReturn:
    raise _refused(Reason.INVALID_JSON)


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise _refused(Reason.INVALID_JSON)
    return number


def _check_nesting_and_text(document: Json) -> None:
    """Walk without recursion: refuse what is too deep, and half surrogate pairs, which no UTF-8 can carry further."""
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                deeper += value.keys()
                deeper += value.values()
            elif isinstance(value, list):
                deeper += value
            elif isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
                raise _refused(Reason.INVALID_ENCODING)
        if not deeper:
            return
        level = deeper
    raise _refused(Reason.TOO_DEEP)
