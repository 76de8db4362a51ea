"""The keys of the vault in a file of mode 600, with versions and soft delete; nothing but this part reads it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from local import clock
from local.stack.files import write_private_json
from local.vault import errors, material
from local.vault.material import Version


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key: its versions, the newest last, and since when it is deleted (None: it is not)."""

    name: str
    versions: tuple[Version, ...]
    deleted_at: int | None = None


class KeyRing:
    """All keys. Whatever is asked of it, a key whose recovery days have passed by the stack's clock is gone before."""

    def __init__(self, path: Path, *, recovery_seconds: int) -> None:
        self.recovery_seconds = recovery_seconds
        self._path = path
        self._keys = {key.name: key for key in _read(path)} if path.exists() else {}

    def create_missing(self, wanted: Mapping[str, Mapping[str, object]]) -> None:
        """Create the keys of the seed file that are not there."""
        for name, parameters in wanted.items():
            if name not in self._keys:
                self.add(name, material.new(parameters))

    def add(self, name: str, version: Version) -> Key:
        """Add a version, the first one makes the key; raises ``VaultError`` when a deleted key holds the name."""
        self.purge_due()
        key = self._keys.get(name, Key(name=name, versions=()))
        if key.deleted_at is not None:
            raise errors.name_is_held()
        return self._keep(replace(key, versions=(*key.versions, version)))

    def present(self, name: str) -> Key:
        """Return a key that is not deleted; raises ``VaultError``."""
        key = self._keys.get(name)
        if key is None or key.deleted_at is not None:
            raise errors.not_found()
        return key

    def version(self, name: str, version: str) -> Version:
        """Return a version, the newest for an empty text; raises ``VaultError``."""
        versions = self.present(name).versions
        found = [each for each in versions if each.id == version] if version else versions[-1:]
        if not found:
            raise errors.not_found()
        return found[0]

    def deleted(self, name: str) -> Key:
        """Return a key that is deleted and can be recovered; raises ``VaultError``."""
        self.purge_due()
        key = self._keys.get(name)
        if key is None or key.deleted_at is None:
            raise errors.deleted_not_found()
        return key

    def all(self, *, deleted: bool) -> list[Key]:
        """Return every key of one kind."""
        self.purge_due()
        return [key for key in self._keys.values() if (key.deleted_at is not None) == deleted]

    def delete(self, name: str) -> Key:
        """Take a key out of use; it can be recovered for the recovery days. Raises ``VaultError``."""
        return self._keep(replace(self.present(name), deleted_at=int(clock.now())))

    def purge_due(self) -> None:
        """Destroy what has been deleted for the recovery days."""
        until = clock.now() - self.recovery_seconds
        self._forget({key.name for key in self._keys.values() if key.deleted_at is not None and key.deleted_at <= until})

    def _keep(self, key: Key) -> Key:
        self._keys[key.name] = key
        self._write()
        return key

    def _forget(self, names: set[str]) -> None:
        if names:
            self._keys = {name: key for name, key in self._keys.items() if name not in names}
            self._write()

    def _write(self) -> None:
        write_private_json(self._path, [_plain(key) for key in self._keys.values()])


def _plain(key: Key) -> dict[str, object]:
    versions = [
        {"id": each.id, "pem": each.pem, "operations": list(each.operations), "created": each.created} for each in key.versions
    ]
    return {"name": key.name, "deleted_at": key.deleted_at, "versions": versions}


def _read(path: Path) -> list[Key]:
    return [
        Key(
            name=entry["name"],
            deleted_at=entry["deleted_at"],
            versions=tuple(
                Version(
                    id=each["id"],
                    private=material.private_of(each["pem"]),
                    operations=tuple(each["operations"]),
                    created=each["created"],
                )
                for each in entry["versions"]
            ),
        )
        for entry in json.loads(path.read_text(encoding="utf-8"))
    ]
