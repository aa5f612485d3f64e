"""What validation finds, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from kg.errors import Place


class Severity(Enum):
    """The severities of SHACL 1.0, 2.1.4; only a violation keeps a write from landing."""

    VIOLATION = "Violation"
    WARNING = "Warning"
    INFO = "Info"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One `sh:ValidationResult` (SHACL 1.0, 3.6.2); IRIs in full, `-` where there is none.

    `component` is the local name of the constraint component, and for a SPARQL constraint that
    of the constraint itself, since the component would not tell one from another.
    """

    severity: str
    focus_node: str
    path: str
    component: str
    message: str = ""
    value: str = "-"
    place: Place | None = None

    @property
    def violates(self) -> bool:
        """Whether it keeps a write from landing."""
        return self.severity == Severity.VIOLATION.value

    def line(self, prefixes: Mapping[str, str]) -> str:
        """`severity focus-node path component`, with prefixes: what case files expect."""
        names = (compact(name, prefixes) for name in (self.focus_node, self.path))
        return " ".join((self.severity, *names, self.component))

    def text(self, prefixes: Mapping[str, str]) -> str:
        """The finding for a person: place, message, focus node and value."""
        where = f"{self.place}: " if self.place else ""
        value = "" if self.value == "-" else f", value {compact(self.value, prefixes)}"
        focus = compact(self.focus_node, prefixes)
        return f"{where}{self.severity}: {self.message} [{focus}{value}]"


def conforms(findings: list[Finding]) -> bool:
    """Whether no finding is a violation."""
    return not any(finding.violates for finding in findings)


def compact(name: str, prefixes: Mapping[str, str]) -> str:
    """An IRI as `prefix:local` by the longest namespace that fits; anything else as it is."""
    fitting = [(iri, prefix) for prefix, iri in prefixes.items() if name.startswith(iri)]
    if not fitting:
        return name
    iri, prefix = max(fitting, key=lambda pair: len(pair[0]))
    return f"{prefix}:{name.removeprefix(iri)}"
