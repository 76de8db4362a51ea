"""``python -m commands.policy``: bring tenants in, change their policies, let them go.

Works on the stores directly, with the identity and the settings of the machine it runs on (``--settings`` reads them from a
``local.settings.json``), in the name of an operator (`commands.session`). Exit codes: 0 done, 1 refused or failed, 2 wrong
usage, 3 waits for a second principal.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from commands import report, session
from shared.errors import NotFound

if TYPE_CHECKING:
    from shared.composition import Composition
    from shared.domain.principal import Principal
    from shared.settings import Settings

WAITS = 3


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    chosen = _parser().parse_args(arguments)
    return session.run(chosen, partial(_work, chosen))


async def _work(chosen: argparse.Namespace, composition: "Composition", actor: "Principal", _settings: "Settings") -> int:
    match chosen.command:
        case "list":
            report.listing(await composition.tenants.policies.all())
        case "show":
            await _show(chosen, composition)
        case "diff" | "apply":
            return await _apply(chosen, actor, composition)
        case "rotate":
            await _rotate(chosen, actor, composition)
        case "offboard":
            await _offboard(chosen, actor, composition)
    return 0


async def _show(chosen: argparse.Namespace, composition: "Composition") -> None:
    found = await composition.tenants.policies.find(chosen.tenant)
    if found is None:
        raise NotFound
    report.policy(found)


async def _apply(chosen: argparse.Namespace, actor: "Principal", composition: "Composition") -> int:
    from shared.tenants.apply import Outcome, apply  # noqa: PLC0415
    from shared.tenants.plan import plan  # noqa: PLC0415

    document = sys.stdin.buffer.read() if str(chosen.file) == "-" else chosen.file.read_bytes()
    planned = await plan(document, composition.tenants)
    report.plan(planned)
    if chosen.command == "diff":
        return 0
    applied = await apply(planned, actor, composition.tenants)
    report.applied(planned, applied)
    return WAITS if applied.outcome is Outcome.NEEDS_SECOND else 0


async def _rotate(chosen: argparse.Namespace, actor: "Principal", composition: "Composition") -> None:
    from shared.tenants.rotate import rotate  # noqa: PLC0415

    secret = await rotate(chosen.tenant, actor, composition.tenants, keep_old=not chosen.immediately)
    report.secret(chosen.tenant, secret, keep_old=not chosen.immediately)


async def _offboard(chosen: argparse.Namespace, actor: "Principal", composition: "Composition") -> None:
    from shared.tenants.offboard import offboard  # noqa: PLC0415

    if chosen.confirm != chosen.tenant:
        report.failed("Everything of the tenant would be removed: repeat its name with --confirm.")
        raise SystemExit(2)
    report.offboarding(chosen.tenant, composition.tenants.settle)
    report.offboarded(await offboard(chosen.tenant, actor, composition.tenants))


def _parser() -> argparse.ArgumentParser:
    parser = session.parser("policy", "Tenants of this stamp and their policies.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list tenants")
    commands.add_parser("show", help="print a tenant's policy").add_argument("tenant")
    for name, text in (("diff", "say what a policy would change"), ("apply", "bring a tenant in, or change its policy")):
        commands.add_parser(name, help=text).add_argument("file", type=Path, help="a policy as JSON; - reads standard input")
    rotate = commands.add_parser("rotate", help="make a new submission secret and print it once")
    rotate.add_argument("tenant")
    rotate.add_argument("--immediately", action="store_true", help="let the old one end now, not in 24 hours")
    offboard = commands.add_parser("offboard", help="remove everything of a tenant")
    offboard.add_argument("tenant")
    offboard.add_argument("--confirm", metavar="TENANT", help="the tenant's name once more")
    return parser


if __name__ == "__main__":
    sys.exit(main())
