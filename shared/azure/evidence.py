"""The evidence chains: container ``evidence``, partition key chain, one document for each record, its id the sequence number.

The head is not stored: it is the record with the highest number. So an append is a single write, which either happened or
did not, and two appends cannot take one place, because creating a document that is there already is refused. (That needs
an account with one write region.) The documents have no ``ttl``: nothing deletes them by itself.
"""

from collections.abc import AsyncIterator
from secrets import token_hex

from azure.cosmos.aio import ContainerProxy

from shared.azure.cosmos import CONFLICT, Answered, Document, foreign_errors
from shared.clock import Clock
from shared.domain.evidence import Chain, Head, Kind, Record, Unreadable, next_record
from shared.domain.evidence_fields import Fields
from shared.errors import StoreUnavailable
from shared.patience import patient

PAGE = 100

_LAST = "SELECT TOP 1 c.sequence, c.hash FROM c WHERE c.sequence > 0 ORDER BY c.sequence DESC"
_YOUNGEST = "SELECT * FROM c WHERE c.sequence > 0 ORDER BY c.sequence DESC OFFSET 0 LIMIT @page"
_NEXT = "SELECT * FROM c WHERE c.sequence > @after ORDER BY c.sequence ASC OFFSET 0 LIMIT @page"
_OF_COSMOS = {"_rid", "_self", "_etag", "_ts", "_attachments"}


class Evidence:
    """Appends to the chains and reads them."""

    def __init__(self, container: ContainerProxy, *, clock: Clock) -> None:
        self._container = container
        self._clock = clock

    async def append(self, chain: Chain, kind: Kind, fields: Fields) -> Record:
        """Add a record at the end of a chain, once, behind whatever others add meanwhile.

        Raises `ValueError` for fields that are no evidence, and `StoreUnavailable`, after which the record may be there or
        not: the caller that appends again may leave two, never a broken chain.
        """
        token = token_hex(16)
        while True:
            record = next_record(await self.head(chain), chain=chain, kind=kind, at=self._clock(), token=token, fields=fields)
            if await self._create(record):
                return record

    @patient
    async def head(self, chain: Chain) -> Head | None:
        """The end of a chain, None when it is empty; `StoreUnavailable` also when the last document is no link of a chain.

        Neither the record's content nor its kind is looked at: a newer version of the app may have written it, and a changed
        record must not keep others from being added. `shared.domain.evidence.verify` finds it.
        """
        found = await self._query(chain, _LAST)
        try:
            return Head(sequence=found[0]["sequence"], hash=found[0].get("hash", "")) if found else None
        except ValueError:
            raise StoreUnavailable from None

    @patient
    async def latest(self, chain: Chain, count: int) -> list[Record | Unreadable]:
        """Return the last records of a chain, the youngest first."""
        return [_to_record(document) for document in await self._query(chain, _YOUNGEST, page=count)]

    async def read(self, chain: Chain) -> AsyncIterator[Record | Unreadable]:
        """Read a chain from its beginning, in pages of `PAGE`; what is no record is not left out."""
        after = 0
        while page := await self._page(chain, after):
            for document in page:
                yield _to_record(document)
            after = page[-1]["sequence"]

    @patient
    async def _page(self, chain: Chain, after: int) -> list[Document]:
        return await self._query(chain, _NEXT, after=after, page=PAGE)

    async def _query(self, chain: Chain, text: str, **values: int) -> list[Document]:
        parameters: list[dict[str, object]] = [{"name": f"@{name}", "value": value} for name, value in values.items()]
        try:
            async with foreign_errors():
                found = self._container.query_items(text, parameters=parameters, partition_key=chain.value)
                return [document async for document in found]
        except Answered:
            raise StoreUnavailable from None

    @patient
    async def _create(self, record: Record) -> bool:
        """Take the record's place in the chain; False when another record stands there.

        Repeated with the same record, by the SDK or by patience, it meets its own write and knows it by its token.
        """
        try:
            async with foreign_errors():
                await self._container.create_item(_of_record(record), no_response=True)
        except Answered as answer:
            if answer.status != CONFLICT:
                raise StoreUnavailable from None
            return await self._token_at(record) == record.token
        return True

    async def _token_at(self, record: Record) -> object:
        try:
            async with foreign_errors():
                document = await self._container.read_item(str(record.sequence), record.chain.value)
        except Answered:  # not to be seen yet: create again
            raise StoreUnavailable from None
        return document.get("token")


def _of_record(record: Record) -> Document:
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


def _to_record(document: Document) -> Record | Unreadable:
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
