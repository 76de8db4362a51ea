"""The records as a document: promises, record of processing activities, residue map, sub-processors, sources; all from data.

Markdown, the same for the same data: nothing in it depends on when or where it is made.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from shared.domain.place import Place
from shared.domain.processing import CONTROLLER, DATA_CLASSES, PROCESSOR, DataClass, Entry
from shared.domain.promises import PROMISES, Promise
from shared.domain.recipients import RECIPIENTS, Recipient
from shared.domain.residue import PLACES
from shared.domain.sources import SOURCES, Source

_HEAD = """\
# Records

Made by `python -m commands.records` from the data that the service itself reads; a test fails when this page says
anything else. **Change the data, not this page.** It is about this version of Lethe, not about your stamp: what holds now is in
the statement (`/v1/privacy/statement`), what only you know is marked **[to fill in: …]**. It is no legal advice.

*Basis*: **runtime** is checked by the last runs of the timer, **build** by tests of this commit, **vendor** is somebody's
statement: [S1] is the first of the sources at the end, each with the day from which on it counts as unknown.
"""


def stale(today: date) -> tuple[Source, ...]:
    """Sources that nobody may rely on any more, or that nobody can have read yet."""
    return tuple(source for source in SOURCES if not source.reviewed_on <= today < source.expires_on)


def document() -> str:
    """Write the whole document."""
    return "\n".join((_HEAD, *_promises(), *_processing(), *_residue(), *_recipients(), *_sources()))


def _promises() -> Iterator[str]:
    yield "## Promises\n"
    yield from _table(("promise", "sentence", "basis", "control", "test", "metric"), map(_promise, PROMISES))


def _promise(promise: Promise) -> tuple[str, ...]:
    missing = f" **Not built yet: {_code([promise.missing])}.**" if promise.missing else ""
    return (
        _code([promise.id]),
        promise.sentence + missing,
        _basis(promise.basis, promise.sources),
        _code(promise.controls),
        _code(promise.tests),
        _code(promise.metrics),
    )


def _processing() -> Iterator[str]:
    yield "## Record of processing activities\n"
    yield "### As a controller: GDPR Art. 30(1)\n"
    yield from _table(("", "asked for", "from the data", "yours"), map(_entry, CONTROLLER))
    yield "### As a processor: GDPR Art. 30(2)\n"
    yield from _table(("", "asked for", "from the data", "yours"), map(_entry, PROCESSOR))
    yield "### Classes of data\n"
    places = {place.name: place for place in PLACES}
    rows = (_data_class(data_class, places) for data_class in DATA_CLASSES)
    yield from _table(("class", "purpose", "data subjects", "data", "where, and until"), rows)
    yield "### Security measures\n"
    yield "Controls of the promises that are built; what tests them stands with the promise.\n"
    built = (promise for promise in PROMISES if promise.missing is None)
    yield from _table(("measure for", "controls"), ((_code([promise.id]), _code(promise.controls)) for promise in built))


def _entry(entry: Entry) -> tuple[str, ...]:
    return entry.point, entry.asks, entry.known, "<br>".join(f"**[to fill in: {what}]**" for what in entry.open)


def _data_class(data_class: DataClass, places: dict[str, Place]) -> tuple[str, ...]:
    kept = "<br>".join(f"*{name}*: {places[name].until}" for name in data_class.places)
    return data_class.name, data_class.purpose, data_class.subjects, data_class.data, kept


def _residue() -> Iterator[str]:
    yield "## Residue map\n"
    yield "Every place in which something can lie. *Counted*: the page of the service shows how much lies there now.\n"
    yield from _table(("place", "holds", "content", "until", "basis", "counted"), map(_place, PLACES))


def _place(place: Place) -> tuple[str, ...]:
    content, counted = ("yes" if true else "no" for true in (place.holds_content, place.is_counted))
    return place.name, place.holds, content, place.until, _basis(place.basis, place.sources), counted


def _recipients() -> Iterator[str]:
    yield "## Sub-processors\n"
    yield (
        "All of them are services of Microsoft, in your own subscription. Where you are the controller, Microsoft is your "
        "processor; where you run Lethe for others, it is your sub-processor.\n"
    )
    yield "**[to fill in: the Microsoft company, the agreement and the version of its data protection addendum]**<br>"
    yield "**[to fill in: Microsoft's own sub-processors, from the list that your agreement names]**\n"
    yield from _table(("service", "what it does", "what it gets", "where", "basis of where"), map(_recipient, RECIPIENTS))


def _recipient(recipient: Recipient) -> tuple[str, ...]:
    return recipient.service, recipient.does, recipient.gets, recipient.where, _basis(recipient.basis, recipient.sources)


def _sources() -> Iterator[str]:
    yield "## Sources\n"
    rows = (
        (_number(source), source.says, source.url, source.dated, source.reviewed_on.isoformat(), source.expires_on.isoformat())
        for source in SOURCES
    )
    yield from _table(("", "says", "where", "dated", "read on", "unknown from"), rows)


def _basis(basis: str, sources: Iterable[Source]) -> str:
    return " ".join((basis, *map(_number, sources)))


def _number(source: Source) -> str:
    return f"[S{SOURCES.index(source) + 1}]"


def _code(words: Iterable[str]) -> str:
    return "<br>".join(f"`{word}`" for word in words)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '\\|') for cell in row)} |"
    yield ""
