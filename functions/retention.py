"""The timer that keeps every deadline."""

import azure.functions as func

from functions.runtime import composition, edge

retention = func.Blueprint()


@retention.timer_trigger(arg_name="timer", schedule="%LETHE_RETENTION_SCHEDULE%", use_monitor=True)
async def enforce_retention(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding needs the name
    """Enforce retention once. Runs that were missed are not made up for: each run looks at everything that is due."""
    from shared.privacy.retention import enforce

    async with edge():
        await enforce(composition().retention)
