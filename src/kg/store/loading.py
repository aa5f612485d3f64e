"""An engine folder made to hold the graphs that a commit planned, in bounded memory."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, Store, parse

from kg.store.base import GraphState, SpooledGraph
from kg.store.canonical import held_lines, stored_lines
from kg.store.graphs import graph_name, is_held
from kg.store.index import SearchIndex
from kg.store.statistics import NOTHING, Statistics, Tally

_BULK: Final = 50_000
"""From so many new quads on they are written as table files, past the engine's log."""
_TABLES: Final = 200
"""From so many table files on a commit merges them all, which takes seconds for a million quads.
The engine merges some itself at every few commits, so that there seldom are as many."""
_CHUNK_BYTES: Final = 64 * 1024 * 1024
_CHUNK_QUADS: Final = 150_000
"""New lines that are loaded together; the engine takes about a kilobyte of memory for each."""
_PIECE: Final = 4 * 1024 * 1024
_BATCH: Final = 10_000

_TOLD: Final = 100_000
"""Triples after which whoever watches is told how many are counted."""

Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it is done, and of how much."""

_Graph = NamedNode | DefaultGraph


@dataclass(frozen=True, slots=True)
class Planned:
    """One graph as the release will have it; `content` only where its triples change.

    That is its canonical lines.
    """

    state: GraphState
    restricted: bool
    content: bytes | SpooledGraph | None = None


Plan = Mapping[str, Planned]


@dataclass(frozen=True, slots=True)
class Applied:
    """How many quads went, how many came, and what the default graph then has."""

    removed: int
    added: int
    statistics: Statistics


def unseen(what: str, done: int, of: int) -> None:
    """Progress that nobody watches."""


def apply(
    engine: Path,
    before: Plan,
    after: Plan,
    *,
    union: Statistics | None,
    united: bool,
    plain: bool,
    progress: Progress = unseen,
    search: SearchIndex | None = None,
) -> Applied:
    """Make the engine folder hold `after`. No reference to the store outlives this call.

    Where it is `united`, the engine's default graph holds each triple of the named graphs once;
    the engine's own union flag would count a triple of two graphs twice. `union` is what it has
    before, None where that is not known. In a `plain` store the default graph is a graph like the
    others, and graphs may share blank nodes. `search` is made to hold the texts of the union.
    """
    store = Store(str(engine))
    with tempfile.TemporaryFile(dir=engine.parent) as gone:
        work = _Application(
            store, gone, after, union, search, united=united, plain=plain, progress=progress
        )
        for iri in sorted(before.keys() - after.keys()):
            work.remove(iri)
        for iri, graph in _in_order(after):
            work.replace(iri, graph.content, there=iri in before)
        applied = work.finish()
    if work.added >= _BULK or len(list(engine.glob("*.sst"))) >= _TABLES:
        progress("tables merged", 0, 1)
        store.optimize()
        progress("tables merged", 1, 1)
    store.flush()
    return applied


def _in_order(plan: Plan) -> list[tuple[str, Planned]]:
    """The graphs that change, those of one file as they lie in it."""

    def place(item: tuple[str, Planned]) -> tuple[str, int]:
        content = item[1].content
        return (str(content.file), content.offset) if isinstance(content, SpooledGraph) else ("", 0)

    changed = ((iri, graph) for iri, graph in plan.items() if graph.content is not None)
    return sorted(changed, key=place)


class _Application:
    """Graphs that are written one after another; what is new of them is loaded in chunks."""

    def __init__(
        self,
        store: Store,
        gone: IO[bytes],
        after: Plan,
        union: Statistics | None,
        search: SearchIndex | None,
        *,
        united: bool,
        plain: bool,
        progress: Progress,
    ) -> None:
        self.removed = self.added = 0
        self._store = store
        self._gone = gone
        self._united, self._plain = united, plain
        self._progress = progress
        self._all = sum(it.state.quads for it in after.values())
        self._new = sum(it.state.quads for it in after.values() if it.content is not None)
        # Looking new triples up, or counting all in the end: whichever are fewer.
        few = union is not None and self._new <= union.triples
        self._tally = Tally(union) if few and union else None
        self._search = search
        self._followed = search if self._tally else None
        self._written = 0
        self._quads: list[bytes] = []
        self._triples: list[bytes] = []
        self._apart: list[tuple[_Graph, list[bytes]]] = []
        self._pending = self._size = 0

    def remove(self, iri: str) -> None:
        """Take a graph out."""
        graph = graph_name(iri)
        lines = held_lines(self._store, graph)
        self._let_go(lines)
        self._store.remove_graph(graph)

    def replace(self, iri: str, content: bytes | SpooledGraph | None, *, there: bool) -> None:
        """Make a graph hold the lines of `content`."""
        graph = graph_name(iri)
        if not there:
            for piece in _pieces(content):
                if b"_:" in piece:
                    self._put(graph, self._stored(piece, iri))
                else:
                    self._put_bytes(graph, piece, piece.count(b"\n"))
            return
        new = {line for piece in _pieces(content) for line in self._stored(piece, iri)}
        old = set(held_lines(self._store, graph))
        for quad in _parsed(old - new, graph):
            self._store.remove(quad)
        self._let_go(old - new)
        self._put(graph, new - old)

    def finish(self) -> Applied:
        """Load what is left, and let the default graph go of what no graph holds any more."""
        self._flush()
        if not self._united:
            return Applied(self.removed, self.added, NOTHING)
        self._gone.seek(0)
        while batch := list(islice(self._gone, _BATCH)):
            self._release(batch)
        tally = self._tally or _counted(self._store, self._all, self._progress)
        if self._search and not (self._followed and self._followed.follows):
            self._search.fill(self._store)
        return Applied(self.removed, self.added, tally.statistics())

    def _stored(self, piece: bytes, iri: str) -> list[bytes]:
        lines = piece.splitlines(keepends=True)
        return lines if self._plain else stored_lines(lines, iri)

    def _let_go(self, lines: Iterable[bytes]) -> None:
        lines = list(lines)
        self.removed += len(lines)
        if self._united:
            self._gone.writelines(lines)

    def _put(self, graph: _Graph, lines: Iterable[bytes]) -> None:
        """Add new lines; loading would rename blank nodes, so the few with them are kept apart."""
        lines = list(lines)
        apart = [line for line in lines if b"_:" in line]
        self._apart.append((graph, apart))
        rest = [line for line in lines if b"_:" not in line] if apart else lines
        self._count(len(apart))
        self._put_bytes(graph, b"".join(rest), len(rest))

    def _put_bytes(self, graph: _Graph, lines: bytes, count: int) -> None:
        # A line feed in a literal is written as an escape (N-Triples, section 3).
        name = b"" if isinstance(graph, DefaultGraph) else f"{graph} ".encode()
        self._quads.append(lines.replace(b" .\n", b" " + name + b".\n") if name else lines)
        if self._united:
            self._triples.append(lines)
        self._count(count)
        self._size += 2 * len(lines)
        if self._size >= _CHUNK_BYTES or self._pending >= _CHUNK_QUADS:
            self._flush()

    def _count(self, lines: int) -> None:
        self.added += lines
        self._pending += lines

    def _flush(self) -> None:
        """Load what has come together."""
        if not self._pending:
            return
        if self._tally:
            new = list(self._unheld())
            self._tally.add(new)
            if self._followed:
                self._followed.add(new)
        # A last chunk that went through the engine's log would leave it in the release.
        load = self._store.bulk_load if self._new >= _BULK else self._store.load
        if self._quads:
            load(b"".join((*self._quads, *self._triples)), RdfFormat.N_QUADS)
        for graph, lines in self._apart:
            self._store.extend(_parsed(lines, graph))
            if self._united:
                self._store.extend(_parsed(lines, DefaultGraph()))
        self._written += self._pending
        self._quads, self._triples, self._apart = [], [], []
        self._pending = self._size = 0
        self._progress("quads loaded", self._written, self._new)

    def _unheld(self) -> Iterator[bytes]:
        """The triples that are about to be loaded and that the default graph lacks."""
        triples = {line for piece in self._triples for line in piece.splitlines(keepends=True)}
        triples.update(line for _, lines in self._apart for line in lines)
        for line, quad in _with_quads(list(triples)):
            if quad not in self._store:
                yield line

    def _release(self, lines: list[bytes]) -> None:
        for line, quad in _with_quads(lines):
            # Two graphs may have let go of it.
            if not is_held(self._store, quad) and quad in self._store:
                self._store.remove(quad)
                if self._tally:
                    self._tally.remove([line])
                if self._followed:
                    self._followed.remove([line])


def _pieces(content: bytes | SpooledGraph | None) -> Iterator[bytes]:
    """The lines, so many whole ones at a time."""
    if not isinstance(content, SpooledGraph):
        yield content or b""
        return
    with content.file.open("rb") as file:
        file.seek(content.offset)
        left, rest = content.length, b""
        while left:
            read = file.read(min(left, _PIECE))
            if not read:
                raise OSError(f"{content.file} is cut short")
            left -= len(read)
            whole, end, rest_of_line = (rest + read).rpartition(b"\n")
            rest = rest_of_line
            yield whole + end


def _with_quads(lines: list[bytes]) -> Iterator[tuple[bytes, Quad]]:
    """Each N-Triples line with its quad of the default graph."""
    return zip(lines, parse(b"".join(lines), RdfFormat.N_TRIPLES), strict=True)


def _parsed(lines: Iterable[bytes], graph: _Graph) -> Iterator[Quad]:
    for quad in parse(b"".join(lines), RdfFormat.N_TRIPLES):
        yield Quad(quad.subject, quad.predicate, quad.object, graph)


class _Lines(io.BytesIO):
    """A file that the engine writes N-Triples to, whose lines are counted and not kept."""

    def __init__(self, most: int, progress: Progress) -> None:
        super().__init__()
        self.tally = Tally()
        self._rest = b""
        self._most, self._progress = most, progress
        self._counted = self._told = 0

    def write(self, content: Any) -> int:
        *lines, self._rest = (self._rest + content).split(b"\n")
        self.tally.add(lines)
        self._counted += len(lines)
        if self._counted - self._told >= _TOLD:
            self._told = self._counted
            self._progress("triples counted", self._counted, self._most)
        return len(content)


def _counted(store: Store, most: int, progress: Progress) -> Tally:
    """The counts of the default graph, every triple looked at; it has no more than `most`."""
    lines = _Lines(most, progress)
    store.dump(lines, format=RdfFormat.N_TRIPLES, from_graph=DefaultGraph())
    progress("triples counted", most, most)
    return lines.tally
