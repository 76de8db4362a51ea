"""The sample tenant's Azure OpenAI resources and deployments: the model serves them, the management endpoint describes them."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "seed" / "deployments.json"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A deployment as the seed file lists it; the SKU says where it may run."""

    name: str
    resource: str
    sku: str
    model: str


def regions() -> dict[str, str]:
    """Return the region of each resource."""
    return {name: resource["region"] for name, resource in _seed()["resources"].items()}


def geographies() -> dict[str, str]:
    """Return the geography of each resource."""
    return {name: resource["geography"] for name, resource in _seed()["resources"].items()}


def content_logging() -> dict[str, str]:
    """Return what those resources say of content logging that say something: those with modified abuse monitoring."""
    return {
        name: resource["content_logging"] for name, resource in _seed()["resources"].items() if "content_logging" in resource
    }


def listed() -> tuple[Deployment, ...]:
    """Return every deployment of the file, whether it exists or not."""
    return tuple(Deployment(**each) for each in _seed()["deployments"])


def names() -> tuple[str, ...]:
    """Return the names of the deployments that exist: the comma list ``LETHE_MODEL_DEPLOYMENTS``, or all of the file."""
    wanted = os.environ.get("LETHE_MODEL_DEPLOYMENTS")
    if wanted is None:
        return tuple(each.name for each in listed())
    return tuple(name.strip() for name in wanted.split(",") if name.strip())


def existing() -> tuple[Deployment, ...]:
    """Return what is known of the deployments that exist; of a name that the file does not list, nothing is."""
    present = names()
    return tuple(each for each in listed() if each.name in present)


def _seed() -> dict[str, Any]:
    seed: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return seed
