"""What every part of the stack shares: where its state lies, which port it takes, how it says that it is ready."""

import json
import os
import secrets
import socket
import sys
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"

PORTS = {
    "http": ("LETHE_HTTP_PORT", 7071),
    "review": ("LETHE_REVIEW_PORT", 7072),
    "broker": ("LETHE_BROKER_PORT", 5672),
    "cosmos": ("LETHE_COSMOS_PORT", 8081),
    "model": ("LETHE_MODEL_PORT", 8082),
    "issuer": ("LETHE_ISSUER_PORT", 8083),
    "receiver": ("LETHE_RECEIVER_PORT", 8084),
    "management": ("LETHE_MANAGEMENT_PORT", 8085),
    "vault": ("LETHE_VAULT_PORT", 8086),
}
"""Part: (environment variable, default port). 0 means any free port."""


_PORTS = range(15_000, 32_768)
_TRIES = 100


def state_folder() -> Path:
    """Folder of the stack's state (``LETHE_LOCAL_STATE``, default ``.local``); made when missing."""
    folder = Path(os.environ.get("LETHE_LOCAL_STATE", ".local")).resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def port(part: str) -> int:
    """Return the port for a part, from its environment variable; a free one when that says 0."""
    variable, default = PORTS[part]
    wanted = int(os.environ.get(variable, default))
    return wanted or free_port()


def free_port() -> int:
    """Return a port that was free a moment ago.

    Below those that a system gives to outgoing connections (from 32768 on Linux): else one of these could take the port while
    its part is being restarted.
    """
    for _ in range(_TRIES):
        at = secrets.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, at))
            return at
    raise OSError("No port is free.")


def ready(part: str, at: int) -> None:
    """Tell whoever started this part that it now listens: one JSON line on standard output."""
    sys.stdout.write(json.dumps({"part": part, "port": at}) + "\n")
    sys.stdout.flush()
