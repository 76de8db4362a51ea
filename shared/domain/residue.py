"""The residue map: every place in which anything can lie, what lies there, for how long, and how much of it there is now.

The same data makes the picture of the page and the table of the documents, so that none can forget a place. A test fails for
a container, a queue or a class of data that has no place here.
"""

from shared.domain import abuse_alert, abuse_record
from shared.domain.place import Place, dead_letters, depth, items, oldest
from shared.domain.promises import Basis
from shared.domain.residue_about import ABOUT
from shared.domain.sources import ABUSE_STORE, BACKUPS, NO_TRAINING, PROMPT_CACHE

_GENERATIONS = frozenset({"generations"})
_ABUSE_MONITORING = frozenset({"abuse-monitoring"})

CONTENT: tuple[Place, ...] = (
    Place(
        name="queue generation-requests",
        holds="prompts that wait to be read",
        until="it is read, or its time to live ends",
        basis=Basis.RUNTIME,
        queues=frozenset({"generation-requests"}),
        count=depth("generation-requests", lambda found: found.active),
    ),
    Place(
        name="scheduled copies",
        holds="prompts that wait for a time",
        until="their time, and never past the deadline",
        basis=Basis.RUNTIME,
        queues=frozenset({"generation-requests"}),
        count=depth("generation-requests", lambda found: found.scheduled),
    ),
    Place(
        name="queue generation-rejected",
        holds="refused messages, whole",
        until="the tenant's shortest retention; one hour where there is no such tenant, or no signature",
        basis=Basis.RUNTIME,
        queues=frozenset({"generation-rejected"}),
        count=depth("generation-rejected", lambda found: found.active),
    ),
    Place(
        name="dead-letter queues",
        holds="messages that nobody could settle",
        until="LETHE_DEAD_LETTER_MAX_AGE_SECONDS after they came (one hour), and the next run of the timer",
        basis=Basis.RUNTIME,
        count=dead_letters,
    ),
    Place(
        name="documents output",
        holds="answers, filter outcomes, labels of the caller",
        until="retention.output_seconds from admission, or less: expires_after, an erasure",
        basis=Basis.RUNTIME,
        containers=_GENERATIONS,
        data_classes=frozenset({"output"}),
        count=items("output"),
        oldest=oldest("output"),
    ),
    Place(
        name="outputs under a hold",
        holds="the same; unreadable to its tenant",
        until="release or end of the hold, at most 90 days ahead and renewable; then the timer",
        basis=Basis.RUNTIME,
        containers=_GENERATIONS,
        data_classes=frozenset({"output"}),
    ),
    Place(
        name="documents abuse_record",
        holds="sealed: prompts, grounding, answers for review",
        until="retention.abuse_record_seconds from admission, at most 29 days less the vault's recovery days; erasure; opt-out",
        basis=Basis.RUNTIME,
        containers=_ABUSE_MONITORING,
        data_classes=frozenset({abuse_record.DATA_CLASS}),
        count=items(abuse_record.DATA_CLASS),
        oldest=oldest(abuse_record.DATA_CLASS),
    ),
    Place(
        name="sealed records under a hold",
        holds="the same; past their deadline nobody can open them",
        until="release or end of the hold, at most 90 days ahead and renewable; then the timer",
        basis=Basis.RUNTIME,
        containers=_ABUSE_MONITORING,
        data_classes=frozenset({abuse_record.DATA_CLASS}),
    ),
    Place(
        name="calls over HTTP",
        holds="headers and body, while they last",
        until="the call is answered; what was refused is kept nowhere",
        basis=Basis.BUILD,
    ),
    Place(
        name="the app's memory",
        holds="running jobs, a page of messages",
        until="the job ends, the page is read; never written to a file of ours",
        basis=Basis.BUILD,
    ),
    Place(
        name="the model service",
        holds="the prompt, while it answers",
        until="the answer: store is false on every call",
        basis=Basis.BUILD,
        sources=(NO_TRAINING,),
    ),
    Place(
        name="the model service's prompt cache",
        holds="parts of prompts",
        until="at most 24 hours; there is no opt-out",
        basis=Basis.VENDOR,
        sources=(PROMPT_CACHE,),
    ),
    Place(
        name="the model service's abuse monitoring",
        holds="what was selected for human review",
        until="no number of days is published; modified abuse monitoring has neither store nor review",
        basis=Basis.VENDOR,
        sources=(ABUSE_STORE,),
    ),
    Place(
        name="backups of Cosmos DB",
        holds="every document as it was",
        until="the horizon that LETHE_BACKUP_HORIZON_HOURS states, with which the configuration check compares the account",
        basis=Basis.VENDOR,
        sources=(BACKUPS,),
    ),
)

COUNTED: tuple[Place, ...] = (
    Place(
        name="documents receipt",
        holds="no content: states, clocks, codes, MACs",
        until="retention.receipt_seconds from admission, or the end of a hold; the MAC of the content goes with the content",
        basis=Basis.RUNTIME,
        holds_content=False,
        containers=_GENERATIONS,
        data_classes=frozenset({"receipt"}),
        count=items("receipt"),
        oldest=oldest("receipt"),
    ),
    Place(
        name="documents event",
        holds="no content: ids and the outcome of webhooks",
        until="as the receipt; an erasure deletes it",
        basis=Basis.RUNTIME,
        holds_content=False,
        containers=_GENERATIONS,
        data_classes=frozenset({"event"}),
        count=items("event"),
        oldest=oldest("event"),
    ),
    Place(
        name="documents abuse_alert",
        holds="no content: what was noticed, MACs, job ids",
        until="as a record, from when the alert was last opened, or the end of a hold; erasure; opt-out",
        basis=Basis.RUNTIME,
        holds_content=False,
        containers=_ABUSE_MONITORING,
        data_classes=frozenset({abuse_alert.DATA_CLASS}),
        count=items(abuse_alert.DATA_CLASS),
        oldest=oldest(abuse_alert.DATA_CLASS),
    ),
    Place(
        name="queue webhook-deliveries",
        holds="no content: tenant and ids",
        until="the attempt; never longer than the event",
        basis=Basis.RUNTIME,
        holds_content=False,
        queues=frozenset({"webhook-deliveries"}),
        count=depth("webhook-deliveries", lambda found: found.active + found.scheduled),
    ),
)

PLACES: tuple[Place, ...] = (*CONTENT, *COUNTED, *ABOUT)
