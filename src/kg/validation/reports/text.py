"""Findings for a person at a terminal: by file, with the line of the source and a caret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kg.errors import Place
from kg.validation.report import NONE, Finding
from kg.validation.reports.printable import printable
from kg.validation.reports.report import MOST_FOR_PEOPLE, Report, by_unit, summary

_COLOURS: Final = {"Violation": "31;1", "Warning": "33;1", "Info": "34;1"}
_DIM: Final = "2"
_GREEN: Final = "32;1"
_BOLD: Final = "1"
_WIDTH: Final = 200
"""Characters of a line of the source that are shown."""


def text(report: Report, *, colour: bool = False, most: int = MOST_FOR_PEOPLE) -> str:
    """The report as lines; with `colour` as a terminal shows it (ECMA-48, 8.3.117)."""
    return "".join(f"{line}\n" for line in _Writer(report, colour=colour).lines(most))


class _Writer:
    def __init__(self, report: Report, *, colour: bool) -> None:
        self._report = report
        self._colour = colour

    def lines(self, most: int) -> Iterator[str]:
        left = most
        for name, findings in by_unit(self._report).items():
            if left <= 0:
                break
            yield self._styled(_BOLD, f"{printable(name)}: {_findings(len(findings))}")
            for finding in findings[:left]:
                yield from self._finding(finding)
            left -= len(findings)
            yield ""
        total = len(self._report.findings)
        if total > most:
            yield f"showing {most:,} of {total:,} findings"
        yield summary(self._report)

    def _finding(self, finding: Finding) -> Iterator[str]:
        place = finding.place
        where = f"{printable(self._report.where(place))}: " if place else ""
        style = _COLOURS.get(finding.severity, _BOLD)
        severity = self._styled(style, f"{printable(finding.severity)}: ")
        yield where + severity + printable(finding.message, 1000)
        if place:
            yield from self._excerpt(place)
        if finding.focus_node != NONE:
            yield f"  at {self._about(finding)} ({printable(finding.component)})"
        for other in finding.related:
            yield f"  with {printable(self._report.name(other))}"
        for cause in finding.causes:
            yield from self._cause(cause, 1)

    def _cause(self, cause: Finding, depth: int) -> Iterator[str]:
        branch = self._styled(_DIM, f"{printable(cause.branch)}: ") if cause.branch else ""
        yield f"  {'  ' * depth}because {branch}{printable(cause.message)} [{self._about(cause)}]"
        for each in cause.causes:
            yield from self._cause(each, depth + 1)

    def _about(self, finding: Finding) -> str:
        path = "" if finding.path == NONE else f" {self._report.path(finding)}"
        value = "" if finding.value == NONE else f", value {self._report.name(finding.value)}"
        focus = self._report.name(finding.focus_node)
        return printable(focus) + printable(path) + printable(value)

    def _excerpt(self, place: Place) -> Iterator[str]:
        line = self._report.excerpts.get(place)
        if line is None:
            return
        yield f"{place.line or 0:>5} | {printable(line, _WIDTH)}"
        if place.column and place.column <= min(_WIDTH, len(line) + 1):
            before = len(printable(line[: place.column - 1], _WIDTH))
            caret = self._styled(_GREEN, "^" * len(place.key or "^"))
            yield f"{'':5} | {' ' * before}{caret}"

    def _styled(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour else text


def _findings(count: int) -> str:
    return "1 finding" if count == 1 else f"{count:,} findings"
