"""Everything that is not an item: the account, databases, containers and partition key ranges."""

from http import HTTPStatus

from local.cosmos.calls import Call, Reply
from local.cosmos.documents import Document, check_id, decode_object, valid_ttl
from local.cosmos.errors import CosmosError, bad_request
from local.cosmos.partition import check_definition
from local.cosmos.store import Container, Database, Store

_RANGES_ETAG = '"1"'


def answer(store: Store, call: Call) -> Reply:
    """Serve a request that concerns no items."""
    address = call.address
    if not address.kinds:
        return Reply(status=HTTPStatus.OK, body=_account(call.base))
    if address.kinds == ("offers",):
        # No throughput is provisioned, as in a serverless account.
        return Reply(status=HTTPStatus.OK, body={"_rid": "", "Offers": [], "_count": 0})
    if address.kinds == ("dbs",):
        return _databases(store, call) if address.feed else _database(store, call)
    database = store.database(address.names[0])
    if address.kinds == ("dbs", "colls"):
        return _containers(store, call, database) if address.feed else _container(store, call, database)
    return _ranges(store.container(database, address.names[1]), call)


def seed(store: Store, name: str, containers: dict[str, dict[str, object]]) -> None:
    """Create a database and containers where they are missing; what exists stays as it is."""
    with store.transaction():
        existing = {database.id: database for database in store.databases()}
        database = existing.get(name) or store.create_database(name)
        present = {container.id for container in store.containers(database)}
        for container, settings in containers.items():
            if container not in present:
                paths = settings["partition_key"]
                kind = "MultiHash" if isinstance(paths, list) and len(paths) > 1 else "Hash"
                definition = _definition(
                    {
                        "id": container,
                        "partitionKey": {"paths": paths, "kind": kind},
                        "defaultTtl": settings.get("default_ttl"),
                    }
                )
                store.create_container(database, container, definition)


def _account(base: str) -> Document:
    location = [{"name": "Local", "databaseAccountEndpoint": base}]
    return {
        "_self": "",
        "id": "local",
        "_rid": "local",
        "media": "//media/",
        "addresses": "//addresses/",
        "_dbs": "//dbs/",
        "writableLocations": location,
        "readableLocations": location,
        "enableMultipleWriteLocations": False,
        "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
        "queryEngineConfiguration": "{}",
    }


def _databases(store: Store, call: Call) -> Reply:
    if _lists(call):
        bodies = [_database_body(database) for database in store.databases()]
        return Reply(status=HTTPStatus.OK, body={"_rid": "", "Databases": bodies, "_count": len(bodies)})
    _only(call, "POST")
    name = check_id(decode_object(call.body).get("id"))
    with store.transaction():
        database = store.create_database(name)
    return Reply(status=HTTPStatus.CREATED, body=_database_body(database), etag=database.etag)


def _database(store: Store, call: Call) -> Reply:
    database = store.database(call.address.names[0])
    if call.method == "GET":
        return Reply(status=HTTPStatus.OK, body=_database_body(database), etag=database.etag)
    _only(call, "DELETE")
    with store.transaction():
        store.delete_database(database)
    return Reply(status=HTTPStatus.NO_CONTENT)


def _containers(store: Store, call: Call, database: Database) -> Reply:
    if _lists(call):
        bodies = [_container_body(container) for container in store.containers(database)]
        body = {"_rid": database.rid, "DocumentCollections": bodies, "_count": len(bodies)}
        return Reply(status=HTTPStatus.OK, body=body)
    _only(call, "POST")
    definition = _definition(decode_object(call.body))
    with store.transaction():
        container = store.create_container(database, str(definition["id"]), definition)
    return Reply(status=HTTPStatus.CREATED, body=_container_body(container), etag=container.etag)


def _container(store: Store, call: Call, database: Database) -> Reply:
    container = store.container(database, call.address.names[1])
    match call.method:
        case "GET":
            pass
        case "PUT":
            definition = _definition(decode_object(call.body))
            if definition["partitionKey"] != container.definition["partitionKey"] or definition["id"] != container.id:
                raise bad_request("The id and the partition key of a container cannot be changed.")
            with store.transaction():
                container = store.replace_container(container, definition)
        case _:
            _only(call, "DELETE")
            with store.transaction():
                store.delete_container(container)
            return Reply(status=HTTPStatus.NO_CONTENT)
    return Reply(status=HTTPStatus.OK, body=_container_body(container), etag=container.etag)


def _ranges(container: Container, call: Call) -> Reply:
    _only(call, "GET")
    if call.headers.get("if-none-match") == _RANGES_ETAG:
        # Without this answer the Python SDK asks for ever.
        return Reply(status=HTTPStatus.NOT_MODIFIED, etag=_RANGES_ETAG)
    one = {
        "_rid": container.rid,
        "id": "0",
        "_etag": _RANGES_ETAG,
        "minInclusive": "",
        "maxExclusive": "FF",
        "_self": f"dbs/{container.database.rid}/colls/{container.rid}/pkranges/0/",
        "throughputFraction": 1,
        "status": "online",
        "parents": [],
        "_ts": container.ts,
    }
    body = {"_rid": container.rid, "PartitionKeyRanges": [one], "_count": 1}
    return Reply(status=HTTPStatus.OK, body=body, etag=_RANGES_ETAG)


def _lists(call: Call) -> bool:
    if call.flag("x-ms-documentdb-isquery"):
        raise bad_request("This endpoint does not support queries over databases or containers.")
    return call.method == "GET"


def _only(call: Call, method: str) -> None:
    if call.method != method:
        raise CosmosError(HTTPStatus.METHOD_NOT_ALLOWED, "This method is not allowed here.")


def _definition(given: Document) -> Document:
    ttl = given.get("defaultTtl")
    if ttl is not None and not valid_ttl(ttl):
        raise bad_request("defaultTtl must be -1 or an integer from 1 to 2147483647.")
    definition: Document = {
        "id": check_id(given.get("id")),
        "partitionKey": check_definition(given.get("partitionKey")),
        "indexingPolicy": given.get("indexingPolicy") or {"indexingMode": "consistent", "automatic": True},
    }
    return definition if ttl is None else definition | {"defaultTtl": ttl}


def _database_body(database: Database) -> Document:
    return {
        "id": database.id,
        "_rid": database.rid,
        "_self": f"dbs/{database.rid}/",
        "_etag": database.etag,
        "_colls": "colls/",
        "_users": "users/",
        "_ts": database.ts,
    }


def _container_body(container: Container) -> Document:
    return container.definition | {
        "_rid": container.rid,
        "_self": f"dbs/{container.database.rid}/colls/{container.rid}/",
        "_etag": container.etag,
        "_docs": "docs/",
        "_ts": container.ts,
    }
