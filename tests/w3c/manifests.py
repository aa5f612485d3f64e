"""The manifests of the W3C SPARQL tests: what each test sends, to which data, and expects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from w3c_suite import w3c_folder

Node = NamedNode | BlankNode
Term = Node | Literal | Triple

BASE: Final = "https://w3c.github.io/rdf-tests/sparql/"
"""Where the suite is published; the files of this machine have these IRIs in the tests."""
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
_MF: Final = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
_QT: Final = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#"
_UT: Final = "http://www.w3.org/2009/sparql/tests/test-update#"
_RESULT_SET: Final = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#"
_HTTP: Final = "http://www.w3.org/2011/http#"
_CONTENT: Final = "http://www.w3.org/2011/content#"
_NAMESPACES: Final = {
    "rdf": _RDF,
    "rdfs": _RDFS,
    "mf": _MF,
    "qt": _QT,
    "ut": _UT,
    "rs": _RESULT_SET,
    "ht": _HTTP,
    "cnt": _CONTENT,
}


@dataclass(frozen=True, slots=True)
class Resource:
    """A node of an RDF file, with the graph that tells of it."""

    graph: Store = field(repr=False, compare=False)
    node: Term

    def all(self, name: str) -> list[Resource]:
        """The values of a property, which is written with a prefix."""
        if isinstance(self.node, Literal | Triple):
            return []
        found = self.graph.quads_for_pattern(self.node, _expanded(name), None)
        return [Resource(self.graph, quad.object) for quad in found]

    def one(self, name: str) -> Resource:
        """The only value of a property; fails where there is none, or more."""
        (value,) = self.all(name)
        return value

    def maybe(self, name: str) -> Resource | None:
        """The only value of a property, if it has one."""
        return self.one(name) if self.all(name) else None

    def items(self) -> Iterator[Resource]:
        """The members of a list."""
        rest = self
        while rest.node != _expanded("rdf:nil"):
            yield rest.one("rdf:first")
            rest = rest.one("rdf:rest")

    @property
    def text(self) -> str:
        """The IRI, or the lexical form."""
        assert not isinstance(self.node, Triple)
        return self.node.value

    @property
    def local(self) -> str:
        """What follows the last `#` of the IRI."""
        return self.text.rpartition("#")[2]


@dataclass(frozen=True, slots=True)
class Data:
    """A file, and the graph it is loaded into: None for the default graph."""

    file: str
    graph: str | None = None


@dataclass(frozen=True, slots=True)
class W3cTest:
    """One entry of a manifest; `name` is its folder below `sparql/` and the fragment of its IRI."""

    name: str
    kind: str
    """The local name of its class, without the 11 of SPARQL 1.1."""
    entry: Resource = field(repr=False)

    @property
    def folder(self) -> str:
        """The folder of its manifest, without those above it."""
        return self.name.split("/")[-2]

    @property
    def request(self) -> str:
        """The IRI of the query or the update."""
        action = self._action
        for name in ("qt:query", "ut:request"):
            if named := action.maybe(name):
                return named.text
        return action.text

    @property
    def is_update(self) -> bool:
        """Whether the request is an update; some with the class of a query are."""
        return self.request.endswith(".ru")

    @property
    def data(self) -> tuple[Data, ...]:
        """What the dataset holds before; tests of the protocol tell it beside their action."""
        return (*_data(self._action), *_data(self.entry))

    @property
    def result(self) -> str:
        """The IRI of the file with the expected answer to a query."""
        return self.entry.one("mf:result").text

    @property
    def result_data(self) -> tuple[Data, ...]:
        """What the dataset holds after an update."""
        return _data(self.entry.one("mf:result"))

    @property
    def lax(self) -> bool:
        """Whether a solution may come fewer times than expected, though once at least."""
        return bool(self.entry.all("mf:resultCardinality"))

    @property
    def _action(self) -> Resource:
        return self.entry.one("mf:action")


def w3c_tests(*folders: str) -> list[W3cTest]:
    """The tests that the manifests of these folders (or files) list, and those they include."""
    if not (w3c_folder() / "rdf-tests").is_dir():
        return []
    found: list[W3cTest] = []
    for name in folders:
        file = name if name.endswith(".ttl") else f"{name}/manifest.ttl"
        found += _Manifest(BASE + file).tests()
    return found


def path_of(iri: str) -> Path:
    """The file of this machine."""
    return w3c_folder() / "rdf-tests" / "sparql" / iri.removeprefix(BASE)


def quads_of(iri: str) -> list[Quad]:
    """The statements of a file."""
    file = path_of(iri)
    kind = RdfFormat.from_extension(file.suffix.removeprefix("."))
    assert kind, file
    return list(parse(file.read_bytes(), kind, base_iri=iri))


def graph_of(iri: str) -> Store:
    """The statements of a file, to look things up in."""
    store = Store()
    store.extend(quads_of(iri))
    return store


def resources_of(graph: Store, kind: str) -> list[Resource]:
    """Those of a class."""
    found = graph.quads_for_pattern(None, _expanded("rdf:type"), _expanded(kind))
    return [Resource(graph, quad.subject) for quad in found]


class _Manifest:
    def __init__(self, iri: str) -> None:
        self._iri = iri

    @cached_property
    def _graph(self) -> Store:
        return graph_of(self._iri)

    def tests(self) -> list[W3cTest]:
        (manifest,) = resources_of(self._graph, "mf:Manifest")
        included = [item for each in manifest.all("mf:include") for item in each.items()]
        entries = [item for each in manifest.all("mf:entries") for item in each.items()]
        return [
            *(test for each in included for test in _Manifest(each.text).tests()),
            *(self._test(entry) for entry in entries),
        ]

    def _test(self, entry: Resource) -> W3cTest:
        kind = entry.one("rdf:type").local.removesuffix("11")
        folder = self._iri.removeprefix(BASE).rpartition("/")[0]
        return W3cTest(f"{folder}/{entry.local}", kind, entry)


def _data(described: Resource) -> tuple[Data, ...]:
    default = [Data(file.text) for name in ("qt:data", "ut:data") for file in described.all(name)]
    named = [
        _named(graph) for name in ("qt:graphData", "ut:graphData") for graph in described.all(name)
    ]
    return (*default, *named)


def _named(graph: Resource) -> Data:
    """A graph has the IRI of its file, or one given as a label."""
    file = graph.maybe("qt:graph") or graph.maybe("ut:graph")
    if not file:
        return Data(graph.text, graph.text)
    label = graph.maybe("rdfs:label")
    return Data(file.text, label.text if label else file.text)


def _expanded(name: str) -> NamedNode:
    prefix, _, local = name.partition(":")
    return NamedNode(_NAMESPACES[prefix] + local)
