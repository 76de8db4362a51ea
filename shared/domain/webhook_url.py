"""Which URLs a tenant may name as a webhook endpoint. One strict reader, and its result is what the sender uses.

Nothing is repaired: two parsers that disagree about a URL are how a guard is walked around, so whatever one could read
differently is refused. Names are compared as ASCII; an internationalised name is allowed only as the ``xn--`` form that the
policy spells out, so a look-alike never matches.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import Refusal, WebhookRefused

HTTPS_PORT = 443
LONGEST_URL = 2048
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1"})

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST_PATTERN = rf"^(?:localhost|(?:\*\.)?{_LABEL}(?:\.{_LABEL})+)$"
"""An entry of a policy's ``webhook_hosts``: an exact name in lower case, or ``*.`` and a name of two labels or more."""

_PARTS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_VISIBLE_ASCII = re.compile(r"[!-\[\]-~]+")
_LONGEST_HOST = 253
_HIGHEST_PORT = 65_535


@dataclass(frozen=True, kw_only=True)
class Target:
    """A checked URL in its parts; ``loopback`` only where the settings of the embedded stack allow it."""

    scheme: str
    host: str
    port: int
    path: str
    loopback: bool


def check_url(url: str, *, hosts: Iterable[str], allow_loopback: bool) -> Target:
    """Read a URL by the rules of this module; raises `WebhookRefused` with the first rule that it breaks."""
    target = read_url(url, allow_loopback=allow_loopback)
    if allowed_as(target.host, hosts) is None:
        raise WebhookRefused(Refusal.URL_HOST_NOT_ALLOWED)
    return target


def allowed_as(host: str, hosts: Iterable[str]) -> str | None:
    """Return the entry of an allow-list that allows a host, None when none does."""
    return next((pattern for pattern in hosts if _matches(host, pattern)), None)


def read_url(url: str, *, allow_loopback: bool) -> Target:
    """Check everything about a URL but whether a policy allows its host; raises `WebhookRefused`."""
    if len(url) > LONGEST_URL or not _VISIBLE_ASCII.fullmatch(url):  # no blank, no backslash, no control character
        raise WebhookRefused(Refusal.URL_INVALID)
    parts = _PARTS.fullmatch(url)
    if parts is None:
        raise WebhookRefused(Refusal.URL_INVALID)
    scheme = parts["scheme"].lower()
    if scheme not in {"https", "http"}:
        raise WebhookRefused(Refusal.URL_SCHEME)
    for part, refusal in (("query", Refusal.URL_QUERY), ("fragment", Refusal.URL_FRAGMENT)):
        if parts[part] is not None:
            raise WebhookRefused(refusal)
    if "@" in parts["authority"]:
        raise WebhookRefused(Refusal.URL_USERINFO)
    path = parts["path"] or "/"
    if not _PATH.fullmatch(path):
        raise WebhookRefused(Refusal.URL_INVALID)
    host, port = _authority(parts["authority"], default_port=HTTPS_PORT if scheme == "https" else 80)
    loopback = allow_loopback and scheme == "http" and host in LOOPBACK_HOSTS
    if not loopback:
        _check_public(scheme, host, port)
    return Target(scheme=scheme, host=host, port=port, path=path, loopback=loopback)


def _authority(authority: str, *, default_port: int) -> tuple[str, int]:
    name, colon, digits = authority.partition(":")
    host = name.lower()
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):  # no trailing dot, no underscore, no brackets, no percent
        raise WebhookRefused(Refusal.URL_HOST)
    if not colon:
        return host, default_port
    if not _PORT.fullmatch(digits) or int(digits) > _HIGHEST_PORT:
        raise WebhookRefused(Refusal.URL_PORT)
    return host, int(digits)


def _check_public(scheme: str, host: str, port: int) -> None:
    if scheme != "https":
        raise WebhookRefused(Refusal.URL_SCHEME)
    if port != HTTPS_PORT:
        raise WebhookRefused(Refusal.URL_PORT)
    labels = host.split(".")
    if len(labels) < 2 or _NUMBER.fullmatch(labels[-1]):  # noqa: PLR2004 - a name without a dot is a machine next door
        raise WebhookRefused(Refusal.URL_HOST)  # an address in any spelling ends in a number; only names have certificates


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
