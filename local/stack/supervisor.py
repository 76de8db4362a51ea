"""The life of one stack: ports, parts, seeds, host, ``endpoints.json``; then keeping all of it alive."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local import clock
from local.stack import endpoints, keys, orphans, ports, seed, settings
from local.stack.errors import StackError
from local.stack.files import write_private_json
from local.stack.process import PartProcess

SERVICES = ("broker", "cosmos", "model", "issuer", "receiver", "management", "vault")
"""Parts that the host needs; they need nothing of each other to start."""

_HOST_PATIENCE_SECONDS = 14  # the host lets running invocations finish for 10 s
_PATIENCE_SECONDS = 5
_TOKEN_SECONDS = 6 * 3600  # a quarter of their life
_POLL_SECONDS = 0.2


@dataclass(kw_only=True)
class Stack:
    """A whole local stack on one state folder, whose lock the caller holds."""

    state: Path
    _parts: dict[str, PartProcess] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def endpoints_file(self) -> Path:
        """File that says where everything is; it exists while the stack is up."""
        return self.state / "endpoints.json"

    async def run(self, on_up: Callable[[], None]) -> None:
        """Start everything, call ``on_up`` once it is up, and keep it alive until this task is cancelled.

        In every case ``stop`` has to follow. Raises StackError when a part cannot be started or does not stay alive.
        """
        os.environ["LETHE_CLOCK_OFFSET_FILE"] = str(settings.clock_offset_file(self.state))
        self.endpoints_file.unlink(missing_ok=True)
        await asyncio.to_thread(orphans.end, self.state)
        addresses = settings.Addresses(ports=ports.allocate())
        try:
            await self._start(addresses)
            on_up()
            async with asyncio.TaskGroup() as group:
                for part in self._parts.values():
                    group.create_task(part.keep(lambda: self._write_endpoints(addresses)))
                group.create_task(self._renew_tokens(addresses))
        except* StackError as failures:
            raise failures.exceptions[0] from None

    async def _start(self, addresses: settings.Addresses) -> None:
        app = settings.app_settings(self.state, addresses)
        settings_file = self.state / "local.settings.json"
        write_private_json(settings_file, app)
        keys.create_missing(self.state / "keys.json", (policy["tenantId"] for policy in seed.policies()))

        environment = settings.part_environment(self.state, addresses.ports, app)
        logs = self.state / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        for name, arguments in [(name, ()) for name in SERVICES] + [("host", ("--settings", str(settings_file)))]:
            self._parts[name] = PartProcess(part=name, arguments=arguments, environment=environment, log=logs / f"{name}.log")
        await asyncio.gather(*(self._parts[name].start() for name in SERVICES))
        await seed.cosmos(endpoint=addresses.of("cosmos"), key=settings.cosmos_key(), database=settings.COSMOS_DATABASE)
        await self._parts["host"].start()
        await endpoints.healthy(addresses)
        self._tokens = await endpoints.mint_tokens(addresses)
        self._write_endpoints(addresses)

    async def _renew_tokens(self, addresses: settings.Addresses) -> None:
        """Mint new tokens before the old ones end, also when somebody moves the clock."""
        minted = clock.now()
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            if clock.now() - minted > _TOKEN_SECONDS:
                with suppress(StackError):  # the issuer may just be restarting: try again
                    self._tokens = await endpoints.mint_tokens(addresses)
                    minted = clock.now()
                    self._write_endpoints(addresses)

    def _write_endpoints(self, addresses: settings.Addresses) -> None:
        pids = {name: part.pid for name, part in self._parts.items()}
        write_private_json(
            self.endpoints_file,
            endpoints.describe(state=self.state, addresses=addresses, tokens=self._tokens, pids=pids),
        )

    async def stop(self) -> None:
        """End all parts, the host first: it still needs the others to finish what it began."""
        self.endpoints_file.unlink(missing_ok=True)
        host = self._parts.pop("host", None)
        if host is not None:
            await host.stop(_HOST_PATIENCE_SECONDS)
        await asyncio.gather(*(part.stop(_PATIENCE_SECONDS) for part in self._parts.values()))
