"""The life of one stack: ports, parts, seeds, hosts, ``endpoints.json``; then keeping all of it alive."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local import clock
from local.parts import PORTS
from local.stack import endpoints, keys, orphans, ports, seed, settings
from local.stack.errors import StackError
from local.stack.files import write_private_json
from local.stack.process import PartProcess

SERVICES = ("broker", "cosmos", "model", "issuer", "receiver", "management", "vault")
"""Parts that the hosts need; they need nothing of each other to start."""
HOSTS = {"host": ("local.settings.json", "http"), "review": ("review.settings.json", "review")}
"""Host of the app, and of the review app: its settings file, and the name of its port."""

_HOST_PATIENCE_SECONDS = 14  # a host lets running invocations finish for 10 s
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
        environment = settings.part_environment(self.state, addresses.ports, app)
        for name, values in (("host", app), ("review", settings.review_settings(self.state, app))):
            settings_file, port = self.state / HOSTS[name][0], addresses.ports[HOSTS[name][1]]
            write_private_json(settings_file, values)
            at_port = {**environment, PORTS["http"][0]: str(port)}  # where any host listens
            self._add(name, "local.host", environment=at_port, arguments=("--settings", str(settings_file)))
        keys.create_missing(self.state / "keys.json", (policy["tenantId"] for policy in seed.policies()))
        for name in SERVICES:
            self._add(name, f"local.{name}", environment=environment)

        await asyncio.gather(*(self._parts[name].start() for name in SERVICES))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._start_host("review", addresses))  # it starts while the stores are seeded
            group.create_task(self._seed_and_start_host(addresses))
        self._tokens = await endpoints.mint_tokens(addresses)
        self._write_endpoints(addresses)

    def _add(self, name: str, program: str, *, environment: dict[str, str], arguments: tuple[str, ...] = ()) -> None:
        log = self.state / "logs" / f"{name}.log"
        log.parent.mkdir(mode=0o700, exist_ok=True)
        self._parts[name] = PartProcess(part=name, program=program, arguments=arguments, environment=environment, log=log)

    async def _seed_and_start_host(self, addresses: settings.Addresses) -> None:
        await seed.cosmos(endpoint=addresses.of("cosmos"), key=settings.cosmos_key(), database=settings.COSMOS_DATABASE)
        await self._start_host("host", addresses)

    async def _start_host(self, name: str, addresses: settings.Addresses) -> None:
        await self._parts[name].start()
        await endpoints.healthy(addresses, HOSTS[name][1])

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
        """End all parts, the hosts first: they still need the others to finish what they began."""
        self.endpoints_file.unlink(missing_ok=True)
        hosts = [self._parts.pop(name) for name in HOSTS if name in self._parts]
        await asyncio.gather(*(host.stop(_HOST_PATIENCE_SECONDS) for host in hosts))
        await asyncio.gather(*(part.stop(_PATIENCE_SECONDS) for part in self._parts.values()))
