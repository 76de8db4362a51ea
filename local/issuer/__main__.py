"""``python -m local.issuer``: serve tokens and keys."""

import os

from local import parts, web
from local.issuer import principals
from local.issuer.keys import KeyRing
from local.issuer.server import Issuer


def main() -> None:
    """Serve until told to end. ``LETHE_ISSUER_URL``: the issuer in tokens; ``LETHE_IDENTITY_HEADER``: the secret header."""
    at = parts.port("issuer")
    directory = principals.read()
    base_url = f"http://{parts.HOST}:{at}"
    issuer = Issuer(
        keys=KeyRing(parts.state_folder() / "issuer-keys.json"),
        directory=directory,
        base_url=base_url,
        issuer=os.environ.get("LETHE_ISSUER_URL") or f"{base_url}/{directory.tid}/v2.0",
        identity_header=os.environ.get("LETHE_IDENTITY_HEADER", "local"),
    )
    web.serve("issuer", issuer.app(), at=at)


if __name__ == "__main__":
    main()
