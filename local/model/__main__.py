"""``python -m local.model``: serve the simulated Azure OpenAI resource."""

import os

from local import deployments, parts, web
from local.model.server import Resource


def main() -> None:
    """Serve the deployments that exist (``local.deployments``) until told to end; ``LETHE_MODEL_LATENCY_MS``: default 20."""
    latency = float(os.environ.get("LETHE_MODEL_LATENCY_MS", "20"))
    resource = Resource(deployments=deployments.names(), latency_seconds=latency / 1000)
    web.serve("model", resource.app(), at=parts.port("model"))


if __name__ == "__main__":
    main()
