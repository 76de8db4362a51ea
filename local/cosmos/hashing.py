"""The effective partition key: the hash by which Cosmos orders and routes logical partitions (version 2, and MultiHash).

The SDKs send prefix queries on hierarchical keys as a range of these hashes, so the endpoint has to compute the very
same ones. MurmurHash3 (x64, 128 bits) is Austin Appleby's public-domain algorithm.
"""

import struct
from collections.abc import Sequence

_MASK = (1 << 64) - 1
_C1 = 0x87C37B91114253D5
_C2 = 0x4CF5AD432745937F

UNDEFINED: dict[str, object] = {}
"""How a missing partition key component travels: ``[{}]``."""


def _rotate(value: int, by: int) -> int:
    return ((value << by) | (value >> (64 - by))) & _MASK


def _finish(value: int) -> int:
    value = ((value ^ (value >> 33)) * 0xFF51AFD7ED558CCD) & _MASK
    value = ((value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53) & _MASK
    return value ^ (value >> 33)


def murmur3(data: bytes) -> tuple[int, int]:
    """The two 64-bit halves (low, high) of the hash, with seed 0."""
    low = high = 0
    whole = len(data) & ~15
    for position in range(0, whole, 16):
        first, second = struct.unpack_from("<QQ", data, position)
        low ^= (_rotate(first * _C1 & _MASK, 31) * _C2) & _MASK
        low = ((_rotate(low, 27) + high) * 5 + 0x52DCE729) & _MASK
        high ^= (_rotate(second * _C2 & _MASK, 33) * _C1) & _MASK
        high = ((_rotate(high, 31) + low) * 5 + 0x38495AB5) & _MASK
    first, second = struct.unpack("<QQ", data[whole:].ljust(16, b"\0"))
    high ^= (_rotate(second * _C2 & _MASK, 33) * _C1) & _MASK
    low ^= (_rotate(first * _C1 & _MASK, 31) * _C2) & _MASK
    low ^= len(data)
    high ^= len(data)
    low = (low + high) & _MASK
    high = (high + low) & _MASK
    low, high = _finish(low), _finish(high)
    low = (low + high) & _MASK
    return low, (high + low) & _MASK


def _component(value: object) -> bytes:
    match value:
        case True:
            return b"\x03"
        case False:
            return b"\x02"
        case None:
            return b"\x01"
        case int() | float():
            return b"\x05" + struct.pack("<d", float(value))
        case str():
            return b"\x08" + value.encode() + b"\xff"
        case _:
            return b"\x00"


def effective_key(components: Sequence[object]) -> str:
    """Hex of the hashes of all components one after the other; a prefix of a key hashes to a prefix of its string."""
    parts = []
    for value in components:
        low, high = murmur3(_component(value))
        digest = bytearray(high.to_bytes(8, "big") + low.to_bytes(8, "big"))
        digest[0] &= 0x3F
        parts.append(digest.hex().upper())
    return "".join(parts)
