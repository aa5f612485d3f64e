"""Findings as JSON, for programs: members are added, and none is renamed or removed."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from kg.validation.report import NONE, Finding
from kg.validation.reports.report import Report

_TYPED: Final = re.compile(r'".*"(?:@(?P<language>[A-Za-z0-9-]+)|\^\^<(?P<datatype>[^>]*)>)?', re.S)
_XSD_STRING: Final = "http://www.w3.org/2001/XMLSchema#string"


def json_report(report: Report) -> str:
    """The report as an object; see docs/validate.md for its members."""
    document = {
        "conforms": report.conforms,
        "counts": report.counts(),
        "total": len(report.findings),
        **({"release": report.release} if report.release else {}),
        **({"shapesDigest": report.shapes_digest} if report.shapes_digest else {}),
        "checked": [{"group": each.group, "name": each.name} for each in report.checked],
        "findings": [described(finding, report) for finding in report.findings],
    }
    return json.dumps(document, indent=2) + "\n"


def described(finding: Finding, report: Report) -> dict[str, Any]:
    """A finding as an object; what it does not have is left out."""
    place = finding.place
    parts: dict[str, Any] = {
        "severity": finding.severity,
        "message": finding.message,
        "focusNode": finding.focus_node,
        "path": report.path(finding),
        "value": finding.value,
        "valueType": None if finding.value == NONE else _type(finding.value_term),
        "component": finding.component,
        "shape": finding.shape,
        "constraint": finding.source_constraint,
        "graph": finding.graph,
        "branch": finding.branch,
        "place": None
        if place is None
        else {
            "file": report.file(place),
            "line": place.line,
            "column": place.column,
            "key": place.key,
        },
        "related": list(finding.related),
        "causes": [described(cause, report) for cause in finding.causes],
    }
    return {name: value for name, value in parts.items() if value not in (None, NONE, "", [])}


def _type(term: str) -> dict[str, str]:
    """The kind of a term as the JSON of SPARQL results has it (SPARQL 1.1 Results JSON, 3.2.2)."""
    literal = _TYPED.fullmatch(term)
    if literal is None:
        return {"type": "uri" if term.startswith("<") else "bnode"}
    named = {name: value for name, value in literal.groupdict().items() if value}
    return {"type": "literal"} | {n: v for n, v in named.items() if v != _XSD_STRING}
