"""Every way in which the operators' command ends without having done anything, with canaries in what it was given."""

from collections.abc import Iterator
from pathlib import Path

from tests.privacy.cases import Planting
from tests.privacy.flock import Flock
from tests.privacy.http_callers import claims
from tests.privacy.operator_desk import Desk, Run
from tests.privacy.operator_documents import INVALID, good
from tests.system.policy_command import token_of

UNFORESEEN: dict[str, object] = {"status": 200}
"""An error object where a document is expected: an exception that nobody foresees."""


def runs(desk: Desk, flock: Flock) -> list[Run]:
    """All of them but a store that is down."""
    return [*_refused(desk, flock), *_callers(desk, flock), *_badly_set(desk, flock), *_broken(desk, flock)]


def without_a_store(desk: Desk, flock: Flock) -> list[Run]:
    """What is tried while Cosmos DB is down."""
    planted = Planting(flock=flock, path="a store that is down")
    return [Run(path=planted.path, arguments=("apply", desk.document(good(planted))), code=1)]


def _refused(desk: Desk, flock: Flock) -> Iterator[Run]:
    """Documents that are no policy, and tenants that are none."""
    for path, spoil in INVALID.items():
        planted = Planting(flock=flock, path=path)
        yield Run(path=path, arguments=("apply", desk.document(spoil(planted, good(planted)))), code=1)
    planted = Planting(flock=flock, path="a tenant that is none")
    tenant = planted("tenant")
    for arguments in (("show", tenant), ("rotate", tenant), ("offboard", tenant, "--confirm", tenant)):
        yield Run(path=planted.path, arguments=arguments, code=1)
    yield Run(path=planted.path, arguments=("offboard", tenant, "--confirm", planted("another")), code=2)
    planted = Planting(flock=flock, path="a difference that is looked at")
    yield Run(path=planted.path, arguments=("diff", desk.document(good(planted))), code=0)


def _callers(desk: Desk, flock: Flock) -> Iterator[Run]:
    """Tokens that are none, or another's, full of personal data; a file of a token that cannot be read."""
    planted = Planting(flock=flock, path="a token that is refused")
    document = desk.document(good(planted))
    for token in (
        token_of(desk.stack, **claims(planted), roles=["Lethe.Submit", planted("claim roles")]),
        token_of(desk.stack, **claims(planted), aud=planted("claim aud")),
        token_of(desk.stack, **claims(planted), scp=planted("claim scp")),
        planted("no token"),
    ):
        yield Run(path=planted.path, arguments=("apply", document), code=1, token=token)
    file = desk.document(f"é {planted('file of a token')}".encode())
    yield Run(path=planted.path, arguments=("--token-file", file, "list"), code=1)
    yield Run(path=planted.path, arguments=("--token-file", f"{desk.folder}/{planted('no file')}", "list"), code=1)


def _badly_set(desk: Desk, flock: Flock) -> Iterator[Run]:
    """Settings that are no settings."""
    planted = Planting(flock=flock, path="settings that are wrong")
    files = [
        desk.changed_settings(LETHE_GEOGRAPHY=planted("geography")),
        desk.changed_settings(LETHE_DEPLOYMENTS=planted("deployments")),
        desk.changed_settings(LETHE_KEY_STORE=f"ftp://{planted('key store')}/"),
        desk.changed_settings(LETHE_COSMOS_ENDPOINT=f"http://{planted('store')}.example/"),
        desk.changed_settings(LETHE_GRACE_SECONDS={planted("a key"): planted("a value")}),
        Path(desk.document({planted("key"): planted("value")})),
        Path(desk.document(b"{no settings: " + planted("text").encode())),
        desk.folder / planted("no settings"),
    ]
    for file in files:
        yield Run(path=planted.path, arguments=("list",), code=1, settings=file)


def _broken(desk: Desk, flock: Flock) -> Iterator[Run]:
    """A store that answers errors or nonsense, another operator who was quicker, a key store that cannot be read."""
    faults: dict[str, dict[str, object]] = {
        "a store that fails": {"operation": "create", "status": 503},
        "another operator": {"operation": "create", "status": 409},
        "a store that answers nonsense": UNFORESEEN,
        "a store that cuts the connection": {"operation": "create", "drop_before": True},
    }
    for path, fault in faults.items():
        planted = Planting(flock=flock, path=path)
        yield Run(path=path, arguments=("apply", desk.document(good(planted))), code=1, faults=(fault,))
    planted = Planting(flock=flock, path="an evidence that cannot be written")
    fault = {"container": "evidence", "operation": "batch", "status": 503}
    yield Run(path=planted.path, arguments=("apply", desk.document(good(planted))), code=1, faults=(fault,))
    planted = Planting(flock=flock, path="a key store that cannot be read")
    broken = desk.changed_settings(LETHE_KEY_STORE=Path(desk.document(b"{" + planted("keys").encode())).as_uri())
    yield Run(path=planted.path, arguments=("apply", desk.document(good(planted))), code=1, settings=broken)
