"""Erasures as a test meets them: a real store and a key file, a queue that only remembers, and a clock to move."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, cast

from azure.cosmos.aio import ContainerProxy, CosmosClient

from local.cosmos.auth import EMULATOR_KEY
from shared.azure.erasures import Erasures
from shared.azure.evidence import Evidence
from shared.azure.held_jobs import OF_JOBS, OF_REVIEW, HeldJobs, Root
from shared.azure.holds import Holds
from shared.azure.keys import FileKeys
from shared.azure.markers import Markers
from shared.azure.subject_documents import SubjectDocuments
from shared.domain import macs
from shared.domain.erasure import Counts, Erasure, State
from shared.domain.evidence import Chain, Record
from shared.domain.macs import Mac, Purpose
from shared.domain.policy import TenantPolicy
from shared.errors import QueueUnavailable
from shared.privacy.erasure import enforce_erasures, request_erasure
from shared.privacy.sweep import Erasing, Part
from tests.contract.cosmos import DATABASE, Endpoint
from tests.contract.memory_signer import MemorySigner
from tests.policies import policy
from tests.review import alert, record

if TYPE_CHECKING:
    from shared.azure.queues import Queues

TENANT, SUBJECT = "contoso", "user-42"
SETTLE = 300.0
ONE = Counts(receipts=1, outputs=1, events=1)
"""What is erased of a finished job."""


class Copies:
    """Scheduled copies that can be taken back, or a queue that does not answer."""

    def __init__(self) -> None:
        self.waiting: set[int] = set()
        self.is_away = False

    async def cancel_scheduled(self, queue: str, sequence_number: int) -> bool:
        assert queue == "generation-requests"
        if self.is_away:
            raise QueueUnavailable
        known = sequence_number in self.waiting
        self.waiting.discard(sequence_number)
        return known


@dataclass(kw_only=True)
class Bench:
    """Everything that an erasure works with; its clock runs ``offset`` seconds ahead."""

    client: CosmosClient
    keys: FileKeys
    copies: Copies = field(default_factory=Copies)
    signer: MemorySigner = field(default_factory=MemorySigner)
    offset: float = 0.0

    def now(self) -> float:
        return time.time() + self.offset

    def container(self, name: str = "generations") -> ContainerProxy:
        return self.client.get_database_client(DATABASE).get_container_client(name)

    def erasing(self) -> Erasing:
        """What one process works with: nothing is remembered yet."""
        erasures = Erasures(self.container("privacy"), clock=self.now, grace=15)
        return Erasing(
            erasures=erasures,
            jobs=self._part("generations", OF_JOBS),
            review=self._part("abuse-monitoring", OF_REVIEW),
            holds=self.holds(),
            markers=Markers(erasures, clock=self.now),
            keys=self.keys,
            queues=cast("Queues", self.copies),
            evidence=Evidence(self.container("evidence"), signer=self.signer, clock=self.now),
            clock=self.now,
            settle=SETTLE,
        )

    def _part(self, name: str, root: Root) -> Part:
        documents = SubjectDocuments(self.container(name), clock=self.now, grace=15)
        return Part(documents=documents, held=HeldJobs(self.container(name), clock=self.now, grace=15, root=root))

    def holds(self) -> Holds:
        """The holds of the store."""
        return Holds(self.container("privacy"), clock=self.now)

    async def erase(self, subject: str = SUBJECT) -> Erasure:
        return await request_erasure(self.policy(), subject, self.erasing())

    async def completed(self, erasure: Erasure) -> Erasure:
        """Let time pass and the timer run, and return the erasure, which is completed."""
        self.offset += SETTLE + 1
        await self.run_timer()
        found = await self.read(erasure)
        assert found.state is State.COMPLETED
        return found

    async def run_timer(self) -> Any:  # noqa: ANN401 - a StepReport
        return await enforce_erasures(self.erasing())

    async def read(self, erasure: Erasure) -> Erasure:
        found = await self.erasing().erasures.read(erasure.tenant_id, erasure.id)
        assert found is not None
        return found.erasure

    def policy(self) -> TenantPolicy:
        return policy(tenant_id=TENANT)

    async def mac(self, subject: str = SUBJECT) -> Mac:
        return macs.mac(await self.keys.current(TENANT, Purpose.SUBJECT), subject)

    async def job(self, *classes: str, subject: str | None = SUBJECT, tenant: str = TENANT, **changes: object) -> str:
        """Store the documents of a job; ``changes`` are laid over each."""
        job_id, now = token_hex(20), self.now()
        known = None if subject is None else vars(await self.mac(subject))
        for name in classes or ("receipt", "output", "event"):
            document = {"id": name, "dataClass": name, "tenantId": tenant, "jobId": job_id, "created_at": now}
            document |= {"subject": known} if name != "event" else {}
            document |= {"expires_at": now + 90_000, "content_expires_at": now + 80_000, "ttl": 90_000, "status": "completed"}
            document |= {"content_mac": known, "deleted_at": None, "scheduled_sequence_number": None, "attempt_token": "t"}
            document |= {"endpoint": "/v1/responses", "model": "gpt-small", "attempt": 1, "model_calls": 0}
            document |= {"lease_until": 0, "not_before": 0}
            await self.container().create_item(document | changes)
        return job_id

    async def record(self, subject: str | None = SUBJECT, **changes: Any) -> str:  # noqa: ANN401
        """Store a record for abuse review, and return its job's id."""
        job_id = token_hex(20)
        known = None if subject is None else await self.mac(subject)
        await self.container("abuse-monitoring").create_item(record(TENANT, job_id, known, now=self.now(), **changes))
        return job_id

    async def alert(self, subject: str | None = SUBJECT, **changes: Any) -> str:  # noqa: ANN401
        """Store an alert about a subject, and return its id."""
        known = None if subject is None else await self.mac(subject)
        made = alert(TENANT, known, now=self.now(), **changes)
        await self.container("abuse-monitoring").create_item(made)
        return str(made["jobId"])

    async def reviewed(self, *ids: str) -> list[dict[str, Any] | None]:
        """Records and alerts as they are stored, None for one that is gone."""
        found = self.container("abuse-monitoring").query_items("SELECT * FROM c", partition_key=[TENANT])
        stored = {each["jobId"]: each async for each in found}
        return [stored.get(one) for one in ids]

    async def standing(self, job_id: str, tenant: str = TENANT) -> dict[str, dict[str, Any]]:
        """The documents of a job as they are stored, by id."""
        found = self.container().query_items("SELECT * FROM c", partition_key=[tenant, job_id])
        return {each["id"]: each async for each in found}

    async def evidence(self) -> list[tuple[str, dict[str, Any]]]:
        """Kinds and fields of the records about erasures."""
        records = [each async for each in self.erasing().evidence.read(Chain.ERASURES)]
        return [(str(each.kind), dict(each.fields)) for each in records if isinstance(each, Record)]


@asynccontextmanager
async def bench(cosmos: Endpoint, folder: Path) -> AsyncIterator[Bench]:
    """Build a bench on a running store, and empty the store afterwards."""
    path = folder / "keys.json"
    path.write_text("{}")
    keys = FileKeys(path)
    await keys.create_missing(TENANT)
    async with CosmosClient(cosmos.url, EMULATOR_KEY) as client:
        ready = Bench(client=client, keys=keys)
        yield ready
        cosmos.reset()
        by_job = ["tenantId", "jobId"]
        partitions = {"generations": by_job, "abuse-monitoring": by_job, "privacy": ["tenantId"], "evidence": ["chain"]}
        for name, key in partitions.items():
            container = ready.container(name)
            for found in [each async for each in container.query_items("SELECT * FROM c")]:
                values = [found[part] for part in key]
                await container.delete_item(found["id"], values if len(values) > 1 else values[0])
