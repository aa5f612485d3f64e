"""The W3C tests of the SPARQL 1.1 Service Description, over HTTP.

Their manifest gives each a name only; what passing means follows the sections named here.
"""

from collections.abc import Callable
from typing import Final

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store, parse

from kg_server import Server
from w3c.manifests import W3cTest
from w3c.suites import SERVICE_DESCRIPTION, parameters, passed

_SD: Final = "http://www.w3.org/ns/sparql-service-description#"
_TYPE: Final = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_IRI: Final = "an IRI"
_SCHEMA: Final = {
    "endpoint": ("Service", _IRI),
    "feature": ("Service", _IRI),
    "defaultEntailmentRegime": ("Service", _IRI),
    "defaultSupportedEntailmentProfile": ("Service", _IRI),
    "extensionFunction": ("Service", _IRI),
    "extensionAggregate": ("Service", _IRI),
    "languageExtension": ("Service", _IRI),
    "supportedLanguage": ("Service", _IRI),
    "propertyFeature": ("Service", _IRI),
    "resultFormat": ("Service", _IRI),
    "inputFormat": ("Service", _IRI),
    "defaultDataset": ("Service", "Dataset"),
    "availableGraphs": ("Service", "GraphCollection"),
    "defaultGraph": ("Dataset", "Graph"),
    "namedGraph": (None, "NamedGraph"),
    "name": ("NamedGraph", _IRI),
    "graph": ("NamedGraph", "Graph"),
    "entailmentRegime": ("NamedGraph", _IRI),
    "supportedEntailmentProfile": ("NamedGraph", _IRI),
}
"""The domain and the range of each property (section 3.4); sd:namedGraph has a domain of two."""


@pytest.mark.parametrize("test", parameters(SERVICE_DESCRIPTION))
def test_description(emptied: Server, test: W3cTest) -> None:
    reply = emptied.send("/sparql", headers={"Accept": "text/turtle"})
    assert reply.status == 200
    quads = parse(reply.body, RdfFormat.TURTLE, base_iri=_endpoint(emptied))
    _CHECKS[test.entry.local](emptied, list(quads))


def test_total() -> None:
    assert passed(SERVICE_DESCRIPTION) == (3, 3)


def _endpoint(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}/sparql"


def _is_rdf(server: Server, quads: list[Quad]) -> None:
    """Section 2: GET of the endpoint without a query gives RDF."""
    assert quads


def _tells_its_endpoint(server: Server, quads: list[Quad]) -> None:
    """Section 3.4.1: the endpoint is the URL that the description came from."""
    endpoints = [quad.object for quad in quads if quad.predicate.value == _SD + "endpoint"]
    assert endpoints == [NamedNode(_endpoint(server))]


def _has_the_schema(server: Server, quads: list[Quad]) -> None:
    """Section 3.4: each property is one of the vocabulary, between things of its classes."""
    graph = Store()
    graph.extend(quads)
    used = [quad for quad in quads if quad.predicate.value.startswith(_SD)]
    assert [quad for quad in used if not _conforms(graph, quad)] == []
    named = graph.quads_for_pattern(None, _TYPE, NamedNode(_SD + "NamedGraph"))
    assert all(_has(graph, quad.subject, "name") for quad in named)


def _conforms(graph: Store, quad: Quad) -> bool:
    name = quad.predicate.value.removeprefix(_SD)
    if name not in _SCHEMA:
        return False
    domain, range = _SCHEMA[name]
    subject_fits = domain is None or _is_a(graph, quad.subject, domain)
    if range == _IRI:
        return subject_fits and isinstance(quad.object, NamedNode)
    return (
        subject_fits and not isinstance(quad.object, Literal) and _is_a(graph, quad.object, range)
    )


def _is_a(graph: Store, node: object, name: str) -> bool:
    assert isinstance(node, NamedNode | BlankNode)
    return Quad(node, _TYPE, NamedNode(_SD + name)) in graph


def _has(graph: Store, node: object, name: str) -> bool:
    assert isinstance(node, NamedNode | BlankNode)
    return any(graph.quads_for_pattern(node, NamedNode(_SD + name), None))


_CHECKS: Final[dict[str, Callable[[Server, list[Quad]], None]]] = {
    "returns-rdf": _is_rdf,
    "has-endpoint-triple": _tells_its_endpoint,
    "conforms-to-schema": _has_the_schema,
}
