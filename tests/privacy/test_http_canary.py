import pytest

from tests.privacy import http_stages
from tests.privacy.hostile_receiver import ANSWERS
from tests.privacy.http_stages import HttpEvidence
from tests.privacy.test_canary import told

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> HttpEvidence:
    return http_stages.run(tmp_path_factory.mktemp("canary"))


def test_every_call_was_answered_as_its_path_says(evidence: HttpEvidence) -> None:
    assert not evidence.unexpected_answers, told(evidence.unexpected_answers)
    assert {200, 202, 204, 400, 401, 403, 404, 409, 410, 413, 415, 429, 500, 503} <= evidence.statuses


def test_the_scan_finds_what_was_admitted_in_the_queue_and_what_is_in_a_url_in_the_hosts_log(evidence: HttpEvidence) -> None:
    assert not evidence.queued.missing, told(evidence.queued.missing)


def test_no_header_and_nothing_of_a_refused_call_or_its_token_is_in_any_file(evidence: HttpEvidence) -> None:
    assert not evidence.queued.surplus, told(evidence.queued.surplus)


def test_the_scan_finds_a_held_subjects_output_and_a_waiting_subjects_job_though_both_are_to_be_erased(
    evidence: HttpEvidence,
) -> None:
    look = evidence.concerning.held_and_waiting
    assert not look.missing, told(look.missing)
    assert not look.surplus, told(look.surplus)


def test_an_erasure_without_a_queue_is_made_up_for(evidence: HttpEvidence) -> None:
    assert evidence.concerning.at_first == ["swept", "pending"]
    assert evidence.concerning.at_last == ["swept", "swept"]


def test_a_reviewer_is_shown_what_was_sealed_and_nothing_else(evidence: HttpEvidence) -> None:
    assert not evidence.reviewed.missing, told(evidence.reviewed.missing)
    assert not evidence.reviewed.surplus, told(evidence.reviewed.surplus)


def test_reviews_are_evidence_and_alerts_name_no_subject(evidence: HttpEvidence) -> None:
    accesses = {"abuse_record_opened", "abuse_access_refused", "abuse_alert_resolved"}
    assert accesses | {"abuse_alert_created"} <= evidence.reviewed.recorded
    assert not evidence.reviewed.names_a_subject


def test_only_outputs_and_what_the_tenant_configured_are_left_of_jobs_that_ended(evidence: HttpEvidence) -> None:
    assert not evidence.ended.missing, told(evidence.ended.missing)
    assert not evidence.ended.surplus, told(evidence.ended.surplus)


def test_after_the_deadline_nothing_of_any_call_is_in_any_file(evidence: HttpEvidence) -> None:
    assert not evidence.forgotten.missing, told(evidence.forgotten.missing)
    assert not evidence.forgotten.surplus, told(evidence.forgotten.surplus)


def test_no_answer_repeats_what_was_sent_but_a_job_to_its_owner(evidence: HttpEvidence) -> None:
    assert not evidence.told_wrongly, told(evidence.told_wrongly)


def test_no_message_document_webhook_or_reply_shows_content(evidence: HttpEvidence) -> None:
    assert not evidence.around, told(evidence.around)


def test_signing_secrets_that_count_are_in_the_key_store_and_no_others_anywhere(evidence: HttpEvidence) -> None:
    for look in evidence.secrets:
        assert not look.missing, told(look.missing)
        assert not look.surplus, told(look.surplus)


def test_a_signing_secret_is_in_no_message_document_webhook_or_later_answer(evidence: HttpEvidence) -> None:
    assert not evidence.secrets_elsewhere, told(evidence.secrets_elsewhere)


def test_tokens_are_in_no_file_but_the_one_that_gives_them_out(evidence: HttpEvidence) -> None:
    assert evidence.a_token_is_found, "the scan does not see into tokens"
    assert not evidence.tokens.missing, told(evidence.tokens.missing)
    assert not evidence.tokens.surplus, told(evidence.tokens.surplus)


def test_signatures_of_webhooks_are_in_no_file(evidence: HttpEvidence) -> None:
    assert evidence.signed
    assert not evidence.signatures.surplus, told(evidence.signatures.surplus)


def test_receivers_answered_in_every_bad_way(evidence: HttpEvidence) -> None:
    assert evidence.failed_deliveries == set(ANSWERS)


def test_the_official_client_puts_nothing_of_a_request_into_a_url(evidence: HttpEvidence) -> None:
    assert not evidence.urls, told(evidence.urls)
