"""What abuse monitoring works with; built once per process by `shared.composition`, or by a test."""

from dataclasses import dataclass

from shared.azure.abuse_keys import AbuseKeys
from shared.azure.abuse_records import AbuseRecords
from shared.azure.evidence import Evidence
from shared.azure.stamp_state import StampState
from shared.azure.watch import Watch
from shared.clock import Clock


@dataclass(frozen=True, kw_only=True)
class AbuseMonitor:
    """Records, their keys, who is watched, evidence, the timer's memory and the clock.

    ``recovery_days``: for how long the vault keeps deleted keys.
    """

    records: AbuseRecords
    keys: AbuseKeys
    watch: Watch
    evidence: Evidence
    state: StampState
    clock: Clock
    recovery_days: int
