"""``python -m local.cosmos``: make what is missing of the database and its containers, and serve."""

import json
import os
from pathlib import Path

from local import parts, web
from local.cosmos.auth import EMULATOR_KEY
from local.cosmos.resources import seed
from local.cosmos.server import Server
from local.cosmos.store import Store

_SEED = Path(__file__).parent.parent / "seed" / "containers.json"

if __name__ == "__main__":
    store = Store(parts.state_folder() / "cosmos.sqlite")
    seed(store, os.environ.get("LETHE_COSMOS_DATABASE", "lethe"), json.loads(_SEED.read_text(encoding="utf-8")))
    server = Server(store, os.environ.get("LETHE_COSMOS_KEY") or EMULATOR_KEY)
    web.serve("cosmos", server.application(), at=parts.port("cosmos"))
