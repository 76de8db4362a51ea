"""The promises of the privacy page as data: the sentence, what makes it true, what checks it, and whose word it rests on.

A test fails for a promise without a control, a test or a metric, and for a file or step that does not exist.
"""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.drift import Drift
from shared.domain.sources import ABUSE_STORE, BACKUPS, NO_TRAINING, PROMPT_CACHE, SKUS, Source


class Basis(StrEnum):
    """Whose word a promise rests on: checks of the running service, tests of this commit, or a vendor's statement."""

    RUNTIME = "runtime"
    BUILD = "build"
    VENDOR = "vendor"


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One promise.

    ``steps`` are those of the timer that check it, ``violated_by`` the findings of the configuration check that break it.
    ``missing`` says in a word what is not built yet; such a promise is never shown as held.
    """

    id: str
    sentence: str
    basis: Basis
    controls: tuple[str, ...]
    tests: tuple[str, ...]
    metrics: tuple[str, ...]
    steps: tuple[str, ...] = ()
    violated_by: frozenset[Drift] = frozenset()
    sources: tuple[Source, ...] = ()
    missing: str | None = None


_DELETING = (
    *("expired_documents", "forgotten_contents", "shortened_deadlines", "rejected_messages"),
    *("expired_abuse_records", "shortened_abuse_records"),
)
_DEAD_LETTERS = (
    "dead_letters_generation_requests",
    "dead_letters_generation_rejected",
    "dead_letters_webhook_deliveries",
)

PROMISES: tuple[Promise, ...] = (
    Promise(
        id="control",
        sentence=(
            "The only model endpoints called are the listed Azure OpenAI resources of the customer; never OpenAI's public "
            "service. Access is by Entra ID, without keys."
        ),
        basis=Basis.RUNTIME,
        controls=("shared/azure/model.py", "shared/domain/stamp.py", "shared/setting_guards.py"),
        tests=("tests/contract/test_boundary_addresses.py", "tests/contract/test_boundary_environment.py"),
        metrics=("lethe.configuration.findings",),
        steps=("configuration",),
        violated_by=frozenset({Drift.ACCOUNT_ENDPOINT}),
    ),
    Promise(
        id="data-types",
        sentence=(
            "Prompts, generated content, augmented data, training and validation data, abuse-monitoring records, receipts "
            "and telemetry are separate classes, each with its own place and clock."
        ),
        basis=Basis.RUNTIME,
        controls=("shared/azure/documents.py", "shared/domain/policy.py"),
        tests=("tests/privacy/test_canary.py", "tests/unit/test_policy_refused.py"),
        metrics=("lethe.items", "lethe.items.oldest_age"),
        steps=("orphans",),
    ),
    Promise(
        id="stateless",
        sentence=(
            "Lethe requests no stored state of the model service: nothing is stored, no threads, no stored completions. "
            "What remains outside Lethe is stated: the prompt cache, and Microsoft's own store for abuse review."
        ),
        basis=Basis.BUILD,
        controls=("shared/domain/upstream.py", "shared/domain/bodies.py"),
        tests=("tests/unit/test_upstream.py", "tests/unit/test_request_sdk.py"),
        metrics=("lethe.refusals",),
        sources=(PROMPT_CACHE, ABUSE_STORE),
    ),
    Promise(
        id="no-training",
        sentence="Lethe uses content for nothing but the request. Microsoft states that it trains no foundation model on it.",
        basis=Basis.VENDOR,
        controls=("shared/generation/call.py", "shared/domain/upstream.py"),
        tests=("tests/unit/test_upstream.py",),
        metrics=("lethe.generations",),
        sources=(NO_TRAINING,),
    ),
    Promise(
        id="fine-tuning",
        sentence=(
            "Training data and fine-tuned models belong to one tenant, are invisible to others, and are deleted on time."
        ),
        basis=Basis.BUILD,
        controls=("shared/domain/bodies.py",),
        tests=("tests/unit/test_request_refused.py",),
        metrics=("lethe.refusals",),
        missing="fine_tuning",
    ),
    Promise(
        id="abuse-monitoring",
        sentence=(
            "What is kept for abuse review is kept at most 30 days, sealed, in the stamp's geography, readable by reviewers "
            "only, every reading recorded; a tenant with an approved opt-out has none."
        ),
        basis=Basis.RUNTIME,
        controls=(
            *("shared/domain/sealing.py", "shared/azure/abuse_keys.py", "shared/abuse/record.py", "shared/abuse/keys.py"),
            *("shared/privacy/configuration.py", "shared/abuse/review.py", "shared/domain/opt_out.py"),
        ),
        tests=("tests/contract/test_abuse_keys.py", "tests/system/test_abuse_records.py", "tests/system/test_opt_out.py"),
        metrics=(
            *("lethe.opt_outs", "lethe.abuse.records", "lethe.abuse.accesses", "lethe.retention.overdue"),
            "lethe.configuration.findings",
        ),
        steps=("expired_abuse_records", "shortened_abuse_records", "abuse_keys", "configuration"),
        violated_by=frozenset(
            {Drift.OPT_OUT_UNCONFIRMED, Drift.STORE_REGION, Drift.VAULT_UNWRAP_ALLOWED, Drift.VAULT_RECOVERY}
        ),
        sources=(ABUSE_STORE,),
    ),
    Promise(
        id="content-filtering",
        sentence=(
            "Filter results travel with every result; a blocked prompt is a clear outcome; what the filter did not see is "
            "never shown as safe."
        ),
        basis=Basis.BUILD,
        controls=("shared/domain/filter_outcome.py", "shared/domain/filter_findings.py", "shared/domain/answer.py"),
        tests=("tests/unit/test_filter_outcome.py", "tests/unit/test_filter_mutations.py", "tests/system/test_policy_rules.py"),
        metrics=("lethe.filter_outcomes",),
    ),
    Promise(
        id="geography",
        sentence="Data is processed and stored in the tenant's geography; a deployment whose SKU may leave it is refused.",
        basis=Basis.RUNTIME,
        controls=("shared/domain/residency.py", "shared/domain/stamp.py", "shared/privacy/configuration.py"),
        tests=("tests/unit/test_residency.py", "tests/system/test_policy_rules.py", "tests/system/test_configuration.py"),
        metrics=("lethe.residency.decisions", "lethe.configuration.findings"),
        steps=("configuration",),
        violated_by=frozenset(
            {
                *(Drift.ACCOUNT_REGION, Drift.DEPLOYMENT_SKU, Drift.DEPLOYMENT_MODEL, Drift.DEPLOYMENT_MISSING),
                *(Drift.STORE_REGION, Drift.STORE_ENDPOINT, Drift.QUEUE_SUBMISSION_OPEN),
            }
        ),
        sources=(SKUS,),
    ),
    Promise(
        id="retention",
        sentence=(
            "Every piece of content has an absolute deadline fixed on admission, which only gets shorter, but for a "
            "recorded legal hold. After it no read returns it and the timer deletes it from the live stores; backups until "
            "the stated horizon."
        ),
        basis=Basis.RUNTIME,
        controls=("shared/privacy/retention.py", "shared/azure/due_documents.py", "shared/privacy/shorten.py"),
        tests=("tests/system/test_deadlines.py", "tests/system/test_policy_command.py"),
        metrics=("lethe.retention.overdue", "lethe.retention.seconds_past_deadline", "lethe.retention.complete"),
        steps=(*_DELETING, *_DEAD_LETTERS, "orphans", "probe", "configuration"),
        violated_by=frozenset(
            {
                *(Drift.CONTAINER_TTL_OFF, Drift.CONTAINER_ANALYTICAL_STORE, Drift.STORE_ANALYTICAL_STORE),
                *(Drift.QUEUE_TTL, Drift.QUEUE_KEEPS_EXPIRED, Drift.STORE_BACKUP_HORIZON),
            }
        ),
        sources=(BACKUPS,),
    ),
    Promise(
        id="erasure",
        sentence=(
            "A tenant can erase or export everything about one data subject, and gets a receipt that says what is gone and "
            "what is unreadable now and gone by when."
        ),
        basis=Basis.RUNTIME,
        controls=("shared/privacy/erasure.py", "shared/domain/drift.py"),
        tests=("tests/system/test_erasure.py", "tests/system/test_configuration.py"),
        metrics=("lethe.erasures", "lethe.erasure.duration"),
        steps=("erasures", "configuration"),
        violated_by=frozenset({Drift.STORE_BACKUP_HORIZON}),
    ),
    Promise(
        id="no-leaks",
        sentence=(
            "No prompt, completion, grounding text, subject id or custom_id appears in logs, traces, metrics, exceptions, "
            "dead-letter reasons, URLs, message ids, webhook bodies or evidence."
        ),
        basis=Basis.BUILD,
        controls=("shared/telemetry.py", "shared/errors.py", "functions/runtime.py"),
        tests=("tests/privacy/test_canary.py", "tests/privacy/test_http_canary.py"),
        metrics=("lethe.refusals",),
    ),
    Promise(
        id="evidence",
        sentence=(
            "Every run of the timer leaves a content-free, chained, signed record of what it checked, found and deleted; "
            "could not check is a result of its own, never zero."
        ),
        basis=Basis.RUNTIME,
        controls=("shared/domain/evidence.py", "shared/azure/evidence.py", "shared/domain/run_record.py"),
        tests=("tests/unit/test_evidence.py", "tests/contract/test_evidence_tampering.py"),
        metrics=("lethe.evidence.verified",),
        steps=("evidence",),
    ),
)
