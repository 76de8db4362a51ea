"""App settings: local.settings.json, ``%NAME%`` in bindings, and connections named by a prefix."""

import json
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from local.host.errors import StartError

DEFAULT_CONNECTION = "ServiceBus"
"""Name that a Service Bus binding without ``connection`` means."""

_TOKEN = re.compile(r"%([^%]+)%")


@dataclass(frozen=True, kw_only=True)
class Connection:
    """How to reach a Service Bus namespace: by connection string, or by host name and managed identity."""

    connection_string: str | None = None
    namespace: str | None = None


def load(path: Path, environment: MutableMapping[str, str], *, required: bool) -> None:
    """Put the file's ``Values`` into the environment; what is set there already wins, as with Core Tools."""
    if not path.is_file():
        if required:
            raise StartError(f"settings file {path} does not exist")
        return
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise StartError(f"{path.name} is not valid JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("Values", {}), dict):
        raise StartError(f'{path.name} must be an object whose "Values" is an object')
    if document.get("IsEncrypted"):
        raise StartError(f"{path.name} is encrypted: decrypt it with Core Tools first")
    for name, value in document.get("Values", {}).items():
        if not isinstance(value, str):
            raise StartError(f"{path.name}: the value of {name} must be a string")
        environment.setdefault(name, value)


def resolve(text: str, environment: Mapping[str, str]) -> str:
    """Replace each ``%NAME%`` by the app setting NAME."""

    def setting(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environment:
            raise StartError(f"%{name}% names no app setting")
        return environment[name]

    return _TOKEN.sub(setting, text)


def connection(name: str | None, environment: Mapping[str, str]) -> Connection:
    """Find the connection that a binding names.

    As in WebJobs: ``AzureWebJobs<name>`` goes before ``<name>``; each may be a connection string, or a section whose
    ``__fullyQualifiedNamespace`` names the host to reach with the app's identity.
    """
    name = name or DEFAULT_CONNECTION
    for key in (f"AzureWebJobs{name}", name):
        if environment.get(key):
            return Connection(connection_string=environment[key])
        for separator in ("__", ":"):
            if namespace := environment.get(f"{key}{separator}fullyQualifiedNamespace"):
                return Connection(namespace=namespace)
    raise StartError(f"connection {name} is not set: neither {name} nor {name}__fullyQualifiedNamespace exists")


def disabled(function: str, environment: Mapping[str, str]) -> bool:
    """Whether ``AzureWebJobs.<function>.Disabled`` switches a function off."""
    return environment.get(f"AzureWebJobs.{function}.Disabled", "").lower() in {"true", "1"}
