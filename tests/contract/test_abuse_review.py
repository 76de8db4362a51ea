"""Reviews on a real store and vault: evidence first, one record at a time, and nothing for whoever has no right to it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from secrets import token_hex

import pytest

from local import clock
from shared.abuse.access import refusals_recorded
from shared.abuse.review import open_record, page, resolve
from shared.domain.abuse_alert import Alert, AlertStatus, Resolution
from shared.domain.abuse_requests import ListAlerts, OpenRecord, ResolveAlert
from shared.domain.evidence import Kind
from shared.domain.macs import Mac
from shared.domain.principal import Principal, Role
from shared.domain.webhook import SUBJECT_BLOCKED
from shared.errors import (
    Conflict,
    Denial,
    Forbidden,
    Gone,
    KeysUnavailable,
    LetheError,
    NotFound,
    Reason,
    RequestRefused,
    SealBroken,
    StoreUnavailable,
)
from shared.patience import patience
from tests.contract.cosmos import Endpoint, fresh_endpoint
from tests.contract.review_desk import CONTENT, DAY, Desk, seated
from tests.contract.vault import Running, running_vault

READER = Principal(
    directory="11e7be00-0000-4000-8000-000000000001", client_id="client", roles=frozenset({Role.REVIEWER}), person_id="person"
)
ORDER = OpenRecord(tenant="contoso", case_reference="CASE-1")


@pytest.fixture(scope="module")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("store")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory, cosmos: Endpoint) -> Iterator[Running]:  # noqa: ARG001 - its clock is set
    with running_vault(tmp_path_factory.mktemp("vault")) as running:
        yield running


@pytest.fixture
async def desk(cosmos: Endpoint, vault: Running) -> AsyncIterator[Desk]:
    cosmos.reset()
    async with seated(cosmos, vault, "review_app") as found:
        yield found


async def test_a_record_is_opened_for_a_case_and_that_is_evidence(desk: Desk) -> None:
    record = await desk.record()
    before = len(await desk.accesses())
    opened = await open_record(record.public_id, ORDER, READER, desk.reviewing)
    assert opened.content == CONTENT
    assert "canary" not in repr(opened)
    (evidence,) = (await desk.accesses())[before:]
    assert evidence.kind is Kind.ABUSE_RECORD_OPENED
    assert evidence.fields == {
        "record": record.public_id,
        "tenant": "contoso",
        "case_reference": "CASE-1",
        "person": "person",
        "client": f"{READER.directory}/client",
    }


async def test_without_evidence_nothing_is_opened(desk: Desk, cosmos: Endpoint) -> None:
    record = await desk.record()
    cosmos.fault(container="evidence", status=503, count=1000)
    with patience(0.0), pytest.raises(StoreUnavailable):
        await open_record(record.public_id, ORDER, READER, desk.reviewing)


async def test_an_identity_without_the_right_to_unwrap_opens_nothing(cosmos: Endpoint, vault: Running) -> None:
    cosmos.reset()
    async with seated(cosmos, vault, "") as desk:
        record = await desk.record()
        with patience(0.0), pytest.raises(KeysUnavailable):
            await open_record(record.public_id, ORDER, READER, desk.reviewing)


async def test_anothers_record_or_none_is_not_found(desk: Desk) -> None:
    anothers = await desk.record(tenant="fabrikam")
    for name in (anothers.public_id, f"abr_{token_hex(20)}", "abr_x", anothers.job_id, f"gen_{anothers.job_id}"):
        with pytest.raises(NotFound):
            await open_record(name, ORDER, READER, desk.reviewing)
    with pytest.raises(NotFound):
        await open_record(anothers.public_id, OpenRecord(tenant="../x", case_reference="C"), READER, desk.reviewing)


async def test_past_its_deadline_it_is_gone_held_or_not(desk: Desk) -> None:
    record = await desk.record(kept=0)
    with pytest.raises(Gone):
        await open_record(record.public_id, ORDER, READER, desk.reviewing)


async def test_without_its_days_key_it_is_gone(desk: Desk) -> None:
    record = await desk.record(kept=300 * DAY)  # a day of its own
    await desk.keys.delete(record.sealed.key)
    with pytest.raises(Gone):
        await open_record(record.public_id, ORDER, READER, desk.reviewing)


@pytest.mark.parametrize("changes", [{"sealed_until": 1}, {"ciphertext": "AAAA"}, {"nonce": "AAAAAAAAAAAAAAAA"}])
async def test_one_that_was_changed_does_not_open(desk: Desk, changes: dict[str, object]) -> None:
    record = await desk.record()
    stored = dict(await desk.container.read_item("record", ["contoso", record.job_id]))
    await desk.container.upsert_item({**stored, **changes})
    with pytest.raises(SealBroken):
        await open_record(record.public_id, ORDER, READER, desk.reviewing)


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Forbidden(Denial.ROLE), "role_missing"),
        (Forbidden(Denial.APP_ONLY), "token_app_only"),
        (RequestRefused(Reason.MISSING_FIELD, "case_reference"), "missing_field"),
        (NotFound(), "not_found"),
        (Gone(), "gone"),
    ],
)
async def test_what_is_refused_is_evidence_before_the_caller_hears_of_it(desk: Desk, refusal: LetheError, code: str) -> None:
    record_id = f"abr_{token_hex(20)}"
    app_only = replace(READER, person_id=None)
    with pytest.raises(type(refusal)):
        async with refusals_recorded(app_only, record_id, desk.reviewing.evidence):
            raise refusal
    evidence = (await desk.accesses())[-1]
    assert evidence.kind is Kind.ABUSE_ACCESS_REFUSED
    assert evidence.fields == {"record": record_id, "client": f"{READER.directory}/client", "code": code}


async def test_what_a_caller_makes_up_as_an_id_is_in_no_evidence(desk: Desk) -> None:
    with pytest.raises(NotFound):
        async with refusals_recorded(READER, "canary4f1c", desk.reviewing.evidence):
            raise NotFound
    assert "record" not in (await desk.accesses())[-1].fields


async def test_what_cannot_be_recorded_is_not_refused_but_unavailable(desk: Desk, cosmos: Endpoint) -> None:
    cosmos.fault(container="evidence", status=503, count=1000)
    with patience(0.0), pytest.raises(StoreUnavailable):
        async with refusals_recorded(READER, "x", desk.reviewing.evidence):
            raise NotFound


async def test_alerts_are_listed_the_latest_first_page_by_page(desk: Desk) -> None:
    made = [await desk.alert(Mac(kid="list", mac=f"{n}" * 64), tenant="adatum", last=n) for n in range(3)]
    first = await page(ListAlerts(tenant="adatum"), 2, desk.reviewing)
    assert ([each.id for each in first.entries], first.has_more) == ([made[2].id, made[1].id], True)
    rest = await page(ListAlerts(tenant="adatum", after=made[1].public_id), 2, desk.reviewing)
    assert ([each.id for each in rest.entries], rest.has_more) == ([made[0].id], False)
    assert (await page(ListAlerts(tenant="adatum", status=AlertStatus.RESOLVED), 2, desk.reviewing)).entries == []
    with pytest.raises(NotFound):
        await page(ListAlerts(tenant="fabrikam", after=made[1].public_id), 2, desk.reviewing)


async def test_a_review_comes_to_something_once_and_that_is_evidence(desk: Desk) -> None:
    alert = await desk.alert(Mac(kid="resolve", mac="1" * 64))
    order = ResolveAlert(tenant="contoso", case_reference="CASE-2", resolution=Resolution.CONFIRMED, block_seconds=3600)
    done = await resolve(alert.public_id, order, READER, desk.reviewing)
    assert (done.status, done.resolution, done.untold) == (AlertStatus.RESOLVED, Resolution.CONFIRMED, (SUBJECT_BLOCKED,))
    assert done.blocked_until == pytest.approx(clock.now() + 3600, abs=30)
    stored = await desk.reviewing.alerts.read("contoso", alert.id)
    assert stored is not None
    assert stored.alert == done
    evidence = (await desk.accesses())[-1]
    assert evidence.kind is Kind.ABUSE_ALERT_RESOLVED
    assert evidence.fields["resolution"] == "confirmed"
    assert evidence.fields["block_seconds"] == 3600
    with pytest.raises(Conflict):
        await resolve(alert.public_id, order, READER, desk.reviewing)


async def test_a_false_alarm_ends_the_block_and_another_resolution_leaves_it(desk: Desk) -> None:
    for resolution in (Resolution.FALSE_ALARM, Resolution.NO_ACTION):
        alert = await desk.alert(Mac(kid=resolution, mac="1" * 64))
        until = clock.now() + 3600

        def blocked(current: Alert, until: float = until) -> Alert:
            return replace(current, blocked_until=until)

        await desk.reviewing.alerts.change("contoso", alert.id, blocked)
        order = ResolveAlert(tenant="contoso", case_reference="C", resolution=resolution)
        done = await resolve(alert.public_id, order, READER, desk.reviewing)
        assert done.blocked_until == (None if resolution is Resolution.FALSE_ALARM else until)


async def test_only_a_subject_can_be_blocked(desk: Desk) -> None:
    alert = await desk.alert(None)
    order = ResolveAlert(tenant="contoso", case_reference="CASE-3", resolution=Resolution.CONFIRMED, block_seconds=3600)
    before = len(await desk.accesses())
    with pytest.raises(RequestRefused):
        await resolve(alert.public_id, order, READER, desk.reviewing)
    assert len(await desk.accesses()) == before


async def test_no_block_outlasts_the_alert(desk: Desk) -> None:
    alert = await desk.alert(Mac(kid="long", mac="1" * 64))
    order = ResolveAlert(tenant="contoso", case_reference="C", resolution=Resolution.CONFIRMED, block_seconds=30 * DAY)
    assert (await resolve(alert.public_id, order, READER, desk.reviewing)).blocked_until == alert.expires_at


async def test_anothers_alert_is_not_found(desk: Desk) -> None:
    alert = await desk.alert(Mac(kid="other", mac="1" * 64), tenant="fabrikam")
    order = ResolveAlert(tenant="contoso", case_reference="C", resolution=Resolution.NO_ACTION)
    for name in (alert.public_id, "alr_x", f"alr_{token_hex(20)}"):
        with pytest.raises(NotFound):
            await resolve(name, order, READER, desk.reviewing)
