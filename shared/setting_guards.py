"""Guards of the start: in Azure nothing of the embedded stack, on a laptop nothing of Azure unless it is asked for."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared import token_issuers
from shared.errors import InvalidSettings

if TYPE_CHECKING:
    from shared.settings import Settings

REAL_SERVICES = "LETHE_REAL_SERVICES"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_AZURE = (".azure.com", ".azure.net", ".azure.us", ".usgovcloudapi.net", ".azure.cn", ".chinacloudapi.cn")


def guard_production(settings: "Settings") -> None:
    """Refuse in Azure what only the embedded stack may have; raises `InvalidSettings`."""
    if settings.service_bus_connection is not None:
        raise InvalidSettings("ServiceBus", "is refused in Azure: set ServiceBus__fullyQualifiedNamespace (Entra ID)")
    if settings.cosmos_key is not None:
        raise InvalidSettings("LETHE_COSMOS_KEY", "is refused in Azure: access is by Entra ID")
    if settings.clock_offset_file is not None:
        raise InvalidSettings("LETHE_CLOCK_OFFSET_FILE", "is refused in Azure")
    if settings.webhook_allow_loopback:
        raise InvalidSettings("LETHE_WEBHOOK_ALLOW_LOOPBACK", "is refused in Azure")
    token_issuers.guard_production(settings.token_issuers)
    for name, urls in settings.endpoints.items():
        for url in urls:
            host = urlsplit(url).hostname or ""
            if urlsplit(url).scheme != "https" or not host.endswith(_AZURE):
                raise InvalidSettings(name, "must be https, at a host name of Azure, in Azure")


def guard_laptop(settings: "Settings") -> None:
    """Refuse services that are not on loopback: a trial run must not send prompts to a real one by mistake.

    Raises `InvalidSettings`.
    """
    rule = f"is a real service: outside Azure set {REAL_SERVICES}=true to use it"
    connection = settings.service_bus_connection or ""
    if "UseDevelopmentEmulator=true" not in connection:
        raise InvalidSettings("ServiceBus__fullyQualifiedNamespace" if settings.service_bus_namespace else "ServiceBus", rule)
    for name, urls in settings.endpoints.items():
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme != "file" and parts.hostname not in _LOOPBACK:
                raise InvalidSettings(name, rule)
