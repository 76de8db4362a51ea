"""Existing deadlines follow a policy that became shorter; one that became longer changes nothing that exists."""

from dataclasses import dataclass, replace
from typing import Self

from shared.azure.kept_documents import PAGE, KeptDocuments
from shared.domain.policy import TenantPolicy


@dataclass(frozen=True, kw_only=True)
class Shortened:
    """How many documents were kept too long and how many end in time now; ``complete`` when none was left to look at."""

    found: int = 0
    shortened: int = 0
    complete: bool = True

    def __add__(self, other: Self) -> Self:
        """Both together."""
        return replace(
            self,
            found=self.found + other.found,
            shortened=self.shortened + other.shortened,
            complete=self.complete and other.complete,
        )


async def shorten(policy: TenantPolicy, documents: KeptDocuments, *, limit: int) -> Shortened:
    """Shorten a tenant's deadlines, up to ``limit`` documents; safe to repeat. Raises `StoreUnavailable`.

    A job that runs meanwhile may still store its output under the deadline that it began with: the next run finds that.
    """
    found = shortened = 0
    while found < limit:
        page = await documents.too_long(policy)
        results = [await documents.shorten(kept, policy) for kept in page]
        found += len(page)
        shortened += sum(results)
        if len(page) < PAGE and all(results):
            return Shortened(found=found, shortened=shortened)
        if not any(results):
            break
    return Shortened(found=found, shortened=shortened, complete=False)
