import hashlib
import hmac
from itertools import combinations

import pytest

from shared.domain.macs import Key, Mac, job_id, mac

KEY = Key(kid="k1", secret=b"a" * 32)
OTHER_KEY = Key(kid="k2", secret=b"b" * 32)

JOBS = {
    "a job": job_id(KEY, tenant="contoso", batch="b", custom_id="c"),
    "of another tenant": job_id(KEY, tenant="fabrikam", batch="b", custom_id="c"),
    "of another batch": job_id(KEY, tenant="contoso", batch="B", custom_id="c"),
    "of no batch": job_id(KEY, tenant="contoso", batch=None, custom_id="c"),
    "of the empty batch": job_id(KEY, tenant="contoso", batch="", custom_id="c"),
    "of the batch named null": job_id(KEY, tenant="contoso", batch="null", custom_id="c"),
    "with another custom_id": job_id(KEY, tenant="contoso", batch="b", custom_id="C"),
    "with the parts cut elsewhere": job_id(KEY, tenant="contoso", batch="bc", custom_id=""),
    "under another key": job_id(OTHER_KEY, tenant="contoso", batch="b", custom_id="c"),
}


@pytest.mark.parametrize(("one", "other"), [*combinations(JOBS, 2)])
def test_different_keys_of_a_job_have_different_ids(one: str, other: str) -> None:
    assert JOBS[one] != JOBS[other]


def test_a_job_id_is_the_same_for_ever() -> None:
    expected = hmac.new(b"a" * 32, b'["contoso","b","c"]', hashlib.sha256).hexdigest()[:40]
    assert JOBS["a job"] == expected


def test_a_mac_names_its_key_and_is_hmac_sha_256_of_the_canonical_form() -> None:
    expected = hmac.new(b"a" * 32, b'{"a":1,"b":[]}', hashlib.sha256).hexdigest()
    assert mac(KEY, {"b": [], "a": 1}) == Mac(kid="k1", mac=expected)


def test_the_same_value_under_another_key_has_another_mac() -> None:
    assert mac(KEY, "user-42").mac != mac(OTHER_KEY, "user-42").mac


def test_a_key_never_shows_its_secret() -> None:
    shown = f"{KEY!r} {KEY} {[KEY]}"
    assert "k1" in shown
    assert "aaaa" not in shown
