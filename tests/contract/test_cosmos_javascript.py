"""The JavaScript SDK finds the same endpoint as the Python one."""

import pytest

from local.cosmos.auth import EMULATOR_KEY
from tests.contract import javascript
from tests.contract.cosmos import fresh_endpoint


def test_the_javascript_sdk_agrees(tmp_path_factory: pytest.TempPathFactory) -> None:
    with fresh_endpoint(tmp_path_factory.mktemp("javascript")) as endpoint:
        seen = javascript.run("cosmos.mjs", COSMOS_ENDPOINT=endpoint.url, COSMOS_KEY=EMULATOR_KEY)
    assert seen == {
        "created": 201,
        "charged": True,
        "duplicate": 409,
        "read": "Grüße",
        "replaced": 2,
        "stale": 412,
        "upserted": 4,
        "patched": 5,
        "predicate": 412,
        "batch": [201, 200],
        "broken": [207, 424, 409],
        "nothing": 404,
        "one": [13],
        "prefix": [14, 13, 12, 11, 10],
        "all": [10, 11, 12, 13, 14, 99],
        "count": [6],
        "cut": [10, 11],
        "planned": [10, 11, 12, 13, 14, 99],
        "listed": 8,
        "unsupported": 400,
        "deleted": 204,
        "gone": 404,
        "definition": ["/tenantId", "/jobId"],
        "dropped": 204,
    }
