"""The evidence chains: container ``evidence``, partition key chain, one document for each record, its id the sequence number.

Beside the records of a chain stands its signed head. A record and the head that it makes are written by one batch, which
either happened or did not, and only over the head that the record goes on from: two appends cannot take one place, and no
record of ours is ever without a signature. (That needs an account with one write region.) Nothing is built on a head whose
signature does not hold. The documents have no ``ttl``: nothing deletes them by itself.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from secrets import token_hex

from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import (
    CONFLICT,
    NOT_FOUND,
    PRECONDITION_FAILED,
    Answered,
    Document,
    Operation,
    find_document,
    foreign_errors,
    query_rows,
)
from shared.azure.evidence_documents import id_of, of_record, of_signed, to_record, to_signed
from shared.azure.signer import Signer
from shared.clock import Clock
from shared.domain.evidence import Chain, Head, Kind, Record, Unreadable, next_record
from shared.domain.evidence_anchors import ANCHORING, anchor_fields
from shared.domain.evidence_fields import Fields, is_sequence
from shared.domain.evidence_head import Purpose, Signed, Statement
from shared.errors import StoreUnavailable
from shared.patience import patient
from shared.telemetry import Event, log

PAGE = 100

_LAST = "SELECT TOP 1 c.sequence FROM c WHERE c.sequence > 0 ORDER BY c.sequence DESC"
_NEXT = "SELECT * FROM c WHERE c.sequence > @after ORDER BY c.sequence ASC OFFSET 0 LIMIT @page"
_OUTRUN = frozenset({CONFLICT, NOT_FOUND, PRECONDITION_FAILED})


@dataclass(frozen=True, kw_only=True)
class Found:
    """What lies in the place of a statement: ``signed`` is None for what is none, ``holds`` says that our key signed it."""

    signed: Signed | None
    holds: bool
    etag: str

    @property
    def head(self) -> Head | None:
        """What the statement says, as far as it holds."""
        return self.signed.statement.head if self.signed and self.holds else None


class Evidence:
    """Appends to the chains and reads them. Everything raises `StoreUnavailable` and `KeysUnavailable`."""

    def __init__(self, container: ContainerProxy, *, signer: Signer, clock: Clock) -> None:
        self._container = container
        self._signer = signer
        self.clock = clock
        self._locks: defaultdict[Chain, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def append(self, chain: Chain, kind: Kind, fields: Fields) -> Record:
        """Add a record at the end of a chain, once and signed, behind whatever others add meanwhile.

        Raises `ValueError` for fields that are no evidence. After the other errors the record may be there or not: the caller
        that appends again may leave two, never a broken chain. One that somebody has broken goes on, and stays broken.
        """
        token = token_hex(16)
        async with self._locks[chain]:
            if chain is ANCHORING:
                fields = {**fields, **await self._anchors()}
            while True:
                stored = await self._last(chain)  # before the head, or another's append in between would look like a stranger's
                found = await self.signed(chain, Purpose.HEAD)
                head, at = found.head if found else None, self.clock()
                record = next_record(head, chain=chain, kind=kind, at=at, token=token, fields=fields, stored=stored)
                signed = await self.sign(Statement(purpose=Purpose.HEAD, chain=chain, head=record.head, at=at))
                if await self.write(signed, found, [("create", (of_record(record),))], partial(self._is_there, record)):
                    if (head.sequence if head else 0) != record.sequence - 1 or (found and not found.holds):
                        log(Event.EVIDENCE_BROKEN, code=chain, warning=True)
                    return record

    async def signed(self, chain: Chain, purpose: Purpose) -> Found | None:
        """Return the signed head or checkpoint of a chain, and whether it holds; None when there is none."""
        document = await self._document(chain, id_of(purpose))
        if document is None:
            return None
        signed = to_signed(document)
        if isinstance(signed, Unreadable):
            return Found(signed=None, holds=False, etag=document["_etag"])
        key = await self._signer.public_key(signed.signature.kid)
        return Found(signed=signed, holds=key is not None and signed.is_by(key), etag=document["_etag"])

    async def read(self, chain: Chain, *, after: int = 0) -> AsyncIterator[Record | Unreadable]:
        """Read a chain behind a sequence number, in pages of `PAGE`; what is no record is not left out."""
        while page := await self.page(chain, after=after, limit=PAGE):
            for document in page:
                yield to_record(document)
            after = page[-1]["sequence"]

    async def last(self, chain: Chain, count: int) -> list[Record | Unreadable]:
        """Return the last records of a chain, the oldest first, without checking them."""
        after = max(0, await self._last(chain) - count)
        return [record async for record in self.read(chain, after=after)] if count > 0 else []

    @patient
    async def page(self, chain: Chain, *, after: int, limit: int) -> list[Document]:
        """Return the documents of the next records behind a sequence number."""
        return await query_rows(self._container, _NEXT, {"after": after, "page": limit}, key=chain.value)

    async def sign(self, statement: Statement) -> Signed:
        """Have a statement signed."""
        return Signed(statement=statement, signature=await self._signer.sign(statement.digest()))

    @patient
    async def write(
        self, signed: Signed, over: Found | None, with_it: list[Operation], is_done: Callable[[], Awaitable[bool]]
    ) -> bool:
        """Write a statement in the place of the one that was read, with more, all or nothing; False when others came first.

        Repeated with the same, by the SDK or by patience, it meets its own write: ``is_done`` knows it.
        """
        document = of_signed(signed)
        statement: Operation = ("create", (document,))
        if over is not None:
            statement = ("replace", (document["id"], document), {"if_match_etag": over.etag})
        try:
            async with foreign_errors():
                await self._container.execute_item_batch([statement, *with_it], signed.statement.chain.value)
        except Answered as answer:
            if answer.status not in _OUTRUN:
                raise StoreUnavailable from None
            return answer.status != NOT_FOUND and await is_done()
        return True

    async def _is_there(self, record: Record) -> bool:
        document = await self._read(record.chain, str(record.sequence))
        if document is None:  # not to be seen yet: write again
            raise StoreUnavailable
        return bool(document.get("token") == record.token)

    async def _anchors(self) -> Fields:
        chains = [chain for chain in Chain if chain is not ANCHORING]
        found = await asyncio.gather(*(self.signed(chain, Purpose.HEAD) for chain in chains))
        return anchor_fields({chain: each.head for chain, each in zip(chains, found, strict=True) if each and each.head})

    @patient
    async def _last(self, chain: Chain) -> int:
        """The highest number that stands in a chain, whoever wrote it; 0 in an empty one."""
        found = await query_rows(self._container, _LAST, key=chain.value)
        last = int(found[0]["sequence"]) if found else 0
        if not is_sequence(last + 1):
            raise StoreUnavailable
        return last

    @patient
    async def _document(self, chain: Chain, name: str) -> Document | None:
        return await self._read(chain, name)

    async def _read(self, chain: Chain, name: str) -> Document | None:
        return await find_document(self._container, name, chain.value)
