"""The values that the store speaks in: what a release is, what a commit takes, what a task asks."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import IO

from kg.media import Format


class Owner(Enum):
    """Who alone may write a graph."""

    DATA = "data"
    API = "api"
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
    """What the manifest says of one named graph; `digest` is described in `releases`."""

    iri: str
    owner: Owner
    quads: int
    digest: str


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

    @property
    def name(self) -> str:
        """`<number>-<first twelve hex digits of the digest>`: the folder's name, used in URLs."""
        return self.folder.name


@dataclass(frozen=True, slots=True)
class Commit:
    """What one write makes of the dataset: all graphs of `owners` are replaced by `graphs`."""

    graphs: tuple[NamedGraph, ...]
    owners: frozenset[Owner]
    who: str
    message: str
    shapes_digest: str
    context: bytes
    """The JSON-LD context that answers of this release are compacted with."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The dataset of the protocol (SPARQL 1.1 Protocol, 2.1.4); both empty: the store's own."""

    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether it names a graph."""
        return bool(self.default_graphs or self.named_graphs)


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


@dataclass(frozen=True, slots=True)
class Dump:
    """Every public graph of a release in one gzip file, as a task for a worker."""

    release: Path
    format: Format
    deadline: float
    prefixes: Mapping[str, str]


class Spool:
    """A complete answer, rewound: in memory, or in an unlinked file. Close it after use."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self.size = size

    @classmethod
    def of(cls, content: bytes) -> Spool:
        """A spool that holds these bytes."""
        return cls(io.BytesIO(content), len(content))

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

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
