"""Route templates of HTTP triggers: matching as ASP.NET does it for Azure Functions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from local.host.errors import StartError

_PARAMETER = re.compile(r"\{(?P<rest>\*{0,2})(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\?)?\}")
_CONSTRAINTS = {
    "guid": "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}",
    "int": r"[+-]?\d{1,10}",
    "long": r"[+-]?\d{1,19}",
    "alpha": "[A-Za-z]+",
}
_LITERAL, _MIXED, _CONSTRAINED, _OPEN, _REST = range(5)


@dataclass(frozen=True, kw_only=True)
class Route:
    """A template, compiled: ``precedence`` sorts the more specific ones first."""

    pattern: re.Pattern[str]
    precedence: tuple[int, ...]

    def match(self, raw_path: str) -> Mapping[str, str] | None:
        """Route parameters of a still percent-encoded path; None when it does not match.

        Segments are decoded one by one, so that an encoded slash stays inside its parameter.
        """
        segments = (unquote(segment).replace("/", "%2F") for segment in raw_path.strip("/").split("/"))
        found = self.pattern.fullmatch("/".join(segments))
        return None if found is None else {name: value for name, value in found.groupdict().items() if value}


def compile_route(template: str, *, prefix: str) -> Route:
    """Compile a template such as ``items/{id:guid}`` under the app's route prefix; literals ignore case."""
    pattern = ""
    precedence: list[int] = []
    for segment in f"{prefix}/{template.strip('/')}".strip("/").split("/"):
        expression, rank, optional = _segment(segment)
        slash = "/" if precedence else ""
        pattern += f"(?:{slash}{expression})?" if optional else slash + expression
        precedence.append(rank)
    return Route(pattern=re.compile(pattern, re.IGNORECASE | re.DOTALL), precedence=tuple(precedence))


def _segment(segment: str) -> tuple[str, int, bool]:
    expression, position, rank, optional = "", 0, _LITERAL, False
    for found in _PARAMETER.finditer(segment):
        constraint, whole = found["constraint"], found.group() == segment
        if constraint and constraint not in _CONSTRAINTS:
            raise StartError(f"the route constraint {constraint} is not known to this host")
        value = _CONSTRAINTS[constraint] if constraint else ".*" if found["rest"] else "[^/]+"
        expression += f"{re.escape(segment[position : found.start()])}(?P<{found['name']}>{value})"
        position, optional = found.end(), whole and bool(found["optional"] or found["rest"])
        rank = (_REST if found["rest"] else _CONSTRAINED if constraint else _OPEN) if whole else _MIXED
    rest = segment[position:]
    if "{" in rest or "}" in rest:
        raise StartError(f"the route segment {segment!r} is not understood")
    return expression + re.escape(rest), rank, optional
