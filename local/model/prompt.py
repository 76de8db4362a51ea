"""The texts of a request, in whichever of the three endpoints' forms they came."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from local.model import directives

type Json = Mapping[str, object]

GROUNDING = re.compile(r'(?:"""\s*)?<documents>.*?</documents>(?:\s*""")?', re.DOTALL)
"""Grounding data in the delimiter that Azure documents for it: part of the prompt, not of the question."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """All texts of a request, and those of its user alone, in order."""

    everything: tuple[str, ...]
    user: tuple[str, ...]

    @property
    def key(self) -> str:
        """SHA-256 (hex) of the user's texts, one after the other."""
        return hashlib.sha256("".join(self.user).encode(errors="surrogatepass")).hexdigest()

    @property
    def characters(self) -> int:
        """Length of all texts together."""
        return sum(map(len, self.everything))

    def last_words(self, count: int) -> str:
        """Return the last words of the last text in which the user says something; empty where there is none."""
        for text in reversed(self.user):
            words = GROUNDING.sub("", directives.remove(text)).split()
            if words:
                return " ".join(words[-count:])
        return ""


def read(body: Json) -> Prompt:
    """Collect the texts of ``input`` or ``messages`` and of ``instructions``."""
    said = body.get("messages", body.get("input"))
    return Prompt(everything=(*_texts(body.get("instructions")), *_texts(said)), user=tuple(_user_texts(said)))


def _texts(value: object) -> Iterator[str]:
    """Walk strings, lists, items and content parts; other things (tokens, URLs) hold no text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for name in ("content", "text", "output", "refusal"):
            yield from _texts(value.get(name))


def _user_texts(said: object) -> Iterator[str]:
    if isinstance(said, list):
        for item in said:
            if not isinstance(item, dict) or item.get("role") == "user":
                yield from _texts(item)
    else:
        yield from _texts(said)
