import math
from typing import Any

import pytest

from shared.domain.evidence import Chain, Kind, Record, next_record
from shared.domain.evidence_fields import LONGEST_LIST, MOST_FIELDS, Fields

TOKEN = "0123456789abcdef" * 2
MAC = "ab" * 32


def record(fields: Fields) -> Record:
    return next_record(None, chain=Chain.POLICIES, kind=Kind.POLICY_APPLIED, at=1.0, token=TOKEN, fields=fields)


ALLOWED: list[Fields] = [
    {},
    {"kind": Kind.POLICY_APPLIED},
    {"mac": MAC, "checked": 0, "seconds": 0.5, "complete": False},
    {"actor": "11e7be00-0000-4000-8000-000000000001:11e7be00-0000-4000-8000-000000000c01"},
    {"names": ("$.models[0].deployment", "retention/output_seconds", "reply_queues")},
    {"none": ()},
    {"longest": "x" * 128},
    {"many": tuple(range(LONGEST_LIST))},
    {f"field_{number}": number for number in range(MOST_FIELDS)},
    {"largest": 2**53 - 1, "smallest": -(2**53 - 1)},
]


@pytest.mark.parametrize("fields", ALLOWED)
def test_codes_ids_hashes_numbers_and_short_lists_of_them_are_evidence(fields: Fields) -> None:
    assert record(fields).fields == fields


CANARY = "CANARY"
REFUSED: list[dict[str, Any]] = [
    {"note": f"{CANARY} two words"},
    {"note": f"{CANARY}\n"},
    {"note": f"{CANARY}\u00e9"},
    {"note": f"{CANARY}@contoso.com"},
    {"note": f"{CANARY}'"},
    {"note": f'{{"{CANARY}":1}}'},
    {"note": f"{CANARY}{'x' * 123}"},
    {"note": ""},
    {"note": None},
    {"note": f"{CANARY}".encode()},
    {"note": (f"{CANARY} two words",)},
    {"note": ((CANARY,),)},
    {"note": [CANARY]},
    {"note": {CANARY: 1}},
    {"note": tuple(range(LONGEST_LIST + 1))},
    {"note": math.nan},
    {"note": -math.inf},
    {"note": 2**53},
    {"note": 10**400},
    {"note": 1e16},
    {CANARY: 1},
    {f"a {CANARY}": 1},
    {"": 1},
    {"x" * 65: 1},
    {f"field_{number}": number for number in range(MOST_FIELDS + 1)},
]


@pytest.mark.parametrize("fields", REFUSED, ids=range(len(REFUSED)))
def test_free_text_and_everything_else_is_refused_without_being_quoted(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="record of evidence") as refused:
        record(fields)
    assert CANARY not in f"{refused.value!r}"
    assert refused.value.__cause__ is refused.value.__context__ is None
