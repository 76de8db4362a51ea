from dataclasses import replace
from pathlib import Path

import pytest

from local.stack.keys import create_missing
from shared.azure.keys import FileKeys
from shared.domain.submission import TOLERANCE_SECONDS
from shared.errors import KeysUnavailable
from shared.generation.delivery import Delivery
from shared.generation.last_resort import POSTMARK, first_enqueued, postmark

FIRST, AT = 1_795_434_000.25, 1_795_440_000.5
ORIGINAL = Delivery(
    body=b'{"tenant":"contoso"}', sequence_number=1, delivery_count=20, enqueued_at=FIRST, expires_at=FIRST + 1e6, properties={}
)


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    create_missing(tmp_path / "keys.json", ["contoso", "fabrikam"])
    return FileKeys(tmp_path / "keys.json")


async def copy_of(delivery: Delivery, keys: FileKeys, *, at: float = AT) -> Delivery:
    """The copy as it comes back."""
    made = await postmark(delivery, "contoso", keys, at=at)
    return replace(delivery, enqueued_at=at, properties={**delivery.properties, POSTMARK: made})


async def test_a_message_without_postmark_was_first_enqueued_when_it_was_enqueued(keys: FileKeys) -> None:
    assert await first_enqueued(ORIGINAL, "contoso", keys) == FIRST


async def test_a_copy_knows_when_its_message_was_first_enqueued_and_so_does_a_copy_of_it(keys: FileKeys) -> None:
    copy = await copy_of(ORIGINAL, keys)
    assert await first_enqueued(copy, "contoso", keys) == FIRST
    assert await first_enqueued(await copy_of(copy, keys, at=AT + 3600), "contoso", keys) == FIRST


@pytest.mark.parametrize(
    ("seconds", "counts"), [(0, True), (TOLERANCE_SECONDS, True), (TOLERANCE_SECONDS + 1, False), (-3600, False)]
)
async def test_a_postmark_counts_around_the_time_of_its_copy_only(keys: FileKeys, seconds: float, *, counts: bool) -> None:
    later = replace(await copy_of(ORIGINAL, keys), enqueued_at=AT + seconds)
    assert await first_enqueued(later, "contoso", keys) == (FIRST if counts else AT + seconds)


async def test_a_postmark_of_another_body_or_tenant_or_of_nobody_does_not_count(keys: FileKeys) -> None:
    copy = await copy_of(ORIGINAL, keys)
    made = str(copy.properties[POSTMARK])
    first, at, mac = made.split("/")
    assert await first_enqueued(replace(copy, body=b"{}"), "contoso", keys) == AT
    assert await first_enqueued(copy, "fabrikam", keys) == AT
    forged: list[str | float | bytes] = [
        f"{float(first) + 1:.6f}/{at}/{mac}",
        f"{first}/{float(at) + 1:.6f}/{mac}",
        f"{first}/{at}/{'0' * 64}",
        f"{first}/{at}/{mac.upper()}",
        f"{first}/{at}/{mac}\n",
        f"{first}/{at}",
        f"nan/{at}/{mac}",
        f"1.2.3/{at}/{mac}",
        f"{first}/{at}/" + "\u0661" * 64,
        "",
        "//",
        FIRST,
        b"1/2/3",
    ]
    for value in forged:
        assert await first_enqueued(replace(copy, properties={POSTMARK: value}), "contoso", keys) == AT


async def test_a_tenant_without_keys_has_no_postmark(keys: FileKeys) -> None:
    with pytest.raises(KeysUnavailable):
        await postmark(ORIGINAL, "nobody", keys, at=AT)
