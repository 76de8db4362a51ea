"""Guards of the start: in Azure nothing of the embedded stack, on a laptop nothing of Azure unless it is asked for."""

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from shared import token_issuers
from shared.errors import InvalidSettings
from shared.metrics_setting import CONNECTION, METRICS, To

if TYPE_CHECKING:
    from shared.settings import Settings

REAL_SERVICES = "LETHE_REAL_SERVICES"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_BUS_HOSTS = frozenset({"endpoint", "hostname"})
"""Fields of a connection string in which the SDK looks for the host, in any case."""

_MANAGEMENT = ("https://management.azure.com", "https://management.usgovcloudapi.net", "https://management.chinacloudapi.cn")
_VAULTS = ".vault.azure.net"
"""Where keys that sign or seal are: `shared.azure.vault` gets its tokens for these hosts."""
_INSIGHTS = tuple(f".applicationinsights.azure.{cloud}" for cloud in ("com", "us", "cn"))
"""Where metrics are sent to."""
_AZURE = (".azure.com", ".azure.net", ".azure.us", ".usgovcloudapi.net", ".azure.cn", ".chinacloudapi.cn")


def guard_production(settings: "Settings") -> None:
    """Refuse in Azure what only the embedded stack may have; raises `InvalidSettings`."""
    _refuse_what_is_local(settings)
    token_issuers.guard_production(settings.token_issuers)
    _refuse_foreign_hosts(settings)


def _refuse_what_is_local(settings: "Settings") -> None:
    if settings.service_bus_connection is not None:
        raise InvalidSettings("ServiceBus", "is refused in Azure: set ServiceBus__fullyQualifiedNamespace (Entra ID)")
    if settings.cosmos_key is not None:
        raise InvalidSettings("LETHE_COSMOS_KEY", "is refused in Azure: access is by Entra ID")
    if settings.clock_offset_file is not None:
        raise InvalidSettings("LETHE_CLOCK_OFFSET_FILE", "is refused in Azure")
    if settings.webhook_allow_loopback:
        raise InvalidSettings("LETHE_WEBHOOK_ALLOW_LOOPBACK", "is refused in Azure")
    if settings.exporting.to is To.FILE:
        raise InvalidSettings(METRICS, "is refused in Azure as a file, which nobody reads there")


def _refuse_foreign_hosts(settings: "Settings") -> None:
    for name, urls in settings.endpoints.items():
        for url in urls:
            parts = _split(name, url)
            if parts.scheme != "https" or not (parts.hostname or "").endswith(_AZURE):
                raise InvalidSettings(name, "must be https, at a host name of Azure, in Azure")
    # A token goes to each of the next ones, and anybody can have a name below azure.com.
    if settings.management_endpoint.rstrip("/") not in _MANAGEMENT:
        raise InvalidSettings("LETHE_MANAGEMENT_ENDPOINT", f"must be one of {', '.join(_MANAGEMENT)}, in Azure")
    if not (_split("LETHE_EVIDENCE_KEY", settings.evidence_key).hostname or "").endswith(_VAULTS):
        raise InvalidSettings("LETHE_EVIDENCE_KEY", f"must be a key at a host *{_VAULTS} in Azure")
    if not (_split("LETHE_ABUSE_VAULT", settings.abuse_vault).hostname or "").endswith(_VAULTS):
        raise InvalidSettings("LETHE_ABUSE_VAULT", f"must be a vault at a host *{_VAULTS} in Azure")
    ingestion = settings.exporting.ingestion_endpoint
    if ingestion is not None and not (_split(CONNECTION, ingestion).hostname or "").endswith(_INSIGHTS):
        raise InvalidSettings(CONNECTION, f"must have an IngestionEndpoint at a host *{', *'.join(_INSIGHTS)}, in Azure")


def guard_laptop(settings: "Settings") -> None:
    """Refuse services that are not on loopback: a trial run must not send prompts to a real one by mistake.

    Raises `InvalidSettings`.
    """
    rule = f"is a real service: outside Azure set {REAL_SERVICES}=true to use it"
    if settings.service_bus_connection is None:
        raise InvalidSettings("ServiceBus__fullyQualifiedNamespace", rule)
    if not _is_local_broker(settings.service_bus_connection):
        raise InvalidSettings("ServiceBus", rule)
    for name, urls in settings.endpoints.items():
        for url in urls:
            parts = _split(name, url)
            if parts.scheme != "file" and parts.hostname not in _LOOPBACK:
                raise InvalidSettings(name, rule)


def _is_local_broker(connection: str) -> bool:
    """Whether a connection string is of an emulator on loopback: the flag alone only takes TLS away."""
    fields = [(name.strip().lower(), value) for name, _, value in (part.partition("=") for part in connection.split(";"))]
    hosts = [_split("ServiceBus", value).hostname for name, value in fields if name in _BUS_HOSTS]
    return ("usedevelopmentemulator", "true") in fields and bool(hosts) and _LOOPBACK.issuperset(hosts)


def _split(name: str, url: str) -> SplitResult:
    """Split a URL; one that is none is refused by its setting's name, since the parser's own error may quote it."""
    try:
        return urlsplit(url)
    except ValueError:
        raise InvalidSettings(name, "must be a URL") from None
