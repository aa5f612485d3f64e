"""Findings as JUnit XML, for continuous integration: a test case for each thing checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kg.validation.report import Finding
from kg.validation.reports.printable import printable
from kg.validation.reports.report import Report, Unit, by_unit
from kg.validation.reports.text import text

_MOST: Final = 200
"""Findings told of one case; the attribute `message` says how many there are."""
_OTHERS: Final = "others"


def junit(report: Report) -> str:
    """The report as one suite a group, and in it a case for each unit.

    A case fails where it has a violation; findings that are none stand in its output.
    """
    groups: dict[str, list[Unit]] = {}
    for unit in _units(report):
        groups.setdefault(unit.group, []).append(unit)
    found = by_unit(report)
    root = Element("testsuites", name="kg check")
    for group, units in groups.items():
        _suite(root, group, units, found, report)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _units(report: Report) -> list[Unit]:
    """What was checked, and what findings are about beside that."""
    known = {unit.name for unit in report.checked}
    others = (Unit(_OTHERS, name) for name in by_unit(report) if name not in known)
    return [*report.checked, *others]


def _suite(
    root: Element,
    group: str,
    units: Sequence[Unit],
    found: dict[str, list[Finding]],
    report: Report,
) -> None:
    suite = SubElement(root, "testsuite", name=printable(group))
    failures = 0
    for unit in units:
        findings = found.get(unit.name, [])
        case = SubElement(suite, "testcase", classname=printable(group), name=printable(unit.name))
        failures += _case(case, findings, report)
    suite.set("tests", str(len(units)))
    suite.set("failures", str(failures))
    suite.set("errors", "0")


def _case(case: Element, findings: Sequence[Finding], report: Report) -> bool:
    """Whether it fails."""
    violations = [finding for finding in findings if finding.violates]
    others = [finding for finding in findings if not finding.violates]
    if violations:
        noun = "violation" if len(violations) == 1 else "violations"
        kinds = sorted({finding.component for finding in violations})
        failure = SubElement(
            case,
            "failure",
            message=f"{len(violations):,} {noun}: {printable(violations[0].message)}",
            type=printable(", ".join(kinds)),
        )
        failure.text = _told(violations, report)
    if others:
        SubElement(case, "system-out").text = _told(others, report)
    return bool(violations)


def _told(findings: Sequence[Finding], report: Report) -> str:
    part = Report(
        findings=findings, prefixes=report.prefixes, root=report.root, excerpts=report.excerpts
    )
    return text(part, most=_MOST)
