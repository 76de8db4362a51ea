"""Who may connect and how, and that nobody can bring the broker down by what he says."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage

from local.broker.queues import load
from local.broker.sections import MalformedMessageError, split
from tests.contract.broker import Broker, desk, fresh_broker, receive, text
from tests.parts import ROOT

SASL_HEADER, AMQP_HEADER = b"AMQP\x03\x01\x00\x00", b"AMQP\x00\x01\x00\x00"


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    with fresh_broker(tmp_path, monkeypatch) as running:
        yield running


def sasl_init(mechanism: bytes) -> bytes:
    fields = b"\xa3" + bytes([len(mechanism)]) + mechanism
    body = b"\x02\x01\x00\x00" + b"\x00\x53\x41\xc0" + bytes([len(fields) + 1, 1]) + fields
    return (len(body) + 4).to_bytes(4) + body


@pytest.mark.parametrize("mechanism", [b"MSSBCBS", b"ANONYMOUS"])
def test_a_client_gets_in_by_either_sasl_mechanism(broker: Broker, mechanism: bytes) -> None:
    with socket.create_connection(("127.0.0.1", broker.part.port), timeout=5) as client:
        stream = client.makefile("rwb")
        with stream:
            stream.write(SASL_HEADER)
            stream.flush()
            assert stream.read(8) == SASL_HEADER
            offer = stream.read(int.from_bytes(stream.read(4)) - 4)
            assert mechanism in offer
            stream.write(sasl_init(mechanism) + AMQP_HEADER)
            stream.flush()
            outcome = stream.read(int.from_bytes(stream.read(4)) - 4)
            assert b"\x00\x53\x44" in outcome
            assert outcome.endswith(b"\x50\x00")  # code: ok
            assert stream.read(8) == AMQP_HEADER


async def test_noise_on_the_port_harms_nobody_else(broker: Broker) -> None:
    async with desk(broker, "plain") as (sender, receiver):
        for noise in (b"GET / HTTP/1.1\r\n\r\n", SASL_HEADER + b"\x00" * 40, AMQP_HEADER + b"\xff" * 64, b"A", b""):
            with socket.create_connection(("127.0.0.1", broker.part.port), timeout=5) as client:
                client.sendall(noise)
        await sender.send_messages(ServiceBusMessage("unharmed"))
        assert text(await receive(receiver)) == "unharmed"


def test_the_broker_listens_on_loopback_only(broker: Broker) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", broker.part.port))  # would be taken if the broker listened everywhere


def test_the_queues_of_the_product_are_defined() -> None:
    entities = load(ROOT / "local" / "seed" / "queues.json")
    assert {"generation-requests", "generation-rejected", "webhook-deliveries"} <= set(entities)
    for entity in entities.values():
        assert entity.dead_letter_on_expiration is False
        assert (entity.ttl_seconds is None) is entity.is_dead_letter_queue


def test_bytes_that_are_no_message_are_refused_and_nothing_else_happens() -> None:
    samples = [os.urandom(size) for size in range(1, 400)]
    crafted = [b"", b"\x00" * 5000, b"\x00\x53\x75", b"\x00\x53\x75\xb0\xff\xff\xff\xff", b"\x00\x53\x70\x45"]
    for sample in [*samples, *crafted, *(b"\x00\x53\x77" + sample for sample in samples)]:
        try:
            parts = split(sample)
        except MalformedMessageError:
            continue
        assert b"".join(encoded for _, encoded in parts) == sample
    with pytest.raises(MalformedMessageError):
        split(b"\x00" * 5000)
