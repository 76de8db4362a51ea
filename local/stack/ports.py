"""The ports of a stack: chosen once at its start, so that a restarted part comes back where its clients look for it."""

import socket
from contextlib import ExitStack

from local import parts
from local.stack.errors import StackError


def allocate() -> dict[str, int]:
    """Choose a port for each part and check that nobody listens there.

    Raises StackError, naming part, port and variable, for a port that is in use.
    """
    chosen: dict[str, int] = {}
    with ExitStack() as probes:  # all stay open until the last is chosen: no two parts get the same free port
        for part, (variable, _) in parts.PORTS.items():
            try:
                at = parts.port(part)
            except ValueError:
                raise StackError(f"{variable} is not a port number.") from None
            probe = probes.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the parts do: TIME_WAIT is no obstacle
            try:
                probe.bind((parts.HOST, at))
                probe.listen(1)
            except (OSError, OverflowError):
                raise StackError(
                    f"Port {at} of the part {part!r} cannot be taken; probably something else listens there. "
                    f"End that, or set {variable} to another port (0 means any free one)."
                ) from None
            chosen[part] = at
    return chosen
