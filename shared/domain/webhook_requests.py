"""Bodies of the requests about webhook endpoints, as the OpenAI clients send them. Values are checked by the use cases."""

from pydantic import BaseModel, ConfigDict, StrictBool, StrictStr


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class CreateEndpoint(_Body):
    """``POST /webhook_endpoints``."""

    name: StrictStr
    url: StrictStr
    event_types: list[StrictStr]


class UpdateEndpoint(_Body):
    """``POST /webhook_endpoints/{id}``."""

    name: StrictStr | None = None
    url: StrictStr | None = None
    event_types: list[StrictStr] | None = None


class RotateSecret(_Body):
    """``POST /webhook_endpoints/{id}/rotate_secret``; without the word the old secret ends at once."""

    keep_old_secret_active_for_24_hours: StrictBool = False


class SendTest(_Body):
    """``POST /webhook_endpoints/{id}/test``."""

    event_type: StrictStr
