"""Files that hold keys or tokens: readable by their owner only, and never seen half written."""

import json
import os
from pathlib import Path


def write_private_json(path: Path, value: object) -> None:
    """Replace a file in one step; mode 600 from its first byte on."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(value, indent=2) + "\n")
    fresh.replace(path)
