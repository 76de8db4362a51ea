from collections.abc import Sequence

import pytest

from tests.privacy import stages
from tests.privacy.rules import CROWDED
from tests.privacy.stages import Evidence

pytestmark = pytest.mark.timeout(300)

SHOWN = 20


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return stages.run(tmp_path_factory.mktemp("canary"))


def told(found: Sequence[object]) -> str:
    """Each place, path, file and form on a line; never what stands around a canary."""
    more = [f"... and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "\n".join([f"{len(found)} found or missing:", *map(str, found[:SHOWN]), *more])


def test_the_scan_finds_every_canary_in_the_file_of_the_queue_while_messages_wait(evidence: Evidence) -> None:
    assert not evidence.queued.missing, told(evidence.queued.missing)


def test_a_waiting_message_is_in_no_other_file(evidence: Evidence) -> None:
    assert not evidence.queued.surplus, told(evidence.queued.surplus)


def test_a_job_that_waits_again_is_all_in_the_file_of_the_queue_and_in_no_other(evidence: Evidence) -> None:
    assert not evidence.waiting.missing, told(evidence.waiting.missing)
    assert not evidence.waiting.surplus, told(evidence.waiting.surplus)


def test_the_scan_finds_outputs_and_rejected_messages_until_their_deadline(evidence: Evidence) -> None:
    assert not evidence.ended.missing, told(evidence.ended.missing)


def test_nothing_else_of_any_request_is_left_in_any_file_once_it_has_ended(evidence: Evidence) -> None:
    assert not evidence.ended.surplus, told(evidence.ended.surplus)


def test_what_the_filter_flagged_leaves_a_sealed_record_and_nothing_else_does(evidence: Evidence) -> None:
    assert evidence.records.kept == evidence.records.wanted
    assert {"prompt_blocked", "completion_blocked", "annotated", "unfiltered"} == {*evidence.records.wanted.values()}


def test_a_sealed_record_shows_nothing_of_its_job_and_names_its_subject_by_a_mac(evidence: Evidence) -> None:
    assert not evidence.records.in_documents, told(evidence.records.in_documents)
    assert not evidence.records.without_their_subject, told(evidence.records.without_their_subject)


def test_a_reviewer_is_shown_prompt_grounding_and_answer_and_no_name_or_label(evidence: Evidence) -> None:
    assert not evidence.records.missing, told(evidence.records.missing)
    assert not evidence.records.surplus, told(evidence.records.surplus)
    assert {"abuse_record_opened", "abuse_alert_created"} <= evidence.recorded


def test_a_submission_secret_is_in_the_key_store_only_and_no_signature_is_in_any_file(evidence: Evidence) -> None:
    assert not evidence.secrets.missing, told(evidence.secrets.missing)
    assert not evidence.secrets.surplus, told(evidence.secrets.surplus)


def test_a_job_over_its_tenants_limit_was_put_back(evidence: Evidence) -> None:
    crowd = [receipt for receipt in evidence.receipts if receipt["tenantId"] == CROWDED]
    assert [receipt["status"] for receipt in crowd] == ["completed", "completed"]
    assert any(receipt["scheduled_sequence_number"] for receipt in crowd)


def test_no_document_but_an_output_and_no_property_id_or_process_shows_content(evidence: Evidence) -> None:
    assert not evidence.around, told(evidence.around)


def test_no_identifier_is_kept_as_a_hash_without_a_key(evidence: Evidence) -> None:
    assert not evidence.plain_digests, told(evidence.plain_digests)


def test_unexpected_exceptions_were_among_the_paths(evidence: Evidence) -> None:
    assert evidence.failed_invocations


def test_after_the_deadline_nothing_is_left_in_any_file_though_store_and_broker_were_killed(evidence: Evidence) -> None:
    assert not evidence.forgotten.surplus, told(evidence.forgotten.surplus)
    assert not evidence.forgotten_around, told(evidence.forgotten_around)


def test_receipts_outlive_content_without_its_mac(evidence: Evidence) -> None:
    assert evidence.receipts
    assert not [receipt["jobId"] for receipt in evidence.receipts if receipt["content_mac"] is not None]


def test_the_timer_and_not_the_time_to_live_deleted_the_outputs(evidence: Evidence) -> None:
    deleted = sum(report["deleted"] for report in evidence.retention if report["step"] == "expired_documents")
    assert 0 < evidence.outputs <= deleted


def test_the_stack_itself_says_nothing_of_content(evidence: Evidence) -> None:
    assert not evidence.said_by_the_stack, told(evidence.said_by_the_stack)
