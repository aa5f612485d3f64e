"""The values that the store speaks in: what a release is, what a commit takes, what a task asks."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import IO

from kg.closing import Closing
from kg.media import Format


class Owner(Enum):
    """Who alone may write a graph."""

    DATA = "data"
    API = "api"
    PUBLISHED = "published"
    DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class NamedGraph:
    """One named graph as a commit takes it.

    `triples` are N-Triples in UTF-8, in any order; blank nodes are local to the graph.
    """

    iri: str
    triples: bytes
    owner: Owner
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class GraphState:
    """What the manifest says of one named graph; `digest` is described in `releases`.

    One that is not `checked` was published with the gate off.
    """

    iri: str
    owner: Owner
    quads: int
    digest: str
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Changes:
    """How a release differs from its parent, or from nothing: public graphs, and their quads.

    A graph that is not the same counts the quads that it lost and those that it got.
    """

    graphs_added: int
    graphs_removed: int
    graphs_changed: int
    quads_added: int
    quads_removed: int


@dataclass(frozen=True, slots=True)
class Release:
    """One immutable state of the dataset. `digest` covers the public graphs only."""

    number: int
    digest: str
    folder: Path
    time: str
    parent: str | None
    who: str
    message: str
    shapes_digest: str
    quads: int
    graphs: tuple[GraphState, ...] = field(repr=False)
    changes: Changes

    @property
    def name(self) -> str:
        """`<number>-<first twelve hex digits of the digest>`: the folder's name, used in URLs."""
        return self.folder.name


@dataclass(frozen=True, slots=True)
class SpooledGraph:
    """One named graph as a commit takes it from a part of a file, which holds its canonical lines.

    Its digest is believed: it is that of those bytes.
    """

    state: GraphState
    file: Path
    offset: int
    length: int
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """What one write makes of the dataset: the graphs of `owners` and `names` become `graphs`.

    All graphs of `owners` are replaced, and besides exactly those of `names`; one that is not
    given again is gone.
    """

    graphs: tuple[NamedGraph, ...]
    owners: frozenset[Owner]
    who: str
    message: str
    shapes_digest: str
    files: Mapping[str, bytes]
    """What the release carries, by path in its folder: `context.jsonld`, with which answers are
    compacted, and what it was checked with, `shapes.nt` and `rules/…`."""
    names: frozenset[str] = frozenset()
    spooled: tuple[SpooledGraph, ...] = ()
    """More graphs, which would be too many for memory."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The dataset of the protocol (SPARQL 1.1 Protocol, 2.1.4); both empty: the store's own."""

    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether it names a graph."""
        return bool(self.default_graphs or self.named_graphs)


class Coding(Enum):
    """How the bytes of an answer are packed (content codings of RFC 9110, section 8.4.1)."""

    IDENTITY = "identity"
    GZIP = "gzip"
    ZSTD = "zstd"


@dataclass(frozen=True, slots=True)
class Task:
    """One query for a worker: what to evaluate, on which release, how to write it, within what."""

    release: Path
    query: str
    format: Format
    deadline: float
    answer_bytes: int
    spool_memory: int
    dataset: Dataset = Dataset()
    prefixes: Mapping[str, str] = field(default_factory=dict)
    """Declared for the query, and written into formats that have prefixes."""
    coding: Coding = Coding.IDENTITY
    """What the client takes; a small answer is not packed."""
    answer_rows: int = 2**53
    """Solutions or triples an answer may have; more are an error."""
    rows: int | None = None
    """Solutions or triples the client wants at most: the answer is cut there, and says so."""
    digest: bool = False
    """Give the digest of the result in place of it, as JSON: see `digests.ResultDigest`."""


@dataclass(frozen=True, slots=True)
class Dump:
    """Every public graph of a release in one gzip file, as a task for a worker."""

    release: Path
    format: Format
    deadline: float
    prefixes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Differing:
    """The quads in which a release differs from the one in `before`, as a task for a worker.

    `graphs` are those that differ, `form` is one of `differences.Written`, `digests` are those of
    the two releases, the earlier first.
    """

    release: Path
    before: Path
    graphs: tuple[str, ...]
    form: str
    digests: tuple[str, str]
    deadline: float
    answer_bytes: int
    spool_memory: int
    coding: Coding = Coding.IDENTITY
    prefixes: Mapping[str, str] = field(default_factory=dict)


class Ticket:
    """The handle of one query, which may be cancelled at any time from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """Whether someone cancelled it, in time or not."""
        return self._cancelled

    def cancel(self) -> None:
        """End the query, or keep it from starting; nothing happens to one that has ended."""
        with self._lock:
            self._cancelled = True
            if self._end:
                self._end()

    @contextmanager
    def ended_by(self, end: Callable[[], None]) -> Iterator[None]:
        """Where a cancellation calls `end`: never before the block, and never after it."""
        with self._lock:
            self._end = end
            if self._cancelled:
                end()
        try:
            yield
        finally:
            with self._lock:
                self._end = None


class Spool(Closing):
    """A complete answer, rewound: in memory, or in an unlinked file. Close it after use.

    `size` counts its bytes, packed as `coding` says. `cut` tells that rows were left out because
    the client asked for the first ones only. `queue_ms` and `work_ms` are the milliseconds that
    the task waited for a worker, and that the worker took.
    """

    def __init__(
        self,
        file: IO[bytes],
        size: int,
        *,
        coding: Coding = Coding.IDENTITY,
        cut: bool = False,
        queue_ms: float = 0.0,
        work_ms: float = 0.0,
    ) -> None:
        self._file = file
        self.size = size
        self.coding = coding
        self.cut = cut
        self.queue_ms = queue_ms
        self.work_ms = work_ms

    @classmethod
    def of(cls, content: bytes, *, coding: Coding = Coding.IDENTITY, cut: bool = False) -> Spool:
        """A spool that holds these bytes."""
        return cls(io.BytesIO(content), len(content), coding=coding, cut=cut)

    @classmethod
    def at(cls, descriptor: int, *, coding: Coding = Coding.IDENTITY, cut: bool = False) -> Spool:
        """A spool of the file that is open there, and which it closes."""
        file = os.fdopen(descriptor, "rb")
        return cls(file, os.fstat(descriptor).st_size, coding=coding, cut=cut)

    def descriptor(self) -> int | None:
        """The open file that holds it, or None where `read` gives it from memory."""
        return None if isinstance(self._file, io.BytesIO) else self._file.fileno()

    def read(self) -> bytes:
        """All bytes that were not read yet."""
        return self._file.read()

    def chunks(self, size: int = 64 * 1024) -> Iterator[bytes]:
        """The bytes in pieces, closing the spool after the last or when the reader leaves."""
        try:
            while chunk := self._file.read(size):
                yield chunk
        finally:
            self.close()

    def close(self) -> None:
        """Give memory or disk back."""
        self._file.close()
