"""One invocation: its log lines, its time limit, and how it ended."""

import asyncio
import contextvars
import secrets
import time
import uuid

from local.host import logs, runtime
from local.host.runtime import Function, Inputs, Outcome, Value


class Invoker:
    """Runs functions, and knows which invocations are running."""

    def __init__(self, *, timeout: float | None) -> None:
        self._timeout = timeout
        self._running: dict[str, str] = {}

    def category(self, logger: str) -> str:
        """Log category of the app's logging: the function's own while one of its invocations writes it."""
        name = self._running.get(runtime.current_invocation() or "")
        return f"Function.{name}.User" if name else logger

    async def run(
        self,
        function: Function,
        *,
        reason: str,
        inputs: Inputs,
        metadata: dict[str, Value] | None = None,
        details: str | None = None,
        trace_id: str | None = None,
    ) -> Outcome:
        """Invoke a function and log it as the host's telemetry does; never raises but when cancelled."""
        category, name = f"Function.{function.name}", f"Functions.{function.name}"
        invocation_id = str(uuid.uuid4())
        logs.write(category, f"Executing '{name}' (Reason='{reason}', Id={invocation_id})")
        if details:
            logs.write(category, f"Trigger Details: {details}", invocation_id=invocation_id)
        started = time.monotonic()
        trace_parent = f"00-{trace_id or secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        outcome = Outcome(succeeded=False, error="OperationCanceledException: the host is stopping")
        self._running[invocation_id] = function.name
        try:
            outcome = await self._limited(function, invocation_id, inputs, metadata or {}, trace_parent)
        finally:
            del self._running[invocation_id]
            verdict = "Succeeded" if outcome.succeeded else "Failed"
            duration = round((time.monotonic() - started) * 1000)
            logs.write(
                category,
                f"Executed '{name}' ({verdict}, Id={invocation_id}, Duration={duration}ms)",
                level=logs.INFORMATION if outcome.succeeded else logs.ERROR,
                details=details,
                exception=None if outcome.succeeded else f"Result: Failure\nException: {outcome.error}\nStack: {outcome.stack}",
            )
        return outcome

    async def _limited(
        self,
        function: Function,
        invocation_id: str,
        inputs: Inputs,
        metadata: dict[str, Value],
        trace_parent: str,
    ) -> Outcome:
        # A context of its own, so that nothing of the host's (its log filter, its spans) reaches the app's code.
        task = asyncio.create_task(
            runtime.invoke(function, invocation_id, inputs, metadata, trace_parent), context=contextvars.Context()
        )
        try:
            async with asyncio.timeout(self._timeout):
                return await task
        except TimeoutError:
            text = f"Timeout value of {self._timeout:g} s exceeded by function: Functions.{function.name}"
            return Outcome(succeeded=False, error=f"FunctionTimeoutException: {text}")
