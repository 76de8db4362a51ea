"""Messages of a tenant whose policy asks for signatures: one that runs, and every sort that is refused."""

from dataclasses import replace
from typing import Any

from shared.domain.signing import new_secret
from tests.privacy.cases import RESPONSES, Case, Ending, Kind, Planting, request
from tests.privacy.exact import Exact
from tests.privacy.flock import Flock
from tests.privacy.paths import COMPLETED
from tests.system.signing import SECRETS, Signer

LATE = -301
"""Seconds: a signature of so long ago counts no more."""

WAYS: dict[str, Ending] = {
    "a signed message": COMPLETED,
    "a message without a signature": Ending(kind=Kind.REJECTED, detail="signature_missing"),
    "a message that another secret signed": Ending(kind=Kind.REJECTED, detail="signature_invalid"),
    "a message that was signed long ago": Ending(kind=Kind.REJECTED, detail="signature_late"),
}


def messages(flock: Flock, signer: Signer) -> list[Case]:
    """One message of each sort; what signs it stands among its properties, beside canaries."""
    cases = []
    for path, ending in WAYS.items():
        planted = Planting(flock=flock, path=path)
        envelope = request(planted, RESPONSES, tenant=signer.tenant.name)
        case = planted.case(envelope, ending, custom_id=planted("custom_id"))
        properties = case.properties["application_properties"] | _signature(path, envelope, signer)
        cases.append(replace(case, properties=case.properties | {"application_properties": properties}))
    return cases


def _signature(path: str, envelope: dict[str, Any], signer: Signer) -> dict[str, Any]:
    match WAYS[path].detail:
        case "signature_missing":
            return {}
        case "signature_invalid":
            return signer.tenant.signed(envelope, new_secret())
        case "signature_late":
            return signer.tenant.signed(envelope, signer.secret, after=LATE)
        case _:
            return signer.tenant.signed(envelope, signer.secret)


def known(signer: Signer, cases: list[Case]) -> Exact:
    """The secret, and all signatures: none of them may lie anywhere but the secret in its file."""
    signed = {case.path: dict(case.properties).get("application_properties", {}) for case in cases}
    made = {f"signature of {path}": each["webhook-signature"] for path, each in signed.items() if "webhook-signature" in each}
    return Exact(
        {"the secret": signer.secret.removeprefix("whsec_")} | {label: text.removeprefix("v1,") for label, text in made.items()}
    )


PLACES = {("the secret", SECRETS)}
"""Where the scan has to find what is known."""
