"""``python -m local.vault``: serve keys."""

import os
from pathlib import Path

from local import parts, web
from local.issuer import principals
from local.vault.access import Access
from local.vault.authority import Authority
from local.vault.keys import KeyRing
from local.vault.seed import FILE, Seed
from local.vault.server import Vault


def main() -> None:
    """Serve until told to end, trusting the issuer at ``LETHE_ISSUER_PORT``; ``LETHE_ISSUER_URL``: the issuer in tokens.

    ``LETHE_VAULT_SEED`` names another seed file than the stack's own.
    """
    seed = Seed.read(Path(os.environ.get("LETHE_VAULT_SEED") or FILE))
    directory = principals.read()
    variable, default = parts.PORTS["issuer"]
    origin = f"http://{parts.HOST}:{os.environ.get(variable, default)}"
    ring = KeyRing(parts.state_folder() / "vault.json", recovery_seconds=seed.recovery_days * 86_400)
    ring.create_missing(seed.keys)
    vault = Vault(
        keys=ring,
        access=Access(seed.rules, directory=directory),
        authority=Authority(
            issuer=os.environ.get("LETHE_ISSUER_URL") or f"{origin}/{directory.tid}/v2.0",
            jwks_url=f"{origin}/{directory.tid}/discovery/v2.0/keys",
        ),
        directory=directory.tid,
    )
    web.serve("vault", web.counted(vault.app()), at=parts.port("vault"))


if __name__ == "__main__":
    main()
