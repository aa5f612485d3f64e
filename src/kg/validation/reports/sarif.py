"""Findings as SARIF 2.1.0, which editors and code hosts show beside the source.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import quote

from kg.errors import Place
from kg.validation.report import NONE, Finding
from kg.validation.reports.report import Report, by_rule
from kg.validation.reports.structured import described

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "PROJECT"
_PLAIN: Final = {"{": "{{", "}": "}}", "[": "\\[", "]": "\\]", "\\": "\\\\"}
_SPECIAL: Final = re.compile(r"[{}\[\]\\]")
_LEVELS: Final = {"Violation": "error", "Warning": "warning", "Info": "note"}


def sarif(report: Report) -> str:
    """The report as one run (section 3.14); a rule is a constraint, or a shape without one."""
    rules = {name: number for number, name in enumerate(by_rule(report))}
    run = {
        "tool": {
            "driver": {
                "name": "kg",
                "version": version("kg"),
                "rules": [_rule(name, found[0]) for name, found in by_rule(report).items()],
            }
        },
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The project folder."}}},
        "results": [_result(finding, report, rules) for finding in report.findings],
        "properties": {"conforms": report.conforms, "counts": report.counts()},
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(name: str, first: Finding) -> dict[str, Any]:
    """Section 3.49; its message is that of the first finding, which has its values filled in."""
    rule: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": _plain(first.message) or name},
        "defaultConfiguration": {"level": _level(first)},
    }
    shape = first.source_constraint if first.source_constraint != NONE else first.shape
    return rule | ({"properties": {"shape": shape}} if shape != NONE else {})


def _result(finding: Finding, report: Report, rules: Mapping[str, int]) -> dict[str, Any]:
    """Section 3.27."""
    rule = report.rule(finding)
    return {
        "ruleId": rule,
        "ruleIndex": rules[rule],
        "level": _level(finding),
        "message": {"text": _plain("\n".join(_message(finding, 0))) or rule},
        "locations": [_location(finding, report)],
        "partialFingerprints": {"finding/v1": _fingerprint(finding)},
        "properties": {
            name: value
            for name, value in described(finding, report).items()
            if name not in ("message", "place")
        },
    }


def _level(finding: Finding) -> str:
    return _LEVELS.get(finding.severity, "note")


def _message(finding: Finding, depth: int) -> Iterator[str]:
    branch = f"{finding.branch}: " if finding.branch else ""
    yield f"{'  ' * depth}{branch}{finding.message}"
    for cause in finding.causes:
        yield from _message(cause, depth + 1)


def _plain(text: str) -> str:
    """The text without placeholders and links (sections 3.11.5 and 3.11.6), whoever wrote it."""
    return _SPECIAL.sub(lambda found: _PLAIN[found[0]], text)


def _location(finding: Finding, report: Report) -> dict[str, Any]:
    """Section 3.28: the place in the file where there is one, and the node in the graph."""
    node = {"fullyQualifiedName": finding.focus_node, "kind": "resource"}
    location: dict[str, Any] = {"logicalLocations": [node]}
    if finding.place:
        location["physicalLocation"] = _physical(finding.place, report)
    return location


def _physical(place: Place, report: Report) -> dict[str, Any]:
    file = report.file(place)
    absolute = file.startswith("/")
    artifact = {"uri": f"file://{quote(file)}"} if absolute else {"uri": quote(file)}
    if not absolute:
        artifact["uriBaseId"] = _ROOT
    region: dict[str, Any] = {}
    if place.line:
        region["startLine"] = place.line
    if place.line and place.column:
        region["startColumn"] = place.column
        region["endColumn"] = place.column + len(place.key or "^")
    line = report.excerpts.get(place)
    if region and line is not None:
        region["snippet"] = {"text": line}
    return {"artifactLocation": artifact} | ({"region": region} if region else {})


def _fingerprint(finding: Finding) -> str:
    """What stays the same when lines move (section 3.27.17)."""
    return hashlib.sha256("\n".join(finding.order).encode()).hexdigest()
