"""Checking a JSON object against a model of ours, with refusals that name a field and never a value."""

from collections.abc import Collection

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.domain.json_document import Json
from shared.errors import Reason, RequestRefused


def validate[M: BaseModel](model: type[M], document: Json, *, prefix: str = "", inside: Collection[str] = ()) -> M:
    """Read an object; raises `RequestRefused` for its first error.

    The error is named by our own field names, ``inside`` having those of nested objects: a name that only the sender knows
    may be content itself.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = first["loc"][0]
    if name not in model.model_fields:
        raise RequestRefused(Reason.UNKNOWN_FIELD, prefix.removesuffix(".") or "message")
    raise RequestRefused(_reason(first), f"{prefix}{name}{_path(first['loc'][1:], inside)}")


def _path(steps: tuple[int | str, ...], known: Collection[str]) -> str:
    shown = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps if isinstance(step, int) or step in known]
    return "".join(shown)


def _reason(error: ErrorDetails) -> Reason:
    kind = error["type"]
    if kind == "missing":
        return Reason.MISSING_FIELD
    if kind == "extra_forbidden":
        return Reason.UNKNOWN_FIELD
    if kind in {"literal_error", "enum"}:
        return Reason.UNSUPPORTED_VALUE
    return Reason.INVALID_TYPE if kind.endswith("_type") else Reason.INVALID_VALUE
