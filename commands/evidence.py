"""``python -m commands.evidence``: check the evidence, and show it.

Reads the store and the public key, and writes nothing; in the name of an operator, as `commands.session` says. Exit codes of
``verify``: 0 every chain holds, 1 one is broken, stale or could not be read (or nothing was done), 2 wrong usage.
"""

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING

from commands import evidence_report, session
from shared.domain.evidence import Chain
from shared.patience import patience

if TYPE_CHECKING:
    from shared.composition import Composition
    from shared.domain.principal import Principal
    from shared.settings import Settings

PATIENCE_SECONDS = 5.0
"""For each chain: somebody waits for the answer, which may be that nothing could be read."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    chosen = _parser().parse_args(arguments)
    return session.run(chosen, partial(_work, chosen))


async def _work(chosen: argparse.Namespace, composition: "Composition", _actor: "Principal", settings: "Settings") -> int:
    from shared.privacy.evidence_check import State, check  # noqa: PLC0415 - the SDKs again

    chains = [chosen.chain] if chosen.chain else [*Chain]
    if chosen.command == "show":
        for chain in chains:
            evidence_report.records(chain, await composition.evidence.last(chain, chosen.last))
        return 0
    with patience(PATIENCE_SECONDS):
        # The grace period is at least three intervals of the timer: so long it may be silent.
        findings = await check(composition.evidence, chains, stale_after=settings.grace)
    evidence_report.findings(findings)
    return 0 if all(finding.state is State.HOLDS for finding in findings) else 1


def _parser() -> argparse.ArgumentParser:
    parser = session.parser("evidence", "The evidence of this stamp.")
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="say whether each chain holds")
    show = commands.add_parser("show", help="print the last records as JSON lines")
    for command in (verify, show):
        command.add_argument("--chain", type=Chain, choices=[*Chain], help="only this one")
    show.add_argument("--last", type=int, default=20, metavar="N", help="how many of each chain, 20 unless given")
    return parser


if __name__ == "__main__":
    sys.exit(main())
