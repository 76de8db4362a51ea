"""A reviewer's desk: the review app's use cases on a real store and vault, and what the app puts there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex

from azure.cosmos.aio import ContainerProxy

from local import clock
from shared.abuse.review import Reviewing
from shared.azure.abuse_alerts import AbuseAlerts
from shared.azure.abuse_keys import AbuseKeys
from shared.azure.abuse_records import AbuseRecords
from shared.azure.abuse_unwrapping import Unwrapper
from shared.azure.evidence import Evidence
from shared.domain.abuse_alert import Alert, AlertKind, AlertStatus, alert_id
from shared.domain.abuse_record import AbuseRecord, key_of
from shared.domain.evidence import Chain, Record
from shared.domain.json_document import Json, canonical
from shared.domain.macs import Mac
from tests import review
from tests.contract.cosmos import Endpoint
from tests.contract.memory_signer import MemorySigner
from tests.contract.vault import Running
from tests.review import SOMEBODY

DAY = 86_400
GRACE = 900
CONTENT: Json = {"endpoint": "/v1/responses", "request": {"input": "canary4f1c"}, "grounding": [], "response": None}
SIGNER = MemorySigner()


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A reviewer's, and the app's keys with which things get there."""

    reviewing: Reviewing
    keys: AbuseKeys
    container: ContainerProxy

    async def record(self, *, kept: float = 21 * DAY, tenant: str = "contoso") -> AbuseRecord:
        """Put a sealed record."""
        now = clock.now()
        key = await self.keys.sealing_key(key_of(now + kept))
        made = review.sealed(canonical(CONTENT), key=key, now=now, kept=kept, tenant=tenant)
        await self.reviewing.records.put(made)
        return made

    async def alert(self, subject: Mac | None = SOMEBODY, *, tenant: str = "contoso", last: float = 0.0) -> Alert:
        """Store an alert of a tenant's own."""
        kind, now = AlertKind.BLOCKED_PROMPTS, clock.now()
        made = Alert(
            id=alert_id(tenant=tenant, kind=kind, subject=subject, principal=None),
            tenant_id=tenant,
            kind=kind,
            subject=subject,
            principal=None,
            status=AlertStatus.OPEN,
            opening=1,
            opened_at=now,
            last_signal_at=now + last,
            signals=10,
            jobs=(token_hex(20),),
            expires_at=now + 21 * DAY,
        )
        assert await self.reviewing.alerts.write(made, over=None)
        return made

    async def accesses(self) -> list[Record]:
        """What the chain of accesses says."""
        return [each async for each in self.reviewing.evidence.read(Chain.ACCESS) if isinstance(each, Record)]


@asynccontextmanager
async def seated(cosmos: Endpoint, vault: Running, identity: str) -> AsyncIterator[Desk]:
    unwrapper = Unwrapper(vault.origin, credential=vault.identity(identity))
    async with (
        cosmos.container("abuse-monitoring") as container,
        cosmos.container("evidence") as evidence,
        vault.abuse_keys() as keys,
    ):
        yield Desk(
            reviewing=Reviewing(
                records=AbuseRecords(container, clock=clock.now, grace=GRACE),
                alerts=AbuseAlerts(container, clock=clock.now, grace=GRACE),
                unwrapper=unwrapper,
                evidence=Evidence(evidence, signer=SIGNER, clock=clock.now),
                clock=clock.now,
            ),
            keys=keys,
            container=container,
        )
    await unwrapper.close()
