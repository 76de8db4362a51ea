"""What the receiver is told to answer: some number of times, then 200 again."""

from dataclasses import dataclass
from typing import Self

_FIELDS = {"status", "count", "retry_after", "delay_ms", "redirect"}


@dataclass(kw_only=True)
class Answer:
    """An answer and how often it is given; ``delay_seconds`` before it, headers of its own."""

    status: int
    left: int
    delay_seconds: float
    headers: dict[str, str]

    @classmethod
    def of(cls, wanted: object) -> Self:
        """Read an order; raises ValueError with the rule that it breaks."""
        if not isinstance(wanted, dict) or not wanted.keys() <= _FIELDS:
            raise ValueError("An answer is an object of status, count, retry_after, delay_ms and redirect.")
        redirect, retry_after = wanted.get("redirect"), wanted.get("retry_after")
        headers = {"Location": str(redirect)} if redirect else {}
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        answer = cls(
            status=_whole(wanted.get("status", 307 if redirect else 200)),
            left=_whole(wanted.get("count", 1)),
            delay_seconds=_whole(wanted.get("delay_ms", 0)) / 1000,
            headers=headers,
        )
        if not 200 <= answer.status < 600:  # noqa: PLR2004
            raise ValueError("status must be from 200 to 599.")
        return answer


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("status, count and delay_ms must be whole numbers.")
    return value
