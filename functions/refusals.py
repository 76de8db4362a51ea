"""Refusals over HTTP as metrics. What is not found, gone, or in another state is an answer, and no refusal."""

from shared.errors import (
    Forbidden,
    LetheError,
    MessageTooLarge,
    Reason,
    RequestRefused,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
    WebhookRefused,
)


def count_refusal(error: Exception) -> None:
    """Count an error that is a refusal."""
    from shared.metrics import Metric, Refused, Way, count  # OpenTelemetry, which indexing must not import

    reasons: dict[type[LetheError], Reason | Refused] = {
        MessageTooLarge: Reason.REQUEST_TOO_LARGE,
        Unauthenticated: Refused.UNAUTHENTICATED,
        Forbidden: Refused.FORBIDDEN,
        UnsupportedMediaType: Refused.MEDIA_TYPE,
        WebhookRefused: Refused.WEBHOOK_ENDPOINT,
    }
    if isinstance(error, TooManyRequests):
        count(Metric.THROTTLED, way=Way.HTTP)
    elif isinstance(error, RequestRefused):
        count(Metric.REFUSALS, reason=error.reason)
    else:
        for kind, reason in reasons.items():
            if isinstance(error, kind):
                count(Metric.REFUSALS, reason=reason)
