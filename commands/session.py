"""What the commands share: settings, the operator's token, the stores, and one way to say why nothing was done.

Who the operator is, a token says: app-only, for Lethe's audience, with role Lethe.Operator, in the variable
LETHE_OPERATOR_TOKEN or in a file.
"""

import argparse
import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from commands import report
from shared import settings
from shared.domain.principal import Role
from shared.errors import (
    Forbidden,
    HoldStands,
    InvalidPolicy,
    InvalidSettings,
    LetheError,
    NotFound,
    Unauthenticated,
    WriteConflict,
)

if TYPE_CHECKING:
    from shared.composition import Composition
    from shared.domain.principal import Principal
    from shared.settings import Settings

TOKEN = "LETHE_OPERATOR_TOKEN"  # noqa: S105 - the name of a variable

type Work = Callable[["Composition", "Principal", "Settings"], Awaitable[int]]


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """Begin a command's arguments with those that all commands take."""
    made = argparse.ArgumentParser(prog=f"python -m commands.{name}", description=description)
    made.add_argument("--settings", type=Path, help="a local.settings.json with the app's settings")
    made.add_argument("--token-file", type=Path, help=f"a file with the operator's token (else the variable {TOKEN})")
    return made


def run(chosen: argparse.Namespace, work: Work) -> int:
    """Do a command's work in the name of an operator and return its exit code; 1 when that was refused or failed."""
    try:
        if chosen.settings:
            os.environ.update(_values(chosen.settings))
        return asyncio.run(_run(chosen, work))
    except InvalidPolicy as invalid:
        report.problems(invalid)
    except (HoldStands, InvalidSettings, WriteConflict) as error:
        report.failed(str(error))
    except NotFound:
        report.failed("There is no such tenant.")
    except (Unauthenticated, Forbidden) as refused:
        report.failed(f"{refused} ({refused.denial}): set {TOKEN} to an app-only token with role {Role.OPERATOR}.")
    except LetheError as error:
        report.failed(f"{error} ({type(error).__name__})")
    except OSError as error:
        report.failed(f"A file cannot be read: {error.strerror}.")
    except Exception as error:  # noqa: BLE001 - the edge: the text of whatever was not foreseen may quote what it was given
        report.failed(f"The command failed inside ({type(error).__name__}).")
    return 1


def _values(path: Path) -> dict[str, str]:
    """Read the settings file; raises `InvalidSettings`."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))["Values"]
        return {str(name): str(value) for name, value in values.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidSettings("--settings", "must be a local.settings.json") from None


async def _run(chosen: argparse.Namespace, work: Work) -> int:
    from shared.composition import Composition  # noqa: PLC0415 - the SDKs take over a second, which --help need not pay
    from shared.telemetry import quieten_libraries  # noqa: PLC0415

    quieten_libraries()
    loaded = settings.load()
    composition = Composition(loaded)
    try:
        return await work(composition, await _actor(chosen, composition), loaded)
    finally:
        await composition.close()


async def _actor(chosen: argparse.Namespace, composition: "Composition") -> "Principal":
    """Authenticate the operator, as the HTTP faces do; raises `Unauthenticated` and `Forbidden`."""
    token = os.environ.get(TOKEN)
    if chosen.token_file:
        token = chosen.token_file.read_text(encoding="ascii", errors="replace").strip()
    caller = await composition.callers.authenticate(f"Bearer {token}" if token else None)
    caller.require(Role.OPERATOR)
    return caller.principal
