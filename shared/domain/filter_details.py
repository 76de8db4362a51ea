"""What a filter's finding refers to: the source of quoted material, kinds of personal information, names of blocklists.

These are texts of others, and as much content as the completion itself: they stand in the output only and share its deadline.
What is not of a known shape, or too long, is left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.domain.filter_findings import Category, category_of

MOST = 20
"""Entries of each kind."""
LONGEST = 500
"""Characters of a text."""

_PROTECTED = frozenset({Category.PROTECTED_MATERIAL_TEXT, Category.PROTECTED_MATERIAL_CODE})


@dataclass(frozen=True, kw_only=True)
class Citation:
    """Where quoted material was published, and under which license, as far as the filter knows."""

    category: Category
    url: str | None = field(repr=False)
    license: str | None = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """An entry of ``citations``."""
        return {"category": self.category, "url": self.url, "license": self.license}


@dataclass(frozen=True, kw_only=True)
class PersonalInformation:
    """A kind of personal information, such as ``Email``; a flag is None where the filter did not say it."""

    kind: str = field(repr=False)
    detected: bool | None
    filtered: bool | None
    redacted: bool | None

    def as_json(self) -> dict[str, Any]:
        """An entry of ``personal_information``."""
        return {"kind": self.kind, "detected": self.detected, "filtered": self.filtered, "redacted": self.redacted}


@dataclass(frozen=True, kw_only=True)
class Blocklist:
    """A blocklist of the customer's own, and whether it matched; None where the filter did not say it."""

    id: str = field(repr=False)
    filtered: bool | None

    def as_json(self) -> dict[str, Any]:
        """An entry of ``blocklists``."""
        return {"id": self.id, "filtered": self.filtered}


@dataclass(frozen=True, kw_only=True)
class Details:
    """All that the findings of one answer refer to."""

    citations: tuple[Citation, ...] = ()
    personal_information: tuple[PersonalInformation, ...] = ()
    blocklists: tuple[Blocklist, ...] = ()

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        """``details`` of a generation's ``content_filter``."""
        return {
            "citations": [each.as_json() for each in self.citations],
            "personal_information": [each.as_json() for each in self.personal_information],
            "blocklists": [each.as_json() for each in self.blocklists],
        }


NONE = Details()


def of_results(groups: Iterable[object]) -> Details:
    """Read what the findings of all results refer to."""
    citations: list[Citation] = []
    kinds: list[PersonalInformation] = []
    blocklists: list[Blocklist] = []
    for results in groups:
        for name, finding in results.items() if isinstance(results, dict) else ():
            category = category_of(name)
            if category in _PROTECTED:
                citations += _citations(category, finding)
            elif category is Category.PERSONALLY_IDENTIFIABLE_INFORMATION:
                kinds += _kinds(finding)
            elif category is Category.CUSTOM_BLOCKLISTS:
                blocklists += _blocklists(finding)
    return Details(citations=_bounded(citations), personal_information=_bounded(kinds), blocklists=_bounded(blocklists))


def _citations(category: Category, finding: object) -> Iterator[Citation]:
    """Azure writes ``URL``, in some documents ``url``."""
    for entry in _entries(finding, "citation"):
        url, license_ = _text(entry.get("URL")) or _text(entry.get("url")), _text(entry.get("license"))
        if url or license_:
            yield Citation(category=category, url=url, license=license_)


def _kinds(finding: object) -> Iterator[PersonalInformation]:
    for entry in _entries(finding, "sub_categories"):
        if kind := _text(entry.get("sub_category")):
            yield PersonalInformation(
                kind=kind,
                detected=_flag(entry.get("detected")),
                filtered=_flag(entry.get("filtered")),
                redacted=_flag(entry.get("redacted")),
            )


def _blocklists(finding: object) -> Iterator[Blocklist]:
    """The entries stand in ``details``, or in older versions in a list that is the finding itself."""
    for entry in _entries({"details": finding} if isinstance(finding, list) else finding, "details"):
        if name := _text(entry.get("id")):
            yield Blocklist(id=name, filtered=_flag(entry.get("filtered")))


def _entries(finding: object, name: str) -> list[dict[str, Any]]:
    """Objects of one member of a finding, which has one or a list of them."""
    inside = finding.get(name) if isinstance(finding, dict) else None
    return [entry for entry in (inside if isinstance(inside, list) else [inside]) if isinstance(entry, dict)]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _bounded[Entry](entries: list[Entry]) -> tuple[Entry, ...]:
    """The first entries, each once."""
    return tuple(dict.fromkeys(entries))[:MOST]
