"""The setting of where metrics go, read and refused like any other, and never quoted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.errors import InvalidSettings

METRICS = "LETHE_METRICS"
CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"
_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RULE = "must be off, console, azure or a file: URL with an absolute path"
_CONNECTION_RULE = "must have an InstrumentationKey (a GUID) and an IngestionEndpoint"


class To(StrEnum):
    """Where metrics go."""

    NOWHERE = "off"
    CONSOLE = "console"
    FILE = "file"
    AZURE_MONITOR = "azure"


@dataclass(frozen=True, kw_only=True)
class Exporting:
    """Where metrics go: to a file its path, to Azure Monitor the connection string and the endpoint in it."""

    to: To
    path: Path = Path()
    connection_string: str = field(default="", repr=False)
    ingestion_endpoint: str | None = None


def exporting(environment: Mapping[str, str]) -> Exporting:
    """Read the setting: what is asked for, else Azure Monitor where the app has a connection string, else nowhere.

    Raises `InvalidSettings`.
    """
    connection = environment.get(CONNECTION, "").strip()
    wanted = environment.get(METRICS, "").strip() or (To.AZURE_MONITOR if connection else To.NOWHERE)
    if wanted.startswith("file:"):
        return Exporting(to=To.FILE, path=_path(wanted))
    if wanted == To.AZURE_MONITOR:
        return Exporting(to=To.AZURE_MONITOR, connection_string=connection, ingestion_endpoint=_ingestion(connection))
    if wanted in {To.NOWHERE, To.CONSOLE}:
        return Exporting(to=To(wanted))
    raise InvalidSettings(METRICS, _RULE)


def _path(url: str) -> Path:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidSettings(METRICS, _RULE) from None
    if parts.netloc or not parts.path.startswith("/"):
        raise InvalidSettings(METRICS, _RULE)
    return Path(unquote(parts.path))


def _ingestion(connection: str) -> str:
    """Return the endpoint that a connection string names; without one the exporter would send to a global address."""
    fields = {name.strip().lower(): value for name, _, value in (part.partition("=") for part in connection.split(";"))}
    endpoint = fields.get("ingestionendpoint", "")
    if not endpoint or not _KEY.fullmatch(fields.get("instrumentationkey", "")):
        raise InvalidSettings(CONNECTION, _CONNECTION_RULE)
    return endpoint
