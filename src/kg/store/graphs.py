"""The public graphs of a release as a write sees them: looked up, or changed in a copy."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    NamedNode,
    Quad,
    RdfFormat,
    Store,
    parse,
    serialize,
)

from kg.errors import BadArgument, StoreDamaged
from kg.namespaces import BASE
from kg.store.base import Release
from kg.store.calls import with_functions
from kg.store.canonical import canonical_lines, held_lines
from kg.store.syntax import engine_error, syntax_error

DEFAULT_GRAPH: Final = "urn:x-kg:default"
"""What a plain store calls its default graph in the manifest."""

_GRAPH_STATE: Final = re.compile("The graph .* (?:does not exist|already exists)")


def read_release(release: Release) -> Graphs:
    """The public graphs of a release; raises StoreDamaged."""
    try:
        return Graphs(Store.read_only(str(release.folder / "public")))
    except (OSError, RuntimeError, ValueError) as error:
        raise StoreDamaged(f"{release.folder} cannot be opened: {error}") from error


def graph_name(iri: str) -> NamedNode | DefaultGraph:
    """The engine's name of a graph."""
    return DefaultGraph() if iri == DEFAULT_GRAPH else NamedNode(iri)


class Graphs:
    """The graphs of an engine folder that is open."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def triples(self, graph: str) -> bytes:
        """The canonical N-Triples of a graph, whose SHA-256 is its digest."""
        lines = held_lines(self._store, graph_name(graph))
        document = b"".join(sorted(lines))
        return b"".join(canonical_lines(document)) if b"_:" in document else document

    def names(self) -> list[str]:
        """The IRIs of the named graphs, sorted."""
        graphs = self._store.named_graphs()
        return sorted(graph.value for graph in graphs if isinstance(graph, NamedNode))

    def statements(self, subject: bytes, graphs: Iterable[str]) -> list[bytes]:
        """The N-Triples lines that these graphs have of a subject, given as N-Triples writes it.

        None of what can be no subject, such as a literal.
        """
        node = _node(subject)
        if node is None:
            return []
        quads = (
            quad
            for graph in graphs
            for quad in self._store.quads_for_pattern(node, None, None, NamedNode(graph))
        )
        document = serialize((quad.triple for quad in quads), format=RdfFormat.N_TRIPLES)
        return (document or b"").splitlines()

    def described(self, subject: str) -> Iterator[tuple[str, bytes]]:
        """Each statement about an IRI as an N-Triples line, with the named graph that holds it."""
        for quad in self._store.quads_for_pattern(NamedNode(subject), None, None):
            if isinstance(quad.graph_name, NamedNode):
                line = serialize([quad.triple], format=RdfFormat.N_TRIPLES) or b""
                yield quad.graph_name.value, line

    def holders(self, subject: str) -> set[str]:
        """The named graphs that describe an IRI."""
        quads = self._store.quads_for_pattern(NamedNode(subject), None, None)
        graphs = {quad.graph_name for quad in quads}
        return {graph.value for graph in graphs if isinstance(graph, NamedNode)}


def read_graphs(release: Release) -> Graphs:
    """The public graphs of a release, to be read for as long as they are referred to."""
    return Graphs(Store.read_only(str(release.folder / "public")))


def _node(term: bytes) -> NamedNode | BlankNode | None:
    if term.startswith(b"_:"):
        return BlankNode(term[2:].decode())
    if term.startswith(b"<") and not term.startswith(b"<<"):
        return NamedNode(term[1:-1].decode())
    return None


class Draft(Graphs):
    """A copy of the graphs, in which an update is run operation by operation."""

    def __init__(self, store: Store, *, plain: bool) -> None:
        super().__init__(store)
        self._plain = plain
        self._united: dict[str, set[bytes]] | None = {}
        """Graphs that were written since, as the default graph has them; None where any was."""

    def triples(self, graph: str) -> bytes:
        """As of Graphs; in a plain store with its blank nodes as they are, which may be shared."""
        if self._plain:
            return b"".join(sorted(held_lines(self._store, graph_name(graph))))
        return super().triples(graph)

    def run(
        self,
        operation: str,
        prefixes: Mapping[str, str],
        writes: Collection[str] | None,
        *,
        reads: bool = True,
        last: bool = False,
    ) -> None:
        """Run one operation, which writes at most the graphs of `writes`; None stands for any.

        Where it `reads`, the default graph is the set union of the named ones, except in a plain
        store. Raises QuerySyntax with line and column of the operation, BadArgument where it
        needs a graph that is not there, or that is, UnknownFunction, and EvaluationFailed.
        """
        if reads and not self._plain:
            self._unite()
        if not (last or self._plain):
            self._note(writes)
        self._update(operation, prefixes)

    def _note(self, writes: Collection[str] | None) -> None:
        """Keep what the default graph has of the graphs that are about to be written."""
        if writes is None:
            self._united = None
        if self._united is not None:
            new = set(writes or ()) - self._united.keys()
            self._united |= {iri: self._lines([NamedNode(iri)]) for iri in new}

    def _unite(self) -> None:
        """Make the default graph the union of the named ones, as they now are."""
        if self._united is None:
            self._exchange(self._lines([DefaultGraph()]), self._lines(self._store.named_graphs()))
        else:
            before = set[bytes]().union(*self._united.values())
            self._exchange(before, self._lines(NamedNode(iri) for iri in self._united))
        self._united = {}

    def _update(self, operation: str, prefixes: Mapping[str, str]) -> None:
        try:
            with_functions(
                lambda known: self._store.update(
                    operation, base_iri=BASE, prefixes=dict(prefixes), custom_functions=known
                )
            )
        except SyntaxError as error:
            raise syntax_error(str(error), operation, prefixes) from error
        except (OSError, RuntimeError, ValueError) as error:
            if _GRAPH_STATE.fullmatch(str(error)):  # SPARQL 1.1 Update, 3.2: a failure but SILENT
                raise BadArgument(str(error), remedy="With SILENT it is no error.") from error
            raise engine_error(str(error)) from error

    def _lines(self, graphs: Iterable[NamedNode | BlankNode | DefaultGraph]) -> set[bytes]:
        return {
            line
            for graph in graphs
            if not isinstance(graph, BlankNode)
            for line in held_lines(self._store, graph)
        }

    def _exchange(self, before: set[bytes], after: set[bytes]) -> None:
        """Make the default graph hold the new lines, and of the old ones those still held."""
        self._store.extend(parse(b"".join(after - before), RdfFormat.N_TRIPLES))
        for quad in parse(b"".join(before - after), RdfFormat.N_TRIPLES):
            if not is_held(self._store, quad):
                self._store.remove(quad)


def is_held(store: Store, quad: Quad) -> bool:
    """Whether a named graph holds the triple of this quad.

    On disk the engine (0.5.13) looks up a number whose last byte is 255, as 255 and 511 are,
    together with those that follow it: so the triple is compared.
    """
    holders = store.quads_for_pattern(quad.subject, quad.predicate, quad.object)
    return any(
        holder.graph_name != DefaultGraph() and holder.triple == quad.triple for holder in holders
    )


def checked_update(update: str, prefixes: Mapping[str, str]) -> None:
    """Raise QuerySyntax, with line and column, where the engine cannot read the update."""
    try:
        Store().update(update, base_iri=BASE, prefixes=dict(prefixes))
    except SyntaxError as error:
        raise syntax_error(str(error), update, prefixes) from error
    except (OSError, RuntimeError, ValueError):
        return  # it is one, and could not be run on a store that holds nothing
