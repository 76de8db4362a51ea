"""Who gets data: the services of Microsoft Azure that a stamp is made of, what each gets, where, and on whose word.

Microsoft is the processor of a controller that runs Lethe in its own subscription, and a sub-processor where somebody runs it
for others. Which contract that rests on is in the controller's own agreement, and is not said here.
"""

from dataclasses import dataclass

from shared.domain.promises import Basis
from shared.domain.sources import ABUSE_STORE, BACKUPS, NO_TRAINING, PROMPT_CACHE, REGIONAL, SKUS, VAULT_COPIES, Source

_CHOSEN = "the region in which you deploy it, of the stamp's geography"
_UNCHECKED = f"{_CHOSEN}; Lethe does not check it"


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """A service; ``basis`` is whose word ``where`` rests on."""

    service: str
    does: str
    gets: str
    where: str
    basis: Basis
    sources: tuple[Source, ...]


RECIPIENTS: tuple[Recipient, ...] = (
    Recipient(
        service="Azure OpenAI",
        does="generates, filters; keeps a prompt cache, and what it selects for abuse review",
        gets="prompts, grounding, tools; the data subject as a keyed MAC only. It makes the answers",
        where="stored in the stamp's geography; processed where the policy's residency and the deployment's SKU allow",
        basis=Basis.RUNTIME,
        sources=(SKUS, NO_TRAINING, PROMPT_CACHE, ABUSE_STORE),
    ),
    Recipient(
        service="Azure Service Bus",
        does="keeps requests until they are read, webhooks until they are sent",
        gets="whole requests, refused ones too; properties and ids of messages; ids of webhooks",
        where=_UNCHECKED,
        basis=Basis.VENDOR,
        sources=(REGIONAL,),
    ),
    Recipient(
        service="Azure Cosmos DB",
        does="keeps answers until their deadline, receipts, policies, holds, erasures, evidence; and backups of all",
        gets="answers, labels of the caller, keyed MACs, all that is about jobs and tenants",
        where="the regions of the account, each of which the configuration check compares with the geography",
        basis=Basis.RUNTIME,
        sources=(REGIONAL, BACKUPS),
    ),
    Recipient(
        service="Azure Key Vault",
        does="keeps keys and secrets, signs evidence",
        gets="keys, secrets, and names of tenants in their names; hashes that are signed. No content",
        where=_UNCHECKED,
        basis=Basis.VENDOR,
        sources=(VAULT_COPIES, REGIONAL),
    ),
    Recipient(
        service="Azure Functions",
        does="runs the app",
        gets="everything that passes through, in memory",
        where=_UNCHECKED,
        basis=Basis.VENDOR,
        sources=(REGIONAL,),
    ),
    Recipient(
        service="Azure Storage, of the Functions host",
        does="keeps the host's own leases, schedules and keys",
        gets="nothing of Lethe's: no code of Lethe writes there",
        where=_UNCHECKED,
        basis=Basis.VENDOR,
        sources=(REGIONAL,),
    ),
    Recipient(
        service="Azure Monitor (Application Insights)",
        does="keeps logs, traces and metrics",
        gets="events, codes, numbers; URLs, User-Agent and message ids as the caller wrote them. No content",
        where="metrics go to the stamp's regional address and no other; the service itself is non-regional",
        basis=Basis.VENDOR,
        sources=(REGIONAL,),
    ),
    Recipient(
        service="Microsoft Entra ID",
        does="issues access tokens to applications, and to the app's identity",
        gets="ids of applications and directories, when tokens are asked for. No content",
        where="non-regional: where your directory stands",
        basis=Basis.VENDOR,
        sources=(REGIONAL,),
    ),
    Recipient(
        service="Azure Resource Manager",
        does="answers the configuration check and the count of messages",
        gets="names of your resources, in reads. No content",
        where="a service of all regions",
        basis=Basis.BUILD,
        sources=(),
    ),
)
