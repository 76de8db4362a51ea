"""NCRONTAB, the schedule language of timer triggers: cron with a leading field for seconds, in UTC.

Day of month and day of week must both match (unlike Unix cron, where either is enough), ``0`` is Sunday, and
``5/10`` counts from 5 to the end of the field, as in the NCrontab library that Azure Functions uses.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, product

from local.host.errors import StartError

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_SECONDS_MISSING = 5
_FIELDS = 6
_HORIZON_DAYS = 366 * 8 + 1
"""Far enough for 29 February across a century that is no leap year."""


@dataclass(frozen=True, kw_only=True)
class _Field:
    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()

    def number(self, text: str) -> int:
        """Value of a number or a name (three letters or the whole word)."""
        for position, word in enumerate(self.words):
            if text.lower() in {word[:3].lower(), word.lower()}:
                return self.least + position
        if not (text.isascii() and text.isdigit()) or not self.least <= int(text) <= self.most:
            raise StartError(f"{text!r} is no {self.name} of a schedule ({self.least} to {self.most})")
        return int(text)

    def values(self, text: str) -> tuple[int, ...]:
        """Sorted values that a field such as ``1-5,10,*/20`` matches."""
        found: set[int] = set()
        for item in text.split(","):
            span, slash, step = item.partition("/")
            if slash and (not step.isdigit() or int(step) == 0):
                raise StartError(f"{item!r} has no step above 0 in the {self.name} of a schedule")
            found.update(range(*self._range(span, open_ended=bool(slash)), int(step) if slash else 1))
        return tuple(sorted(found))

    def _range(self, span: str, *, open_ended: bool) -> tuple[int, int]:
        if span in {"*", "?"}:
            return self.least, self.most + 1
        first, dash, last = span.partition("-")
        start = self.number(first)
        if not dash:
            return start, (self.most if open_ended else start) + 1
        end = self.number(last)
        if end < start:
            raise StartError(f"{span!r} runs backwards in the {self.name} of a schedule")
        return start, end + 1


_SECOND = _Field(name="second", least=0, most=59)
_MINUTE = _Field(name="minute", least=0, most=59)
_HOUR = _Field(name="hour", least=0, most=23)
_DAY = _Field(name="day", least=1, most=31)
_MONTH = _Field(name="month", least=1, most=12, words=_MONTHS)
_WEEKDAY = _Field(name="day of week", least=0, most=6, words=_DAYS)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A parsed expression."""

    times: tuple[time, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def after(self, moment: datetime) -> datetime:
        """First occurrence strictly after a moment, in UTC; an expression that never occurs is an error."""
        earliest = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        day, from_time = earliest.date(), earliest.time()
        for _ in range(_HORIZON_DAYS):
            position = bisect_left(self.times, from_time)
            if position < len(self.times) and self._matches(day):
                return datetime.combine(day, self.times[position], UTC)
            day, from_time = day + timedelta(days=1), time.min
        raise StartError("a schedule never occurs")

    def _matches(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def shortest_gap(self, moment: datetime) -> timedelta:
        """Shortest time between the next few occurrences."""
        occurrences = [moment := self.after(moment) for _ in range(10)]
        return min(later - sooner for sooner, later in pairwise(occurrences))


def parse(expression: str) -> Schedule:
    """Parse six fields (second minute hour day month weekday); five mean second 0."""
    fields = expression.split()
    if len(fields) == _SECONDS_MISSING:
        fields.insert(0, "0")
    if len(fields) != _FIELDS:
        raise StartError(f"{expression!r} is not an NCRONTAB expression of six fields")
    kinds = (_SECOND, _MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)
    seconds, minutes, hours, days, months, weekdays = (kind.values(text) for kind, text in zip(kinds, fields, strict=True))
    return Schedule(
        times=tuple(time(h, m, s) for h, m, s in product(hours, minutes, seconds)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(weekdays),
    )
