"""How many times something happened in the last minute: one number for each second, however often it was."""

from collections import deque

SECONDS = 60


class Window:
    """Counts of the last `SECONDS` seconds, to the second."""

    def __init__(self) -> None:
        self._counts: deque[tuple[int, int]] = deque()

    def add(self, at: float) -> None:
        """Count once, at a time (seconds since the epoch) that is not before the last one by more than a second."""
        self._forget(at)
        second = int(at)
        if self._counts and self._counts[-1][0] >= second:
            second, count = self._counts.pop()
            self._counts.append((second, count + 1))
        else:
            self._counts.append((second, 1))

    def take_back(self, at: float) -> None:
        """Uncount what was counted at a time; nothing, when that is out of the window."""
        for index, (second, count) in enumerate(self._counts):
            if second == int(at) and count > 0:
                self._counts[index] = (second, count - 1)
                return

    def count(self, now: float) -> int:
        """How many there were."""
        self._forget(now)
        return sum(count for _, count in self._counts)

    def frees_at(self) -> float:
        """When the first of them leaves the window; 0 when there is none."""
        return next((float(second + 1 + SECONDS) for second, count in self._counts if count), 0.0)

    def _forget(self, now: float) -> None:
        while self._counts and self._counts[0][0] + SECONDS < int(now):
            self._counts.popleft()
