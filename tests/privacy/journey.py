"""One stack, the cases that were sent to it, how each has ended, and where their canaries are."""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.privacy import bus
from tests.privacy.cases import QUEUES, STORE, Case, Kind, Traces
from tests.privacy.flock import CUT, Flock
from tests.privacy.scan import Finding, Wanted, scan
from tests.system.stack import Stack

SETTLED_SECONDS = 10.0
"""How long files may hold what the parts are just writing: a journal, a page that is not yet overwritten."""
_POLL_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a scan of every file did not find though it had to, and found though it must not: place, path, file, form."""

    missing: list[str]
    surplus: list[str]


@dataclass(frozen=True, kw_only=True)
class Journey:
    """The stack and the cases."""

    stack: Stack
    flock: Flock
    cases: list[Case] = field(default_factory=list)

    @property
    def connection(self) -> str:
        """Connection string of the broker."""
        return str(self.stack.endpoints["servicebus"])

    def send(self, *cases: Case) -> None:
        """Send cases and remember them."""
        bus.send(self.connection, cases)
        self.cases.extend(cases)

    def now_ends(self, case: Case, ended: Case) -> None:
        """Expect another ending of a case from now on."""
        self.cases[self.cases.index(case)] = ended

    def signal(self, part: str, number: signal.Signals) -> None:
        """Stop a part or let it go on."""
        os.kill(self.stack.endpoints["pids"][part], number)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Events of one name that the app has logged."""
        lines = [json.loads(line) for line in self._host_log() if '"logger": "lethe"' in line]
        return [event for line in lines if (event := json.loads(line["message"]))["event"] == name]

    def timer_runs(self) -> int:
        """How often the retention timer has come to its end."""
        return sum("Executed 'Functions.enforce_retention'" in line for line in self._host_log())

    def _host_log(self) -> list[str]:
        """Lines of the host's log; one that is half written, or was cut by a kill, is none."""
        text = (self.stack.state / "logs" / "host.log").read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if line.startswith('{"time"') and line.endswith("}")]

    def documents(self, data_class: str) -> list[dict[str, Any]]:
        """Documents of one class, of all tenants."""
        query = "SELECT * FROM c WHERE c.dataClass = @class"
        parameters: list[dict[str, object]] = [{"name": "@class", "value": data_class}]
        container = self.stack.store.container("generations")
        return [*container.query_items(query, parameters=parameters, enable_cross_partition_query=True)]

    def model_calls(self, case: Case) -> int:
        """How often the model was asked what a case asks."""
        with self.stack.client() as client:
            return client.model_calls(case.prompt)

    def wait_until_ended(self, *, seconds: float = 60) -> None:
        """Wait until every case has come to its end and nothing is left in the queue but copies that wait for their time."""
        until = time.monotonic() + seconds
        expected = {case.path: (case.ending.kind, case.ending.detail) for case in self.cases}
        while (found := self.endings()) != expected or self._left():
            if time.monotonic() > until:
                wrong = {path: found.get(path) for path in expected if found.get(path) != expected[path]}
                pytest.fail(f"after {seconds} s not ended as expected: {wrong or 'a message that nobody knows is left'}")
            time.sleep(_POLL_SECONDS)

    def endings(self) -> dict[str, tuple[Kind, str]]:
        """How cases have ended so far: path, kind and detail."""
        outputs = {document["custom_id"]: document for document in self.documents("output")}
        receipts = self.documents("receipt")
        rejected = {message.body: message.reason for message in bus.peek(self.connection, bus.REJECTED)}
        dead = [message.reason for message in bus.peek(self.connection, bus.REQUESTS, dead_letters=True)]
        waiting = {message.body for message in bus.peek(self.connection, bus.REQUESTS)}
        found = {}
        for case in self.cases:
            if case.body in rejected:
                found[case.path] = (Kind.REJECTED, rejected[case.body])
            elif case.custom_id in outputs:
                found[case.path] = (Kind.OUTPUT, _detail(outputs[case.custom_id]))
            elif case.ending.kind is Kind.WAITING and case.body in waiting:
                found[case.path] = (Kind.WAITING, "")
            elif case.ending.kind is Kind.OMITTED and b"" in rejected:
                found[case.path] = (Kind.OMITTED, rejected[b""])
            elif case.ending.kind is Kind.DEAD and dead:
                found[case.path] = (Kind.DEAD, dead[0])
        expiring = [case for case in self.cases if case.ending.kind is Kind.EXPIRED]
        if sum(receipt["status"] == "expired" for receipt in receipts) == len(expiring):
            found |= {case.path: (Kind.EXPIRED, "") for case in expiring}
        return found

    def _left(self) -> int:
        waiting = {case.body for case in self.cases if case.ending.kind is Kind.WAITING}
        return sum(message.body not in waiting for message in bus.peek(self.connection, bus.REQUESTS))

    def look(self, traces: Callable[[Case], Traces]) -> Look:
        """Scan for what is left of the cases."""
        return self.look_for({(str(label), file) for case in self.cases for label, file in traces(case)})

    def look_for(self, wanted: set[tuple[str, str]], *, among: Wanted | None = None) -> Look:
        """Scan every file below the state folder, until it holds what it has to and nothing else or may be called settled.

        ``wanted`` is what has to be found: labels, and the files in which they stand; ``among`` is what is looked for, all
        canaries if nothing else is said.
        """
        cut = {(CUT, file) for _, file in wanted}  # by a page of the database: its whole is found there as well
        until = time.monotonic() + SETTLED_SECONDS
        while True:
            findings = scan(among or self.flock, self.stack.state)
            missing = wanted - {(finding.label, self._file(finding)) for finding in findings}
            surplus = [finding for finding in findings if (finding.label, self._file(finding)) not in wanted | cut]
            if not (missing or surplus) or time.monotonic() > until:
                return Look(
                    missing=sorted(f"{label}, in {file}" for label, file in missing),
                    surplus=sorted({f"{each.label}, in {self._file(each)} as {each.form}" for each in surplus}),
                )
            time.sleep(_POLL_SECONDS)

    def _file(self, finding: Finding) -> str:
        """The file below the state folder; the journal of a database counts as the database."""
        name = str(Path(finding.where).relative_to(self.stack.state))
        return next((database for database in (STORE, QUEUES) if name == f"{database}-journal"), name)


def _detail(output: dict[str, Any]) -> str:
    return f"{output['status']} {output['error']['code']}" if output["error"] else str(output["status"])
