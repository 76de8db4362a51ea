"""The one error that ends the host before it is ready."""


class StartError(Exception):
    """The app, its host.json or its settings cannot be run; the message says what to change."""
