"""A dataset in memory: where graphs are staged, and the rules run over them, before a commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pyoxigraph import NamedNode, Quad, QueryTriples, RdfFormat, Store, parse

from kg.errors import EvaluationFailed, MalformedData, QuerySyntax
from kg.media import JSON_LD, N_QUADS, N_TRIPLES, RDF_XML, TRIG, TURTLE, Format
from kg.store import json_depth, xml_depth
from kg.store.calls import with_functions
from kg.store.canonical import canonical_lines, held_lines
from kg.store.syntax import syntax_error

ENGINE_FORMATS: Final = {
    TURTLE: RdfFormat.TURTLE,
    N_TRIPLES: RdfFormat.N_TRIPLES,
    N_QUADS: RdfFormat.N_QUADS,
    TRIG: RdfFormat.TRIG,
    RDF_XML: RdfFormat.RDF_XML,
    JSON_LD: RdfFormat.JSON_LD,
}
_CHECK_DEPTH: Final = {RDF_XML: xml_depth.check_depth, JSON_LD: json_depth.check_depth}
"""Of the formats whose depth the engine pays for with its square."""
_OF_DATASETS: Final = (N_QUADS, TRIG, JSON_LD)
_UNION: Final = "INSERT { ?s ?p ?o } WHERE { GRAPH ?graph { ?s ?p ?o } }"


def _of_one_graph(
    data: bytes, format: RdfFormat, graph: NamedNode, base: str | None
) -> Iterator[Quad]:
    """The triples of a document that may name no graph; loading would let it name others."""
    quads = parse(data, format, base_iri=base, without_named_graphs=True, rename_blank_nodes=True)
    return (Quad(quad.subject, quad.predicate, quad.object, graph) for quad in quads)


class MemoryDataset:
    """Named graphs in memory, and a default graph that is their set union."""

    def __init__(self) -> None:
        self._store = Store()
        self._union_is_whole = True

    def load(
        self, data: bytes, format: Format, graph: str | None = None, *, base: str | None = None
    ) -> None:
        """Add a document to a graph, or, where none is named, to the graphs that it names itself.

        Blank nodes are local to the document. Relative IRIs are resolved against `base`, and
        refused where there is none. Raises MalformedData with line and column where the document
        is not of this format, nests too deep, or names graphs although `graph` is given.
        """
        name = NamedNode(graph) if graph else None
        if format in _CHECK_DEPTH:
            _CHECK_DEPTH[format](data)
        try:
            if name and format in _OF_DATASETS:
                self._store.extend(_of_one_graph(data, ENGINE_FORMATS[format], name, base))
            else:
                self._store.load(data, ENGINE_FORMATS[format], to_graph=name, base_iri=base)
        except SyntaxError as error:
            raise MalformedData(
                format.name, str(error.args[0]), error.lineno, error.offset
            ) from error
        self._union_is_whole = False

    def add(self, graph: str, triples: bytes) -> None:
        """Add N-Triples to a graph; raises MalformedData."""
        self.load(triples, N_TRIPLES, graph)

    def construct(self, query: str, prefixes: Mapping[str, str]) -> bytes:
        """The N-Triples that a CONSTRUCT gives, in the engine's order.

        Raises QuerySyntax with line and column, and for a query of another form.
        """
        self._complete_union()
        try:
            result = with_functions(
                lambda known: self._store.query(
                    query, prefixes=dict(prefixes), custom_functions=known
                )
            )
            if not isinstance(result, QueryTriples):
                # The error keeps this frame, and another thread must not be the one to drop it.
                del result
                raise QuerySyntax("a rule is a CONSTRUCT or DESCRIBE query")
            return result.serialize(format=RdfFormat.N_TRIPLES) or b""
        except SyntaxError as error:
            raise syntax_error(str(error), query, prefixes) from error
        except (OSError, RuntimeError, ValueError) as error:
            raise EvaluationFailed(str(error)) from error

    def graph_names(self) -> list[str]:
        """The IRIs of the named graphs, sorted."""
        return sorted(graph.value for graph in self._store.named_graphs())

    def triples(self, graph: str) -> bytes:
        """The canonical N-Triples of a graph, whose SHA-256 is its digest in a release."""
        held = held_lines(self._store, NamedNode(graph))
        return b"".join(canonical_lines(b"".join(held)))

    def _complete_union(self) -> None:
        if not self._union_is_whole:
            self._store.update(_UNION)
            self._union_is_whole = True
