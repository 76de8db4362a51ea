"""What a process remembers of what it asked a store, for a while, so that there is one question and not one for each job."""

from collections.abc import Awaitable, Callable

from shared.clock import Clock

MOST = 1000
"""Answers that are remembered at once. Those about unknown names are, too, so that a flood of them is no flood of reads."""


class Remembered[K, V]:
    """Answers by what was asked; each counts for some seconds. A failure is not remembered."""

    def __init__(self, ask: Callable[[K], Awaitable[V]], *, seconds: float, clock: Clock) -> None:
        self._ask = ask
        self._seconds = seconds
        self._clock = clock
        self._answers: dict[K, tuple[float, V]] = {}

    async def of(self, asked: K) -> V:
        """Return what is remembered, or ask; raises whatever asking raises."""
        asked_at = self._clock()  # before the question: what is written during it may not be in the answer
        known = self._answers.get(asked)
        if known and 0 <= asked_at - known[0] < self._seconds:  # a clock that was set back trusts nothing
            return known[1]
        answer = await self._ask(asked)
        if len(self._answers) >= MOST:
            self._answers.clear()
        self._answers[asked] = (asked_at, answer)
        return answer

    def forget(self, asked: K) -> None:
        """Ask anew the next time: this process has changed something."""
        self._answers.pop(asked, None)
