"""Places of the residue map that hold no content, and that no inventory counts: what is about jobs, tenants and operators."""

from shared.domain.place import Place
from shared.domain.promises import Basis
from shared.domain.sources import REGIONAL, VAULT_COPIES, Source


def _about(
    name: str, *, holds: str, until: str, container: str = "", data_class: str = "", sources: tuple[Source, ...] = ()
) -> Place:
    """Make one of these places; those without a source rest on tests of this commit."""
    return Place(
        name=name,
        holds=holds,
        until=until,
        basis=Basis.VENDOR if sources else Basis.BUILD,
        sources=sources,
        holds_content=False,
        containers=frozenset({container} - {""}),
        data_classes=frozenset({data_class} - {""}),
    )


ABOUT: tuple[Place, ...] = (
    _about(
        "probes",
        holds="a random name and a deadline: the timer's own documents, of no tenant",
        until="their deadline, and the next run of the timer: that is what is measured",
        container="generations",
        data_class="probe",
    ),
    _about(
        "duplicate detection",
        holds="ids of messages: ours are job id and attempt, a sequence number; a sender's are as it wrote them",
        until="10 minutes after the message was sent",
    ),
    _about(
        "properties of messages",
        holds="reason and field of a rejected one, from closed lists; signatures; a sender's own properties, copied on",
        until="as their message",
    ),
    Place(
        name="reply queues of a policy",
        holds="code, field and a static text; the sender's own message id as correlation id",
        until="the tenant's shortest retention",
        basis=Basis.BUILD,
        holds_content=False,
        reply_queues=True,
    ),
    _about(
        "holds",
        holds="tenant, scope, job id or MACs of a subject, case reference, the operator's application, times",
        until="30 days after the end of the hold",
        container="privacy",
    ),
    _about(
        "erasures and their markers",
        holds="MACs of an erased subject, one for each version of the key; a cut-off, states, counts",
        until="35 days after the erasure is completed: it has to outlive every backup",
        container="privacy",
    ),
    _about(
        "notes of the timer",
        holds="where its steps went on, when they last ran, which violations were told: no content",
        until="replaced by the next run; nothing deletes them",
        container="privacy",
        data_class="stamp_state",
    ),
    _about(
        "policies",
        holds="a policy as it was applied; fingerprint and proposer of a version that waits; ids of submission secrets",
        until="replaced or offboarded, a proposal 24 hours; the tombstone (name, when) is deleted by nothing",
        container="policies",
    ),
    _about(
        "webhook endpoints",
        holds="name and url as the tenant, or an operator, wrote them, ids of secrets, four characters of the newest secret",
        until="the tenant, or an operator, deletes the endpoint, or the tenant is offboarded: no deadline",
        container="webhook-endpoints",
    ),
    _about(
        "evidence",
        holds="codes, numbers, MACs, hashes, names from settings and policies, ids of tenants and principals, case references",
        until="a year; a signed checkpoint stands for what was pruned",
        container="evidence",
    ),
    _about(
        "container fine-tuning",
        holds="nothing: fine-tuning is not built yet",
        until="nothing is written",
        container="fine-tuning",
    ),
    _about(
        "key store: keys",
        holds="one key for each tenant and purpose, the key of the evidence; without them nobody can guess what a MAC is of",
        until="the tenant is offboarded; then the vault's soft-delete days",
        sources=(VAULT_COPIES,),
    ),
    _about(
        "key store: keys of records for abuse review",
        holds="one key for each day on which records end; with it, and the record, a content can be opened",
        until="the day is over, but for held records, and the next run of the timer; then the vault's recovery days",
        sources=(VAULT_COPIES,),
    ),
    _about(
        "key store: secrets",
        holds="signing secrets of webhooks, submission secrets",
        until=(
            "the endpoint is deleted, the tenant offboarded, the secret replaced (one that signs on for 24 hours: the next "
            "rotation or deletion); a vault keeps what was deleted for its soft-delete days"
        ),
        sources=(VAULT_COPIES,),
    ),
    _about(
        "logs and traces",
        holds="an event and fields of closed lists; the host's lines: MessageId and SessionId as the sender wrote them",
        until="Application Insights: 90 days unless set",
        sources=(REGIONAL,),
    ),
    _about(
        "the host's request log",
        holds="method, whole URL with its query string, status, User-Agent: as the caller wrote them",
        until="Application Insights: 90 days unless set",
        sources=(REGIONAL,),
    ),
    _about(
        "metrics",
        holds="numbers with attributes of closed lists: nothing of a tenant, a job or a person",
        until="Application Insights: 90 days unless set",
        sources=(REGIONAL,),
    ),
    _about(
        "bearer tokens",
        holds="nothing: checked in memory; of a refused one a code is logged",
        until="the call is answered",
    ),
    _about(
        "webhooks, at the receiver",
        holds="event id, type, time, job id",
        until="the receiver's",
    ),
    _about(
        "output of the commands",
        holds="a policy and its changes; a submission secret, once; codes, names of fields. A pipeline keeps it",
        until="whoever runs them",
    ),
    _about(
        "files of the local stack",
        holds="sample tokens, secrets, metrics, databases of the embedded stack; mode 600, never deployed",
        until="make clean; tokens are written anew by each start",
    ),
)
