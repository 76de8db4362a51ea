"""Holds: what they cover stays on disk when deadlines pass, unreadable to its tenant, and goes when they are over."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex

import httpx2
import pytest

from tests.privacy.scan import scan
from tests.system.holds import (
    DAY,
    canary,
    documents,
    ended,
    kinds,
    now,
    operate,
    order,
    place,
    records,
    release,
    shown,
    wait_until_held,
)
from tests.system.http import Http, calling
from tests.system.review import put_alert, put_record, reviewed
from tests.system.stack import running_stack, wait_for


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    with running_stack(tmp_path_factory.mktemp("holds")) as stack, calling(stack) as http:
        yield http


@pytest.fixture(autouse=True)
def _nothing_is_held_afterwards(http: Http) -> Iterator[None]:
    yield
    for hold in operate(http, "GET", "?limit=100").json["data"]:
        release(http, hold)


def on_disk(http: Http, content: str) -> bool:
    return bool(scan(content, http.stack.state))


def status(http: Http, generation: str, *, tenant: str = "contoso") -> int:
    """How the tenant's own reading is answered."""
    return http.call("GET", f"/v1/generations/{generation}", tenant=None, token=http.token(tenant)).status


def delete(http: Http, generation: str) -> int:
    """How its tenant's deletion is answered."""
    return http.call("DELETE", f"/v1/generations/{generation}", tenant=None, token=http.token("contoso")).status


def held(jobs: int, *, records: int = 0, alerts: int = 0, past: int = 0) -> dict[str, int]:
    """What a hold says that it holds."""
    return {"jobs": jobs, "sealed_records": records, "alerts": alerts, "past_deadline": past}


def wait_until_gone(http: Http, content: str) -> None:
    wait_for("the content to be on no disk", lambda: not on_disk(http, content), seconds=20)


def test_what_holds_cover_stays_for_thirty_days_unreadable_and_all_else_goes(http: Http) -> None:
    subject = f"person-{token_hex(8)}"
    contents = {name: canary() for name in ("by subject", "by job", "by tenant", "free", "another's")}
    tenants = {name: "fabrikam" if name == "by tenant" else "adatum" if name == "another's" else "contoso" for name in contents}
    jobs = {
        name: ended(http, content, tenant=tenants[name], subject=subject if name == "by subject" else f"not-{subject}")
        for name, content in contents.items()
    }
    sealed = {name: canary() for name, tenant in tenants.items() if tenant != "fabrikam"}  # which has opted out
    for name, content in sealed.items():
        about = subject if name == "by subject" else f"not-{subject}"
        put_record(http.stack, tenants[name], jobs[name], subject=about, content=content)
        put_alert(http.stack, tenants[name], subject=f"{about}-{name}" if name != "by subject" else about)
    holds = {
        "by subject": place(http, "contoso", subject={"safety_identifier": subject}),
        "by job": place(http, "contoso", generation=jobs["by job"], case_reference="matter.7"),
        "by tenant": place(http, "fabrikam"),
    }
    assert {name: (hold["scope"], hold["complete"], hold["held"]) for name, hold in holds.items()} == {
        "by subject": ("subject", True, held(1, records=1, alerts=1)),
        "by job": ("job", True, held(1, records=1)),
        "by tenant": ("tenant", True, held(1)),
    }
    assert all(on_disk(http, content) for content in (*contents.values(), *sealed.values()))

    http.stack.advance(30 * DAY + 60)
    for name in ("free", "another's"):
        wait_until_gone(http, contents[name])
        wait_until_gone(http, sealed[name])
        assert status(http, jobs[name], tenant=tenants[name]) in {404, 410}
    assert [each["dataClass"] for each in reviewed(http.stack, "adatum")] == []
    past = {
        "by subject": held(1, records=1, alerts=1, past=3),
        "by job": held(1, records=1, past=2),
        "by tenant": held(1, past=1),
    }
    for name, hold in holds.items():
        assert on_disk(http, contents[name])
        assert status(http, jobs[name], tenant=tenants[name]) == 410
        assert name not in sealed or on_disk(http, sealed[name])
        assert shown(http, hold)["held"] == past[name]
        found = documents(http.stack, tenants[name], jobs[name])
        assert found.keys() == {"receipt", "output", "event"}
        assert found["receipt"]["content_mac"] is not None
        assert all(document["_ts"] + document["ttl"] > hold["ends_at"] for document in found.values())
        assert kinds(http.stack, hold) == ["hold_placed", "hold_applied"]
    assert not scan(subject, http.stack.state)

    for name, hold in holds.items():
        release(http, hold)
        for of_all in (contents, sealed):
            if name in of_all:
                wait_until_gone(http, of_all[name])
        assert status(http, jobs[name], tenant=tenants[name]) in {404, 410}
        assert kinds(http.stack, hold) == ["hold_placed", "hold_applied", "hold_released"]
    assert reviewed(http.stack, "contoso") == []
    http.stack.advance(601)
    lifted = ["hold_placed", "hold_applied", "hold_released", "hold_lifted"]
    wait_for("the record of the end", lambda: all(kinds(http.stack, hold) == lifted for hold in holds.values()))
    assert [shown(http, hold)["complete"] for hold in holds.values()] == [True, True, True]


def test_evidence_says_who_held_what_for_which_case_and_nothing_of_a_person(http: Http) -> None:
    subject = f"person-{token_hex(8)}"
    ended(http, canary(), subject=subject)
    hold = place(http, "contoso", subject={"safety_identifier": subject}, case_reference="2026-EU.441")
    placed, applied, *again = [record["fields"] for record in records(http.stack) if record["fields"]["hold"] == hold["id"]]
    about = {"hold": hold["id"], "tenant": "contoso", "scope": "subject", "case_reference": "2026-EU.441"}
    assert placed == about | {"actor": hold["placed_by"], "ends_at": hold["ends_at"]}
    assert applied == about | held(1) | {"ends_at": hold["ends_at"]}
    assert again in ([], [applied]), "a run of the timer that marks at the same moment says the same"
    assert subject not in str(hold)
    [stored] = [
        one
        for one in http.stack.store.container("privacy").query_items("SELECT * FROM c", partition_key="contoso")
        if one["id"] == hold["id"]
    ]
    assert (len(stored["subjects"]), stored["kind"]) == (1, "hold")


def test_a_job_that_runs_or_comes_while_a_hold_stands_is_held(http: Http) -> None:
    contents = [canary(), canary()]
    running = http.submit(f"[[delay:3000]] {contents[0]}", tenant="adatum")
    wait_for("the job to run", lambda: documents(http.stack, "adatum", running)["receipt"]["status"] == "in_progress")
    hold = place(http, "adatum")
    later = http.submit(contents[1], tenant="adatum")
    for generation, content in zip((running, later), contents, strict=True):
        found = wait_until_held(http, "adatum", generation, hold)
        assert all(document["_ts"] + document["ttl"] > hold["ends_at"] for document in found.values())
        assert on_disk(http, content)
    http.stack.advance(DAY)
    wait_for("the deadlines to be seen", lambda: shown(http, hold)["held"] == held(2, past=2))
    assert [on_disk(http, content) for content in contents] == [True, True]
    assert [status(http, generation, tenant="adatum") for generation in (running, later)] == [410, 410]


def test_a_deadline_that_comes_before_the_next_run_of_the_timer_does_not_beat_a_hold(http: Http) -> None:
    hold = place(http, "adatum")
    content = canary()
    generation = http.submit(content, tenant="adatum", expires_after=2)
    found = wait_until_held(http, "adatum", generation, hold)
    wait_for("its deadline", lambda: status(http, generation, tenant="adatum") == 410)
    http.stack.advance(14)  # the timer has been, and the ttl of what is not held ends
    http.stack.advance(DAY)
    assert documents(http.stack, "adatum", generation).keys() == found.keys()
    assert on_disk(http, content)


def test_what_its_tenant_deletes_is_gone_for_it_and_stays_until_the_hold_is_over(http: Http) -> None:
    content, subject = canary(), f"person-{token_hex(8)}"
    generation = ended(http, content, subject=subject)
    hold = place(http, "contoso", subject={"safety_identifier": subject})
    assert delete(http, generation) == 204
    assert status(http, generation) == 404
    assert delete(http, generation) == 404
    http.stack.advance(DAY)
    assert shown(http, hold)["held"]["jobs"] == 1
    assert on_disk(http, content)
    release(http, hold)
    wait_until_gone(http, content)
    tombstone = documents(http.stack, "contoso", generation)["receipt"]
    assert (tombstone["subject"], tombstone["content_mac"], status(http, generation)) == (None, None, 404)


def test_the_record_of_a_job_that_its_tenant_deleted_stays_and_can_be_held_by_the_jobs_name(http: Http) -> None:
    content = canary()
    generation, deleted = ended(http, canary()), ended(http, canary())
    put_record(http.stack, "contoso", generation, content=content)
    assert (delete(http, generation), delete(http, deleted)) == (204, 204)
    refused = operate(http, "POST", body=order(http, generation=deleted))
    assert (refused.status, refused.json["code"]) == (404, "not_found")
    hold = place(http, "contoso", generation=generation)
    assert hold["held"]["sealed_records"] == 1
    http.stack.advance(30 * DAY)
    wait_for("its deadline to be seen", lambda: shown(http, hold)["held"]["past_deadline"] >= 1)
    assert on_disk(http, content)
    release(http, hold)
    wait_until_gone(http, content)


def test_a_job_that_is_not_marked_yet_is_held_against_its_tenants_deletion(http: Http) -> None:
    content = canary()
    generation = ended(http, content)
    hold = place(http, "contoso")
    container = http.stack.store.container("generations")
    for document in documents(http.stack, "contoso", generation).values():  # as if it had ended a moment ago
        unmarked = {name: value for name, value in document.items() if name not in {"held_until", "held_by"}}
        container.replace_item(document["id"], unmarked | {"ttl": DAY})
    assert delete(http, generation) == 204
    found = wait_until_held(http, "contoso", generation, hold)
    assert found["output"]["expires_at"] <= now(http) + 1
    assert (status(http, generation), on_disk(http, content)) == (404, True)


def test_a_hold_ends_by_itself_and_a_renewed_one_later(http: Http) -> None:
    contents = {"ends": canary(), "renewed": canary()}
    jobs = {name: ended(http, content) for name, content in contents.items()}
    holds = {name: place(http, "contoso", generation=job, days=10) for name, job in jobs.items()}
    path = f"/{holds['renewed']['id']}/renew"
    renewed = operate(http, "POST", path, {"ends_at": now(http) + 20 * DAY})
    assert (renewed.status, renewed.json["complete"]) == (200, True)
    assert renewed.json["held"] == held(1)

    http.stack.advance(10 * DAY + 10)
    wait_until_gone(http, contents["ends"])
    assert on_disk(http, contents["renewed"])
    assert shown(http, holds["ends"])["status"] == "ended"
    refused = operate(http, "POST", f"/{holds['ends']['id']}/renew", {"ends_at": now(http) + DAY})
    assert (refused.status, refused.json["code"]) == (409, "conflict")
    http.stack.advance(10 * DAY)
    wait_until_gone(http, contents["renewed"])
    http.stack.advance(601)
    ends = ["hold_placed", "hold_applied", "hold_lifted"]
    wait_for("the record of its end", lambda: kinds(http.stack, holds["ends"]) == ends, seconds=60)
    assert kinds(http.stack, holds["renewed"])[:4] == ["hold_placed", "hold_applied", "hold_renewed", "hold_applied"]


def test_of_holds_that_overlap_the_last_one_decides(http: Http) -> None:
    content = canary()
    generation = ended(http, content)
    short = place(http, "contoso", generation=generation, days=10)
    long = place(http, "contoso", days=40)
    same = place(http, "contoso", days=0, generation=generation, ends_at=long["ends_at"])
    assert short["held"]["jobs"] == 1
    http.stack.advance(15 * DAY)
    assert on_disk(http, content)
    release(http, long)
    found = wait_until_held(http, "contoso", generation, same)
    assert found["output"]["held_until"] == same["ends_at"]
    assert on_disk(http, content)
    release(http, same)
    wait_until_gone(http, content)


def test_a_crash_while_a_hold_is_placed_leaves_the_rest_to_the_timer(http: Http) -> None:
    container, count = http.stack.store.container("generations"), 400
    receipt = documents(http.stack, "contoso", ended(http, canary()))["receipt"]
    for number in range(count):
        container.upsert_item({**receipt, "jobId": f"{number:040x}", "ttl": 30 * DAY})
    crashing = order(http, case_reference="crash")

    def marked() -> int:
        query = "SELECT VALUE COUNT(1) FROM c WHERE c.held_until = @end"
        parameters: list[dict[str, object]] = [{"name": "@end", "value": crashing["ends_at"]}]
        [found] = container.query_items(query, parameters=parameters, partition_key=["contoso"])
        return int(str(found))

    with ThreadPoolExecutor(1) as pool:
        placing = pool.submit(operate, http, "POST", "", crashing)
        wait_for("the first marks", marked)
        http.stack.kill("host")
        with pytest.raises(httpx2.HTTPError):
            placing.result()
    assert marked() < count
    wait_for("all marks", lambda: marked() >= count, seconds=60)
    [hold] = operate(http, "GET", "?tenant=contoso&limit=1").json["data"]
    assert (hold["case_reference"], hold["status"]) == ("crash", "active")
    wait_for("the record of it", lambda: kinds(http.stack, hold) == ["hold_placed", "hold_applied"])
