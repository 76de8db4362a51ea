"""``make run FILE=requests.jsonl``: an OpenAI Batch input file through Lethe, its results in Batch output form."""

import hashlib
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from local.demo import progress
from local.demo.client import REJECTED, Client

TENANT = "contoso"
_MAX_BYTES = 250_000  # room for the properties of a message, which takes 256 KB with them
_REFUSED = {
    "invalid_json": "The line is not JSON.",
    "invalid_type": "The line is not a JSON object.",
    "request_too_large": "The line is larger than a message may be.",
}
_STALLED_SECONDS = 120
_POLL_SECONDS = 0.2


class NothingToRunError(Exception):
    """The input file is missing, unreadable or empty; the text says which."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the input: the message made of it, or the code that says why there is none."""

    number: int
    custom_id: str | None
    message: bytes = b""
    refused: str | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The lines of one file; ``id`` is the start of the file's SHA-256."""

    id: str
    lines: list[Line]


def read(path: Path, *, model: str | None = None) -> Batch:
    """Read a file; ``model`` replaces the model of every line.

    Raises NothingToRunError.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NothingToRunError(f"Cannot read {path}: {error.strerror}.") from None
    texts = content.removeprefix(b"\xef\xbb\xbf").rstrip().split(b"\n")  # not splitlines: U+2028 may stand in a string
    if not content.strip():
        raise NothingToRunError(f"{path} is empty: expected one JSON object per line (OpenAI Batch input).")
    batch = hashlib.sha256(content).hexdigest()[:32]
    return Batch(id=batch, lines=[_line(number, text, batch, model) for number, text in enumerate(texts, 1)])


def _line(number: int, text: bytes, batch: str, model: str | None) -> Line:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        return Line(number=number, custom_id=None, refused="invalid_json")
    if not isinstance(request, dict):
        return Line(number=number, custom_id=None, refused="invalid_type")
    if model is not None and isinstance(request.get("body"), dict):
        request["body"]["model"] = model
    custom_id = request.get("custom_id") if isinstance(request.get("custom_id"), str) else None
    envelope = {**request, "tenant": TENANT, "batch": batch}
    message = json.dumps(envelope, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    refused = "request_too_large" if len(message) > _MAX_BYTES else None
    return Line(number=number, custom_id=custom_id, message=message, refused=refused)


def run(client: Client, console: Console, batch: Batch, results: Path) -> int:
    """Submit every line, wait for all, write the results in the order of the input; 0 when each line has one."""
    console.print(f"Submitting {len(batch.lines)} lines for tenant {TENANT}, batch {batch.id}")
    answers = _Answers(batch.lines)
    client.submit([line.message for line in batch.lines if line.refused is None])
    with progress.showing(console, "lines that have ended", len(batch.lines)) as show:
        stalled_at = time.monotonic() + _STALLED_SECONDS
        done = 0
        while done < len(batch.lines) and time.monotonic() < stalled_at:
            answers.look(client, batch.id)
            if answers.done > done:
                stalled_at = time.monotonic() + _STALLED_SECONDS
            done = answers.done
            show(done)
            if done < len(batch.lines):
                time.sleep(_POLL_SECONDS)
    rows = [answers.row(line) for line in batch.lines]
    results.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ends = Counter(row["error"]["code"] if row["error"] else "completed" for row in rows)
    console.print(f"{results}: {len(rows)} lines; " + ", ".join(f"{count} {end}" for end, count in ends.most_common()))
    if ends["unknown_model"]:
        console.print("The sample tenant knows gpt-small and embed-small; MODEL=gpt-small runs every line with that alias.")
    return 0 if done == len(rows) else 1


class _Answers:
    """What has come back for the lines of a batch, by message or by custom id."""

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines
        self._rejected: dict[bytes, dict[str, str]] = {}
        self._outputs: dict[str, dict[str, Any]] = {}
        self._last_seen = 0
        self._contents: dict[str | None, set[bytes]] = {}
        for line in lines:
            self._contents.setdefault(line.custom_id, set()).add(line.message)

    def reject(self, message: bytes, *, code: str, field: str) -> None:
        self._rejected[message] = {"code": code, "message": f"Lethe does not accept this line (field: {field})."}

    def look(self, client: Client, batch: str) -> None:
        for rejection in client.peek(REJECTED, after=self._last_seen):
            self._last_seen = rejection.sequence_number
            properties = rejection.properties
            self.reject(rejection.body, code=properties.get("reason", "rejected"), field=properties.get("field", "message"))
        self._outputs = {output["custom_id"]: output for output in client.documents(TENANT, "output", batch=batch)}

    @property
    def done(self) -> int:
        return sum(self._has_ended(line) for line in self._lines)

    def _has_ended(self, line: Line) -> bool:
        if line.refused is not None or line.message in self._rejected:
            return True
        if line.custom_id not in self._outputs:
            return False
        contents = self._contents[line.custom_id]  # of several contents under one key, all but one are conflicts
        return len(contents) - sum(content in self._rejected for content in contents) <= 1

    def row(self, line: Line) -> dict[str, Any]:
        """Return the line of the Batch output file."""
        error: dict[str, str] | None = None
        response: dict[str, Any] | None = None
        row_id = f"line_{line.number}"
        if line.refused is not None:
            error = {"code": line.refused, "message": _REFUSED[line.refused]}
        elif line.message in self._rejected:
            error = self._rejected[line.message]
        elif line.custom_id in self._outputs and self._has_ended(line):
            output = self._outputs[line.custom_id]
            row_id = f"gen_{output['jobId']}"
            response, error = output["response"], output["error"]
        else:
            error = {"code": "no_end", "message": f"Nothing came back within {_STALLED_SECONDS} s."}
        return {"id": row_id, "custom_id": line.custom_id, "response": response, "error": error}
