import pytest

from tests.privacy import operator_stages
from tests.privacy.operator_documents import NAMES
from tests.privacy.operator_stages import OperatorEvidence
from tests.privacy.test_canary import told

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> OperatorEvidence:
    return operator_stages.run(tmp_path_factory.mktemp("operator"))


def test_every_run_ended_as_its_path_says_and_none_with_a_traceback(evidence: OperatorEvidence) -> None:
    assert not evidence.unexpected, told(evidence.unexpected)


def test_of_what_was_refused_or_failed_nothing_is_in_any_file_but_a_tenants_name(evidence: OperatorEvidence) -> None:
    assert not evidence.failed.missing, told(evidence.failed.missing)
    assert not evidence.failed.surplus, told(evidence.failed.surplus)


def test_a_policy_is_in_the_store_only_and_of_a_proposal_nothing_is(evidence: OperatorEvidence) -> None:
    assert not evidence.onboarded.missing, told(evidence.onboarded.missing)
    assert not evidence.onboarded.surplus, told(evidence.onboarded.surplus)


def test_what_a_policy_said_before_is_in_no_file(evidence: OperatorEvidence) -> None:
    assert not evidence.changed.missing, told(evidence.changed.missing)
    assert not evidence.changed.surplus, told(evidence.changed.surplus)


def test_the_scan_finds_a_tenants_work_before_it_goes(evidence: OperatorEvidence) -> None:
    assert not evidence.at_work.missing, told(evidence.at_work.missing)
    assert not evidence.at_work.surplus, told(evidence.at_work.surplus)


def test_of_a_tenant_that_went_only_its_name_is_left_though_everything_died_meanwhile(evidence: OperatorEvidence) -> None:
    assert not evidence.offboarded.missing, told(evidence.offboarded.missing)
    assert not evidence.offboarded.surplus, told(evidence.offboarded.surplus)
    assert evidence.left == {"webhook-deliveries": 1}, "a webhook that waits is ids, and dropped when it is due"


def test_a_submission_secret_is_in_the_key_store_while_it_counts_and_nowhere_else(evidence: OperatorEvidence) -> None:
    for look in evidence.secrets:
        assert not look.missing, told(look.missing)
        assert not look.surplus, told(look.surplus)


def test_a_submission_secret_is_shown_once(evidence: OperatorEvidence) -> None:
    assert evidence.shown == [1, 1, 1]


def test_errors_repeat_names_of_the_operators_own_document_and_no_value(evidence: OperatorEvidence) -> None:
    assert not evidence.told_wrongly, told(evidence.told_wrongly)
    assert evidence.names_told == NAMES


def test_evidence_names_tenants_and_fields_of_ours_and_no_value(evidence: OperatorEvidence) -> None:
    assert {"policy_proposed", "policy_applied", "submission_rotated", "tenant_offboarding", "tenant_offboarded"} == set(
        evidence.records
    )
    assert not evidence.in_evidence, told(evidence.in_evidence)


def test_the_stack_itself_says_nothing_of_what_an_operator_wrote(evidence: OperatorEvidence) -> None:
    assert not evidence.said_by_the_stack, told(evidence.said_by_the_stack)
