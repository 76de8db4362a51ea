"""Many canaries that are looked for at once: all begin alike, and differ in a number behind that."""

import re
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tests.privacy.canary import Canary, Occurrence, escaped_forms, one_of

_LETTERS = "ghjkmnpqrstvwxyz"
"""No hexadecimal digit: no id and no MAC can begin by chance as a canary does."""
_COMMON = 12
_DIGITS = 4

CUT = "a canary that was cut"
"""Label of an occurrence whose end stands elsewhere, or nowhere."""


@dataclass(frozen=True, kw_only=True)
class Label:
    """Where a canary was planted: on which path through the system, and in which place of its message."""

    path: str
    place: str

    def __str__(self) -> str:
        return f"{self.place} of {self.path!r}"


class Flock:
    """Canaries of one run; `scan` takes it in place of a single text."""

    def __init__(self) -> None:
        self._common = "".join(secrets.choice(_LETTERS) for _ in range(_COMMON))
        self._canary = Canary(self._common)
        self._labels: list[Label] = []
        self.reach = self._canary.reach * (_COMMON + _DIGITS) // _COMMON
        self.min_bytes = self._canary.min_bytes
        digits = [one_of(escaped_forms(digit)) for digit in "0123456789"]
        self._digit = [re.compile(digit) for digit in digits]
        self._number = re.compile((b"(" + one_of(digits) + b")") * _DIGITS)

    def plant(self, path: str, place: str) -> str:
        """Return a new canary: 16 letters and digits, unlike any other text of this machine."""
        label = Label(path=path, place=place)
        self._labels.append(label)
        return self._text(len(self._labels) - 1)

    def _text(self, number: int) -> str:
        return f"{self._common}{number:0{_DIGITS}}"

    @property
    def canaries(self) -> list[str]:
        """All that were planted."""
        return [self._text(number) for number in range(len(self._labels))]

    def search(self, data: bytes) -> Iterator[Occurrence]:
        """Yield every occurrence of what all have in common, with the label of the canary where its number is whole.

        A canary that was cut counts too: it must not be there either.
        """
        for found in self._canary.search(data):
            behind = data[found.end : found.end + self.reach]
            number, length = self._wide(behind, found.form) if found.form.startswith("utf-16") else self._read(behind)
            label = str(self._labels[int(number)]) if number and int(number) < len(self._labels) else CUT
            yield found._replace(label=label, end=found.end + length)

    def _read(self, behind: bytes) -> tuple[str, int]:
        """The number that the bytes begin with, and how long it is; empty when they begin with none."""
        match = self._number.match(behind)
        if match is None:
            return "", 0
        digits = [next(str(digit) for digit, form in enumerate(self._digit) if form.fullmatch(one)) for one in match.groups()]
        return "".join(digits), len(match[0])

    @staticmethod
    def _wide(behind: bytes, encoding: str) -> tuple[str, int]:
        text = behind[: 2 * _DIGITS].decode(encoding, "replace")
        return (text, 2 * _DIGITS) if len(text) == _DIGITS and text.isascii() and text.isdigit() else ("", 0)


class Among:
    """The canaries of some paths, among all of a flock; one that was cut has no path. `scan` takes it in place of the flock."""

    def __init__(self, flock: Flock, paths: Collection[str]) -> None:
        self.reach, self.min_bytes = flock.reach, flock.min_bytes
        self._flock = flock
        self._ends = tuple(f" of {path!r}" for path in paths)

    def search(self, data: bytes) -> Iterator[Occurrence]:
        """Yield the occurrences of these."""
        return (found for found in self._flock.search(data) if found.label.endswith(self._ends))
