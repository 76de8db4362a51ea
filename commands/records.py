"""``python -m commands.records``: print the records of docs/records.md, or compare a file with them.

Reads data of the code only: no settings, no store, no token. Exit codes of ``--check``: 0 the file says the same and no source
is past its day, 1 it does not or one is, 2 wrong usage.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from shared.domain.records import document, stale


def main(arguments: list[str] | None = None) -> int:
    """Print or compare, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m commands.records", description="Promises, record of processing, residue map, sub-processors."
    )
    parser.add_argument("--check", type=Path, metavar="FILE", help="print nothing, compare this file")
    chosen = parser.parse_args(arguments)
    if chosen.check is None:
        sys.stdout.write(document())
        return 0
    return _check(chosen.check)


def _check(file: Path) -> int:
    problems = [f"Read again: {source.url} is past {source.expires_on}." for source in stale(datetime.now(UTC).date())]
    try:
        same = file.read_bytes() == document().encode()
    except OSError:
        problems.append("The file cannot be read.")
    else:
        if not same:
            problems.append("The file is not what the data gives: print it anew.")
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
