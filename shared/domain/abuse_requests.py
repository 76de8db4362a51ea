"""Bodies of the requests about abuse review, as reviewers send them. Each names the one tenant that it is about."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from shared.domain.abuse_alert import AlertStatus, Resolution
from shared.domain.hold_requests import CaseReference
from shared.domain.policy import DAY


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class OpenRecord(_Body):
    """``POST /v1/abuse/records/{id}/open``."""

    tenant: StrictStr
    case_reference: CaseReference


class ResolveAlert(_Body):
    """``POST /v1/abuse/alerts/{id}/resolve``; ``block_seconds`` blocks the alert's subject from now on."""

    tenant: StrictStr
    case_reference: CaseReference
    resolution: Resolution
    block_seconds: Annotated[StrictInt, Field(ge=60, le=30 * DAY)] | None = None


class ListAlerts(_Body):
    """The query of ``GET /v1/abuse/alerts``; ``after`` is the id of the last alert of the page before."""

    tenant: StrictStr
    status: AlertStatus | None = None
    after: Annotated[StrictStr, Field(pattern=r"^alr_[0-9a-f]{40}$")] | None = None
