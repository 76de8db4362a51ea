"""``python -m local.receiver``: serve the webhook receiver."""

from local import parts, web
from local.receiver.server import Receiver


def main() -> None:
    """Serve until told to end."""
    web.serve("receiver", Receiver().app(), at=parts.port("receiver"))


if __name__ == "__main__":
    main()
