"""The digest of a result, by which a citation knows it again; docs/citing.md has the rule."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    QueryBoolean,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Triple,
    __version__,
)

from kg.store.canonical import canonical_lines
from kg.store.output import Output, OutputFull
from kg.store.rows import TooMany

ENGINE: Final = f"Oxigraph {__version__}"

_Term = NamedNode | BlankNode | Literal | Triple


@dataclass(frozen=True, slots=True)
class ResultDigest:
    """What is known of a result without it; digests are SHA-256 in hex.

    `digest` does not depend on the order of solutions or triples. `sequence` does, and is empty
    but for SELECT, as `variables` are. `rows` counts solutions or distinct triples; ASK has one.
    """

    digest: str
    sequence: str
    rows: int
    variables: tuple[str, ...]
    engine: str = ENGINE

    def written(self) -> bytes:
        """As a worker sends it."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def read(cls, content: bytes) -> ResultDigest:
        """What `written` gave."""
        members = json.loads(content)
        return cls(**members | {"variables": tuple(members["variables"])})


def result_digest(
    result: QuerySolutions | QueryBoolean | QueryTriples, *, most_rows: int, most_bytes: int
) -> ResultDigest:
    """The digest of a result; raises TooMany and OutputFull where it is larger than that."""
    if isinstance(result, QuerySolutions):
        return _of_solutions(result, most_rows, most_bytes)
    if isinstance(result, QueryTriples):
        return _of_triples(result, most_rows, most_bytes)
    line = b"true\n" if result else b"false\n"
    return ResultDigest(hashlib.sha256(line).hexdigest(), sequence="", rows=1, variables=())


def _of_solutions(solutions: QuerySolutions, most_rows: int, most_bytes: int) -> ResultDigest:
    """Of a line with the variables, and a line a solution: in their order, and sorted by bytes."""
    variables = tuple(variable.value for variable in solutions.variables)
    head = "\t".join(variables).encode() + b"\n"
    lines: list[bytes] = []
    size = len(head)
    for line in _lines(solutions):
        lines.append(line)
        size += len(line)
        if len(lines) > most_rows:
            raise TooMany
        if size > most_bytes:
            raise OutputFull
    sequence = _hashed(head, lines)
    lines.sort()
    return ResultDigest(_hashed(head, lines), sequence, len(lines), variables)


def _lines(solutions: QuerySolutions) -> Iterator[bytes]:
    for solution in solutions:
        terms = ("" if term is None else _written(term) for term in solution)
        yield "\t".join(terms).encode() + b"\n"


def _written(term: _Term) -> str:
    """A term as canonical N-Triples has it: no tab and no line feed is in it."""
    if isinstance(term, Triple):
        return f"<<( {_written(term.subject)} {term.predicate} {_written(term.object)} )>>"
    return str(term)


def _of_triples(triples: QueryTriples, most_rows: int, most_bytes: int) -> ResultDigest:
    """Of the sorted canonical lines of the graph, its blank nodes labelled by RDFC-1.0."""
    with Output(limit=most_bytes, memory=most_bytes) as buffer:
        triples.serialize(buffer, RdfFormat.N_TRIPLES)
        distinct = set(buffer.content().splitlines(keepends=True))
    if len(distinct) > most_rows:
        raise TooMany
    lines = canonical_lines(b"".join(distinct))
    return ResultDigest(_hashed(b"", lines), sequence="", rows=len(lines), variables=())


def _hashed(head: bytes, lines: list[bytes]) -> str:
    hasher = hashlib.sha256(head)
    for line in lines:
        hasher.update(line)
    return hasher.hexdigest()
