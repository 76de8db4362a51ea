"""What a test wants to be read instead of what is: merge patches over resources (RFC 7396: objects merge, null removes)."""

from typing import Any

type Json = dict[str, Any]

_PATCHED = {"location", "kind", "sku", "properties"}
_RULE = "An override has an id, and location, kind, sku or properties, or missing: true."


class Overrides:
    """The overrides in force, by resource id in lower case."""

    def __init__(self) -> None:
        self._patches: dict[str, Json] = {}
        self._missing: set[str] = set()

    def add(self, wanted: Json) -> None:
        """Put an override over earlier ones of the same resource; raises ValueError with the rule that it breaks."""
        fields = dict(wanted)
        resource, missing = fields.pop("id", None), fields.pop("missing", False)
        if not isinstance(resource, str) or not isinstance(missing, bool) or not fields.keys() <= _PATCHED:
            raise ValueError(_RULE)
        if missing == bool(fields):
            raise ValueError(_RULE)
        key = resource.rstrip("/").lower()
        if missing:
            self._missing.add(key)
        self._patches[key] = _merged(self._patches.get(key, {}), fields, keep_null=True)

    def clear(self) -> None:
        """Let everything be read as it is again."""
        self._patches.clear()
        self._missing.clear()

    def applied(self, resources: list[Json]) -> list[Json]:
        """Return resources as they shall be read; a missing one is left out."""
        return [
            _merged(resource, self._patches.get(key, {}))
            for resource in resources
            if (key := str(resource["id"]).lower()) not in self._missing
        ]


def _merged(base: Json, patch: Json, *, keep_null: bool = False) -> Json:
    """Merge a patch into a value; ``keep_null`` when the value is itself a patch for later."""
    result = dict(base)
    for name, value in patch.items():
        if isinstance(value, dict):
            inner = result.get(name)
            result[name] = _merged(inner if isinstance(inner, dict) else {}, value, keep_null=keep_null)
        elif value is None and not keep_null:
            result.pop(name, None)
        else:
            result[name] = value
    return result
