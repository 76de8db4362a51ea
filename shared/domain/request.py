"""One request for one generation, as it lies on the queue ``generation-requests``: a line of an OpenAI Batch file and a tenant.

`parse` turns untrusted bytes into a frozen value, or refuses them with a reason and the field's name.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr
from pydantic_core import PydanticCustomError

from shared.domain import content_parts
from shared.domain.bodies import BODIES, REFUSED, Endpoint
from shared.domain.json_document import Json, parse_object
from shared.domain.validation import validate
from shared.errors import Reason, RequestRefused


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("not_printable", "control characters are not allowed")
    return text


Identifier = Annotated[StrictStr, Field(min_length=1, max_length=256), AfterValidator(_printable)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Document(_Value):
    """One grounding document: augmented data that goes to the model and is never stored."""

    id: Identifier | None = None
    title: StrictStr | None = None
    content: StrictStr


class Key(_Value):
    """A job's key, without the tenant that a token says."""

    custom_id: Identifier
    batch: Identifier | None = None


class GenerationRequest(_Value):
    """An accepted request. ``body`` holds the caller's fields as sent, all of them allowed."""

    tenant: Identifier
    custom_id: Identifier
    batch: Identifier | None = None
    method: Literal["POST"] = "POST"
    url: Endpoint
    body: Json
    grounding: tuple[Document, ...] = ()
    expires_after: Annotated[StrictInt, Field(ge=1)] | None = None

    @property
    def model(self) -> str:
        """The model alias."""
        return str(self.body["model"])

    @property
    def subject(self) -> str | None:
        """The data subject, if the request names one: ``safety_identifier``, else ``user``."""
        return self.body.get(self.subject_field)

    @property
    def subject_field(self) -> str:
        """The field of the body that names the data subject, if any does."""
        return "safety_identifier" if self.body.get("safety_identifier") else "user"

    @property
    def metadata(self) -> dict[str, str] | None:
        """The caller's labels."""
        return self.body.get("metadata")

    @property
    def content(self) -> Json:
        """What makes two requests with one key the same request: everything but the key."""
        return {
            "url": self.url,
            "body": self.body,
            "grounding": [document.model_dump() for document in self.grounding],
            "expires_after": self.expires_after,
        }


def parse(data: bytes, *, max_bytes: int) -> GenerationRequest:
    """Parse and check a request; raises `RequestRefused` with a reason and a field, never with a value."""
    document = parse_object(data, max_bytes=max_bytes)
    request = validate(GenerationRequest, document, inside=Document.model_fields)
    _check_body(request.url, request.body)
    if request.grounding and request.url is Endpoint.EMBEDDINGS:
        raise RequestRefused(Reason.UNSUPPORTED_FIELD, "grounding")
    return request


def parse_key(document: Json) -> Key:
    """Read the key of a lookup; raises `RequestRefused`."""
    return validate(Key, document)


def claimed_tenant(data: bytes, *, max_bytes: int) -> str | None:
    """Return the tenant that a refused message names, if it can be read at all; nothing is verified by this."""
    try:
        tenant = parse_object(data, max_bytes=max_bytes).get("tenant")
    except RequestRefused:
        return None
    return tenant if isinstance(tenant, str) else None


def _check_body(url: Endpoint, body: Json) -> None:
    for name in REFUSED[url]:
        if body.get(name) is not None:
            raise RequestRefused(Reason.UNSUPPORTED_FIELD, f"body.{name}")
    if body.get("stream") is True:
        raise RequestRefused(Reason.UNSUPPORTED_VALUE, "body.stream")
    validate(BODIES[url], {name: value for name, value in body.items() if name not in REFUSED[url]}, prefix="body.")
    if url is Endpoint.RESPONSES:
        content_parts.check_input(body["input"], "body.input")
    elif url is Endpoint.CHAT_COMPLETIONS:
        content_parts.check_messages(body["messages"], "body.messages")
    if body.get("tools") is not None:
        content_parts.check_tools(body["tools"], "body.tools")
    if body.get("tool_choice") is not None:
        content_parts.check_tool_choice(body["tool_choice"], "body.tool_choice")
