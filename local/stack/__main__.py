"""``python -m local.stack``: run the local stack until Ctrl-C or SIGTERM."""

import argparse
import asyncio
import os
import signal
import sys

from local import parts
from local.stack import lock
from local.stack.errors import StackError
from local.stack.supervisor import Stack


def main() -> int:
    """Run a stack on the state folder; 0 when it was asked to end, 1 with a message when it could not go on."""
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    parser.add_argument("--attached", action="store_true", help="end also when standard input is closed")
    arguments = parser.parse_args()
    stack = Stack(state=parts.state_folder())
    try:
        with lock.held(stack.state):
            asyncio.run(_serve(stack, attached=arguments.attached))
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _serve(stack: Stack, *, attached: bool) -> None:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    def end_with_input() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin)
            asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    if attached:
        loop.add_reader(sys.stdin, end_with_input)

    running = asyncio.create_task(stack.run(lambda: _say_up(stack)))
    asking = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({running, asking}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (running, asking):
            task.cancel()
        failures = await asyncio.gather(running, asking, return_exceptions=True)
        await stack.stop()
    for failure in failures:
        if isinstance(failure, Exception):  # not the cancellation, which was asked for
            raise failure


def _say_up(stack: Stack) -> None:
    sys.stdout.write(f"The stack is up. Where everything is: {stack.endpoints_file}. Ctrl-C ends it.\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
