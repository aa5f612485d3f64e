"""What validation finds, as values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from kg.errors import KgError, Place

NONE: Final = "-"
"""What stands for a part that a finding does not have."""

_BRACKETED: Final = re.compile("<([^<>]*)>")


class Severity(Enum):
    """The severities of SHACL 1.0, 2.1.4; only a violation keeps a write from landing."""

    VIOLATION = "Violation"
    WARNING = "Warning"
    INFO = "Info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One `sh:ValidationResult` (SHACL 1.0, 3.6.2); IRIs in full, `-` where there is none.

    `component` is the local name of the constraint component, and for a SPARQL constraint that
    of the constraint itself, since the component would not tell one from another. `path` is an
    IRI, or a path as SPARQL writes it. `causes` are the results of the shapes that the constraint
    leads to (`sh:detail`), each with the `branch` that it is of. `focus_term` and `value_term` are
    the nodes as N-Triples writes them, empty for a blank node. `related` are further nodes that
    the message speaks of.
    """

    severity: str
    focus_node: str
    path: str
    component: str
    message: str = ""
    value: str = NONE
    place: Place | None = None
    graph: str = NONE
    shape: str = NONE
    source_component: str = NONE
    source_constraint: str = NONE
    focus_term: str = ""
    value_term: str = ""
    branch: str = ""
    causes: tuple[Finding, ...] = ()
    related: tuple[str, ...] = ()

    @property
    def violates(self) -> bool:
        """Whether it keeps a write from landing."""
        return self.severity == Severity.VIOLATION.value

    @property
    def order(self) -> tuple[str, ...]:
        """What findings are sorted by."""
        return (
            self.severity,
            self.focus_node,
            self.path,
            self.component,
            self.message,
            self.value,
            self.shape,
        )

    def line(self, prefixes: Mapping[str, str]) -> str:
        """`severity focus-node path component`, with prefixes: what case files expect."""
        focus = compact(self.focus_node, prefixes)
        return " ".join((self.severity, focus, compact_path(self.path, prefixes), self.component))

    def text(self, prefixes: Mapping[str, str]) -> str:
        """The finding for a person: place, message, focus node and value."""
        where = f"{self.place}: " if self.place else ""
        value = "" if self.value == NONE else f", value {compact(self.value, prefixes)}"
        focus = compact(self.focus_node, prefixes)
        return f"{where}{self.severity}: {self.message} [{focus}{value}]"


def conforms(findings: Iterable[Finding]) -> bool:
    """Whether no finding is a violation."""
    return not any(finding.violates for finding in findings)


def finding_of_error(error: KgError) -> Finding:
    """What keeps a source from being read, as a finding about the file."""
    message = f"{error.message}. {error.remedy}" if error.remedy else error.message
    return Finding(
        Severity.VIOLATION.value, NONE, NONE, type(error).__name__, message, place=error.place
    )


def finding_of_audit(
    rule: str, severity: str, verdict: str, message: str, claims: Iterable[str]
) -> Finding:
    """What a rule of the audit says of these claims; the verdict is its value."""
    first, *others = [*claims] or [NONE]
    return Finding(severity, first, NONE, rule, message, value=verdict, related=tuple(others))


def compact(name: str, prefixes: Mapping[str, str]) -> str:
    """An IRI as `prefix:local` by the longest namespace that fits; anything else as it is."""
    fitting = [(iri, prefix) for prefix, iri in prefixes.items() if name.startswith(iri)]
    if not fitting:
        return name
    iri, prefix = max(fitting, key=lambda pair: len(pair[0]))
    return f"{prefix}:{name.removeprefix(iri)}"


def compact_path(path: str, prefixes: Mapping[str, str]) -> str:
    """A path with its IRIs compact."""
    if "<" not in path:
        return compact(path, prefixes)
    return _BRACKETED.sub(lambda iri: compact(iri[1], prefixes), path)
