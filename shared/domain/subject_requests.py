"""Bodies of the requests about one data subject. Who it is stands in bodies only: hosts log URLs."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from shared.domain.bodies import Subject


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Erase(_Body):
    """``POST /v1/subjects/erasures``: the subject as requests name it, in ``safety_identifier`` or ``user``."""

    safety_identifier: Subject


class Export(_Body):
    """``POST /v1/subjects/exports``; ``after`` is the ``next`` of the page before."""

    safety_identifier: Subject
    after: Annotated[StrictStr, Field(pattern=r"^gen_[0-9a-f]{40}$")] | None = None
