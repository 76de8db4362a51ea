"""What a record of processing activities needs and no code says: classes of data, whose they are, why they are processed.

GDPR Art. 30 asks the controller (paragraph 1) and the processor (paragraph 2). What only they know is
`Entry.open`, and is never guessed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DataClass:
    """A class of data; ``places`` are names of the residue map, which says for how long each keeps it."""

    name: str
    purpose: str
    subjects: str
    data: str
    places: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A field that Art. 30 asks for: what is known here, and what is left to the controller or the processor."""

    point: str
    asks: str
    known: str = ""
    open: tuple[str, ...] = ()


_WAITING = ("queue generation-requests", "scheduled copies", "queue generation-rejected", "dead-letter queues")
_PASSING = ("calls over HTTP", "the app's memory", "the model service")
_KEPT_BY_MICROSOFT = ("the model service's prompt cache", "the model service's abuse monitoring")
_OUTPUTS = ("documents output", "outputs under a hold")
_BACKUPS = "backups of Cosmos DB"
_AUTHORS = "whoever a prompt is about or from: the controller's users, customers, staff, third persons"

DATA_CLASSES: tuple[DataClass, ...] = (
    DataClass(
        name="prompts",
        purpose="to have a model generate the text that the tenant asked for",
        subjects=_AUTHORS,
        data="free text, instructions, tools, data URLs; may be of any category, special ones (Art. 9) included",
        places=(*_WAITING, *_PASSING, *_KEPT_BY_MICROSOFT),
    ),
    DataClass(
        name="augmented data (grounding)",
        purpose="to ground the answer in documents that the tenant sends along; never stored in a document",
        subjects="whoever the tenant's documents are about",
        data="free text, titles and ids of documents; may be of any category",
        places=(*_WAITING, *_PASSING, *_KEPT_BY_MICROSOFT),
    ),
    DataClass(
        name="generated content",
        purpose="to hand the answer to the tenant until its deadline",
        subjects=_AUTHORS,
        data="the answer or vectors, the outcome of the content filter with sources and blocklists that it names",
        places=(*_OUTPUTS, *_PASSING, *_KEPT_BY_MICROSOFT, _BACKUPS),
    ),
    DataClass(
        name="labels of the caller",
        purpose="to find a job again, and to erase or export what concerns one data subject",
        subjects="the data subject that a request names",
        data="custom_id, batch, metadata; safety_identifier or user, as written while a message waits, else by keyed MAC",
        places=(
            *_WAITING,
            "calls over HTTP",
            "the app's memory",
            *_OUTPUTS,
            _BACKUPS,
            "duplicate detection",
            "properties of messages",
        ),
    ),
    DataClass(
        name="receipts and events",
        purpose="to answer for a job after its content is gone, and to announce its end once",
        subjects="the data subject that a request names, by MAC",
        data="states, clocks, codes, counts, MACs; no content",
        places=(
            *("documents receipt", "documents event", "queue webhook-deliveries", "reply queues of a policy"),
            *("webhooks, at the receiver", "probes", _BACKUPS),
        ),
    ),
    DataClass(
        name="training and validation data",
        purpose="none: fine-tuning is not built yet, and is refused by name",
        subjects="none",
        data="none",
        places=("container fine-tuning",),
    ),
    DataClass(
        name="abuse-monitoring records",
        purpose="to let reviewers look at suspected abuse, one record at a time; Microsoft's own review is the model service's",
        subjects=_AUTHORS,
        data="prompt, grounding and answer, sealed; outcome of the filter; the subject by MAC; alerts. None of who opted out",
        places=(
            *("documents abuse_record", "sealed records under a hold", "documents abuse_alert"),
            *("key store: keys of records for abuse review", _BACKUPS),
        ),
    ),
    DataClass(
        name="requests of data subjects, legal holds",
        purpose="to carry out erasures, and to keep what a case needs",
        subjects="the data subjects concerned, by MAC; operators who placed a hold",
        data="MACs, cut-off times, states, counts, case references, ids of applications",
        places=("erasures and their markers", "holds", _BACKUPS),
    ),
    DataClass(
        name="policies, endpoints and evidence",
        purpose="to run each tenant under its own rules, and to prove what was done",
        subjects="operators and the tenant's contacts, as far as names and URLs tell of them",
        data="rules, ids of directories and applications, names and URLs of endpoints, case references, records of runs",
        places=("policies", "webhook endpoints", "evidence", "notes of the timer", "output of the commands", _BACKUPS),
    ),
    DataClass(
        name="keys, secrets and tokens",
        purpose="to sign, to pseudonymise, and to know who calls",
        subjects="none: applications, not persons",
        data="keys, signing secrets, access tokens of applications",
        places=("key store: keys", "key store: secrets", "bearer tokens", "files of the local stack"),
    ),
    DataClass(
        name="telemetry",
        purpose="to run the service and to see that it keeps its deadlines",
        subjects="callers, as far as what they write into URLs, User-Agent or message ids tells of a person",
        data="events, codes and numbers of closed lists; URLs, User-Agent, MessageId, SessionId as the caller wrote them",
        places=("logs and traces", "the host's request log", "metrics"),
    ),
)

_SEE_CLASSES = "The table of classes of data below."
_SEE_RECIPIENTS = "The list of sub-processors below; receivers of webhooks get ids only, reply queues codes only."
_TRANSFERS = (
    "A deployment whose SKU may leave what the policy's `residency` allows is refused; `global` allows processing anywhere. "
    "Entra ID and Azure Monitor are non-regional services of Microsoft."
)
_SAFEGUARDS = (
    "policies with `residency` `global`, if any, and the countries they reach",
    "the safeguards of each transfer (adequacy decision, standard clauses)",
)
_MEASURES = "The promises above, and the table of measures below."

CONTROLLER: tuple[Entry, ...] = (
    Entry(
        point="30(1)(a)",
        asks="name and contact of the controller, joint controllers, representative, data protection officer",
        open=("controller", "joint controllers, if any", "representative, if any", "data protection officer, if any"),
    ),
    Entry(
        point="30(1)(b)",
        asks="purposes of the processing",
        known=f"To generate text for the tenant's product, in the background. {_SEE_CLASSES}",
        open=("the purpose of the product that submits the requests", "its legal basis (Art. 6, 9), if you record it here"),
    ),
    Entry(
        point="30(1)(c)",
        asks="categories of data subjects and of personal data",
        known=_SEE_CLASSES,
        open=("who your prompts and documents are about, and which categories of data they have",),
    ),
    Entry(
        point="30(1)(d)",
        asks="categories of recipients",
        known=_SEE_RECIPIENTS,
        open=("whoever reads the answers on your side", "receivers of your webhooks"),
    ),
    Entry(point="30(1)(e)", asks="transfers to third countries, and their safeguards", known=_TRANSFERS, open=_SAFEGUARDS),
    Entry(
        point="30(1)(f)",
        asks="time limits for erasure, by category",
        known=f"{_SEE_CLASSES} Where it says `retention.…`, the tenant's policy has the number.",
        open=(
            "the numbers of your policy",
            "the backup horizon that you state",
            "retention of your logs, if you set it",
        ),
    ),
    Entry(
        point="30(1)(g)", asks="technical and organisational security measures (Art. 32(1))", known=_MEASURES, open=("yours",)
    ),
)

PROCESSOR: tuple[Entry, ...] = (
    Entry(
        point="30(2)(a)",
        asks="name and contact of the processors, of each controller, of their representatives and data protection officers",
        open=("who operates this stamp", "each tenant's controller", "representatives and data protection officers"),
    ),
    Entry(
        point="30(2)(b)",
        asks="categories of processing on behalf of each controller",
        known=(
            "Admission, generation by a model, storage until a deadline, announcement by webhook, deletion, erasure and export "
            "on request, keeping under a legal hold; the same for each tenant, by its policy."
        ),
        open=("the controllers, as `python -m commands.policy` lists the tenants",),
    ),
    Entry(point="30(2)(c)", asks="transfers to third countries, and their safeguards", known=_TRANSFERS, open=_SAFEGUARDS),
    Entry(
        point="30(2)(d)", asks="technical and organisational security measures (Art. 32(1))", known=_MEASURES, open=("yours",)
    ),
)
