import re

import pytest

from shared.domain.policy import TENANT_ID
from shared.domain.probe import Measured, measure

GRACE = 900.0


@pytest.mark.parametrize(
    ("late", "readable", "measured"),
    [
        (-1, True, None),
        (0, True, None),
        (5, False, Measured(late_seconds=5, gone=True, overdue=False)),
        (GRACE, False, Measured(late_seconds=GRACE, gone=True, overdue=False)),
        (GRACE + 1, False, Measured(late_seconds=None, gone=True, overdue=False)),  # the store's own clock hid it by now
        (5, True, Measured(late_seconds=5, gone=False, overdue=False)),
        (GRACE + 1, True, Measured(late_seconds=GRACE + 1, gone=False, overdue=True)),
    ],
)
def test_a_probe_tells_how_late_it_was_gone(late: float, measured: Measured | None, *, readable: bool) -> None:
    assert measure(deadline=1000.0, grace=GRACE, readable=readable, now=1000.0 + late) == measured


@pytest.mark.parametrize("tenant", ["$probe", "$stamp"])
def test_no_tenant_has_the_name_of_a_probe_or_of_the_timers_own_state(tenant: str) -> None:
    assert re.fullmatch(TENANT_ID, tenant) is None
