"""How often the detection of abuse is wrong: false alarms on benign traces of 10,000 jobs, and attacks found among them.

``python -m tests.bench.detection`` prints two tables. Default thresholds; nothing is timed.
"""

from collections import Counter

from shared.domain.abuse_alert import AlertKind
from shared.domain.filter_outcome import Verdict
from tests import traces

JOBS, SEEDS = 10_000, range(20)
ROUGHNESS = (1.0, 3.0, 10.0)
"""By how much more than in the sample prompts are annotated or blocked."""


def main() -> None:
    """Print the tables."""
    print(f"| {len(SEEDS)} benign traces of {JOBS} jobs | not passed, in each | false alarms in each | by kind |")
    print("|---|---|---|---|")
    for roughness in ROUGHNESS:
        stopped, raised = 0, Counter[str]()
        for seed in SEEDS:
            trace = traces.benign(JOBS, seed, roughness=roughness)
            stopped += sum(each.verdict is not Verdict.PASSED for each in trace)
            raised.update(alert.kind for alert in traces.alerts(trace))
        kinds = ", ".join(f"{kind}: {number}" for kind, number in sorted(raised.items())) or "-"
        cells = (f"{roughness:.0f} times as rough", f"{stopped / len(SEEDS):.0f}", f"{raised.total() / len(SEEDS):.2f}", kinds)
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\n| attack among {JOBS} benign jobs | found | seconds from its first job to the alert (median, longest) |")
    print("|---|---|---|")
    for kind in AlertKind:
        delays = sorted(delay for seed in SEEDS if (delay := _delay(kind, seed)) is not None)
        middle = f"{delays[len(delays) // 2]:.0f}, {delays[-1]:.0f}" if delays else "-"
        print(f"| {kind} | {len(delays)} of {len(SEEDS)} | {middle} |", flush=True)


def _delay(kind: AlertKind, seed: int) -> float | None:
    """From an attack's first job to its alert, in seconds; None when there was none within the hour after it."""
    attack = traces.attack(kind, seed)
    for raised in traces.alerts([*traces.benign(JOBS, seed), *attack]):
        if (raised.tenant, raised.kind) == (attack[0].tenant_id, kind) and raised.at >= attack[0].at:
            return raised.at - attack[0].at
    return None


if __name__ == "__main__":
    main()
