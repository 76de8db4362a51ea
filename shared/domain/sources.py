"""What somebody else states: every fact of a vendor that a promise, a place or a recipient rests on, and until when.

A fact carries the day on which it was read, and the day from which on it counts as unknown; a test fails from that day on.
"""

from dataclasses import dataclass
from datetime import date

from shared.domain.json_document import Json
from shared.domain.residency import EXPIRES_ON, REVIEWED_ON

_READ, _UNTIL = date(2026, 11, 1), date(2027, 11, 1)
"""When the sources below were read, and from when on what they say counts as unknown until somebody reads them again."""
_READ_AGAIN, _UNTIL_AGAIN = date(2026, 11, 25), date(2027, 11, 25)


@dataclass(frozen=True, kw_only=True)
class Source:
    """What somebody else states: where, in a document of which month, when it was read, and until when that is relied on."""

    says: str
    url: str
    dated: str
    reviewed_on: date = _READ
    expires_on: date = _UNTIL


def as_json(source: Source) -> Json:
    """Write a source as the statement tells it."""
    return {
        "says": source.says,
        "url": source.url,
        "dated": source.dated,
        "reviewed_on": source.reviewed_on.isoformat(),
        "expires_on": source.expires_on.isoformat(),
    }


_LEARN = "https://learn.microsoft.com"
NO_TRAINING = Source(
    says="Prompts, completions, embeddings and training data are not used to train foundation models.",
    url=f"{_LEARN}/azure/ai-foundry/responsible-ai/openai/data-privacy",
    dated="2026-03",
)
ABUSE_STORE = Source(
    says=(
        "What is selected for human review is stored in the geography; modified abuse monitoring has neither store nor review."
    ),
    url=f"{_LEARN}/azure/ai-foundry/openai/concepts/abuse-monitoring",
    dated="2026-05",
)
PROMPT_CACHE = Source(
    says="Prompt caches are cleared within 24 hours and not shared between subscriptions; there is no opt-out.",
    url=f"{_LEARN}/azure/ai-foundry/openai/how-to/prompt-caching",
    dated="2026-09",
)
SKUS = Source(
    says="The SKU of a deployment decides where it processes: its region, its data zone, or anywhere.",
    url=f"{_LEARN}/azure/ai-foundry/foundry-models/concepts/deployment-types",
    dated="2026-09",
    reviewed_on=date.fromisoformat(REVIEWED_ON),
    expires_on=date.fromisoformat(EXPIRES_ON),
)
BACKUPS = Source(
    says="Periodic backups are two copies, continuous ones reach back 7 or 30 days; neither can be deleted from.",
    url=f"{_LEARN}/azure/cosmos-db/online-backup-and-restore",
    dated="2025-12",
)
REGIONAL = Source(
    says=(
        "A regional service stores no customer data outside the chosen geography, except in documented circumstances; "
        "a non-regional one (Entra ID and Azure Monitor are named) may store and process it in any public region."
    ),
    url=f"{_LEARN}/industry/sovereignty/data-residency",
    dated="undated",
    reviewed_on=_READ_AGAIN,
    expires_on=_UNTIL_AGAIN,
)
VAULT_COPIES = Source(
    says=(
        "A vault is copied to the paired region, which is usually in the same geography; vaults in Brazil South and "
        "West US 3 are not copied to another region."
    ),
    url=f"{_LEARN}/azure/key-vault/general/disaster-recovery-guidance",
    dated="undated",
    reviewed_on=_READ_AGAIN,
    expires_on=_UNTIL_AGAIN,
)

SOURCES = (NO_TRAINING, ABUSE_STORE, PROMPT_CACHE, SKUS, BACKUPS, REGIONAL, VAULT_COPIES)
"""All of them, in the order in which the documents number them."""
