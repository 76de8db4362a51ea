"""Sorts the functions of an app by trigger, and refuses what this host cannot do faithfully."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.host import logs, settings, web
from local.host.errors import StartError
from local.host.host_json import HostJson
from local.host.invocation import Invoker
from local.host.runtime import Function
from local.host.timers import Timer

if TYPE_CHECKING:
    from local.host.servicebus import Pump


@dataclass(frozen=True, kw_only=True)
class Triggers:
    """Everything that can start a function of the app."""

    pumps: list["Pump"]
    timers: list[Timer]
    endpoints: list[web.Endpoint]


def build(
    functions: list[Function], *, host: HostJson, environment: Mapping[str, str], folder: Path, invoker: Invoker
) -> Triggers:
    """Build the triggers; nothing runs yet."""
    triggers = Triggers(pumps=[], timers=[], endpoints=[])
    for function in functions:
        if settings.disabled(function.name, environment):
            logs.write("Host.Startup", f"Function '{function.name}' is disabled")
            continue
        if any(output["type"] != "http" for output in function.outputs):
            raise StartError(f"function {function.name}: this host knows no other output binding than HTTP")
        kind = function.trigger["type"]
        if kind == "httpTrigger":
            triggers.endpoints.append(web.endpoint(function, host))
        elif kind == "timerTrigger":
            triggers.timers.append(Timer(function, environment=environment, folder=folder, invoker=invoker))
        elif kind == "serviceBusTrigger":
            triggers.pumps.append(_pump(function, host=host, environment=environment, invoker=invoker))
        else:
            raise StartError(f"function {function.name}: this host does not know the trigger {kind}")
    return triggers


def _pump(function: Function, *, host: HostJson, environment: Mapping[str, str], invoker: Invoker) -> "Pump":
    from local.host.servicebus import Pump, connect  # noqa: PLC0415  # the SDK takes 0.15 s, and not every app has a queue

    trigger = function.trigger
    if "queueName" not in trigger:
        raise StartError(f"function {function.name}: this host knows queues, not topics")
    if trigger.get("isSessionsEnabled") or str(trigger.get("cardinality", "one")).lower() == "many":
        raise StartError(f"function {function.name}: this host knows neither sessions nor batches")
    if str(trigger.get("dataType", "")).lower() != "binary":
        # As text, the real host lays the body's own properties over the metadata: MessageId could be anybody's.
        raise StartError(f'function {function.name}: a Service Bus trigger needs data_type="binary"')
    return Pump(
        function,
        queue=settings.resolve(str(trigger["queueName"]), environment),
        open_client=functools.partial(connect, settings.connection(trigger.get("connection"), environment)),
        host=host,
        invoker=invoker,
    )
