"""What the processes of a bulk publish do: cut dumps into buckets, and look at each unit."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Final

from kg.context import Context
from kg.errors import BadArgument, KgError, MalformedData, RuleError, ShapesError
from kg.publishing.bulk.inputs import Input, Kind
from kg.publishing.bulk.journal import Done, Outcome, Part
from kg.publishing.bulk.quarantine import ASIDE, put_file, put_lines
from kg.publishing.bulk.units import (
    Refused,
    described,
    examined,
    fingerprint,
    is_derived,
    name_of_article,
    problem_of,
    refusal,
    split,
    unit_of,
    unit_of_article,
    unit_of_graph,
    unit_of_graphs,
)
from kg.publishing.preparation import Checks, Preparer
from kg.publishing.reading import read_article
from kg.publishing.staging import Reference, Unit, is_reference
from kg.store.base import GraphState, Owner, Release, SpooledGraph
from kg.store.bulk import lines_before, opened, quad_lines, section
from kg.store.confinement import confine
from kg.store.graphs import Graphs, read_graphs
from kg.store.release_context import context_of
from kg.store.releases import Releases

_BLOCK: Final = 32 * 1024 * 1024
"""Bytes of cut lines after which they are written."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What is the same for all tasks of a job."""

    store: Path
    release: str
    job: Path
    gate: bool
    buckets: int
    fast: float | None = None
    """The part of what a fast engine accepts that pyshacl checks as well; None without one."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Sort the quads of a dump, or of the lines that begin in a part of it, into buckets."""

    given: Input
    start: int
    end: int | None

    @property
    def name(self) -> str:
        """By which the journal knows it."""
        return f"cut {self.given.number} {self.start}"

    @property
    def weight(self) -> int:
        """The bytes that it reads."""
        return self.given.bytes if self.end is None else self.end - self.start


@dataclass(frozen=True, slots=True)
class Read:
    """Look at files that are a unit each."""

    given: tuple[Input, ...]

    @property
    def name(self) -> str:
        """By which the journal knows it."""
        return f"read {self.given[0].number}"

    @property
    def weight(self) -> int:
        """The bytes that it reads."""
        return sum(each.bytes for each in self.given)


@dataclass(frozen=True, slots=True)
class Look:
    """Look at the units of a bucket, at these only if there are any."""

    bucket: int
    parts: tuple[Part, ...]
    sources: Mapping[int, str]
    only: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """By which the journal knows it."""
        return f"look {self.bucket}" + (f" {_digest(sorted(self.only))}" if self.only else "")

    @property
    def weight(self) -> int:
        """The bytes that it reads."""
        return sum(part.length for part in self.parts)


Task = Cut | Read | Look


def begin(setup: Setup, memory: int, parent: int) -> None:
    """Make a process one of the job's: it ends with it, and has so much memory and no network."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who started it ends it
    with (setup.job / "processes.log").open("ab") as log:  # the engine's last words are no user's
        os.dup2(log.fileno(), 2)
    confine(memory=memory, parent=parent)


def work(setup: Setup, task: Task) -> Done:
    """Do a task. Raises RuleError and ShapesError where nothing can be checked."""
    if isinstance(task, Cut):
        return _cut(setup, task)
    if isinstance(task, Read):
        return _read(setup, task)
    return _look(setup, task)


def given_up(setup: Setup, task: Task, reason: str) -> Done:
    """What comes of a task that ends its process, or asks for too much: all is set aside."""
    refused = Refused((reason,))
    if isinstance(task, Cut):
        return Done(task.name, refused={task.given.number: reason})
    if isinstance(task, Read):
        return Done(
            task.name,
            tuple(_file_aside(setup, each, refused) for each in task.given),
        )
    units = _units(task)
    return Done(
        task.name,
        tuple(_lines_aside(setup, unit, lines, source, refused) for unit, source, lines in units),
    )


def halves(task: Task) -> list[Task]:
    """The task as smaller ones, or nothing where it is of one unit."""
    if isinstance(task, Read) and len(task.given) > 1:
        middle = len(task.given) // 2
        return [Read(task.given[:middle]), Read(task.given[middle:])]
    if isinstance(task, Look):
        names = sorted(unit for unit, _, _ in _units(task))
        middle = len(names) // 2
        if middle:
            return [
                replace(task, only=frozenset(names[:middle])),
                replace(task, only=frozenset(names[middle:])),
            ]
    return []


# --- cutting ------------------------------------------------------------------------------


def _cut(setup: Setup, task: Cut) -> Done:
    given = task.given
    folder = setup.job / "parts"
    folder.mkdir(exist_ok=True)
    writer = _Cutter(folder / f"{given.number}-{task.start}", given.number, setup.buckets)
    try:
        for lines in _dump_lines(task):
            writer.add(lines)
        return Done(task.name, parts=writer.parts())
    except MalformedData as error:
        line = error.line + lines_before(given.file, task.start) if error.line else error.line
        return Done(task.name, refused={given.number: _malformed(given, error, line)})
    except BadArgument as error:
        return Done(task.name, refused={given.number: f"{given.file}: {error}"})
    finally:
        writer.close()


def _dump_lines(task: Cut) -> Iterator[list[bytes]]:
    """The lines; raises BadArgument where the file cannot be read.

    An OSError of whoever takes them is none of the file's, and so arises elsewhere.
    """
    given = task.given
    assert given.format  # noqa: S101 - an input of this kind has one
    labels = f"f{given.number}x"
    try:
        if task.end is not None:
            content = section(given.file, task.start, task.end)
            yield from quad_lines(content, given.format, labels=labels)
            return
        with opened(given.file) as source:
            yield from quad_lines(source, given.format, labels=labels)
    except OSError as error:
        raise BadArgument(f"it cannot be read: {error.strerror or error}") from error


class _Cutter:
    """Lines that are sorted into buckets by their unit, in one file."""

    def __init__(self, file: Path, given: int, buckets: int) -> None:
        self._file, self._given, self._buckets = file, given, buckets
        self._target = file.open("wb")
        self._held: dict[int, list[bytes]] = {}
        self._size = 0
        self._parts: list[Part] = []
        self._known: dict[bytes, int] = {}

    def add(self, lines: Iterable[bytes]) -> None:
        """Sort more lines in."""
        for line in lines:
            self._held.setdefault(self._bucket(line), []).append(line)
            self._size += len(line)
        if self._size >= _BLOCK:
            self._write()

    def parts(self) -> tuple[Part, ...]:
        """Where the lines lie, all of them on disk."""
        self._write()
        self._target.flush()
        os.fsync(self._target.fileno())
        return tuple(self._parts)

    def close(self) -> None:
        """Let go of the file."""
        self._target.close()

    def _bucket(self, line: bytes) -> int:
        if b"/graph/entities> " in line:  # where units are told from each other by subject
            return _bucket(unit_of(line), self._buckets)
        graph = line[line.rindex(b"<") :]
        if graph not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            self._known[graph] = _bucket(unit_of(line), self._buckets)
        return self._known[graph]

    def _write(self) -> None:
        for bucket, lines in sorted(self._held.items()):
            content = b"".join(lines)
            place = self._target.tell()
            self._target.write(content)
            self._parts.append(Part(bucket, self._given, self._file, place, len(content)))
        self._held, self._size = {}, 0


def _bucket(unit: str, buckets: int) -> int:
    return int.from_bytes(hashlib.sha256(unit.encode()).digest()[:8], "big") % buckets


def _malformed(given: Input, error: MalformedData, line: int | None) -> str:
    where = "".join(f":{number}" for number in (line, error.column) if number)
    return f"{given.file}{where}: {error.message}"


# --- units --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Basis:
    """What units are checked with and against, read from HEAD."""

    release: Release
    context: Context
    checks: Checks | None
    """None with the gate off."""
    reference: Reference
    graphs: Graphs
    owners: Mapping[str, Owner]


@lru_cache(maxsize=1)
def _basis(setup: Setup) -> _Basis:
    release = Releases.open(setup.store).named(setup.release)
    graphs = read_graphs(release)
    named = [state.iri for state in release.graphs if state.owner is Owner.DATA]
    checks = Preparer().checks(release) if setup.gate else None
    if checks and setup.fast is not None:
        checks.shapes.accelerate(setup.fast)
    return _Basis(
        release=release,
        context=context_of(release.folder),
        checks=checks,
        reference=Reference({iri: graphs.triples(iri) for iri in named if is_reference(iri)}),
        graphs=graphs,
        owners={state.iri: state.owner for state in release.graphs},
    )


def _read(setup: Setup, task: Read) -> Done:
    with _Spool(setup, task) as spool:
        done = tuple(_file(setup, given, spool) for given in task.given)
    return Done(task.name, done)


def _file(setup: Setup, given: Input, spool: _Spool) -> Outcome:
    """One file as a unit; whatever is wrong with it sets it aside."""
    basis = _basis(setup)
    try:
        name, unit = _unit_of_file(given, basis)
    except MalformedData as error:
        return _file_aside(setup, given, Refused((_malformed(given, error, error.line),)))
    except (RuleError, ShapesError):
        raise
    except (KgError, OSError) as error:
        reason = error if isinstance(error, KgError) else KgError(f"{given.file}: {error}")
        return _file_aside(setup, given, refusal(reason))
    looked = examined(unit, basis.checks, basis.reference) if basis.checks else unit
    if isinstance(looked, Refused):
        return _file_aside(setup, given, looked, name)
    return spool.accepted(f"0 {given.number:08}", name, str(given.file), looked, basis)


def _unit_of_file(given: Input, basis: _Basis) -> tuple[str, Unit]:
    if given.kind is Kind.ARTICLE:
        article = read_article(given.file, basis.context, basis.reference.subjects)
        unit = unit_of_article(article, basis.context, basis.reference)
        return name_of_article(article.key), unit
    assert given.format  # noqa: S101 - an input of this kind has one
    problem = problem_of(given.graph)
    if problem:
        raise KgError(problem)
    name = unit_of_graph(given.graph)
    with opened(given.file) as source:
        lines = [
            line
            for block in quad_lines(source, given.format, labels="", graph=given.graph)
            for line in block
        ]
    return name, unit_of_graphs(name, split(name, lines))


def _look(setup: Setup, task: Look) -> Done:
    notes = list[str]()
    with _Spool(setup, task) as spool:
        done = [
            _unit(setup, unit, source, lines, spool, notes) for unit, source, lines in _units(task)
        ]
    return Done(task.name, tuple(it for it in done if it), notes=tuple(notes))


def _units(task: Look) -> list[tuple[str, str, list[bytes]]]:
    """Each unit of a bucket with the files that it came from, and its lines."""
    found: dict[str, tuple[dict[str, None], list[bytes]]] = {}
    for part in task.parts:
        with part.file.open("rb") as source:
            source.seek(part.start)
            lines = source.read(part.length).splitlines(keepends=True)
        for line in lines:
            unit = unit_of(line)
            if not task.only or unit in task.only:
                sources, held = found.setdefault(unit, ({}, []))
                sources[task.sources[part.input]] = None
                held.append(line)
    return [(unit, ", ".join(files), lines) for unit, (files, lines) in sorted(found.items())]


def _unit(
    setup: Setup, name: str, source: str, lines: list[bytes], spool: _Spool, notes: list[str]
) -> Outcome | None:
    """One unit of a dump; None where there is nothing to publish in it."""
    basis = _basis(setup)
    graphs = split(name, lines)
    if is_reference(name) and _is_as_held(name, graphs[name], basis):
        notes.append(f"<{name}> is as it is in the store already, and left out")
        return None
    problems = tuple(filter(None, map(problem_of, graphs)))
    if problems:
        return _lines_aside(setup, name, lines, source, Refused(problems))
    if basis.checks:
        unit = unit_of_graphs(name, graphs)
        if not unit.graphs:
            return None  # of what was derived nothing is taken
        looked = examined(unit, basis.checks, basis.reference)
        if isinstance(looked, Refused):
            return _lines_aside(setup, name, lines, source, looked)
    else:
        looked = unit_of_graphs(name, graphs, keep_derived=True)
        if not looked.graphs:
            return None  # nor of what the audit found
    return spool.accepted(f"1 {name}", name, source, looked, basis)


def _is_as_held(graph: str, triples: bytes, basis: _Basis) -> bool:
    """Whether a reference graph is that of HEAD, what either says of articles left out."""
    ours = basis.reference.graphs.get(graph, b"").splitlines(keepends=True)
    suffix = f"<{graph}> .\n".encode()
    kept = (line for line in ours if unit_of(line[:-2] + suffix) == graph)
    return b"".join(kept) == triples


class _Spool:
    """The file that a task writes the graphs into that it accepts."""

    def __init__(self, setup: Setup, task: Task) -> None:
        folder = setup.job / "spool"
        folder.mkdir(exist_ok=True)
        self._gate = setup.gate
        self._file = folder / _digest([task.name])
        self._target: IO[bytes] = self._file.open("wb")

    def __enter__(self) -> _Spool:
        return self

    def __exit__(self, *_: object) -> None:
        """What was written is on disk before anybody is told of it."""
        self._target.flush()
        os.fsync(self._target.fileno())
        self._target.close()

    def accepted(self, place: str, name: str, source: str, unit: Unit, basis: _Basis) -> Outcome:
        """The unit written, with what it describes."""
        names = described(unit) if self._gate else frozenset()
        own = {graph.iri for graph in unit.graphs}
        return Outcome(
            place=place,
            name=name,
            source=source,
            graphs=tuple(self._graph(it.iri, it.triples, it.restricted) for it in unit.graphs),
            subjects=tuple(sorted(map(fingerprint, names))),
            elsewhere=tuple(sorted(_elsewhere(names, own, basis).items())),
        )

    def _graph(self, iri: str, triples: bytes, restricted: bool) -> SpooledGraph:
        start = self._target.tell()
        self._target.write(triples)
        state = GraphState(
            iri=iri,
            owner=Owner.PUBLISHED,
            quads=triples.count(b"\n"),
            digest=hashlib.sha256(triples).hexdigest(),
            checked=self._gate,
        )
        return SpooledGraph(state, self._file, start, len(triples), restricted)


def _elsewhere(names: Iterable[str], own: set[str], basis: _Basis) -> dict[str, str]:
    """For each other graph of HEAD that describes one of these, the first that it does."""
    found: dict[str, str] = {}
    for name in sorted(names):
        for graph in basis.graphs.holders(name) - own:
            if basis.owners[graph] is not Owner.DERIVED and not is_derived(graph):
                found.setdefault(graph, name)
    return found


# --- setting aside ------------------------------------------------------------------------


def _file_aside(setup: Setup, given: Input, refused: Refused, name: str = "") -> Outcome:
    """Set a file aside; without a name it is not known which unit it is."""
    put_file(setup.job / ASIDE, given.file, refused)
    name = unit_of_graph(given.graph) if given.graph else name
    return Outcome(f"0 {given.number:08}", name, str(given.file), aside=_text(refused))


def _lines_aside(
    setup: Setup, unit: str, lines: list[bytes], source: str, refused: Refused
) -> Outcome:
    put_lines(setup.job / ASIDE, unit, source, lines, refused)
    return Outcome(f"1 {unit}", unit, source, aside=_text(refused))


def _text(refused: Refused) -> str:
    return "\n".join(refused.reasons)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
