"""Service Bus queues: the settings that the broker goes by, and what lies in its file now."""

import asyncio
from pathlib import Path

from local import clock
from local.broker import counts
from local.broker.counts import Queue
from local.management import errors, ids
from local.management.overrides import Json

_FOR_EVER = "P10675199DT2H48M5.4775807S"  # the longest TimeSpan of .NET, by which Service Bus says "no such limit"
_NO_LIMIT = 2_147_483_647
_DEFAULT_WINDOW = "PT10M"


async def queues(file: Path) -> list[Json]:
    """Return every queue; raises ``ArmError`` while the broker's file cannot be read."""
    try:
        looked = await asyncio.to_thread(counts.look, file, clock.now())
    except counts.Unreadable:
        raise errors.unavailable() from None
    return [_described(queue) for queue in looked]


def _described(queue: Queue) -> Json:
    settings = queue.settings
    window = settings.duplicate_detection_seconds
    return {
        "id": f"{ids.QUEUES}/{settings.name}",
        "name": settings.name,
        "type": "Microsoft.ServiceBus/namespaces/queues",
        "location": "swedencentral",
        "properties": {
            "lockDuration": duration(settings.lock_seconds),
            "maxDeliveryCount": settings.max_delivery_count or _NO_LIMIT,
            "defaultMessageTimeToLive": duration(settings.ttl_seconds) if settings.ttl_seconds else _FOR_EVER,
            "deadLetteringOnMessageExpiration": settings.dead_letter_on_expiration,
            "requiresDuplicateDetection": window is not None,
            "duplicateDetectionHistoryTimeWindow": duration(window) if window else _DEFAULT_WINDOW,
            "requiresSession": False,
            "status": "Active",
            "messageCount": queue.active + queue.deferred + queue.scheduled + queue.dead_lettered,
            "countDetails": {
                "activeMessageCount": queue.active + queue.deferred,  # Service Bus has no number of its own for deferred ones
                "deadLetterMessageCount": queue.dead_lettered,
                "scheduledMessageCount": queue.scheduled,
                "transferMessageCount": 0,
                "transferDeadLetterMessageCount": 0,
            },
        },
    }


def duration(seconds: float) -> str:
    """Write seconds as an ISO 8601 duration, in the form that Service Bus uses: ``P1D``, ``PT1H30M``, ``PT10.5S``."""
    milliseconds = round(seconds * 1000)
    days, rest = divmod(milliseconds, 86_400_000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    date = f"{days}D" if days else ""
    time = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes) + f"{rest / 1000:g}S" * bool(rest)
    return f"P{date}T{time}" if time else f"P{date or 'T0S'}"
