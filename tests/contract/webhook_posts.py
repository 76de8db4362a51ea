"""One post by the guarded sender, over a detour, to a server of the test's own."""

import ssl
import time

from shared.delivery.sender import Sender, Sent
from shared.domain.signing import new_secret
from shared.domain.webhook import Message, body_of, sign
from shared.domain.webhook_url import Target, check_url
from tests.contract.webhook_servers import Detour, Names

OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
TARGET = check_url("https://example.com/hook", hosts=["example.com"], allow_loopback=False)
SECRET = new_secret()
EVENT = "evt_" + "0" * 32

type Contexts = tuple[ssl.SSLContext, ssl.SSLContext]
"""What the server shows, and what the sender trusts."""


def message() -> Message:
    body = body_of(event_id=EVENT, event_type="response.completed", created_at=time.time(), data_id="resp_1")
    return sign(body, event_id=EVENT, at=time.time(), signing_secrets=[SECRET])


async def send(
    names: Names,
    detour: Detour,
    context: ssl.SSLContext | None = None,
    *,
    target: Target = TARGET,
    seconds: float = 5,
    allow_loopback: bool = False,
) -> Sent:
    sender = Sender(allow_loopback=allow_loopback, resolver=names, network=detour, ssl_context=context, seconds=seconds)
    try:
        return await sender.send(target, message())
    finally:
        await sender.close()
