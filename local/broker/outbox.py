"""Hands messages to receivers that have given credit, and takes what they say of them.

A lock belongs to the message, not to the connection: when a receiver goes away, its messages come back when their locks
have run out, and may be settled before that over another connection's management link.
"""

from collections import defaultdict
from typing import Any
from uuid import UUID, uuid4

from proton import Condition, Connection, Delivery, Endpoint, Link, symbol

from local import clock
from local.broker.messages import LockLostError
from local.broker.queues import Entity
from local.broker.settlement import Settlement, settle
from local.broker.store import Store
from local.broker.wire import encode, owned

AT_ONCE = 16
"""Messages that one receiver gets before it is the next one's turn."""

OPEN = Endpoint.LOCAL_ACTIVE | Endpoint.REMOTE_ACTIVE


class Outbox:
    """The receivers of every entity, in the order of their turns."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._receivers: dict[str, list[Link]] = defaultdict(list)

    def add(self, entity: Entity, link: Link) -> None:
        """Open a link to a receiver; its settle mode says whether messages are locked or removed."""
        link.open()
        self._receivers[entity.path].append(link)

    def remove(self, link: Link) -> None:
        """Forget a receiver whose link is closed."""
        for path, links in self._receivers.items():
            self._receivers[path] = [kept for kept in links if kept != link]

    def disconnect(self, connection: Connection) -> None:
        """Forget all receivers of a connection that is gone."""
        for path, links in self._receivers.items():
            self._receivers[path] = [kept for kept in links if kept.connection != connection]

    def flow(self, entity: Entity, link: Link) -> None:
        """Serve a receiver that gave credit; give back what is left of it when the receiver wants that."""
        self._pump(entity)
        if link.drain_mode:
            link.drained()

    def pump(self) -> None:
        """Serve the receivers of every entity at which messages became available."""
        while self._store.available:
            self._pump(self._store.entities[self._store.available.pop()])

    def settled(self, entity: Entity, delivery: Delivery) -> None:
        """Apply what a receiver said of a delivery and confirm it with the same outcome."""
        outcome, properties = _outcome(delivery)
        if outcome is not None:
            try:
                settle(self._store, entity, [delivery.lock_token], outcome, clock.now(), properties)
            except LockLostError:
                text = "The lock has expired or the message is settled."
                delivery.local.condition = Condition("com.microsoft:message-lock-lost", text, {symbol("source"): "broker"})
                delivery.update(Delivery.REJECTED)
            else:
                delivery.local.failed = delivery.remote.failed
                delivery.local.undeliverable = delivery.remote.undeliverable
                delivery.update(delivery.remote_state)
        if outcome is not None or delivery.settled:
            delivery.settle()

    def _pump(self, entity: Entity) -> None:
        links = self._receivers[entity.path]
        while link := next((link for link in links if link.credit > 0 and link.state & OPEN == OPEN), None):
            links.remove(link)
            links.append(link)
            if not self._serve(entity, link, min(link.credit, AT_ONCE)):
                return

    def _serve(self, entity: Entity, link: Link, count: int) -> int:
        """Send up to ``count`` messages; returns how many there were."""
        removes = link.snd_settle_mode == Link.SND_SETTLED
        fetch = self._store.take if removes else self._store.lock
        messages = fetch(entity, count, clock.now())
        for message in messages:
            token: UUID = message.lock_token or uuid4()
            delivery = link.delivery(token.bytes_le)
            link.stream(encode(message))
            link.advance()
            delivery.lock_token = token
            if removes:
                delivery.settle()
        return len(messages)


def _outcome(delivery: Delivery) -> tuple[Settlement | None, dict[str, Any]]:
    """Return what the receiver wants done, and the application properties that it wants set."""
    match delivery.remote_state:
        case Delivery.ACCEPTED:
            return Settlement.COMPLETE, {}
        case Delivery.RELEASED:
            return Settlement.RELEASE, {}
        case Delivery.MODIFIED:
            wanted = Settlement.DEFER if delivery.remote.undeliverable else Settlement.ABANDON
            return wanted, owned(delivery.remote.annotations) or {}
        case Delivery.REJECTED:
            condition = delivery.remote.condition
            return Settlement.DEAD_LETTER, (owned(condition.info) if condition else None) or {}
        case _:
            return None, {}
