"""RDF graphs in memory as validation reads them: rdflib graphs over a store without contexts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from rdflib import BNode, Graph, Literal, URIRef
from rdflib.plugins.parsers.ntriples import unquote
from rdflib.store import Store
from rdflib.term import Node

if TYPE_CHECKING:
    Index = dict[Node, dict[Node, dict[Node, None]]]
    Triple = tuple[Node, Node, Node]

_NONE: Final[dict[Any, Any]] = {}
_CONTEXTS: Final = (Graph(identifier=URIRef("urn:x-kg:data")),)
"""Only its name is asked: pyshacl looks up the graph of a blank node that it describes."""
_LINES_KEPT: Final = 65_536
"""Lines of reference data recur in article after article."""


def read_graph(*documents: bytes) -> Graph:
    """The graph of these N-Triples documents, whose blank nodes stay apart.

    Raises rdflib's ParserError for what is no N-Triples of RDF 1.1.
    """
    graph = Graph(store=IndexedStore())
    for document in documents:
        add_triples(graph, document)
    return graph


def add_triples(graph: Graph, document: bytes) -> None:
    """Add the triples of an N-Triples document to a graph."""
    blank_nodes: dict[bytes, Node] = {}
    triples: list[Triple] = []
    for line in document.splitlines():
        triple = _ground(line) if b"_:" not in line else _triple(line, blank_nodes)
        if triple is None:
            graph.parse(data=document, format="nt")
            return
        triples.append(triple)
    for triple in triples:
        graph.add(triple)


class IndexedStore(Store):
    """Three nested dictionaries of one graph; rdflib's own keep contexts that nobody asks for."""

    # pyshacl takes a store for a dataset's only if it says so; it asks for no context.
    context_aware = True
    graph_aware = True

    def __init__(self, configuration: str | None = None, identifier: Any = None) -> None:
        super().__init__(configuration)
        self._by_subject: Index = {}
        self._by_predicate: Index = {}
        self._by_object: Index = {}
        self._size = 0
        self._namespaces: dict[str, URIRef] = {}

    def add(self, triple: Any, context: Any = None, quoted: bool = False) -> None:
        """As rdflib.store.Store.add."""
        subject, predicate, obj = triple
        objects = self._by_subject.setdefault(subject, {}).setdefault(predicate, {})
        if obj not in objects:
            objects[obj] = None
            self._by_predicate.setdefault(predicate, {}).setdefault(obj, {})[subject] = None
            self._by_object.setdefault(obj, {}).setdefault(subject, {})[predicate] = None
            self._size += 1

    def remove(self, triple: Any, context: Any = None) -> None:
        """As rdflib.store.Store.remove."""
        for (subject, predicate, obj), _ in list(self.triples(triple)):
            _drop(self._by_subject, subject, predicate, obj)
            _drop(self._by_predicate, predicate, obj, subject)
            _drop(self._by_object, obj, subject, predicate)
            self._size -= 1

    def triples(self, triple_pattern: Any, context: Any = None) -> Iterator[Any]:
        """As rdflib.store.Store.triples; every triple is in the one graph that there is."""
        for triple in self._matching(*triple_pattern):
            yield triple, _CONTEXTS

    def _matching(
        self, subject: Node | None, predicate: Node | None, obj: Node | None
    ) -> Iterable[Triple]:
        if subject is not None:
            return self._of_subject(subject, predicate, obj)
        if predicate is not None:
            return self._of_predicate(predicate, obj)
        if obj is not None:
            found = self._by_object.get(obj, _NONE)
            return [(s, p, obj) for s, predicates in found.items() for p in predicates]
        return (
            (s, p, o)
            for s, predicates in self._by_subject.items()
            for p, objects in predicates.items()
            for o in objects
        )

    def _of_subject(
        self, subject: Node, predicate: Node | None, obj: Node | None
    ) -> Iterable[Triple]:
        predicates = self._by_subject.get(subject, _NONE)
        if predicate is None and obj is not None:
            found = self._by_object.get(obj, _NONE).get(subject, _NONE)
            return [(subject, p, obj) for p in found]
        if predicate is None:
            return [(subject, p, o) for p, objects in predicates.items() for o in objects]
        objects = predicates.get(predicate, _NONE)
        if obj is None:
            return [(subject, predicate, o) for o in objects]
        return [(subject, predicate, obj)] if obj in objects else []

    def _of_predicate(self, predicate: Node, obj: Node | None) -> Iterable[Triple]:
        objects = self._by_predicate.get(predicate, _NONE)
        if obj is None:
            return [(s, predicate, o) for o, subjects in objects.items() for s in subjects]
        return [(s, predicate, obj) for s in objects.get(obj, _NONE)]

    def __len__(self, context: Any = None) -> int:
        return self._size

    def bind(self, prefix: str, namespace: URIRef, override: bool = True) -> None:
        """As rdflib.store.Store.bind."""
        if override or prefix not in self._namespaces:
            self._namespaces[prefix] = namespace

    def namespace(self, prefix: str) -> URIRef | None:
        """As rdflib.store.Store.namespace."""
        return self._namespaces.get(prefix)

    def prefix(self, namespace: URIRef) -> str | None:
        """As rdflib.store.Store.prefix."""
        return next((p for p, each in self._namespaces.items() if each == namespace), None)

    def namespaces(self) -> Iterator[tuple[str, URIRef]]:
        """As rdflib.store.Store.namespaces."""
        yield from self._namespaces.items()


def _drop(index: Index, first: Node, second: Node, third: Node) -> None:
    """Take out one entry, and the dictionaries that are empty then."""
    del index[first][second][third]
    if not index[first][second]:
        del index[first][second]
    if not index[first]:
        del index[first]


# --- N-Triples ----------------------------------------------------------------------------

_LINE: Final = re.compile(
    rb"(<[^>\s]*>|_:\S+) (<[^>\s]*>) (<[^>\s]*>|_:\S+|\".*\"(?:@[A-Za-z0-9-]+|\^\^<[^>\s]*>)?) \."
)
"""A line as the engine writes it; any other is left to rdflib's parser."""
_LITERAL: Final = re.compile(
    rb'"((?:[^"\\]|\\.)*)"(?:@([A-Za-z]+(?:-[A-Za-z0-9]+)*)|\^\^<([^>\\]*)>)?'
)


@lru_cache(maxsize=_LINES_KEPT)
def _ground(line: bytes) -> Triple | None:
    return _triple(line, {})


def _triple(line: bytes, blank_nodes: dict[bytes, Node]) -> Triple | None:
    """The triple of a line, None where it is not written as the engine writes them."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    nodes = [_node(part, blank_nodes) for part in match.groups()]
    subject, predicate, obj = nodes
    return (
        None if subject is None or predicate is None or obj is None else (subject, predicate, obj)
    )


def _node(text: bytes, blank_nodes: dict[bytes, Node]) -> Node | None:
    if text.startswith(b"_:"):
        return blank_nodes.setdefault(text, BNode())
    return _term(text)


@lru_cache(maxsize=_LINES_KEPT)
def _term(text: bytes) -> Node | None:
    """An IRI or a literal, one object for one text: dictionaries then compare by identity."""
    if text.startswith(b"<"):
        return None if b"\\" in text else URIRef(text[1:-1].decode())
    match = _LITERAL.fullmatch(text)
    if match is None:
        return None
    value, language, datatype = match.groups()
    wording = unquote(value.decode()) if b"\\" in value else value.decode()
    return Literal(
        wording,
        lang=language.decode() if language else None,
        datatype=URIRef(datatype.decode()) if datatype else None,
    )
