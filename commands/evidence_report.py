"""What the command of the evidence prints."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from commands.report import moment
from shared.domain.evidence import Chain, Problem, Record, Unreadable

if TYPE_CHECKING:
    from shared.privacy.evidence_check import Finding

_PROBLEMS = {
    Problem.CHANGED: "was changed, or leads to another head than the one that was signed",
    Problem.MISSING: "is missing",
    Problem.MISPLACED: "is not in its place",
    Problem.BEGINNING_MISSING: "is missing, and no checkpoint stands for it",
    Problem.END_MISSING: "is missing, with all behind it: the chain was longer",
    Problem.UNREADABLE: "is no record that this version can read",
    Problem.UNSIGNED: "is behind the signed head: not written by the app",
    Problem.SIGNATURE_MISSING: "has no signed head",
    Problem.SIGNATURE_INVALID: "has a signed head or checkpoint that the key did not sign",
}


def findings(found: Iterable["Finding"]) -> None:
    """Print what a check found, a paragraph for each chain."""
    for finding in found:
        _say(f"{finding.chain}: {finding.state.upper()}")
        for line in _described(finding):
            _say(f"  {line}")


def _described(finding: "Finding") -> Iterable[str]:
    if finding.problem is not None:
        where = "the chain" if finding.sequence is None else f"record {finding.sequence}"
        yield f"problem: {finding.problem}: {where} {_PROBLEMS[finding.problem]}"
    if finding.state == "stale":
        yield "problem: stale: the timer has not gone on with this chain"
    if finding.state == "could not be read":
        return
    if finding.checkpoint is not None:
        statement = finding.checkpoint.statement
        yield f"pruned up to record {statement.head.sequence}, {moment(statement.at)}, key {finding.checkpoint.signature.kid}"
    if finding.first_at is None or finding.last_at is None:
        yield f"{finding.records} records"
    else:
        pause = f", longest pause {finding.longest_pause:.0f} s"
        yield f"{finding.records} records from {moment(finding.first_at)} to {moment(finding.last_at)}{pause}"
    if finding.verified is not None:
        yield f"verified up to record {finding.verified.sequence}, hash {finding.verified.hash}"
    if finding.head is not None:
        statement = finding.head.statement
        yield f"head signed at record {statement.head.sequence}, {moment(statement.at)}, key {finding.head.signature.kid}"


def records(chain: Chain, found: Iterable[Record | Unreadable]) -> None:
    """Print records as JSON lines; one that cannot be read as such."""
    for record in found:
        line = asdict(record) if isinstance(record, Record) else {"chain": chain, "unreadable": True}
        _say(json.dumps(line))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
