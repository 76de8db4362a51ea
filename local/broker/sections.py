"""Splits an encoded AMQP message into its sections without decoding them, so that what we store is what was sent."""

from enum import IntEnum


class Section(IntEnum):
    """Descriptor codes of the sections, in the order in which they stand in a message (AMQP 1.0, 3.2)."""

    HEADER = 0x70
    DELIVERY_ANNOTATIONS = 0x71
    MESSAGE_ANNOTATIONS = 0x72
    PROPERTIES = 0x73
    APPLICATION_PROPERTIES = 0x74
    DATA = 0x75
    SEQUENCE = 0x76
    VALUE = 0x77
    FOOTER = 0x78


BODY = frozenset({Section.DATA, Section.SEQUENCE, Section.VALUE})

DESCRIBED = 0x00
SMALL_ULONG = 0x53
ULONG = 0x80
FIXED_WIDTHS = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}
"""Bytes after a constructor, by its upper half (AMQP 1.0, 1.2)."""
SIZE_WIDTHS = {0xA: 1, 0xB: 4, 0xC: 1, 0xD: 4, 0xE: 1, 0xF: 4}
"""Bytes of the size that follows a constructor of variable width, by its upper half."""


class MalformedMessageError(ValueError):
    """The bytes are not an encoded AMQP message."""


def split(encoded: bytes) -> list[tuple[Section, bytes]]:
    """Return every section with its own encoded bytes, descriptor included; raises ``MalformedMessageError``."""
    parts: list[tuple[Section, bytes]] = []
    at = 0
    try:
        while at < len(encoded):
            section, value_at = _descriptor(encoded, at)
            end = _end_of_value(encoded, value_at)
            if end > len(encoded) or (parts and section < parts[-1][0]):
                raise MalformedMessageError("A section is cut off or out of order.")
            parts.append((section, encoded[at:end]))
            at = end
    except (IndexError, KeyError, RecursionError, ValueError):
        raise MalformedMessageError("These bytes are no AMQP message.") from None
    if not any(section in BODY for section, _ in parts):
        raise MalformedMessageError("This message has no body.")
    return parts


def data_of(section: bytes) -> bytes:
    """Return the payload of a data section."""
    _, at = _descriptor(section, 0)
    width = SIZE_WIDTHS.get(section[at] >> 4)
    if width is None:
        raise MalformedMessageError("A data section holds bytes.")
    return section[at + 1 + width :]


def _descriptor(encoded: bytes, at: int) -> tuple[Section, int]:
    """Section code and the position of the value that it describes."""
    if encoded[at] != DESCRIBED:
        raise MalformedMessageError("A section must begin with a descriptor.")
    if encoded[at + 1] == SMALL_ULONG:
        return Section(encoded[at + 2]), at + 3
    if encoded[at + 1] == ULONG:
        return Section(int.from_bytes(encoded[at + 2 : at + 10])), at + 10
    raise MalformedMessageError("A section's descriptor must be a number.")


def _end_of_value(encoded: bytes, at: int) -> int:
    """Return the position behind the value that begins at ``at``."""
    constructor = encoded[at]
    if constructor == DESCRIBED:
        return _end_of_value(encoded, _end_of_value(encoded, at + 1))
    kind = constructor >> 4
    if kind in FIXED_WIDTHS:
        return at + 1 + FIXED_WIDTHS[kind]
    width = SIZE_WIDTHS[kind]
    return at + 1 + width + int.from_bytes(encoded[at + 1 : at + 1 + width])
