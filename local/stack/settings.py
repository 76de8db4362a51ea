"""The app settings of a local stack, as ``func start`` and the local host read them from a ``local.settings.json``."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import deployments
from local.management import ids
from local.parts import HOST, PORTS

COSMOS_DATABASE = "lethe"
_PRINCIPALS = Path(__file__).parent.parent / "seed" / "principals.json"
_EMULATOR_KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="  # documented

_TUNABLE = {
    "LETHE_MODEL_TIMEOUT_SECONDS": "5",
    "LETHE_LEASE_SECONDS": "10",
    "LETHE_GRACE_SECONDS": "15",
    "LETHE_BACKUP_MODE": "periodic",
    "LETHE_BACKUP_HORIZON_HOURS": "8",
    "LETHE_MODEL_TOKEN_SCOPE": "https://ai.azure.com/.default",
    "LETHE_DEAD_LETTER_MAX_AGE_SECONDS": "3600",
    "LETHE_RETENTION_SCHEDULE": "*/5 * * * * *",
    "LETHE_RETENTION_INTERVAL_SECONDS": "5",
}
"""Setting: its value unless the environment of the stack says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the parts of one stack listen, as their clients want to hear it."""

    ports: dict[str, int]

    def of(self, part: str, path: str = "") -> str:
        """URL of a part that speaks HTTP."""
        return f"http://{HOST}:{self.ports[part]}{path}"

    @property
    def servicebus(self) -> str:
        """Connection string of the broker; the emulator flag makes the SDKs speak plain TCP."""
        return (
            f"Endpoint=sb://localhost:{self.ports['broker']};SharedAccessKeyName=RootManageSharedAccessKey;"
            "SharedAccessKey=local;UseDevelopmentEmulator=true;"
        )


def cosmos_key() -> str:
    """Key of the local Cosmos endpoint: the emulator's published one unless the environment says otherwise."""
    return os.environ.get("LETHE_COSMOS_KEY", _EMULATOR_KEY)


def identity_header() -> str:
    """Value by which the local managed-identity endpoint knows the app."""
    return os.environ.get("LETHE_IDENTITY_HEADER", "local")


def clock_offset_file(state: Path) -> Path:
    """File by which the clock of the whole stack is moved."""
    return Path(os.environ.get("LETHE_CLOCK_OFFSET_FILE") or state / "clock-offset").resolve()


def app_settings(state: Path, addresses: Addresses) -> dict[str, Any]:
    """Everything that the app reads from its environment, in the form of a ``local.settings.json``."""
    principals = json.loads(_PRINCIPALS.read_text(encoding="utf-8"))
    directory = principals["directory"]
    jwks = f"/{directory}/discovery/v2.0/keys"
    values = {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "LETHE_APP": "generation",
        "ServiceBus": addresses.servicebus,
        "LETHE_COSMOS_ENDPOINT": addresses.of("cosmos"),
        "LETHE_COSMOS_KEY": cosmos_key(),
        "LETHE_COSMOS_DATABASE": COSMOS_DATABASE,
        "LETHE_GEOGRAPHY": "eu",
        "LETHE_DEPLOYMENTS": json.dumps(_deployments(addresses.of("model", "/openai/v1/"))),
        "LETHE_MANAGEMENT_ENDPOINT": addresses.of("management"),
        "LETHE_SERVICE_BUS_ID": ids.SERVICE_BUS,
        "LETHE_COSMOS_ID": ids.COSMOS,
        "LETHE_KEY_STORE": (state / "keys.json").as_uri(),
        "LETHE_EVIDENCE_KEY": addresses.of("vault", "/keys/lethe-evidence"),
        "LETHE_ABUSE_VAULT": addresses.of("vault"),
        "LETHE_CLOCK_OFFSET_FILE": str(clock_offset_file(state)),
        "IDENTITY_ENDPOINT": addresses.of("issuer", "/msi/token"),
        "IDENTITY_HEADER": identity_header(),
        "LETHE_TOKEN_ISSUERS": json.dumps({addresses.of("issuer", f"/{directory}/v2.0"): addresses.of("issuer", jwks)}),
        "LETHE_TOKEN_AUDIENCES": json.dumps([principals["audience"]]),
        "LETHE_WEBHOOK_ALLOW_LOOPBACK": "true",
        "LETHE_OPERATOR_WEBHOOK_HOSTS": json.dumps(["127.0.0.1", "localhost"]),
        "LETHE_METRICS": os.environ.get("LETHE_METRICS", (state / "metrics.jsonl").as_uri()),
        **{name: os.environ.get(name, default) for name, default in _TUNABLE.items()},
    }
    return {"IsEncrypted": False, "Values": values}


def review_settings(state: Path, app: dict[str, Any]) -> dict[str, Any]:
    """The same for the review app: the same code, told to be that, with an identity and metrics of its own."""
    own = {
        "LETHE_APP": "review",
        "IDENTITY_HEADER": f"{identity_header()}-review",
        "LETHE_METRICS": os.environ.get("LETHE_METRICS", (state / "review.metrics.jsonl").as_uri()),
    }
    return {**app, "Values": {**app["Values"], **own}}


def _deployments(endpoint: str) -> list[dict[str, str]]:
    """Return the sample deployments as the app lists them; one simulator plays all their resources."""
    regions, geographies = deployments.regions(), deployments.geographies()
    return [
        {
            "name": one.name,
            "endpoint": endpoint,
            "resource_id": ids.account(one.resource),
            "region": regions[one.resource],
            "geography": geographies[one.resource],
            "sku": one.sku,
            "model": one.model,
        }
        for one in deployments.listed()
    ]


def part_environment(state: Path, ports: dict[str, int], app: dict[str, Any]) -> dict[str, str]:
    """Environment of every part: ours, less what a settings file says (a variable would win over the file)."""
    inherited = {name: value for name, value in os.environ.items() if name not in app["Values"]}
    return {
        **inherited,
        **{PORTS[part][0]: str(at) for part, at in ports.items()},
        "LETHE_LOCAL_STATE": str(state),
        "LETHE_CLOCK_OFFSET_FILE": str(clock_offset_file(state)),
        "LETHE_COSMOS_KEY": cosmos_key(),
        "LETHE_IDENTITY_HEADER": identity_header(),
        "PYTHONUNBUFFERED": "1",
    }
