"""Which functions each of the two apps has: the reviewers' and those of everybody else are never in one process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.environments import LOCAL

ROOT = Path(__file__).parents[2]
LISTING = """
import json, function_app
bindings = [function.get_dict_repr()["bindings"][0] for function in function_app.app.get_functions()]
print(json.dumps([(binding["type"], binding.get("route")) for binding in bindings]))
"""


def functions(**environment: str) -> list[tuple[str, str | None]]:
    """Trigger and route of each function of an app."""
    ran = subprocess.run(  # noqa: S603 - this interpreter, on a program of ours
        [sys.executable, "-c", LISTING],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **LOCAL, "LETHE_RETENTION_SCHEDULE": "0 */5 * * * *", **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return [(kind, route) for kind, route in json.loads(ran.stdout)]


@pytest.fixture(scope="module")
def generation() -> list[tuple[str, str | None]]:
    return functions()


@pytest.fixture(scope="module")
def review() -> list[tuple[str, str | None]]:
    return functions(LETHE_APP="review")


def is_of_reviewers(route: str | None) -> bool:
    return route is not None and route.startswith("v1/abuse/")


def test_the_app_that_generates_has_every_trigger_and_no_route_of_reviewers(
    generation: list[tuple[str, str | None]],
) -> None:
    assert {kind for kind, _ in generation} == {"httpTrigger", "serviceBusTrigger", "timerTrigger"}
    assert not [route for _, route in generation if is_of_reviewers(route)]
    assert functions(LETHE_APP="generation") == generation


def test_the_review_app_has_the_reviewers_routes_and_health_alone(review: list[tuple[str, str | None]]) -> None:
    assert {kind for kind, _ in review} == {"httpTrigger"}, "no queue and no timer"
    assert [route for _, route in review if not is_of_reviewers(route)] == ["healthz"]


def test_only_health_is_in_both(generation: list[tuple[str, str | None]], review: list[tuple[str, str | None]]) -> None:
    assert {*generation} & {*review} == {("httpTrigger", "healthz")}
