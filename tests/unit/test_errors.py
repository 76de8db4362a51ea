import pytest

from shared import errors
from shared.errors import Failure, InvalidSettings, LetheError, ModelFailed, Reason, RequestRefused, ServiceUnavailable


def all_errors(root: type[LetheError] = LetheError) -> list[type[LetheError]]:
    found = [kind for kind in root.__subclasses__() if kind.__module__ == errors.__name__]
    return [*found, *(inner for kind in found for inner in all_errors(kind))]


def made(kind: type[LetheError]) -> LetheError:
    if kind is RequestRefused:
        return RequestRefused(Reason.EMPTY, "message")
    if kind is ModelFailed:
        return ModelFailed(Failure.TIMEOUT, retry_after=1.5)
    if kind is InvalidSettings:
        return InvalidSettings("LETHE_KEY_STORE", "is required")
    return kind()


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


def test_a_store_a_queue_and_a_key_store_can_be_unavailable() -> None:
    assert {kind.__name__ for kind in all_errors(ServiceUnavailable)} == {
        "StoreUnavailable",
        "QueueUnavailable",
        "KeysUnavailable",
    }
