"""The timer that keeps every deadline, and the look that the app takes at its surroundings when it starts."""

import azure.functions as func

from functions.runtime import composition, edge

retention = func.Blueprint()

_ONCE_A_YEAR = "0 0 0 1 1 *"


@retention.timer_trigger(arg_name="timer", schedule="%LETHE_RETENTION_SCHEDULE%", use_monitor=True)
async def enforce_retention(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding needs the name
    """Enforce retention once. Runs that were missed are not made up for: each run looks at everything that is due."""
    from shared.privacy.retention import enforce

    async with edge():
        await enforce(composition().retention)


@retention.timer_trigger(arg_name="timer", schedule=_ONCE_A_YEAR, run_on_startup=True, use_monitor=False)
async def check_configuration_at_start(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding needs the name
    """Compare how services are set up with what they should be, as soon as the app starts.

    Microsoft advises against ``run_on_startup``, because a timer's work would be done at unforeseen moments, after every
    restart and every scaling out. Here those are the right moments: new settings come with a restart, and a wrong one should
    be known before the timer's next run. The check only reads, may be repeated at will, and starts where the lock of the timer
    is held, so on one instance. Its schedule practically never comes: later checks are steps of ``enforce_retention``.
    """
    from shared.privacy.retention import check_configuration

    async with edge():
        await check_configuration(composition().retention)
