"""What the timer's records say of the other chains: where each ended.

So a chain that was set back to an older signed head, its end cut off, is found by what the timer saw of it later.
"""

from collections.abc import Mapping

from shared.domain.evidence import Chain, Head, Record
from shared.domain.evidence_fields import Scalar, is_hash, is_sequence

ANCHORING = Chain.RETENTION
"""The chain that has a record every few minutes, and by it holds the others."""

_NAMES = frozenset(f"{chain}_{part}" for chain in Chain for part in ("sequence", "hash"))


def anchor_fields(heads: Mapping[Chain, Head]) -> dict[str, Scalar]:
    """Fields of a record that name the ends of other chains."""
    fields: dict[str, Scalar] = {}
    for chain, head in heads.items():
        sequence, own = _names(chain)
        fields |= {sequence: head.sequence, own: head.hash}
    return fields


def is_anchor(name: str) -> bool:
    """Whether a field of a record is one of these."""
    return name in _NAMES


def anchored(record: Record) -> dict[Chain, Head]:
    """The ends of other chains that a record names."""
    found: dict[Chain, Head] = {}
    for chain in Chain:
        sequence, own = (record.fields.get(name) for name in _names(chain))
        if is_sequence(sequence) and isinstance(sequence, int) and is_hash(own) and isinstance(own, str):
            found[chain] = Head(sequence=sequence, hash=own)
    return found


def _names(chain: Chain) -> tuple[str, str]:
    return f"{chain}_sequence", f"{chain}_hash"
