"""One part as a process: started, waited for, restarted after a crash, ended."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.stack.errors import StackError

_ROOT = Path(__file__).parent.parent.parent
_READY_SECONDS = 60
_BACKOFF_SECONDS = 0.2
_DEATHS = 5
_WITHIN_SECONDS = 10
_POLL_SECONDS = 0.02


@dataclass(kw_only=True)
class PartProcess:
    """A part, which a program (a module's name) plays, kept running on its port; its output is appended to its log file."""

    part: str
    program: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str]
    log: Path
    _process: Process | None = None
    _deaths: deque[float] = field(default_factory=lambda: deque(maxlen=_DEATHS))

    @property
    def pid(self) -> int:
        """Process id of the present incarnation."""
        if self._process is None:
            raise StackError(f"The part {self.part!r} was not started.")
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it says that it is ready.

        Raises StackError when it ends before that: at the first start nothing is won by trying again.
        """
        self.log.write_bytes(b"")
        process, _ = await self._start_once()
        if process.returncode is not None:
            raise StackError(
                f"The part {self.part!r} ended before it was ready ({_ending(process)}). "
                f"Its log is {self.log}, which ends with:\n{_last_line(self.log)}"
            )

    async def keep(self, restarted: Callable[[], None]) -> None:
        """Restart it whenever it dies, for ever; call ``restarted`` each time that it is ready again.

        Raises StackError when it dies too often in a short time.
        """
        while self._process is not None:
            await self._process.wait()
            self._deaths.append(asyncio.get_running_loop().time())
            if len(self._deaths) == _DEATHS and self._deaths[-1] - self._deaths[0] < _WITHIN_SECONDS:
                raise StackError(
                    f"The part {self.part!r} died {_DEATHS} times within {_WITHIN_SECONDS} s "
                    f"(last: {_ending(self._process)}). Its log: {self.log}"
                )
            await asyncio.sleep(_BACKOFF_SECONDS)
            _, is_ready = await self._start_once()
            if is_ready:
                restarted()

    async def stop(self, patience: float) -> None:
        """End it by SIGTERM, after ``patience`` seconds by SIGKILL."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), patience)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _start_once(self) -> tuple[Process, bool]:
        """Start the process and wait until it is ready or has ended."""
        with self.log.open("ab") as log:
            begin = os.fstat(log.fileno()).st_size
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self.program,
                *self.arguments,
                cwd=_ROOT,
                env=self.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal reaches the supervisor only, which ends all in order
            )
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while process.returncode is None:
                    if _says_ready(self.log, begin):
                        return process, True
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise StackError(f"The part {self.part!r} was not ready after {_READY_SECONDS} s. Its log: {self.log}") from None
        return process, False


def _says_ready(log: Path, begin: int) -> bool:
    with log.open("rb") as file:
        file.seek(begin)
        return any(_is_ready_line(line) for line in file if line.startswith(b'{"part"'))


def _is_ready_line(line: bytes) -> bool:
    try:
        return set(json.loads(line)) == {"part", "port"}
    except ValueError:  # half written
        return False


def _last_line(log: Path) -> str:
    """Return what a part said last; one that never was ready has seen no content."""
    return log.read_text(encoding="utf-8", errors="replace").rstrip().rpartition("\n")[2]


def _ending(process: Process) -> str:
    code = process.returncode
    return f"signal {-code}" if code is not None and code < 0 else f"exit {code}"
