"""The broker's side of AMQP: connections, sessions and links come and go, transfers and settlements arrive."""

import logging
from collections.abc import Callable
from functools import partial, wraps

from proton import Condition, Endpoint, Event, Link, Terminus

from local import clock
from local.broker import cbs, management
from local.broker.inbox import open_inbox, receive
from local.broker.outbox import Outbox
from local.broker.queues import path_of
from local.broker.requests import Answer, add_reply_link, answer_request, remove_reply_link
from local.broker.store import Store
from local.broker.sweep import sweep

LOG = logging.getLogger(__name__)
LOW_CREDIT = 250

type Handling = Callable[["Connections", Event], None]


def guarded(handle: Handling) -> Handling:
    """Close the connection on an error of ours; an exception that leaves a handler would end the whole broker."""

    @wraps(handle)
    def run(self: "Connections", event: Event) -> None:
        try:
            handle(self, event)
        except Exception as error:  # noqa: BLE001
            LOG.error("%s ended a connection", type(error).__name__)  # noqa: TRY400 - a traceback may quote content
            event.connection.condition = Condition("amqp:internal-error", "The broker failed.")
            event.connection.close()

    return run


class Connections:
    """Connects proton's events with the store; proton calls the ``on_`` methods by their names."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._outbox = Outbox(store)

    def tick(self) -> None:
        """Do what time alone does, and hand out what became available by it."""
        sweep(self._store, clock.now())
        self._outbox.pump()
        self._store.scrubber.scrub()

    @guarded
    def on_connection_remote_open(self, event: Event) -> None:
        """Open our end."""
        event.connection.container = "lethe-broker"
        event.connection.open()

    @guarded
    def on_session_remote_open(self, event: Event) -> None:
        """Open our end."""
        event.session.open()

    @guarded
    def on_link_remote_open(self, event: Event) -> None:
        """Open our end of a link to an entity or to a service node; refuse an address that nothing has."""
        link = event.link
        path = path_of((link.remote_source if link.is_sender else link.remote_target).address)
        answer = self._service(path)
        entity = self._store.entities.get(path)
        if answer is None and entity is None:
            # JavaScript's SDK knows the case by this sentence, with words where Service Bus names the entity.
            _refuse(link, "amqp:not-found", "The messaging entity asked for could not be found.")
            return
        if link.is_receiver and entity is not None and entity.is_dead_letter_queue:
            _refuse(link, "amqp:not-allowed", "Messages come into a dead-letter queue only by dead-lettering.")
            return
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.snd_settle_mode = link.remote_snd_settle_mode
        link.rcv_settle_mode = link.remote_rcv_settle_mode
        link.node, link.entity, link.answer = path, entity, answer
        if link.is_receiver:
            open_inbox(link)
        elif entity is not None:
            self._outbox.add(entity, link)
        else:
            add_reply_link(link, path)

    @guarded
    def on_link_flow(self, event: Event) -> None:
        """Serve a receiver that gave credit."""
        link = event.link
        if link.is_sender and link.state & Endpoint.LOCAL_ACTIVE and link.entity is not None:
            self._outbox.flow(link.entity, link)

    @guarded
    def on_delivery(self, event: Event) -> None:
        """Take a transfer, or what a receiver says of one of ours."""
        delivery, link = event.delivery, event.link
        if not link.state & Endpoint.LOCAL_ACTIVE:
            return  # a client may go on for a moment after its link was refused
        if link.is_sender:
            if link.entity is not None and delivery.updated:
                self._outbox.settled(link.entity, delivery)
        elif delivery.aborted:
            delivery.settle()
        elif delivery.readable and not delivery.partial:
            transfer = bytes(link.recv(delivery.pending) or b"")
            link.advance()
            if link.entity is not None:
                receive(self._store, link.entity, delivery, transfer)
            else:
                answer_request(link.answer, link.node, delivery, transfer)
            if link.credit < LOW_CREDIT:
                link.flow(LOW_CREDIT)
        self._outbox.pump()

    @guarded
    def on_link_remote_close(self, event: Event) -> None:
        """Close our end."""
        if event.link.is_sender:
            self._outbox.remove(event.link)
            remove_reply_link(event.link)
        event.link.close()

    def on_link_remote_detach(self, event: Event) -> None:
        """Treat a detach as a close; links are not resumed here."""
        self.on_link_remote_close(event)

    @guarded
    def on_session_remote_close(self, event: Event) -> None:
        """Close our end."""
        event.session.close()

    @guarded
    def on_connection_remote_close(self, event: Event) -> None:
        """Close our end."""
        event.connection.close()

    @guarded
    def on_transport_closed(self, event: Event) -> None:
        """Forget a connection's receivers; the locks that they hold stay."""
        self._outbox.disconnect(event.connection)

    def _service(self, path: str) -> Answer | None:
        if path == cbs.NODE:
            return cbs.answer
        entity = self._store.entities.get(path.removesuffix(management.SUFFIX))
        if path.endswith(management.SUFFIX) and entity is not None:
            return partial(management.answer, self._store, entity)
        return None


def _refuse(link: Link, condition: str, description: str) -> None:
    """Attach without source and target and detach with the reason, as Service Bus does."""
    link.source.type = link.target.type = Terminus.UNSPECIFIED
    link.condition = Condition(condition, description, None)
    link.open()
    link.close()
