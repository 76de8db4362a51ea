"""The step of the timer that follows the evidence: each run what came since the last one, once a day all of it.

Before that day's reading, records of a year ago go (`shared.azure.evidence_pruning`). A chain that was verified up to a head
is followed from there; a change behind it is found when all is read again, and by the command at any time.
"""

from dataclasses import dataclass, field

from shared.azure.evidence import Evidence
from shared.azure.evidence_pruning import KEPT_SECONDS, prune
from shared.domain.evidence import Chain, Head
from shared.domain.step_report import StepReport
from shared.privacy.evidence_check import State, followed_from

WHOLE_EVERY = 288
"""Runs after which a process reads whole chains again: once a day with a timer of five minutes."""


@dataclass(kw_only=True)
class EvidenceWatch:
    """What this process has verified so far; nothing of it outlives the process."""

    evidence: Evidence
    _verified: dict[Chain, Head] = field(default_factory=dict)
    _runs: int = 0

    async def follow(self, step: str) -> StepReport:
        """Follow every chain; ``checked`` counts records, ``deleted`` those of a year ago, ``overdue`` chains that are broken.

        Raises `ServiceUnavailable` when a pruning could not be done.
        """
        checked = broken = deleted = 0
        complete = True
        if self._runs % WHOLE_EVERY == 0:
            self._verified.clear()
            deleted = await self._prune()
        self._runs += 1
        for chain in Chain:
            finding = await followed_from(self.evidence, chain, self._verified.get(chain))
            checked += finding.records
            broken += finding.state is State.BROKEN
            complete = complete and finding.state is not State.UNCHECKED
            if finding.state is State.HOLDS and finding.verified is not None:
                self._verified[chain] = finding.verified
        return StepReport(step=step, checked=checked, found=broken, deleted=deleted, overdue=broken, complete=complete)

    async def _prune(self) -> int:
        """Let records go that are older than a year, and return how many; a chain that is broken keeps them."""
        year_ago = self.evidence.clock() - KEPT_SECONDS
        return sum([(await prune(self.evidence, chain, older_than=year_ago)).deleted for chain in Chain])
