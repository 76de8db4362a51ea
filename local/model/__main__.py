"""``python -m local.model``: serve the simulated Azure OpenAI resource."""

import os

from local import parts, web
from local.model.server import Resource

DEPLOYMENTS = "gpt-small-eu,gpt-small-eu-2,embed-small-eu"


def main() -> None:
    """Serve until told to end. ``LETHE_MODEL_DEPLOYMENTS``: comma list; ``LETHE_MODEL_LATENCY_MS``: default 20."""
    names = os.environ.get("LETHE_MODEL_DEPLOYMENTS", DEPLOYMENTS)
    latency = float(os.environ.get("LETHE_MODEL_LATENCY_MS", "20"))
    resource = Resource(
        deployments=tuple(name.strip() for name in names.split(",") if name.strip()), latency_seconds=latency / 1000
    )
    web.serve("model", resource.app(), at=parts.port("model"))


if __name__ == "__main__":
    main()
