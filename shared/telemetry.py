"""Log lines that cannot carry content: an event of a closed list, and fields of a closed list. There is no free text."""

import json
import logging
from enum import StrEnum

_LOG = logging.getLogger("lethe")


class Event(StrEnum):
    """Everything that Lethe logs."""

    JOB_SUBMITTED = "job_submitted"
    JOB_ENDED = "job_ended"
    JOB_POSTPONED = "job_postponed"
    JOB_ALREADY_ENDED = "job_already_ended"
    JOB_TAKEN_OVER = "job_taken_over"
    JOB_ERASED = "job_erased"
    MESSAGE_REJECTED = "message_rejected"
    REPLY_FAILED = "reply_failed"
    EVENT_LEFT_TO_TIMER = "event_left_to_timer"
    WEBHOOK_ATTEMPT = "webhook_attempt"
    WEBHOOK_SKIPPED = "webhook_skipped"
    WEBHOOK_MESSAGE_UNREADABLE = "webhook_message_unreadable"
    WEBHOOK_ENDPOINT_DISABLED = "webhook_endpoint_disabled"
    CALLER_REFUSED = "caller_refused"
    SIGNING_KEYS_NOT_READ = "signing_keys_not_read"
    INVOCATION_FAILED = "invocation_failed"
    MODEL_CALL_FAILED = "model_call_failed"
    RETENTION_STEP = "retention_step"
    RETENTION_STEP_FAILED = "retention_step_failed"
    RETENTION_RUN_UNRECORDED = "retention_run_unrecorded"
    PROMISE_VIOLATED = "promise_violated"
    VIOLATIONS_UNTOLD = "violations_untold"
    CONFIGURATION_DRIFT = "configuration_drift"
    CONFIGURATION_UNCHECKED = "configuration_unchecked"
    EVIDENCE_BROKEN = "evidence_broken"
    ABUSE_ALERT_CREATED = "abuse_alert_created"
    ABUSE_RECORD_OPENED = "abuse_record_opened"
    ABUSE_ACCESS_REFUSED = "abuse_access_refused"


def log(  # noqa: PLR0913 - the allow-list of fields is the point
    event: Event,
    *,
    job_id: str | None = None,
    endpoint_id: str | None = None,
    status: str | None = None,
    code: str | None = None,
    target: str | None = None,
    attempt: int | None = None,
    status_code: int | None = None,
    delay_seconds: float | None = None,
    step: str | None = None,
    checked: int | None = None,
    found: int | None = None,
    deleted: int | None = None,
    overdue: int | None = None,
    oldest_overdue_seconds: float | None = None,
    complete: bool | None = None,
    warning: bool = False,
) -> None:
    """Write one event as a JSON line. Ids are MACs; codes, states and steps are members of our own enums.

    ``target`` is a name from the settings or the policies: a queue, container, resource, deployment or tenant.
    """
    fields = {name: value for name, value in locals().items() if value is not None and name not in {"event", "warning"}}
    _LOG.log(logging.WARNING if warning else logging.INFO, "%s", json.dumps({"event": event, **fields}))


def quieten_libraries() -> None:
    """Keep libraries from logging URLs, partition keys and bodies: INFO of `azure` and DEBUG of the others have them."""
    for name in ("azure", "openai", "httpx2", "httpcore2", "msal", "aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
