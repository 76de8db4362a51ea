"""Records for abuse review and alerts on a real store, and everybody who works on them but erasures."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any, cast

from azure.cosmos.aio import ContainerProxy

from local import clock
from shared.azure.due_documents import DueDocuments
from shared.azure.evidence import Evidence
from shared.azure.held_jobs import OF_REVIEW, HeldJobs
from shared.azure.holds import Holds
from shared.azure.kept_documents import OF_REVIEW as CLASSES
from shared.azure.kept_documents import KeptDocuments
from shared.domain.hold import DAY, Hold, Scope, new_hold_id
from shared.domain.macs import Mac
from shared.domain.policy import TenantPolicy
from shared.domain.step_report import StepReport, Tally
from shared.privacy import hold_steps
from shared.privacy.due import settle_due
from shared.privacy.holding import Holding
from shared.privacy.shorten import Shortened, shorten
from tests.contract.cosmos import Endpoint
from tests.contract.memory_signer import MemorySigner
from tests.review import alert, record

if TYPE_CHECKING:
    from shared.azure.keys import KeyStore
    from shared.azure.policy_documents import PolicyDocuments

SOMEBODY, ANOTHER = Mac(kid="1", mac="1" * 64), Mac(kid="1", mac="2" * 64)
GRACE = 900
CONTAINER = "abuse-monitoring"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The container, and everybody who works on it."""

    container: ContainerProxy
    generations: ContainerProxy
    holding: Holding
    due: DueDocuments
    kept: KeptDocuments

    async def put(self, document: dict[str, Any]) -> str:
        await self.container.create_item(document)
        return str(document["jobId"])

    async def record(self, subject: Mac | None = SOMEBODY, *, tenant: str = "contoso", **changes: Any) -> str:  # noqa: ANN401
        return await self.put(record(tenant, token_hex(20), subject, now=clock.now(), **changes))

    async def alert(self, subject: Mac | None = SOMEBODY, *, tenant: str = "contoso", **changes: Any) -> str:  # noqa: ANN401
        return await self.put(alert(tenant, subject, now=clock.now(), **changes))

    async def hold(self, *, days: float = 60, **scope: Any) -> Hold:  # noqa: ANN401
        """Store a hold, by default of the whole tenant."""
        hold = Hold(
            id=new_hold_id(),
            tenant_id="contoso",
            scope=scope.pop("scope", Scope.TENANT),
            case_reference="case-1",
            placed_at=clock.now(),
            placed_by="directory/client",
            ends_at=int(clock.now() + days * DAY),
            **scope,
        )
        await self.holding.holds.create(hold)
        return hold

    async def release(self, hold: Hold) -> Hold:
        now = clock.now()
        return await self.holding.holds.change(hold.id, lambda current: replace(current, released_at=now))

    async def stored(self) -> dict[str, dict[str, Any]]:
        """All documents, by their job's or their own id."""
        return {each["jobId"]: each async for each in self.container.query_items("SELECT * FROM c")}

    async def held_by(self, *ids: str) -> list[str | None]:
        stored = await self.stored()
        return [stored[one].get("held_by") for one in ids]

    async def delete_due(self) -> StepReport:
        """The timer's step."""
        tally = Tally(step="expired_abuse_records")
        may_go = partial(hold_steps.not_held, holding=self.holding, jobs=self.holding.review)
        await settle_due(self.due.expired, self.due.delete, may_go, clock.now, tally)
        return tally.report()

    async def shorten(self, chosen: TenantPolicy, *, limit: int = 1000) -> Shortened:
        return await shorten(chosen, self.kept, limit=limit)


@asynccontextmanager
async def desk_on(endpoint: Endpoint) -> AsyncIterator[Desk]:
    """Build a desk on a running store, and empty the store afterwards."""
    async with AsyncExitStack() as stack:
        container, generations, privacy, evidence = [
            await stack.enter_async_context(endpoint.container(name))
            for name in (CONTAINER, "generations", "privacy", "evidence")
        ]
        given: dict[str, Any] = {"clock": clock.now, "grace": GRACE}
        yield Desk(
            container=container,
            generations=generations,
            holding=Holding(
                holds=Holds(privacy, clock=clock.now),
                jobs=HeldJobs(generations, **given),
                review=HeldJobs(container, **given, root=OF_REVIEW),
                policies=cast("PolicyDocuments", None),
                keys=cast("KeyStore", None),
                evidence=Evidence(evidence, signer=MemorySigner(), clock=clock.now),
                clock=clock.now,
            ),
            due=DueDocuments(container, **given),
            kept=KeptDocuments(container, **given, classes=CLASSES),
        )
        endpoint.reset()
        for each in [each async for each in container.query_items("SELECT * FROM c")]:
            await container.delete_item(each["id"], [each["tenantId"], each["jobId"]])
        for name, part in ((privacy, "tenantId"), (evidence, "chain")):
            for each in [each async for each in name.query_items("SELECT * FROM c")]:
                await name.delete_item(each["id"], each[part])
