"""Builds what abuse monitoring works with, and the webhooks by which it tells; once per process, on first use."""

from functools import cached_property

from shared.abuse.detect import Detecting
from shared.abuse.review import Reviewing
from shared.abuse.services import AbuseMonitor
from shared.azure.events import Events
from shared.azure.signals import Signals
from shared.azure.stamp_state import StampState
from shared.azure.watch import Watch
from shared.azure.webhook_endpoints import WebhookEndpoints
from shared.delivery.sender import Sender
from shared.delivery.services import Webhooks
from shared.stores import Stores


class AbuseComposition(Stores):
    """What abuse monitoring and webhooks work with."""

    @cached_property
    def abuse(self) -> AbuseMonitor:
        """What abuse monitoring works with."""
        return AbuseMonitor(
            records=self._abuse_records,
            keys=self._abuse_keys,
            watch=self._watch,
            evidence=self.evidence,
            state=StampState(self._cosmos.container("privacy")),
            clock=self._clock,
            recovery_days=self._settings.abuse_key_recovery_days,
        )

    @cached_property
    def reviewing(self) -> Reviewing:
        """What reviews work with, in the review app only: nobody else's identity may unwrap."""
        return Reviewing(
            records=self._abuse_records,
            alerts=self._abuse_alerts,
            unwrapper=self._unwrapper,
            evidence=self.evidence,
            clock=self._clock,
        )

    @cached_property
    def detecting(self) -> Detecting:
        """What the timer looks for abuse with."""
        return Detecting(
            signals=Signals(self._cosmos.container("generations")),
            alerts=self._abuse_alerts,
            watch=self._watch,
            policies=self._policy_documents,
            webhooks=self.webhooks,
            evidence=self.evidence,
            clock=self._clock,
            recovery_days=self._settings.abuse_key_recovery_days,
        )

    @cached_property
    def webhooks(self) -> Webhooks:
        """What webhooks work with."""
        chosen = self._settings
        return Webhooks(
            events=Events(self._cosmos.container("generations"), clock=self._clock, grace=chosen.grace),
            endpoints=WebhookEndpoints(self._cosmos.container("webhook-endpoints"), clock=self._clock),
            policies=self._policies,
            queues=self._queues,
            secrets=self._secrets,
            sender=Sender(allow_loopback=chosen.webhook_allow_loopback),
            evidence=self.evidence,
            clock=self._clock,
            operator_hosts=chosen.operator_webhook_hosts,
            allow_loopback=chosen.webhook_allow_loopback,
        )

    @cached_property
    def _watch(self) -> Watch:
        return Watch(self._abuse_alerts, clock=self._clock)
