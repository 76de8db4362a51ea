"""Documents of container ``evidence`` and back: records, and the signed statements on a chain beside them.

A statement has no ``sequence``, by which records are read, so that it is never taken for one.
"""

from shared.azure.cosmos import Document
from shared.domain.evidence import Chain, Head, Kind, Record, Unreadable
from shared.domain.evidence_head import Purpose, Signature, Signed, Statement

_OF_COSMOS = {"_rid", "_self", "_etag", "_ts", "_attachments"}


def id_of(purpose: Purpose) -> str:
    """Id of the document of a statement."""
    return purpose.name.lower()


def of_record(record: Record) -> Document:
    """Write a record as a document."""
    fields = {name: list(value) if isinstance(value, tuple) else value for name, value in record.fields.items()}
    return {
        "id": str(record.sequence),
        "chain": record.chain,
        "sequence": record.sequence,
        "at": record.at,
        "kind": record.kind,
        "token": record.token,
        "fields": fields,
        "previous": record.previous,
        "hash": record.hash,
    }


def to_record(document: Document) -> Record | Unreadable:
    """Read a document, which anybody may have changed: one with a field more, such as a ``ttl``, is no record."""
    content = {name: value for name, value in document.items() if name not in _OF_COSMOS}
    try:
        name = content.pop("id")
        fields = {each: tuple(value) if isinstance(value, list) else value for each, value in content.pop("fields").items()}
        chain, kind = Chain(content.pop("chain")), Kind(content.pop("kind"))
        record = Record(chain=chain, kind=kind, fields=fields, **content)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Unreadable()
    return record if name == str(record.sequence) else Unreadable()


def of_signed(signed: Signed) -> Document:
    """Write a signed statement as a document."""
    statement, signature = signed.statement, signed.signature
    return {
        "id": id_of(statement.purpose),
        "chain": statement.chain,
        "purpose": statement.purpose,
        "signed_sequence": statement.head.sequence,
        "signed_hash": statement.head.hash,
        "signed_at": statement.at,
        "kid": signature.kid,
        "signature": signature.value.hex(),
    }


def to_signed(document: Document) -> Signed | Unreadable:
    """Read a document, which anybody may have changed; whether its signature is right is asked later."""
    try:
        statement = Statement(
            purpose=Purpose(document["purpose"]),
            chain=Chain(document["chain"]),
            head=Head(sequence=document["signed_sequence"], hash=document["signed_hash"]),
            at=document["signed_at"],
        )
        signed = Signed(
            statement=statement,
            signature=Signature(kid=document["kid"], value=bytes.fromhex(document["signature"])),
        )
    except (KeyError, TypeError, ValueError):
        return Unreadable()
    return signed if document["id"] == id_of(statement.purpose) and "ttl" not in document else Unreadable()
