"""What a person is told of a refused request: one sentence for each reason, without anything of the request."""

from shared.errors import Reason

REFUSALS: dict[Reason, str] = {
    Reason.EMPTY: "The request is empty.",
    Reason.INVALID_ENCODING: "The request is not valid UTF-8.",
    Reason.INVALID_JSON: "The request is not valid JSON.",
    Reason.DUPLICATE_KEY: "An object of the request has the same key twice.",
    Reason.TOO_DEEP: "The request is nested too deeply.",
    Reason.REQUEST_TOO_LARGE: "The request is too large.",
    Reason.MISSING_FIELD: "A required field is missing.",
    Reason.UNKNOWN_FIELD: "There is a field that is not known here.",
    Reason.UNSUPPORTED_FIELD: "A field is not supported.",
    Reason.UNSUPPORTED_VALUE: "The value of a field is not supported.",
    Reason.INVALID_TYPE: "The value of a field has the wrong type.",
    Reason.INVALID_VALUE: "The value of a field is not valid.",
    Reason.UNKNOWN_TENANT: "There is no such tenant.",
    Reason.UNKNOWN_MODEL: "The tenant's policy has no such model.",
    Reason.SUBMISSION_FORBIDDEN: "The tenant's policy does not allow submission by queue.",
    Reason.SIGNATURE_MISSING: "The tenant's policy asks for a signature, and the message has none.",
    Reason.SIGNATURE_INVALID: "No secret of the tenant made the message's signature.",
    Reason.SIGNATURE_LATE: "The message was signed for another time than the one at which it was enqueued.",
    Reason.WRONG_GEOGRAPHY: "The tenant belongs to another geography.",
    Reason.RESIDENCY_FORBIDDEN: "No deployment of this model may process the tenant's data.",
    Reason.GROUNDING_FORBIDDEN: "The tenant's policy does not allow grounding data.",
    Reason.ABUSE_MONITORING_UNCONFIRMED: "No deployment of this model has shown lately that Azure keeps nothing of it.",
    Reason.SUBJECT_BLOCKED: "The data subject is blocked for a time, because of alerts of abuse monitoring.",
    Reason.OUTPUT_LIMIT: "The request asks for more output tokens than the tenant may use.",
    Reason.CONFLICT: "The key belongs to a request with other content.",
}
"""One sentence for each reason, for people; programs read the code."""
