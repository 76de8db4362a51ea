"""The app's settings, read once from the environment; a wrong one stops the start with its name and a rule."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from shared import metrics_setting, setting_guards, token_issuers
from shared.domain.abuse_record import LONGEST_RECOVERY_DAYS
from shared.domain.configuration import Backups
from shared.domain.stamp import Stamp, StampLimits
from shared.metrics_setting import Exporting
from shared.setting_values import Reader


class App(StrEnum):
    """The two apps that this code is: each has the functions of its work only, and an identity with rights for no more."""

    GENERATION = "generation"
    REVIEW = "review"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings. Durations are whole seconds; secrets are kept out of ``repr``."""

    app: App
    stamp: Stamp
    service_bus_namespace: str | None
    service_bus_connection: str | None = field(repr=False)
    service_bus_id: str
    cosmos_endpoint: str
    cosmos_key: str | None = field(repr=False)
    cosmos_database: str
    cosmos_id: str
    backups: Backups
    management_endpoint: str
    model_token_scope: str
    model_timeout: int
    key_store: str
    evidence_key: str
    abuse_vault: str
    abuse_key_recovery_days: int
    lease: int
    grace: int
    max_request_bytes: int
    max_wait_in_place: int
    max_delivery_count: int
    dead_letter_max_age: int
    retention_interval: int
    retention_budget: int
    clock_offset_file: Path | None
    token_issuers: dict[str, str]
    token_audiences: frozenset[str]
    operator_webhook_hosts: tuple[str, ...]
    webhook_allow_loopback: bool
    exporting: Exporting

    @property
    def endpoints(self) -> dict[str, tuple[str, ...]]:
        """Every URL that the app calls or reads, by the setting that names it."""
        return {
            "LETHE_COSMOS_ENDPOINT": (self.cosmos_endpoint,),
            "LETHE_KEY_STORE": (self.key_store,),
            "LETHE_EVIDENCE_KEY": (self.evidence_key,),
            "LETHE_ABUSE_VAULT": (self.abuse_vault,),
            "LETHE_DEPLOYMENTS": tuple(one.endpoint for one in self.stamp.deployments.values()),
            "LETHE_MANAGEMENT_ENDPOINT": (self.management_endpoint,),
            metrics_setting.CONNECTION: tuple(filter(None, (self.exporting.ingestion_endpoint,))),
        }


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises `InvalidSettings`."""
    read = Reader(environment)
    namespace = environment.get("ServiceBus__fullyQualifiedNamespace")
    geography = read.geography("LETHE_GEOGRAPHY")
    settings = Settings(
        app=read.one_of("LETHE_APP", App.GENERATION),
        stamp=Stamp(
            geography=geography,
            deployments=read.deployments("LETHE_DEPLOYMENTS", geography),
            limits=StampLimits(
                requests_in_flight=read.number("LETHE_MAX_REQUESTS_IN_FLIGHT", 16),
                output_tokens_per_request=read.number("LETHE_MAX_OUTPUT_TOKENS", 16_384),
                requests_per_minute=read.number("LETHE_MAX_REQUESTS_PER_MINUTE", 6000),
            ),
        ),
        service_bus_namespace=namespace,
        service_bus_connection=None if namespace else read.text("ServiceBus"),
        service_bus_id=read.arm_id("LETHE_SERVICE_BUS_ID"),
        cosmos_endpoint=read.text("LETHE_COSMOS_ENDPOINT"),
        cosmos_key=environment.get("LETHE_COSMOS_KEY"),
        cosmos_database=environment.get("LETHE_COSMOS_DATABASE", "lethe"),
        cosmos_id=read.arm_id("LETHE_COSMOS_ID"),
        backups=read.backups("LETHE_BACKUP_MODE", "LETHE_BACKUP_HORIZON_HOURS"),
        management_endpoint=environment.get("LETHE_MANAGEMENT_ENDPOINT", "https://management.azure.com"),
        model_token_scope=environment.get("LETHE_MODEL_TOKEN_SCOPE", "https://ai.azure.com/.default"),
        model_timeout=read.number("LETHE_MODEL_TIMEOUT_SECONDS", 180),
        key_store=read.text("LETHE_KEY_STORE"),
        evidence_key=read.key_url("LETHE_EVIDENCE_KEY"),
        abuse_vault=read.vault_url("LETHE_ABUSE_VAULT"),
        abuse_key_recovery_days=read.number("LETHE_ABUSE_KEY_RECOVERY_DAYS", 7, least=7, most=LONGEST_RECOVERY_DAYS),
        lease=read.number("LETHE_LEASE_SECONDS", 60),
        grace=read.number("LETHE_GRACE_SECONDS", 900),
        max_request_bytes=read.number("LETHE_MAX_REQUEST_BYTES", 200_000),
        max_wait_in_place=read.number("LETHE_MAX_WAIT_IN_PLACE_SECONDS", 2),
        max_delivery_count=read.number("LETHE_MAX_DELIVERY_COUNT", 20),
        dead_letter_max_age=read.number("LETHE_DEAD_LETTER_MAX_AGE_SECONDS", 3600),
        retention_interval=read.number("LETHE_RETENTION_INTERVAL_SECONDS", 300),
        retention_budget=read.number("LETHE_RETENTION_BUDGET_SECONDS", 240),
        clock_offset_file=read.path("LETHE_CLOCK_OFFSET_FILE"),
        token_issuers=token_issuers.issuers(read.text(token_issuers.ISSUERS)),
        token_audiences=token_issuers.audiences(read.text(token_issuers.AUDIENCES)),
        operator_webhook_hosts=read.hosts("LETHE_OPERATOR_WEBHOOK_HOSTS"),
        webhook_allow_loopback=read.flag("LETHE_WEBHOOK_ALLOW_LOOPBACK"),
        exporting=metrics_setting.exporting(environment),
    )
    if environment.get("WEBSITE_SITE_NAME"):
        setting_guards.guard_production(settings)
    elif not read.flag(setting_guards.REAL_SERVICES):
        setting_guards.guard_laptop(settings)
    return settings
