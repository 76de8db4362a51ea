"""In which order the workers take the files."""

from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

import pytest

FOLDERS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Longest runs first; then whole stacks, which keep processors busy, by turns with single parts, which mostly wait.

    A worker takes the next file when it is free: the short ones at the end let all workers end together.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    items[:] = [item for file in _in_turn(files) for item in files[file]]


def _in_turn(files: dict[Path, list[pytest.Item]]) -> Iterator[Path]:
    by_folder: dict[str, list[Path]] = {}
    for file in files:
        by_folder.setdefault(file.relative_to(FOLDERS).parts[0], []).append(file)
    yield from by_folder.pop("privacy", [])
    stacks, parts = by_folder.pop("system", []), by_folder.pop("contract", [])
    yield from (file for pair in zip_longest(stacks, parts) for file in pair if file)
    yield from chain.from_iterable(by_folder.values())
