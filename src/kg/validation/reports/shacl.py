"""Findings as a validation report in RDF (SHACL 1.0, 3.6), written as Turtle.

`sh:conforms` is that of the standard: true only where there is no result of any severity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rdflib import SH

from kg.namespaces import SHAPES
from kg.validation.paths import path_turtle
from kg.validation.report import NONE, Finding, Severity
from kg.validation.reports.report import Report

_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\]*")
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SEVERITIES: Final = {each.value for each in Severity}


def turtle(report: Report) -> str:
    """The report as one blank node with all that is in it; IRIs in full."""
    conforms = "false" if report.findings else "true"
    head = f"@prefix sh: <{SH}> .\n\n[]\n    a sh:ValidationReport ;\n    sh:conforms {conforms}"
    results = (f" ;\n    sh:result {_result(each, 1, report)}" for each in report.findings)
    return head + "".join(results) + " .\n"


def _result(finding: Finding, depth: int, report: Report) -> str:
    indent = "    " * (depth + 1)
    parts = f" ;\n{indent}".join(_parts(finding, depth, report))
    return f"[\n{indent}{parts}\n{'    ' * depth}]"


def _parts(finding: Finding, depth: int, report: Report) -> Iterator[str]:
    yield "a sh:ValidationResult"
    yield f"sh:resultSeverity {_severity(finding.severity)}"
    yield f"sh:focusNode {finding.focus_term or _node(finding.focus_node)}"
    path = path_turtle(finding.path)
    if path:
        yield f"sh:resultPath {path}"
    if finding.value != NONE:
        yield f"sh:value {finding.value_term or _value(finding.value)}"
    if finding.message:
        yield f"sh:resultMessage {_text(_message(finding, report))}"
    yield f"sh:sourceConstraintComponent {_component(finding)}"
    if finding.source_constraint != NONE:
        yield f"sh:sourceConstraint <{finding.source_constraint}>"
    if finding.shape != NONE:
        yield f"sh:sourceShape <{finding.shape}>"
    for cause in finding.causes:
        yield f"sh:detail {_result(cause, depth + 1, report)}"


def _message(finding: Finding, report: Report) -> str:
    """The message; of what is about no node it says first where that stands: nothing else does."""
    if finding.focus_node == NONE and finding.place:
        return f"{report.where(finding.place)}: {finding.message}"
    return finding.message


def _severity(severity: str) -> str:
    return f"sh:{severity}" if severity in _SEVERITIES else _node(severity)


def _component(finding: Finding) -> str:
    """The component's own IRI; for what no shape has found, one of ours."""
    iri = finding.source_component
    return f"<{SHAPES}{finding.component}>" if iri == NONE else f"<{iri}>"


def _node(name: str) -> str:
    return f"<{name}>" if _IRI.fullmatch(name) else "[]"


def _value(name: str) -> str:
    if name == "_":
        return "[]"
    return f"<{name}>" if _IRI.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\U{ord(character):08X}"
