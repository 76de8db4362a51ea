"""Directives inside a prompt, such as ``[[block:violence]]``: what the simulated model is asked to do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from local.model.filters import NOTHING, Noticed

PATTERN = re.compile(
    r"""\[\[(?:
      block:(?P<block>[\w-]+)
    | block-completion:(?P<block_completion>[\w-]+)
    | annotate:(?P<annotate>[\w-]+)
    | (?P<citation>citation)
    | (?P<pii>pii)
    | blocklist:(?P<blocklist>[\w.-]{1,600})
    | (?P<unfiltered>unfiltered)
    | status:(?P<status>[45]\d\d)(?::(?P<times>\d{1,6})(?::(?P<retry_after>\d{1,6}))?)?
    | delay:(?P<delay>\d{1,7})
    | (?P<truncate>truncate)
    | (?P<hang>hang)
    | (?P<echo_error>echo-error)
    | (?:tokens|long):(?P<length>\d{1,8})
    | call:(?P<call>[\w-]+)
    )\]\]""",
    re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An HTTP status that the first ``times`` calls of a prompt get; all of them where ``times`` is None."""

    status: int
    times: int | None
    retry_after: int


@dataclass(frozen=True, kw_only=True)
class Directives:
    """Everything that the directives of one prompt ask for.

    Of a repeated one the last counts; failures, annotations and blocklists add up.
    """

    block: str | None = None
    block_completion: str | None = None
    unfiltered: bool = False
    noticed: Noticed = NOTHING
    failures: tuple[Failure, ...] = ()
    delay_seconds: float = 0.0
    truncate: bool = False
    hang: bool = False
    echo_error: bool = False
    length: int | None = None
    call: str | None = None

    def failure(self, earlier: int) -> Failure | None:
        """Return the failure for a call that has ``earlier`` predecessors with the same prompt; None: none is left."""
        for failure in self.failures:
            if failure.times is None or earlier < failure.times:
                return failure
            earlier -= failure.times
        return None


def parse(texts: Iterable[str]) -> Directives:
    """Read the directives of all texts. What is not exactly a directive is plain text."""
    found: dict[str, str] = {}
    failures: list[Failure] = []
    annotated: list[str] = []
    blocklists: list[str] = []
    for match in (match for text in texts for match in PATTERN.finditer(text)):
        groups = {name: value for name, value in match.groupdict().items() if value is not None}
        if "status" in groups:
            times = int(groups["times"]) if "times" in groups else None
            retry_after = int(groups.get("retry_after", 1))
            failures.append(Failure(status=int(groups["status"]), times=times, retry_after=retry_after))
        else:
            annotated += [groups["annotate"]] if "annotate" in groups else []
            blocklists += [groups["blocklist"]] if "blocklist" in groups else []
            found.update(groups)
    return Directives(
        block=found.get("block"),
        block_completion=found.get("block_completion"),
        unfiltered="unfiltered" in found,
        noticed=Noticed(
            categories=tuple(annotated), citation="citation" in found, pii="pii" in found, blocklists=tuple(blocklists)
        ),
        failures=tuple(failures),
        delay_seconds=int(found.get("delay", 0)) / 1000,
        truncate="truncate" in found,
        hang="hang" in found,
        echo_error="echo_error" in found,
        length=int(found["length"]) if "length" in found else None,
        call=found.get("call"),
    )


def remove(text: str) -> str:
    """Return the text without its directives."""
    return PATTERN.sub("", text)
