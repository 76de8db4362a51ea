"""Claims-based security as far as a development broker goes: every token is taken, for every entity."""

from proton import Message

from local.broker.requests import response_with

NODE = "$cbs"


def answer(request: Message) -> Message:
    """Answer ``put-token``; nothing else exists here."""
    if (request.properties or {}).get("operation") == "put-token":
        return response_with("status-code", 200, "status-description", "OK")
    return response_with("status-code", 400, "status-description", "Only put-token exists.")
