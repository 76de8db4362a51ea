"""The app's settings, read once from the environment; a wrong one stops the start with its name and a rule."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from shared import token_issuers
from shared.errors import InvalidSettings

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_AZURE = (".azure.com", ".azure.net", ".azure.us", ".usgovcloudapi.net", ".azure.cn")
_AZURE_OPENAI = tuple(
    f".{service}.{cloud}"
    for service in ("openai", "cognitiveservices", "services.ai")
    for cloud in ("azure.com", "azure.us", "azure.cn")
)
"""Host names of Azure OpenAI resources, in the public and the sovereign clouds; OpenAI's own service is none of them."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings. Durations are whole seconds; secrets are kept out of ``repr``."""

    service_bus_namespace: str | None
    service_bus_connection: str | None = field(repr=False)
    cosmos_endpoint: str
    cosmos_key: str | None = field(repr=False)
    cosmos_database: str
    model_resources: dict[str, str]
    model_token_scope: str
    model_timeout: int
    key_store: str
    lease: int
    grace: int
    max_request_bytes: int
    max_wait_in_place: int
    max_delivery_count: int
    dead_letter_max_age: int
    clock_offset_file: Path | None
    token_issuers: dict[str, str]
    token_audiences: frozenset[str]
    webhook_allow_loopback: bool


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises `InvalidSettings`."""
    read = _Reader(environment)
    namespace = environment.get("ServiceBus__fullyQualifiedNamespace")
    settings = Settings(
        service_bus_namespace=namespace,
        service_bus_connection=None if namespace else read.text("ServiceBus"),
        cosmos_endpoint=read.text("LETHE_COSMOS_ENDPOINT"),
        cosmos_key=environment.get("LETHE_COSMOS_KEY"),
        cosmos_database=environment.get("LETHE_COSMOS_DATABASE", "lethe"),
        model_resources=read.resources("LETHE_MODEL_RESOURCES"),
        model_token_scope=environment.get("LETHE_MODEL_TOKEN_SCOPE", "https://ai.azure.com/.default"),
        model_timeout=read.seconds("LETHE_MODEL_TIMEOUT_SECONDS", 180),
        key_store=read.text("LETHE_KEY_STORE"),
        lease=read.seconds("LETHE_LEASE_SECONDS", 60),
        grace=read.seconds("LETHE_GRACE_SECONDS", 900),
        max_request_bytes=read.seconds("LETHE_MAX_REQUEST_BYTES", 200_000),
        max_wait_in_place=read.seconds("LETHE_MAX_WAIT_IN_PLACE_SECONDS", 2),
        max_delivery_count=read.seconds("LETHE_MAX_DELIVERY_COUNT", 20),
        dead_letter_max_age=read.seconds("LETHE_DEAD_LETTER_MAX_AGE_SECONDS", 3600),
        clock_offset_file=_path(environment.get("LETHE_CLOCK_OFFSET_FILE")),
        token_issuers=token_issuers.issuers(read.text(token_issuers.ISSUERS)),
        token_audiences=token_issuers.audiences(read.text(token_issuers.AUDIENCES)),
        webhook_allow_loopback=read.flag("LETHE_WEBHOOK_ALLOW_LOOPBACK"),
    )
    if environment.get("WEBSITE_SITE_NAME"):
        _guard_production(settings)
    return settings


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str) -> str:
        value = self._environment.get(name, "").strip()
        if not value:
            raise InvalidSettings(name, "is required")
        return value

    def seconds(self, name: str, default: int) -> int:
        value = self._environment.get(name, str(default))
        if not value.isascii() or not value.isdigit() or int(value) < 1:
            raise InvalidSettings(name, "must be a whole number of at least 1")
        return int(value)

    def flag(self, name: str) -> bool:
        value = self._environment.get(name, "false").strip().lower()
        if value not in {"true", "false"}:
            raise InvalidSettings(name, "must be true or false")
        return value == "true"

    def resources(self, name: str) -> dict[str, str]:
        rule = (
            'must be a JSON object of resource names and base URLs, as {"primary": "https://name.openai.azure.com/openai/v1/"}'
        )
        try:
            resources = json.loads(self.text(name))
        except ValueError:
            raise InvalidSettings(name, rule) from None
        if not isinstance(resources, dict) or not resources or not all(_is_resource(url) for url in resources.values()):
            raise InvalidSettings(name, rule)
        return resources


def _path(value: str | None) -> Path | None:
    return Path(value) if value else None


def _is_resource(value: object) -> bool:
    """Whether a URL is one of an Azure OpenAI resource; http is for loopback only, which production refuses."""
    try:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username or parts.password or parts.query or parts.fragment:
        return False
    return (parts.scheme == "https" and host.endswith(_AZURE_OPENAI)) or (parts.scheme == "http" and host in _LOOPBACK)


def _guard_production(settings: Settings) -> None:
    """Refuse in Azure what only the embedded stack may have."""
    if settings.service_bus_connection is not None:
        raise InvalidSettings("ServiceBus", "is refused in Azure: set ServiceBus__fullyQualifiedNamespace (Entra ID)")
    if settings.cosmos_key is not None:
        raise InvalidSettings("LETHE_COSMOS_KEY", "is refused in Azure: access is by Entra ID")
    if settings.clock_offset_file is not None:
        raise InvalidSettings("LETHE_CLOCK_OFFSET_FILE", "is refused in Azure")
    if settings.webhook_allow_loopback:
        raise InvalidSettings("LETHE_WEBHOOK_ALLOW_LOOPBACK", "is refused in Azure")
    token_issuers.guard_production(settings.token_issuers)
    named = {
        "LETHE_COSMOS_ENDPOINT": [settings.cosmos_endpoint],
        "LETHE_KEY_STORE": [settings.key_store],
        "LETHE_MODEL_RESOURCES": list(settings.model_resources.values()),
    }
    for name, urls in named.items():
        for url in urls:
            host = urlsplit(url).hostname or ""
            if urlsplit(url).scheme != "https" or not host.endswith(_AZURE):
                raise InvalidSettings(name, "must be https, at a host name of Azure, in Azure")
