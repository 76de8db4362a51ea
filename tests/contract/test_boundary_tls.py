"""Attacks on TLS by the environment: another authority, a log of the session keys, a proxy that sees every connection made."""

import hashlib
import socket
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext

import pytest

from shared.errors import Failure
from tests.contract.boundary import BODY, base_url, clear_environment, official, official_call, our_call
from tests.contract.loopback import serving
from tests.contract.webhook_servers import certificate_for


@dataclass(frozen=True, kw_only=True)
class Impostor:
    """Whoever has the listed name in DNS, and a certificate that no authority of the machine has signed."""

    context: SSLContext
    certificate: Path
    folder: Path


@pytest.fixture
def impostor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Impostor:
    clear_environment(monkeypatch)
    served, _ = certificate_for("localhost", tmp_path)
    certificate = tmp_path / "localhost.pem"
    folder = tmp_path / "authorities"
    folder.mkdir()
    (folder / hashed_name("localhost")).write_bytes(certificate.read_bytes())
    return Impostor(context=served, certificate=certificate, folder=folder)


def hashed_name(common_name: str) -> str:
    """The file name under which OpenSSL looks for the authority with this subject in a folder."""
    name = b"\x06\x03\x55\x04\x03" + b"\x0c" + bytes([len(common_name)]) + common_name.encode()
    sequence = b"\x30" + bytes([len(name)]) + name
    canonical = b"\x31" + bytes([len(sequence)]) + sequence
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}.0"


async def test_without_an_attack_no_client_trusts_the_impostor(impostor: Impostor) -> None:
    async with serving(context=impostor.context) as server:
        await official_call(official(base_url(server)))
        assert await our_call(base_url(server)) is Failure.UNAVAILABLE
    assert server.asked == []


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
async def test_an_authority_of_the_environment_is_trusted_by_the_official_client_and_not_by_ours(
    impostor: Impostor, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(impostor.certificate if variable == "SSL_CERT_FILE" else impostor.folder))
    async with serving(context=impostor.context) as server:
        await official_call(official(base_url(server)))
        assert [asked.body for asked in server.asked] == [BODY]
        assert await our_call(base_url(server)) is Failure.UNAVAILABLE
    assert len(server.asked) == 1


async def test_the_session_keys_of_the_official_client_can_be_logged_and_ours_cannot(
    impostor: Impostor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    monkeypatch.setenv("SSL_CERT_FILE", str(impostor.certificate))  # alone, the log is not kept by this version
    async with serving(context=impostor.context) as server:
        await official_call(official(base_url(server)))
        assert "CLIENT_TRAFFIC_SECRET" in keys.read_text()
        keys.unlink()
        await our_call(base_url(server))
    assert not keys.exists()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
async def test_a_proxy_of_the_environment_sees_where_the_official_client_connects_and_nothing_of_ours(
    impostor: Impostor, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(0)  # a connection would wait in its queue: the test needs no more than to see it
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        async with serving(context=impostor.context) as server:
            await official_call(official(base_url(server)).with_options(timeout=0.5))
            connection, _ = proxy.accept()
            with connection:
                assert connection.recv(1000).startswith(f"CONNECT localhost:{server.port} HTTP/1.1".encode())
            await our_call(base_url(server))
            with pytest.raises(BlockingIOError):
                proxy.accept()
