"""An erasure as its tenant sees it: what is gone, and what is unreadable now and gone by when."""

import re

from shared.domain.erasure import LONGEST_MESSAGE, Counts, Erasure
from shared.domain.json_document import Json
from shared.errors import NotFound

PREFIX = "erasure_"
_ID = re.compile(rf"{PREFIX}[0-9a-f]{{32}}")


def known_form(public_id: str) -> str:
    """Return an id that an erasure may have; raises `NotFound` for any other text."""
    if not _ID.fullmatch(public_id):
        raise NotFound
    return public_id


def erasure(shown: Erasure, *, backup_horizon: int) -> Json:
    """Return the receipt of an erasure; times are whole seconds, rounded up where something ends.

    ``backup_horizon``: seconds for which a backup has what was erased, as it is stated; the configuration check compares it.
    """
    done = shown.completed_at
    return {
        "id": shown.id,
        "object": "subject.erasure",
        "status": shown.state,
        "requested_at": int(shown.requested_at),
        "cutoff": int(shown.cutoff),
        "last_sweep_after": _end(shown.settled_at),
        "completed_at": None if done is None else int(done),
        "duration_seconds": None if done is None else round(done - shown.requested_at, 3),
        "erased": _counts(shown.counts),
        "re_erased": _counts(shown.re_erased),
        "remains": {
            "waiting_messages": {"until": _end(shown.cutoff + LONGEST_MESSAGE), "how": "dropped when read"},
            "rejected_messages": {"until": _end(shown.rejected_until)},
            "tombstones": {"until": _end(shown.tombstones_until)},
            "backups": {"until": _end(None if done is None else done + backup_horizon)},
            "held": {"documents": shown.held.documents, "until": _end(shown.held.until)},
        },
        "expires_at": _end(shown.expires_at),
    }


def _counts(counts: Counts) -> dict[str, int]:
    return dict(vars(counts))


def _end(moment: float | None) -> int | None:
    return None if moment is None else -int(-moment // 1)
