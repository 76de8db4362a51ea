"""Measurements that cannot carry content: instruments of one table, whose attributes each have a closed set of values.

What is not in the set is measured as ``other``: no text of a caller gets through, and no attribute grows without bound. Which
attributes a call has to name is held by a test that reads all calls, so that a slip here never costs a job. Nothing is measured
for a tenant: its name is an identifier of a customer, and there is no bound to how many there are.

Only the API of OpenTelemetry is used. It does nothing until `shared.exporting` has set a provider.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from functools import cache
from typing import TypedDict, Unpack

from opentelemetry import metrics as opentelemetry

from shared.domain.abuse_alert import AlertKind
from shared.domain.abuse_record import Kept
from shared.domain.drift import Drift
from shared.domain.erasure import State as Erased
from shared.domain.filter_outcome import Verdict
from shared.domain.generation import Status
from shared.domain.policy import LETHES_QUEUES
from shared.errors import Reason

_METER = opentelemetry.get_meter("lethe")

OTHER = "other"
"""The value of whatever an attribute's set does not have."""


class Metric(StrEnum):
    """Everything that Lethe measures."""

    ITEMS = "lethe.items"
    ITEMS_OLDEST_AGE = "lethe.items.oldest_age"
    OVERDUE = "lethe.retention.overdue"
    SECONDS_PAST_DEADLINE = "lethe.retention.seconds_past_deadline"
    RETENTION_COMPLETE = "lethe.retention.complete"
    DELETIONS = "lethe.retention.deletions"
    DELETION_LAG = "lethe.retention.deletion_lag"
    RUN_DURATION = "lethe.retention.run.duration"
    QUEUE_DEPTH = "lethe.queue.depth"
    QUEUE_OLDEST_AGE = "lethe.queue.oldest_age"
    HELD_ITEMS = "lethe.held_items"
    ERASURES = "lethe.erasures"
    ERASURE_DURATION = "lethe.erasure.duration"
    REFUSALS = "lethe.refusals"
    RESIDENCY_DECISIONS = "lethe.residency.decisions"
    FILTER_OUTCOMES = "lethe.filter_outcomes"
    OPT_OUTS = "lethe.opt_outs"
    CONFIGURATION_FINDINGS = "lethe.configuration.findings"
    CONFIGURATION_COMPLETE = "lethe.configuration.complete"
    WEBHOOKS = "lethe.webhooks"
    PROBE_LAG = "lethe.probe.lag"
    GENERATIONS = "lethe.generations"
    EVIDENCE_VERIFIED = "lethe.evidence.verified"
    ABUSE_RECORDS = "lethe.abuse.records"
    ABUSE_ALERTS = "lethe.abuse.alerts"
    ABUSE_OPEN_ALERTS = "lethe.abuse.open_alerts"
    ABUSE_ACCESSES = "lethe.abuse.accesses"
    THROTTLED = "lethe.throttled"


class Refused(StrEnum):
    """Why a call over HTTP was refused, besides the reasons that a request of the queue can have, too."""

    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    MEDIA_TYPE = "unsupported_media_type"
    WEBHOOK_ENDPOINT = "webhook_endpoint"


class Decision(StrEnum):
    """Where a request may be processed: in one of the listed deployments, or nowhere, and why."""

    ALLOWED = "allowed"
    WRONG_GEOGRAPHY = Reason.WRONG_GEOGRAPHY.value
    FORBIDDEN = Reason.RESIDENCY_FORBIDDEN.value


class Withheld(StrEnum):
    """What a filter outcome can be besides a verdict: the filter is required, and saw the completion at no attempt."""

    WITHHELD = "withheld"


class Way(StrEnum):
    """How a request came."""

    QUEUE = "queue"
    HTTP = "http"


class Access(StrEnum):
    """What became of a reviewer's wish to read a sealed record."""

    OPENED = "opened"
    REFUSED = "refused"


class Lying(StrEnum):
    """In which state messages lie in a queue."""

    ACTIVE = "active"
    SCHEDULED = "scheduled"
    DEAD_LETTER = "dead_letter"


class Kind(Enum):
    """What an instrument does: counts what happens, tells what is now, or how values are spread."""

    COUNTER = auto()
    GAUGE = auto()
    HISTOGRAM = auto()


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """What is measured, in which unit (UCUM), and by which attributes with which values."""

    kind: Kind
    unit: str
    description: str
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    boundaries: tuple[float, ...] | None = None


def _set(*values: str | Iterable[str]) -> frozenset[str]:
    return frozenset(str(one) for value in values for one in ((value,) if isinstance(value, str) else value))


STEPS = _set(
    ("shortened_deadlines", "expired_documents", "forgotten_contents", "rejected_messages", "undelivered_events"),
    (f"dead_letters_{queue.replace('-', '_')}" for queue in LETHES_QUEUES),
    ("expired_abuse_records", "shortened_abuse_records", "abuse_keys", "detection"),
    ("holds", "held_documents", "erasures", "orphans", "abandoned_claims", "probe", "inventory", "evidence", "configuration"),
)
"""Steps of the timer, under the names of their reports."""

_STEP = {"step": STEPS}
_QUEUE = {"queue": LETHES_QUEUES, "kind": _set(Lying)}
_CLASS = {"data_class": _set("output", "receipt", "event", "abuse_record", "abuse_alert")}
_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 240.0, 300.0)
_LAGS = (1.0, 5.0, 15.0, 60.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 21_600.0, 86_400.0)
_DAYS = (1.0, 5.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0, 259_200.0, 604_800.0, 2_592_000.0)


def _count(unit: str, description: str, **attributes: frozenset[str]) -> Instrument:
    return Instrument(kind=Kind.COUNTER, unit=unit, description=description, attributes=attributes)


def _gauge(unit: str, description: str, **attributes: frozenset[str]) -> Instrument:
    return Instrument(kind=Kind.GAUGE, unit=unit, description=description, attributes=attributes)


def _histogram(description: str, boundaries: tuple[float, ...], **attributes: frozenset[str]) -> Instrument:
    return Instrument(kind=Kind.HISTOGRAM, unit="s", description=description, attributes=attributes, boundaries=boundaries)


TABLE: Mapping[Metric, Instrument] = {
    Metric.ITEMS: _gauge("{item}", "Documents of a class of data", **_CLASS),
    Metric.ITEMS_OLDEST_AGE: _gauge("s", "Age of the oldest document of a class", **_CLASS),
    Metric.OVERDUE: _gauge("{item}", "What a run found past its time, and could not settle", **_STEP),
    Metric.SECONDS_PAST_DEADLINE: _gauge("s", "How far past its time the oldest was that a run found", **_STEP),
    Metric.RETENTION_COMPLETE: _gauge("1", "Whether a step could look at everything", **_STEP),
    Metric.DELETIONS: _count("{item}", "What the timer deleted", **_STEP),
    Metric.DELETION_LAG: _histogram("From a deadline to the deletion", _LAGS, **_STEP),
    Metric.RUN_DURATION: _histogram("How long a run of the timer took", _SECONDS),
    Metric.QUEUE_DEPTH: _gauge("{message}", "Messages in a queue", **_QUEUE),
    Metric.QUEUE_OLDEST_AGE: _gauge("s", "Age of the oldest message that lies in a queue", **_QUEUE),
    Metric.HELD_ITEMS: _gauge("{item}", "Documents that a hold keeps"),
    Metric.ERASURES: _count(
        "{erasure}", "Erasures that ended, or were deferred", outcome=_set(Erased.COMPLETED, Erased.DEFERRED)
    ),
    Metric.ERASURE_DURATION: _histogram("From the request of an erasure to its completion", _DAYS),
    Metric.REFUSALS: _count("{refusal}", "Requests that were refused", reason=_set(Reason, Refused)),
    Metric.RESIDENCY_DECISIONS: _count("{decision}", "Decisions where a request may be processed", decision=_set(Decision)),
    Metric.FILTER_OUTCOMES: _count("{generation}", "What the content filter said", outcome=_set(Verdict, Withheld)),
    Metric.OPT_OUTS: _gauge("{tenant}", "Tenants that have opted out of abuse monitoring"),
    Metric.CONFIGURATION_FINDINGS: _gauge("{finding}", "Differences from how services should be set up", kind=_set(Drift)),
    Metric.CONFIGURATION_COMPLETE: _gauge("1", "Whether the configuration check could look at everything"),
    Metric.WEBHOOKS: _count(
        "{attempt}", "Attempts to deliver a webhook", outcome=_set("delivered", "pending", "gave_up", "disabled")
    ),
    Metric.PROBE_LAG: _gauge("s", "How long past its deadline a planted document was gone, or is still there"),
    Metric.GENERATIONS: _count("{generation}", "Jobs that ended", status=_set(each for each in Status if each.terminal)),
    Metric.EVIDENCE_VERIFIED: _gauge("1", "Whether the evidence is whole"),
    Metric.ABUSE_RECORDS: _count("{record}", "Records that were sealed for abuse review", reason=_set(Kept)),
    Metric.ABUSE_ALERTS: _count("{alert}", "Alerts of abuse monitoring", kind=_set(AlertKind)),
    Metric.ABUSE_OPEN_ALERTS: _gauge("{alert}", "Alerts that nobody has resolved"),
    Metric.ABUSE_ACCESSES: _count("{access}", "Wishes to read a sealed record", outcome=_set(Access)),
    Metric.THROTTLED: _count("{request}", "Requests that had to wait for their tenant's limits", way=_set(Way)),
}


class Attributes(TypedDict, total=False):
    """What an attribute can be. Plain texts are names of ours that have no enum; the table knows them all."""

    data_class: str
    decision: StrEnum
    kind: StrEnum
    outcome: StrEnum
    queue: str
    reason: StrEnum
    status: StrEnum
    step: str
    way: StrEnum


def count(metric: Metric, amount: int = 1, **attributes: Unpack[Attributes]) -> None:
    """Count what happened."""
    _counter(metric).add(amount, _closed(metric, attributes))


def gauge(metric: Metric, value: float, **attributes: Unpack[Attributes]) -> None:
    """Tell what is now; it is exported once, so that an old value is never taken for a new one."""
    _gauge_of(metric).set(value, _closed(metric, attributes))


def observe(metric: Metric, value: float, **attributes: Unpack[Attributes]) -> None:
    """Tell one of many values."""
    _histogram_of(metric).record(value, _closed(metric, attributes))


def _closed(metric: Metric, attributes: Attributes) -> dict[str, str]:
    given = {name: str(value) for name, value in attributes.items()}
    allowed = TABLE[metric].attributes
    return {name: given[name] if given.get(name) in values else OTHER for name, values in allowed.items()}


@cache
def _counter(metric: Metric) -> opentelemetry.Counter:
    return _METER.create_counter(metric, TABLE[metric].unit, TABLE[metric].description)


@cache
def _gauge_of(metric: Metric) -> "opentelemetry._Gauge":
    return _METER.create_gauge(metric, TABLE[metric].unit, TABLE[metric].description)


@cache
def _histogram_of(metric: Metric) -> opentelemetry.Histogram:
    instrument = TABLE[metric]
    return _METER.create_histogram(
        metric, instrument.unit, instrument.description, explicit_bucket_boundaries_advisory=instrument.boundaries
    )
