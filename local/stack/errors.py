"""Why a stack cannot start or go on."""


class StackError(Exception):
    """The stack cannot start or go on; the text says to a person why, and what to do."""
