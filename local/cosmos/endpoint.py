"""From a request to its reply: finds the container and its partition, and runs the item operation."""

from http import HTTPStatus

from local.cosmos import batch, query, resources
from local.cosmos.calls import Call, Operation, Reply
from local.cosmos.documents import Document, decode, decode_object
from local.cosmos.errors import COLLECTION_RID_MISMATCH, CosmosError, bad_request
from local.cosmos.items import Conditions, Items, Outcome
from local.cosmos.partition import PartitionKey, from_header, resolve
from local.cosmos.sql.nodes import Path, Query
from local.cosmos.store import Container, Store

_PARTITION_KEY = "x-ms-documentdb-partitionkey"


def answer(store: Store, call: Call) -> Reply:
    """Serve any request; what it changes is committed before this returns. Raises CosmosError."""
    if call.address.kinds != ("dbs", "colls", "docs"):
        return resources.answer(store, call)
    container = store.container(store.database(call.address.names[0]), call.address.names[1])
    intended = call.headers.get("x-ms-cosmos-intended-collection-rid")
    if intended not in {None, container.rid}:
        # The container was deleted and made anew: the SDK refreshes what it knows and asks again.
        raise bad_request("The container is not the one that the client knows.", substatus=COLLECTION_RID_MISMATCH)
    if call.query_plan:
        query.parse_body(decode(call.body))
        return Reply(status=HTTPStatus.OK, body=_query_plan())
    match call.operation:
        case Operation.QUERY:
            return _query(store, container, call)
        case Operation.BATCH:
            return _batch(store, container, call)
        case None:
            raise CosmosError(HTTPStatus.METHOD_NOT_ALLOWED, "This method is not allowed here.")
        case operation:
            return _item(store, container, call, operation)


def _item(store: Store, container: Container, call: Call, operation: Operation) -> Reply:
    with store.transaction():
        outcome = _outcome(store, container, call, operation)
    item = outcome.item
    quiet = operation is not Operation.READ and call.headers.get("prefer", "").lower() == "return=minimal"
    silent = quiet or item is None or outcome.status == HTTPStatus.NOT_MODIFIED
    return Reply(
        status=outcome.status,
        body=None if silent or item is None else item.document,
        charge=outcome.charge,
        etag=None if item is None else item.etag,
    )


def _outcome(store: Store, container: Container, call: Call, operation: Operation) -> Outcome:
    conditions = Conditions(if_match=call.headers.get("if-match"), if_none_match=call.headers.get("if-none-match"))
    name = "" if call.address.feed else call.address.names[-1]
    if operation in {Operation.CREATE, Operation.UPSERT}:
        document = decode_object(call.body)
        key = resolve(document, call.headers.get(_PARTITION_KEY), container.paths)
        items = Items(store=store, container=container, key=key)
        return items.create(document) if operation is Operation.CREATE else items.upsert(document, conditions)
    items = Items(store=store, container=container, key=_full_key(container, call))
    match operation:
        case Operation.READ:
            return items.read(name, conditions)
        case Operation.REPLACE:
            return items.replace(name, decode_object(call.body), conditions)
        case Operation.PATCH:
            return items.patch(name, decode(call.body), conditions)
        case _:
            return items.delete(name, conditions)


def _batch(store: Store, container: Container, call: Call) -> Reply:
    if not call.flag("x-ms-cosmos-batch-atomic"):
        raise bad_request("This endpoint does not support batches that are not atomic.")
    minimal = call.headers.get("prefer", "").lower() == "return=minimal"
    items = Items(store=store, container=container, key=_full_key(container, call))
    status, results = batch.run(items, call.body, minimal=minimal)
    charge = sum(float(str(result["requestCharge"])) for result in results)
    return Reply(status=status, body=results, charge=round(charge, 2))


def _query(store: Store, container: Container, call: Call) -> Reply:
    if "a-im" in call.headers:
        raise bad_request("This endpoint does not support the change feed.")
    parsed = Query(value=Path(steps=())) if call.method == "GET" else query.parse_body(decode(call.body))
    wanted = call.headers.get("x-ms-max-item-count")
    page = query.run(
        store,
        container,
        parsed,
        _scope(container, call),
        wanted=int(wanted) if wanted and wanted.lstrip("-").isdigit() else None,
        continuation=call.headers.get("x-ms-continuation"),
    )
    headers = {"x-ms-item-count": str(len(page.documents))}
    if page.continuation is not None:
        headers["x-ms-continuation"] = page.continuation
    body = {"_rid": container.rid, "Documents": page.documents, "_count": len(page.documents)}
    return Reply(status=HTTPStatus.OK, body=body, charge=page.charge, headers=headers)


def _scope(container: Container, call: Call) -> query.Scope:
    header = call.headers.get(_PARTITION_KEY)
    if header is not None:
        return query.Scope(partition=from_header(header, container.paths))
    if "x-ms-start-epk" in call.headers and "x-ms-end-epk" in call.headers:
        return query.Scope(start=call.headers["x-ms-start-epk"], end=call.headers["x-ms-end-epk"])
    ranged = "x-ms-documentdb-partitionkeyrangeid" in call.headers
    if call.method == "GET" or ranged or call.flag("x-ms-documentdb-query-enablecrosspartition"):
        return query.Scope()
    raise bad_request("The query crosses partitions, which the request does not allow.")


def _full_key(container: Container, call: Call) -> PartitionKey:
    header = call.headers.get(_PARTITION_KEY)
    if header is None:
        raise bad_request("The request names no partition key.")
    key = from_header(header, container.paths)
    if not key.full:
        raise bad_request("The request names only a part of the partition key.")
    return key


def _query_plan() -> Document:
    # One physical partition: the endpoint itself sorts, counts and cuts, so nothing is left for the client to do.
    return {
        "partitionedQueryExecutionInfoVersion": 2,
        "queryInfo": {
            "distinctType": "None",
            "top": None,
            "offset": None,
            "limit": None,
            "orderBy": [],
            "orderByExpressions": [],
            "groupByExpressions": [],
            "groupByAliases": [],
            "aggregates": [],
            "groupByAliasToAggregateType": {},
            "rewrittenQuery": "",
            "hasSelectValue": False,
            "hasNonStreamingOrderBy": False,
        },
        "queryRanges": [{"min": "", "max": "FF", "isMinInclusive": True, "isMaxInclusive": False}],
    }
