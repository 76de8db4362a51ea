"""Random texts that somebody else made (signing secrets, tokens, signatures): each is known by either of its ends."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from tests.privacy.canary import Occurrence

END = 20
"""Characters of an end: too many to stand anywhere by chance, few enough to find a text that was cut."""


class Exact:
    """Texts by their labels; `scan` takes it in place of a canary, and undoes Base64 and hex before it looks."""

    reach = 8 * END
    min_bytes = END

    def __init__(self, texts: Mapping[str, str | bytes]) -> None:
        self._needles = [(label, needle) for label, text in texts.items() for needle in _needles(text)]

    def search(self, data: bytes) -> Iterator[Occurrence]:
        """Yield every occurrence of an end."""
        for label, needle in self._needles:
            at = data.find(needle)
            while at >= 0:
                yield Occurrence("text", at, at + len(needle), label)
                at = data.find(needle, at + 1)


def _needles(text: str | bytes) -> set[bytes]:
    if isinstance(text, bytes):
        return {text[:END], text[-END:]}
    ends = {text[:END], text[-END:]}
    return {form.encode() for end in ends for form in (end, end.replace("/", "\\/"), quote(end, safe=""))}
