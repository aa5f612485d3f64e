"""The one road in: stage, derive, validate, commit."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from kg.context import Context
from kg.errors import Rejected
from kg.namespaces import RF, USUAL_PREFIXES
from kg.project import Project
from kg.publishing.audit import AuditRule, audited, check_findings, read_audit
from kg.publishing.derivation import derive, read_rules
from kg.publishing.gate import Judgement, judged, unchanged
from kg.publishing.preparation import Checks, release_files
from kg.publishing.staging import Progress, Staged, load_turtle, stage
from kg.publishing.texts import Text
from kg.publishing.verdicts import FILE, Verdicts, kept
from kg.publishing.written_graphs import Said, check_conforms, checked
from kg.settings import Settings
from kg.store.base import Commit, NamedGraph, Owner, Release
from kg.store.commits import Writing, writing
from kg.store.retention import KEEP_ALL, Policy, retained_events
from kg.validation.conformance import Shapes
from kg.validation.report import Finding

_WAIT_SECONDS: Final = 5.0
"""How long a build waits for a write over HTTP to end."""
_REMEDY: Final = (
    "These graphs were written over HTTP, and do not conform to the shapes as they now are: write"
    " them anew or DELETE them, or undo the change of the shapes."
)
_log = logging.getLogger(__name__)
_ANCHOR: Final = f"<{RF}Anchor> .\n".encode()


@dataclass(frozen=True, slots=True)
class Checked:
    """A project as it would be written, and what the gate found in it."""

    staged: Staged
    checks: Checks
    audit: Sequence[AuditRule]
    files: Mapping[str, bytes]
    """What the release carries beside its graphs."""
    findings: list[Finding]

    @property
    def shapes(self) -> Shapes:
        """The shapes that it was checked with."""
        return self.checks.shapes

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


def check(
    project: Project,
    texts: Sequence[Text] = (),
    progress: Progress = silent,
    *,
    before: Verdicts | None = None,
    settings: Settings | None = None,
) -> Checked:
    """The project staged, derived and validated; nothing is written.

    What conformed `before`, and is the same, is not validated again. Without settings no other
    process is started: a script without a guard would start itself. Raises ProjectError,
    SourceError, RuleError, ShapesError and EngineRefused for what cannot be read or used.
    """
    settings = settings or Settings(check_processes=1)
    triples = load_turtle(project.shapes())  # with line and column where it is no Turtle
    checks = Checks(
        shapes=Shapes.read(project.shapes()),
        rules=read_rules(project.rules()),
        prefixes=USUAL_PREFIXES | dict(Context.read(project.context).prefixes),
    )
    audit = read_audit(project)
    staged = stage(project, texts, progress)
    derived = derive(staged, checks.rules, checks.prefixes, progress)
    judgement = _judged(derived, checks.shapes, before or Verdicts(), settings, progress)
    files = release_files(project, triples) | {FILE: kept(checks.shapes, judgement.conforming)}
    return Checked(derived, checks, audit, files, judgement.findings)


def _judged(
    staged: Staged, shapes: Shapes, before: Verdicts, settings: Settings, progress: Progress
) -> Judgement:
    """What the gate finds, once it is told what it looks at and why."""
    if settings.fast:
        shapes.accelerate(settings.fast_sample)
    known = before.known(shapes)
    units = len(staged.units) + 1
    if before.are_of_other_shapes(shapes):
        progress("the shapes changed: all is checked again", 0, units)
    elif known:
        progress(
            f"conforming as in release {before.release}", unchanged(staged, shapes, known), units
        )
    return judged(staged, shapes, progress, known=known, processes=settings.check_processes)


def publish(
    project: Project,
    store: Path,
    *,
    who: str,
    message: str,
    now: datetime.datetime,
    texts: Sequence[Text] = (),
    progress: Progress = silent,
    settings: Settings | None = None,
    policy: Policy = KEEP_ALL,
    log: Callable[[int, str], None] = _log.log,
) -> Release | None:
    """The release that the project makes in the store; None where HEAD says the same already.

    The graphs that were written over HTTP stay; they are derived and checked anew. Then goes what
    `policy` does not keep, of which `log` is told, with the level of each line. Raises
    Rejected with the gate's violations, and what `check` and the commit raise; the store is then
    as it was.
    """
    before = Verdicts.of_head(store)
    found = check(project, texts, progress, before=before, settings=settings)
    violations = [finding for finding in found.findings if finding.violates]
    if violations:
        raise Rejected([finding.text(found.shapes.prefixes) for finding in violations])
    with writing(store, wait=_WAIT_SECONDS) as held:
        written = _written(held)
        graphs = (*found.graphs(), *_derived_of_written(written, found, progress))
        change = Commit(
            graphs=(*graphs, *_findings((*graphs, *written), found)),
            owners=frozenset({Owner.DATA, Owner.DERIVED}),
            who=who,
            message=message,
            shapes_digest=found.shapes.digest,
            files=found.files,
        )
        release = held.commit(change, now=now)
        for level, line in retained_events(store, policy, now=now) if release else ():
            log(level, line)
        return release


def _findings(graphs: Sequence[NamedGraph], project: Checked) -> tuple[NamedGraph, ...]:
    """What the audit finds in the public graphs; raises RuleError. It blocks nothing."""
    made = audited(graphs, project.audit, project.checks.prefixes)
    check_findings(made, graphs, project.shapes)
    return made


def _written(held: Writing) -> list[NamedGraph]:
    """The graphs that were written over HTTP."""
    states = held.head.graphs if held.head else ()
    written = [state.iri for state in states if state.owner is Owner.API]
    if not written:
        return []
    with held.graphs() as graphs:
        return [NamedGraph(iri, graphs.triples(iri), Owner.API) for iri in written]


def _derived_of_written(
    written: Sequence[NamedGraph], project: Checked, progress: Progress
) -> list[NamedGraph]:
    """What is derived from the graphs that were written over HTTP; raises Rejected."""
    results, said = [], Said(project.graphs())
    for graph in written:
        said.add(graph)
    reached_from = project.staged.reference.reached_from
    for number, graph in enumerate(written, start=1):
        elsewhere = partial(said.elsewhere, graph.iri)
        results.append(checked(graph.iri, graph.triples, project.checks, reached_from, elsewhere))
        progress("written graphs checked", number, len(written))
    check_conforms(results, remedy=_REMEDY)
    derived = (graph for result in results for graph in result.graphs)
    return [graph for graph in derived if graph.owner is Owner.DERIVED]
