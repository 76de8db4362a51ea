"""Request and response over a pair of links, as ``$cbs`` and ``$management`` do it."""

from collections.abc import Callable

from proton import Delivery, Link, Message, Session, int32, symbol

type Answer = Callable[[Message], Message]
"""Makes the response to a request."""


def answer_request(answer: Answer, node: str, delivery: Delivery, transfer: bytes) -> None:
    """Accept a request and send its response to the requester's link of the same node."""
    session = delivery.session
    delivery.update(Delivery.ACCEPTED)
    delivery.settle()
    request = Message()
    request.decode(transfer)
    response = answer(request)
    response.correlation_id = request.id
    link = _reply_link(session, node, request.reply_to)
    if link is not None:
        link.send(response).settle()


def response_with(
    status_field: str, status: int, description_field: str, description: str, condition: str | None = None
) -> Message:
    """Make a response without a body; the two services name their status fields differently."""
    properties = {status_field: int32(status), description_field: description}
    if condition is not None:
        properties["errorCondition"] = symbol(condition)
    return Message(properties=properties)


def add_reply_link(link: Link, node: str) -> None:
    """Open a link on which responses of a node go to the requester."""
    link.node = node
    link.open()
    _reply_links(link.session).append(link)


def remove_reply_link(link: Link) -> None:
    """Forget a link that is closed."""
    links = _reply_links(link.session)
    if link in links:
        links.remove(link)


def _reply_links(session: Session) -> list[Link]:
    try:
        links: list[Link] = session.reply_links
    except AttributeError:
        links = session.reply_links = []
    return links


def _reply_link(session: Session, node: str, reply_to: str | None) -> Link | None:
    """Python's SDK names no link to reply to, or the node; JavaScript's names its link."""
    links = [link for link in _reply_links(session) if link.node == node]
    named = [link for link in links if reply_to in (link.name, link.remote_target.address)]
    return next(iter(named or links), None)
