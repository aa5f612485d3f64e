"""The one road in: stage, derive, validate, commit."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.context import Context
from kg.errors import Rejected
from kg.namespaces import RF, USUAL_PREFIXES
from kg.project import Project
from kg.publishing.derivation import derive, read_rules
from kg.publishing.gate import findings
from kg.publishing.staging import Progress, Staged, load_turtle, stage
from kg.publishing.texts import Text
from kg.store.base import Commit, NamedGraph, Owner, Release
from kg.store.embedded import commit
from kg.validation.conformance import Shapes
from kg.validation.report import Finding

_ANCHOR: Final = f"<{RF}Anchor> .\n".encode()


@dataclass(frozen=True, slots=True)
class Checked:
    """A project as it would be written, and what the gate found in it."""

    staged: Staged
    shapes: Shapes
    findings: list[Finding]

    def graphs(self) -> tuple[NamedGraph, ...]:
        """Every graph that the project makes."""
        reference = self.staged.reference.graphs.items()
        return (
            *(NamedGraph(iri, triples, Owner.DATA) for iri, triples in reference),
            *(graph for unit in self.staged.units for graph in unit.graphs),
        )

    def anchors(self, texts: Sequence[Text] = ()) -> int:
        """How many anchors the articles have; with `texts`, only those of these texts' articles."""
        wanted = {text.digest[:16] for text in texts}
        counted = (unit for unit in self.staged.units if not texts or unit.key in wanted)
        return sum(graph.triples.count(_ANCHOR) for unit in counted for graph in unit.graphs)


def silent(what: str, done: int, of: int) -> None:
    """Progress that nobody watches."""


def check(project: Project, texts: Sequence[Text] = (), progress: Progress = silent) -> Checked:
    """The project staged, derived and validated; nothing is written.

    Raises ProjectError, SourceError, RuleError and ShapesError for what cannot be read.
    """
    load_turtle(project.shapes())  # with line and column where it is no Turtle
    shapes = Shapes.read(project.shapes())
    prefixes = USUAL_PREFIXES | dict(Context.read(project.context).prefixes)
    staged = stage(project, texts, progress)
    derived = derive(staged, read_rules(project.rules()), prefixes, progress)
    return Checked(derived, shapes, findings(derived, shapes, progress))


def publish(
    project: Project,
    store: Path,
    *,
    who: str,
    message: str,
    now: datetime.datetime,
    texts: Sequence[Text] = (),
    progress: Progress = silent,
) -> Release | None:
    """The release that the project makes in the store; None where HEAD says the same already.

    Raises Rejected with the gate's violations, and what `check` and the commit raise; the
    store is then as it was.
    """
    checked = check(project, texts, progress)
    violations = [finding for finding in checked.findings if finding.violates]
    if violations:
        raise Rejected([finding.text(checked.shapes.prefixes) for finding in violations])
    change = Commit(
        graphs=checked.graphs(),
        owners=frozenset({Owner.DATA, Owner.DERIVED}),
        who=who,
        message=message,
        shapes_digest=checked.shapes.digest,
        context=project.context.read_bytes(),
    )
    return commit(store, change, now=now)
