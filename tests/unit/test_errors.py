import pytest

from shared import errors
from shared.errors import (
    Denial,
    Failure,
    Forbidden,
    InvalidPolicy,
    InvalidSettings,
    LetheError,
    ModelFailed,
    Problem,
    Reason,
    Refusal,
    RequestRefused,
    ServiceUnavailable,
    TooManyRequests,
    Unauthenticated,
    WebhookRefused,
)
from shared.refusals import REFUSALS

MADE: dict[type[LetheError], LetheError] = {
    RequestRefused: RequestRefused(Reason.EMPTY, "message"),
    ModelFailed: ModelFailed(Failure.TIMEOUT, retry_after=1.5),
    InvalidPolicy: InvalidPolicy((Problem(field="grounding", rule="Field required"),)),
    InvalidSettings: InvalidSettings("LETHE_KEY_STORE", "is required"),
    Unauthenticated: Unauthenticated(Denial.KEY),
    Forbidden: Forbidden(Denial.ROLE),
    TooManyRequests: TooManyRequests(12.0),
    WebhookRefused: WebhookRefused(Refusal.URL_PORT),
}
"""Errors that say more than their class does."""


def all_errors(root: type[LetheError] = LetheError) -> list[type[LetheError]]:
    found = [kind for kind in root.__subclasses__() if kind.__module__ == errors.__name__]
    return [*found, *(inner for kind in found for inner in all_errors(kind))]


def made(kind: type[LetheError]) -> LetheError:
    return MADE.get(kind) or kind()


@pytest.mark.parametrize("kind", [kind for kind in all_errors() if kind is not InvalidSettings])
def test_the_text_of_an_error_is_the_first_line_of_its_docstring(kind: type[LetheError]) -> None:
    assert kind.__doc__
    assert str(made(kind)) == kind.__doc__.splitlines()[0]
    assert str(made(kind)).endswith(".")


def test_a_setting_is_named_with_its_rule() -> None:
    assert str(made(InvalidSettings)) == "setting LETHE_KEY_STORE: is required"


def test_the_tree_of_errors_in_the_docstring_is_the_real_one() -> None:
    assert errors.__doc__
    assert all(kind.__name__ in errors.__doc__ for kind in all_errors())


def test_what_can_be_unavailable_is_one_of_five_services() -> None:
    assert {kind.__name__ for kind in all_errors(ServiceUnavailable)} == {
        "StoreUnavailable",
        "QueueUnavailable",
        "KeysUnavailable",
        "IdentityUnavailable",
        "ManagementUnavailable",
    }


def test_a_denial_is_in_no_text_of_an_error() -> None:
    for denial in Denial:
        assert denial not in f"{Unauthenticated(denial)} {Forbidden(denial)}"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_of_its_own(reason: Reason) -> None:
    assert REFUSALS[reason].endswith(".")
    assert len({*REFUSALS.values()}) == len(Reason)
