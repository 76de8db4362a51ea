import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.contract.webhooks import Receiver, receiving


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(tmp_path_factory.mktemp("receiver")) as receiver:
        yield receiver


@pytest.fixture
def receiver(running: Receiver) -> Receiver:
    running.reset()
    return running


def post(receiver: Receiver, name: str = "a") -> httpx2.Response:
    return httpx2.post(receiver.url(name), content=b'{"a": 1}', headers={"Webhook-Id": "evt_1"}, timeout=10)


def test_it_remembers_what_it_was_sent(receiver: Receiver) -> None:
    assert post(receiver, "orders").status_code == 200
    (received,) = receiver.received()
    assert (received["name"], received["method"], received["body"]) == ("orders", "POST", '{"a": 1}')
    assert received["headers"]["webhook-id"] == "evt_1"
    receiver.control("DELETE", "received")
    assert receiver.received() == []


def test_it_answers_as_ordered_and_then_200_again(receiver: Receiver) -> None:
    receiver.answers(status=503, count=2, retry_after=7)
    receiver.answers(status=410)
    answers = [post(receiver) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 503, 410, 200]
    assert [answer.headers.get("retry-after") for answer in answers] == ["7", "7", None, None]


def test_it_redirects_and_waits_as_ordered(receiver: Receiver) -> None:
    receiver.answers(redirect="http://169.254.169.254/", delay_ms=150)
    started = time.monotonic()
    answer = post(receiver)
    assert (answer.status_code, answer.headers["location"]) == (307, "http://169.254.169.254/")
    assert time.monotonic() - started >= 0.15


@pytest.mark.parametrize("order", [{"status": 99}, {"count": -1}, {"status": "500"}, {"delay": 1}, {"count": True}])
def test_an_order_that_it_does_not_know_is_refused(order: dict[str, object], receiver: Receiver) -> None:
    with pytest.raises(httpx2.HTTPStatusError):
        receiver.answers(**order)
    assert post(receiver).status_code == 200


def test_it_ends_cleanly(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        assert post(receiver).status_code == 200
