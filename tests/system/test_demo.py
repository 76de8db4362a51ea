import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent

ANSWERED = {"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": {"model": "gpt-small", "input": "One."}}
OTHER_CONTENT = {**ANSWERED, "body": {"model": "gpt-small", "input": "Two."}}
OTHER_MODEL = {**ANSWERED, "custom_id": "b", "body": {"model": "gpt-other", "input": "Three."}}
BLOCKED = {**ANSWERED, "custom_id": "c", "body": {"model": "gpt-small", "input": "[[block:hate]] Four."}}
TOO_LARGE = {**ANSWERED, "custom_id": "d", "body": {"model": "gpt-small", "input": "x" * 300_000}}


def test_the_demo_ends_well_and_says_so(tmp_path: Path) -> None:
    done = _demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "what had to be forgotten is gone" in done.stdout
    assert not list(tmp_path.iterdir())


def test_a_batch_file_gets_one_result_per_line_in_its_order(tmp_path: Path) -> None:
    lines = [ANSWERED, OTHER_MODEL, BLOCKED, ANSWERED, TOO_LARGE]
    results = _run_file(tmp_path, *(json.dumps(line) for line in lines), "not JSON", "[]")
    assert [result["custom_id"] for result in results] == ["a", "b", "c", "a", "d", None, None]
    assert results[0] == results[3]
    assert results[0]["response"]["status_code"] == 200
    assert "One." in json.dumps(results[0]["response"]["body"])
    assert [_code(result) for result in results] == [
        None,
        "unknown_model",
        "content_filter",
        None,
        "request_too_large",
        "invalid_json",
        "invalid_type",
    ]


def test_of_two_contents_under_one_key_one_is_answered_and_one_a_conflict(tmp_path: Path) -> None:
    results = _run_file(tmp_path, json.dumps(ANSWERED), json.dumps(OTHER_CONTENT))
    assert {_code(result) for result in results} == {None, "conflict"}


def test_a_model_given_for_a_batch_file_replaces_those_of_its_lines(tmp_path: Path) -> None:
    [result] = _run_file(tmp_path, json.dumps(OTHER_MODEL), model="gpt-small")
    assert "Three." in json.dumps(result["response"]["body"])


def test_a_missing_or_empty_batch_file_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n\n")
    for name, message in (("missing.jsonl", "Cannot read missing.jsonl"), ("empty.jsonl", "empty.jsonl is empty")):
        done = _demo(tmp_path, "--file", name)
        assert (done.returncode, message in done.stderr) == (2, True)


def _demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "local.demo", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def _run_file(folder: Path, *lines: str, model: str | None = None) -> list[dict[str, Any]]:
    (folder / "requests.jsonl").write_text("\n".join(lines))
    done = _demo(folder, "--file", "requests.jsonl", *(["--model", model] if model else []))
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def _code(result: dict[str, Any]) -> str | None:
    assert (result["response"] is None) != (result["error"] is None)
    return result["error"]["code"] if result["error"] else None
