"""Bodies of the requests about holds, as operators send them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

CaseReference = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""The name of a file or a case: it stands in evidence for a year, so it is no place for a person's name."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class HeldSubject(_Body):
    """A data subject, by what requests name it."""

    safety_identifier: Annotated[StrictStr, Field(min_length=1)]


class PlaceHold(_Body):
    """``POST /v1/holds``: one subject, one generation, or the whole tenant; ``ends_at`` in seconds since the epoch."""

    tenant: StrictStr
    case_reference: CaseReference
    ends_at: StrictInt
    subject: HeldSubject | None = None
    generation: StrictStr | None = None


class RenewHold(_Body):
    """``POST /v1/holds/{id}/renew``."""

    ends_at: StrictInt


INSIDE = frozenset(HeldSubject.model_fields)
"""Names of nested fields that a refusal may show."""
