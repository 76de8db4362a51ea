"""The only module that touches the internals of azure-functions-runtime.

The worker library is driven without its gRPC host: a stand-in takes the place of the protobuf classes while it indexes,
and invocations go through its protobuf-free entry. None of that is public, hence the check of the version.
"""

import contextvars
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from azure_functions_runtime import handle_event, native_invocation
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.bindings.meta import load_binding_registry
from azure_functions_runtime.utils.executor import invocation_id_cv
from azure_functions_runtime.utils.threadpool import start_threadpool_executor
from azure_functions_runtime.utils.tracing import marshall_exception_trace
from azure_functions_runtime.version import VERSION

from local.host.errors import StartError

SUPPORTED = "1.3.0"
SCRIPT = "function_app.py"

type Value = Any
"""A ``Datum``: the worker library's typed value (it ships no types)."""
type Inputs = Sequence[tuple[str, Value]]

_failure: contextvars.ContextVar[list[BaseException] | None] = contextvars.ContextVar("failure", default=None)


@dataclass(frozen=True, kw_only=True)
class Function:
    """An indexed function and its bindings, as the decorators of azure-functions describe them."""

    name: str
    function_id: str
    trigger: Mapping[str, Any]
    outputs: tuple[Mapping[str, Any], ...]

    @property
    def parameter(self) -> str:
        """Name of the parameter that takes the trigger."""
        return str(self.trigger["name"])


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an invocation ended; ``error`` and ``stack`` are what the worker would send to the host."""

    succeeded: bool
    value: Value = None
    error: str = ""
    stack: str = ""


def text(value: str) -> Value:
    """Datum of a string."""
    return Datum(value, "string")


def binary(value: bytes) -> Value:
    """Datum of bytes."""
    return Datum(value, "bytes")


def document(value: object) -> Value:
    """Datum of a value in its JSON form; what JSON does not know, such as a UUID, becomes text as in .NET."""
    return Datum(json.dumps(value, default=str), "json")


def http(parts: Mapping[str, Any]) -> Value:
    """Datum of an HTTP request whose parts are data themselves."""
    return Datum(dict(parts), "http")


def current_invocation() -> str | None:
    """Id of the invocation in which this code runs, in a thread of the library's pool too."""
    found: str | None = invocation_id_cv.get()
    return found


class _BindingInfo(SimpleNamespace):
    undefined = 0
    out = 1
    inout = 2


class _CaptureFailure(logging.Filter):
    """Takes the exception of a failed invocation out of the library's log record, which is all that carries it.

    The record itself is dropped: the host writes the failure once, in the form in which the worker sends it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every other record."""
        failure = _failure.get()
        if failure is None or record.msg != "Native invocation failed" or not record.exc_info:
            return True
        if record.exc_info[1] is not None:
            failure.append(record.exc_info[1])
        return False


def index(app: Path) -> list[Function]:
    """Import the app and list its functions. Once per process: the library refuses to register a name again."""
    if VERSION != SUPPORTED:
        raise StartError(f"azure-functions-runtime {VERSION} is installed; this host knows {SUPPORTED}")
    if not (app / SCRIPT).is_file():
        raise StartError(f"{app} has no {SCRIPT}")
    sys.path.insert(0, str(app))
    os.environ.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
    logging.getLogger("azure.functions").addFilter(_CaptureFailure())
    handle_event.protos = SimpleNamespace(
        BindingInfo=_BindingInfo, RpcFunctionMetadata=SimpleNamespace, RpcRetryOptions=SimpleNamespace
    )
    load_binding_registry()
    start_threadpool_executor()
    try:
        handle_event.load_function_metadata(str(app), caller_info="worker_init_request")
    except Exception as error:
        raise StartError(f"the app cannot be indexed: {type(error).__name__}: {error}") from error
    return [_function(found) for found in handle_event._metadata_result or ()]  # noqa: SLF001


def _function(found: Any) -> Function:  # noqa: ANN401
    bindings = [json.loads(raw) for raw in found.raw_bindings]
    triggers = [binding for binding in bindings if binding["type"].lower().endswith("trigger")]
    if len(triggers) != 1:
        raise StartError(f"function {found.name} must have exactly one trigger")
    others = tuple(binding for binding in bindings if binding is not triggers[0])
    return Function(name=found.name, function_id=found.function_id, trigger=triggers[0], outputs=others)


async def invoke(
    function: Function, invocation_id: str, inputs: Inputs, metadata: Mapping[str, Value], trace_parent: str
) -> Outcome:
    """Run a function once; only cancellation escapes."""
    failure: list[BaseException] = []
    token = _failure.set(failure)
    try:
        ok, value, _, error, stack = await native_invocation.invocation_request_native(
            invocation_id, function.function_id, list(inputs), dict(metadata), trace_parent
        )
    finally:
        _failure.reset(token)
    if ok:
        return Outcome(succeeded=True, value=value)
    if failure:  # what the worker's protobuf path sends; the native one knows only repr()
        return Outcome(
            succeeded=False,
            error=f"{type(failure[0]).__name__}: {failure[0]}",
            stack=marshall_exception_trace(failure[0]),
        )
    return Outcome(succeeded=False, error=error or "", stack=stack or "")
