"""The gate: what the shapes find in what is staged, with its place in the sources."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kg.errors import EnginesDisagree, Place, WorkerDied
from kg.publishing.processes import ProcessEnded, Work, done
from kg.publishing.staging import Progress, Reference, Staged, Unit
from kg.validation.conformance import Shapes, ShapesSource, Validation
from kg.validation.memory import add_triples, read_graph
from kg.validation.report import Finding

Places = Mapping[str, Mapping[str, Place]]

_log = logging.getLogger(__name__)

REFERENCE: Final = "reference"
"""The key of the reference data among those of the articles."""
_HANDFUL: Final = 32
"""Units that are checked in this process: others take a second to start."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate found, and what it found nothing in.

    `conforming` has the fingerprint of each unit without a finding, by its key: a unit that has
    the same in the next build need not be checked again.
    """

    findings: list[Finding]
    conforming: Mapping[str, str]
    checked: int
    """How many units were looked at."""


@dataclass(frozen=True, slots=True)
class Task:
    """One unit as bytes: what is checked together with what, and its places."""

    key: str
    parts: tuple[tuple[tuple[bytes, ...], tuple[bytes, ...]], ...]
    places: Places

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all that its verdict rests on but the shapes."""
        digest = hashlib.sha256()
        for checked, besides in self.parts:
            for documents in (checked, besides):
                digest.update(len(documents).to_bytes(4, "big"))
                for document in documents:
                    digest.update(len(document).to_bytes(8, "big") + document)
        return digest.hexdigest()


def findings(staged: Staged, shapes: Shapes, progress: Progress) -> list[Finding]:
    """What the shapes find in the reference data and in each article, each finding once."""
    return judged(staged, shapes, progress).findings


def judged(
    staged: Staged,
    shapes: Shapes,
    progress: Progress,
    *,
    known: Collection[str] = (),
    processes: int = 1,
) -> Judgement:
    """What the shapes find in the reference data and in each article.

    The nodes of an article are checked together with all that it refers to; those of its
    restricted graphs together with its public ones, too. Units whose fingerprint is among
    `known` conform to these shapes and are passed over.
    """
    tasks = {task.fingerprint: task for task in _tasks(staged, shapes.reach)}
    waiting = {print_: task for print_, task in tasks.items() if print_ not in known}
    found: set[Finding] = set()
    faulty: set[str] = set()
    for number, (print_, results) in enumerate(
        _validated_all(waiting, shapes.source, processes, shapes), start=1
    ):
        found.update(placed(each, waiting[print_].places) for each in results)
        if results:
            faulty.add(print_)
        progress("articles checked", number, len(waiting))
    conforming = {task.key: print_ for print_, task in tasks.items() if print_ not in faulty}
    return Judgement(sorted(found, key=_order), conforming, len(waiting))


def unit_findings(unit: Unit, shapes: Shapes) -> list[Finding]:
    """What the shapes find in one unit, with its places."""
    found = {placed(each, unit.places) for each in _found(_task(unit, shapes.reach), shapes)}
    return sorted(found, key=_order)


def validations(unit: Unit, shapes: Shapes) -> Iterator[Validation]:
    """What the shapes find of the unit's public graphs, and of its restricted ones beside them."""
    return (validated(*part, shapes) for part in _task(unit, shapes.reach).parts)


def unchanged(staged: Staged, shapes: Shapes, known: Collection[str]) -> int:
    """How many units have a fingerprint that is known."""
    return sum(task.fingerprint in known for task in _tasks(staged, shapes.reach))


def validated(checked: Sequence[bytes], besides: Sequence[bytes], shapes: Shapes) -> Validation:
    """What the shapes find of the subjects of `checked`, seen together with `besides`.

    Where a fast engine accepts, nothing is found; for a sample, pyshacl is asked as well. Raises
    EnginesDisagree where it finds something then.
    """
    documents = [*checked, *besides]
    fast = shapes.accelerated
    accepted = fast is not None and fast.accepts(documents)
    if fast is not None and accepted and not fast.is_sampled(documents):
        return Validation.of_nothing()
    data = read_graph(*checked)
    focus = set(data.subjects())
    for triples in besides:
        add_triples(data, triples)
    validation = shapes.validated(data, focus)
    if accepted and validation.findings:
        lines = [each.line(shapes.prefixes) for each in validation.findings]
        _log.error("event=engines_disagree fast=conforms pyshacl=%r", lines)
        raise EnginesDisagree(lines)
    return validation


# --- units --------------------------------------------------------------------------------


def _tasks(staged: Staged, steps: int) -> Iterator[Task]:
    yield Task(REFERENCE, ((tuple(staged.reference.graphs.values()), ()),), {})
    yield from (_task(unit, steps) for unit in staged.units)


def _task(unit: Unit, steps: int) -> Task:
    """The unit with as much of what it refers to as the shapes look at."""
    public = tuple(graph.triples for graph in unit.graphs if not graph.restricted)
    hidden = tuple(graph.triples for graph in unit.graphs if graph.restricted)
    scope = Reference({unit.key: unit.reference}).within([*public, *hidden], steps)
    parts = [(public, (scope,)), (hidden, (*public, scope))]
    return Task(unit.key, tuple(part for part in parts if part[0]), unit.places)


def _validated_all(
    tasks: Mapping[str, Task], source: ShapesSource, processes: int, shapes: Shapes
) -> Iterator[tuple[str, list[Finding]]]:
    """Each fingerprint with what is found; in processes of their own where it is worth it."""
    if processes < 2 or len(tasks) <= _HANDFUL:
        yield from ((print_, _found(task, shapes)) for print_, task in tasks.items())
        return
    bare = [(print_, replace(task, places={})) for print_, task in tasks.items()]
    try:
        yield from done(Work(_checker, source), bare, processes)
    except ProcessEnded as error:
        raise WorkerDied.of_check(str(error)) from error


def _found(task: Task, shapes: Shapes) -> list[Finding]:
    return [each for part in task.parts for each in validated(*part, shapes).findings]


def _checker(source: ShapesSource) -> Callable[[tuple[str, Task]], tuple[str, list[Finding]]]:
    """What a process of its own does with each task; the shapes are compiled once."""
    shapes = Shapes.of(source)
    return lambda task: (task[0], _found(task[1], shapes))


# --- findings -----------------------------------------------------------------------------


def _order(finding: Finding) -> tuple[str, int, int, str]:
    """By file, line and column; what has no place comes first."""
    place = finding.place
    if place is None:
        return "", 0, 0, finding.line({})
    return str(place.file), place.line or 0, place.column or 0, finding.line({})


def placed(finding: Finding, places: Places) -> Finding:
    """The finding with the place of the property it is about, else of its node."""
    known = places.get(finding.focus_node)
    if known is None:
        return finding
    return replace(finding, place=known.get(finding.path, known[""]))
