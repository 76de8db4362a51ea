"""``python -m local.management``: serve the management endpoint."""

from local import parts, web
from local.management.server import Manager


def main() -> None:
    """Serve until told to end; ``LETHE_MANAGEMENT_PAGE_SIZE``: resources in one page of a list, default 100."""
    web.serve("management", web.counted(Manager.of_environment().app()), at=parts.port("management"))


if __name__ == "__main__":
    main()
