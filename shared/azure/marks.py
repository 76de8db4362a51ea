"""The mark of a hold on a document: ``held_until`` (seconds) and ``held_by`` (the hold's id).

Documents of ``generations`` and of ``abuse-monitoring`` bear it. In ``generations`` all documents of a job have the same mark,
that of its receipt: they are marked in one transaction, and what is created later is created under the condition that the
receipt is marked as its writer knows it. An absent or past mark holds nothing.
"""

from shared.azure.cosmos import Document
from shared.domain.hold import Mark

NOT_HELD = "(NOT IS_DEFINED(c.held_until) OR c.held_until <= @now)"
"""Condition of a query: an absent property makes a comparison undefined, and NOT of it too, so absence is asked for."""


def of_mark(mark: Mark | None) -> Document:
    """Fields of a document that is held; none of one that is not."""
    return {"held_until": mark.until, "held_by": mark.by} if mark else {}


def to_mark(document: Document) -> Mark | None:
    """Read the mark of a document, also a past one."""
    until = document.get("held_until")
    return None if until is None else Mark(until=until, by=document["held_by"])


def until(mark: Mark | None) -> float:
    """The end that a document's ``ttl`` has to reach past for a mark."""
    return mark.until if mark else 0.0


def marked_as(mark: Mark | None) -> str:
    """Condition of a write that was computed with this mark: a hold placed or ended meanwhile makes it fail."""
    return f"c.held_until = {mark.until}" if mark else "NOT IS_DEFINED(c.held_until)"
