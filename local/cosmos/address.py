"""What a request's path addresses."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from local.cosmos.errors import not_found

_ACCOUNT: Final[tuple[str, ...]] = ()
_SHAPES: Final = {
    _ACCOUNT,
    ("dbs",),
    ("dbs", "colls"),
    ("dbs", "colls", "docs"),
    ("dbs", "colls", "pkranges"),
    ("offers",),
}


@dataclass(frozen=True, kw_only=True)
class Address:
    """A resource, or the feed of all resources of a kind in one parent."""

    kinds: tuple[str, ...]
    """The kinds along the path, such as ``("dbs", "colls", "docs")``."""
    names: tuple[str, ...]
    """The ids along the path; one fewer than ``kinds`` for a feed."""

    @property
    def feed(self) -> bool:
        """Whether this is a feed."""
        return len(self.names) < len(self.kinds)

    @property
    def signed_type(self) -> str:
        """The resource type that a key signature covers."""
        return self.kinds[-1] if self.kinds else ""

    @property
    def signed_link(self) -> str:
        """The resource link that a key signature covers: of a feed, its parent's."""
        pairs = zip(self.kinds, self.names, strict=False)
        return "/".join(f"{kind}/{name}" for kind, name in pairs)

    @property
    def container(self) -> str | None:
        """The id of the container, if the path names one."""
        return self.names[1] if len(self.names) > 1 else None


def parse(raw_path: str) -> Address:
    """Read a percent-encoded path; raises CosmosError 404 for one that this endpoint does not serve."""
    segments = [unquote(segment) for segment in raw_path.split("/") if segment]
    address = Address(kinds=tuple(segments[::2]), names=tuple(segments[1::2]))
    if address.kinds not in _SHAPES:
        raise not_found()
    return address
