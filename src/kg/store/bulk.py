"""Dumps of RDF read in bounded memory: as lines of N-Quads, whatever format they are in."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Final

from pyoxigraph import NamedNode, Quad, RdfFormat, parse, serialize

from kg.errors import BadArgument, MalformedData
from kg.media import Format
from kg.store.canonical import relabelled
from kg.store.memory import ENGINE_FORMATS

_BATCH: Final = 10_000
_BLOCK: Final = 1024 * 1024


def quad_lines(
    source: IO[bytes] | bytes, format: Format, *, labels: str, graph: str | None = None
) -> Iterator[list[bytes]]:
    """The quads of a document as N-Quads lines, some thousands at a time, as they are written.

    Of a document that is one graph they are in `graph`; any other has to name the graph of each.
    `labels` begins the labels of blank nodes, so that those of two documents stay apart. Raises
    MalformedData with line and column, and BadArgument for a triple that is in no named graph.
    """
    quads = _quads(source, format, NamedNode(graph) if graph else None)
    while batch := _next(quads, format):
        for quad in batch:
            if not isinstance(quad.graph_name, NamedNode):
                raise BadArgument(
                    f"it has a triple that is in no named graph: {quad.triple}",
                    remedy="Put the triples into graphs, or publish them as Turtle or N-Triples.",
                )
        yield _lines(batch, labels)


@contextmanager
def opened(file: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, which is unpacked if its name ends in `.gz`."""
    if file.suffix == ".gz":
        with gzip.open(file, "rb") as packed:
            yield io.BufferedReader(packed, _BLOCK)
    else:
        with file.open("rb") as plain:
            yield plain


def section(file: Path, start: int, end: int) -> bytes:
    """The lines of a file that begin from the byte `start` on, and before the byte `end`."""
    with file.open("rb") as source:
        if start:
            source.seek(start - 1)
            source.readline()
        begin = source.tell()
        if begin >= end:
            return b""
        content = source.read(end - begin)
        return content if content.endswith(b"\n") else content + source.readline()


def lines_before(file: Path, offset: int) -> int:
    """How many lines of a file begin and end before the section that starts at this byte."""
    with file.open("rb") as source:
        source.seek(max(0, offset - 1))
        source.readline()
        left, lines = source.tell() if offset else 0, 0
        source.seek(0)
        while left and (block := source.read(min(left, _BLOCK))):
            lines += block.count(b"\n")
            left -= len(block)
        return lines


def _quads(source: IO[bytes] | bytes, format: Format, graph: NamedNode | None) -> Iterator[Quad]:
    quads = parse(source, ENGINE_FORMATS[format], without_named_graphs=graph is not None)
    if graph is None:
        return iter(quads)
    return (Quad(quad.subject, quad.predicate, quad.object, graph) for quad in quads)


def _next(quads: Iterator[Quad], format: Format) -> list[Quad]:
    try:
        return list(islice(quads, _BATCH))
    except SyntaxError as error:
        problem = str(error.args[0])
        raise MalformedData(format.name, problem, error.lineno, error.offset) from error
    except (EOFError, OSError, zlib.error) as error:
        raise MalformedData(format.name, f"it cannot be read: {error}") from error


def _lines(batch: list[Quad], labels: str) -> list[bytes]:
    lines = _written(batch)
    blank = [number for number, line in enumerate(lines) if b"_:" in line]
    apart = [_relabelled(batch[number], labels) for number in blank]
    for number, line in zip(blank, _written(apart), strict=True):
        lines[number] = line
    return lines


def _relabelled(quad: Quad, labels: str) -> Quad:
    triple = relabelled(quad.triple, labels)
    return Quad(triple.subject, triple.predicate, triple.object, quad.graph_name)


def _written(quads: list[Quad]) -> list[bytes]:
    return (serialize(quads, format=RdfFormat.N_QUADS) or b"").splitlines(keepends=True)
