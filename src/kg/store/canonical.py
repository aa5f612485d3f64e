"""Graphs as canonical N-Triples lines: what is digested, compared and written into the engine.

A line ends with a line feed; literals are as the engine keeps them (`1.00` is `1`), blank nodes
are labelled by RDFC-1.0, and lines are sorted by bytes (N-Triples, section 3; RDF Dataset
Canonicalization 1.0, section 4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    DefaultGraph,
    Literal,
    NamedNode,
    RdfFormat,
    Store,
    Triple,
    parse,
    serialize,
)

_BLANK = b"_:"
"""Where it is absent no line has a blank node; where it occurs a literal may hold it, too."""

_Object = NamedNode | BlankNode | Literal | Triple


def canonical_lines(triples: bytes) -> list[bytes]:
    """The lines of one graph given as N-Triples; raises SyntaxError where it is none."""
    store = Store()
    store.bulk_load(triples, RdfFormat.N_TRIPLES)
    return sorted(_labelled(store) if _BLANK in triples else held_lines(store, DefaultGraph()))


def held_lines(store: Store, graph: NamedNode | DefaultGraph) -> list[bytes]:
    """The lines of a graph in the engine's order, with the blank nodes' labels as they are."""
    document = store.dump(format=RdfFormat.N_TRIPLES, from_graph=graph) or b""
    return document.splitlines(keepends=True)


def graph_digest(lines: Iterable[bytes]) -> str:
    """SHA-256 in hex of a graph's canonical lines, in any order, each given once."""
    return hashlib.sha256(b"".join(sorted(lines))).hexdigest()


def stored(triples: bytes, graph: str) -> bytes:
    """Canonical N-Triples of a graph as the engine holds them: see `stored_lines`."""
    return b"".join(sorted(stored_lines(triples.splitlines(keepends=True), graph)))


def stored_lines(lines: list[bytes], graph: str) -> list[bytes]:
    """Canonical lines as the engine holds them: blank nodes labelled apart from other graphs'."""
    if not any(_BLANK in line for line in lines):
        return lines
    prefix = f"g{hashlib.sha256(graph.encode()).hexdigest()[:16]}"
    triples = (quad.triple for quad in parse(b"".join(lines), RdfFormat.N_TRIPLES))
    return _lines(relabelled(triple, prefix) for triple in triples)


def quad_line(line: bytes, graph: NamedNode | DefaultGraph) -> bytes:
    """A canonical N-Triples line as the N-Quads line of that graph."""
    return line if isinstance(graph, DefaultGraph) else line[:-2] + f"{graph} .\n".encode()


def _labelled(store: Store) -> list[bytes]:
    dataset = Dataset(store)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return _lines(quad.triple for quad in dataset)


def relabelled(triple: Triple, prefix: str) -> Triple:
    """The triple with this before the labels of its blank nodes."""
    subject, object = triple.subject, triple.object
    return Triple(
        BlankNode(prefix + subject.value) if isinstance(subject, BlankNode) else subject,
        triple.predicate,
        _relabelled_term(object, prefix),
    )


def _relabelled_term(term: _Object, prefix: str) -> _Object:
    if isinstance(term, BlankNode):
        return BlankNode(prefix + term.value)
    return relabelled(term, prefix) if isinstance(term, Triple) else term


def _lines(triples: Iterable[Triple]) -> list[bytes]:
    return (serialize(triples, format=RdfFormat.N_TRIPLES) or b"").splitlines(keepends=True)
