"""``python -m local.broker``: the Service Bus broker of the embedded stack.

Plain TCP on loopback, without SASL or with ANONYMOUS or MSSBCBS; any token is taken.
``--queues FILE`` (or ``LETHE_BROKER_QUEUES``) names the definitions of the entities.
"""

import argparse
import os
import signal
from pathlib import Path
from types import FrameType

from proton import Event
from proton.reactor import Container

from local import parts
from local.broker.connections import Connections
from local.broker.door import Door
from local.broker.queues import load
from local.broker.store import Store

TICK_SECONDS = 0.1
DEFAULT_QUEUES = Path(__file__).parent.parent / "seed" / "queues.json"


class Clockwork:
    """Ticks, so that time passes in the broker also when nobody says anything, and ends it when that is asked for."""

    def __init__(self, container: Container, connections: Connections) -> None:
        self._container = container
        self._connections = connections
        self._ending = False

    def start(self) -> None:
        """Begin to tick."""
        self._container.schedule(TICK_SECONDS, self)

    def end(self, _signal: int, _frame: FrameType | None) -> None:
        """Ask for the end; the next tick brings it, between two events and never inside a transaction."""
        self._ending = True

    def on_timer_task(self, _event: Event) -> None:
        """Tick once."""
        if self._ending:
            self._container.stop()
            return
        self._connections.tick()
        self.start()


def main() -> None:
    """Run the broker until SIGTERM or SIGINT."""
    arguments = argparse.ArgumentParser(prog="python -m local.broker")
    arguments.add_argument("--queues", type=Path, default=Path(os.environ.get("LETHE_BROKER_QUEUES", DEFAULT_QUEUES)))
    store = Store(parts.state_folder() / "broker.sqlite", load(arguments.parse_args().queues))
    connections = Connections(store)
    container = Container()
    clockwork = Clockwork(container, connections)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, clockwork.end)
    connections.tick()
    port = parts.port("broker")
    Door(container, parts.HOST, port, connections)
    clockwork.start()
    parts.ready("broker", port)
    container.run()
    store.close()


if __name__ == "__main__":
    main()
