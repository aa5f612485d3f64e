"""What a report is written from: the findings, and what was checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kg.errors import Place
from kg.validation.report import NONE, Finding, Severity, compact, compact_path, conforms
from kg.validation.reports.printable import printable

MOST_FOR_PEOPLE: Final = 500
"""Findings that the text and the page show; they say how many there are."""

_SEVERITIES: Final = [each.value for each in Severity]


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that was checked: an article or a file, in a `group` of such."""

    group: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The findings of one check.

    `checked` are the names that findings are grouped by, so that one without findings is told as
    well; files are named as seen from `root`. `excerpts` are the lines of the sources at the
    places of the findings.
    """

    findings: Sequence[Finding]
    prefixes: Mapping[str, str] = field(default_factory=dict)
    checked: Sequence[Unit] = ()
    root: Path | None = None
    excerpts: Mapping[Place, str] = field(default_factory=dict)
    shapes_digest: str = ""
    release: str = ""

    @property
    def conforms(self) -> bool:
        """Whether no finding is a violation."""
        return conforms(self.findings)

    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity, those of SHACL first."""
        counts = dict.fromkeys(_SEVERITIES, 0)
        for finding in self.findings:
            counts[finding.severity] = counts.get(finding.severity, 0) + 1
        return counts

    def name(self, iri: str) -> str:
        """An IRI with its prefix."""
        return compact(iri, self.prefixes)

    def path(self, finding: Finding) -> str:
        """The path of a finding with prefixes."""
        return compact_path(finding.path, self.prefixes)

    def rule(self, finding: Finding) -> str:
        """What a finding is of: its constraint, its shape, else its component."""
        for iri in (finding.source_constraint, finding.shape):
            if iri != NONE:
                return self.name(iri)
        return finding.component

    def file(self, place: Place) -> str:
        """The file of a place as seen from the root."""
        if self.root and place.file.is_relative_to(self.root):
            return place.file.relative_to(self.root).as_posix()
        return place.file.as_posix()

    def where(self, place: Place) -> str:
        """File, line and column, as compilers write them."""
        position = "".join(f":{number}" for number in (place.line, place.column) if number)
        return f"{self.file(place)}{position}"

    def unit(self, finding: Finding) -> str:
        """The name of what a finding is about: its file, its graph, else nothing in particular."""
        if finding.place:
            return self.file(finding.place)
        return self.name(finding.graph) if finding.graph != NONE else "no file"


def by_unit(report: Report) -> dict[str, list[Finding]]:
    """The findings by what they are about, in the order in which they come."""
    return _grouped(report.findings, report.unit)


def by_rule(report: Report) -> dict[str, list[Finding]]:
    """The findings by their constraint or shape, the most frequent first."""
    groups = _grouped(report.findings, report.rule)
    return dict(sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])))


def _grouped(
    findings: Iterable[Finding], name: Callable[[Finding], str]
) -> dict[str, list[Finding]]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(name(finding), []).append(finding)
    return groups


def summary(report: Report) -> str:
    """How many findings there are of each severity, in words."""
    counts = report.counts()
    told = [_counted(printable(name.lower()), count) for name, count in counts.items() if count]
    return ", ".join(told) or "no findings"


def _counted(severity: str, count: int) -> str:
    plain = {"violation": "violation", "warning": "warning"}.get(severity)
    if plain:
        return f"{count} {plain}" if count == 1 else f"{count} {plain}s"
    return f"{count} {severity}"


def excerpts(findings: Iterable[Finding]) -> dict[Place, str]:
    """The line of the source at each place that can be read."""
    files: dict[Path, list[str]] = {}
    found: dict[Place, str] = {}
    for place in {finding.place for finding in findings if finding.place}:
        if place.file not in files:
            files[place.file] = _lines(place.file)
        found |= _excerpt(place, files[place.file])
    return found


def excerpts_of(findings: Iterable[Finding], text: str) -> dict[Place, str]:
    """As `excerpts`, of findings that are all about this text."""
    lines, found = text.split("\n"), dict[Place, str]()
    for place in {finding.place for finding in findings if finding.place}:
        found |= _excerpt(place, lines)
    return found


def _excerpt(place: Place, lines: list[str]) -> dict[Place, str]:
    known = place.line is not None and place.line <= len(lines)
    return {place: lines[place.line - 1]} if known and place.line else {}


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return []
