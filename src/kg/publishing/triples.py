"""An article as named graphs: its nodes as JSON-LD, and that as N-Triples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pyld import jsonld

from kg.context import Context
from kg.namespaces import GRAPH
from kg.publishing.sources import AnchorRecord, Article, Node
from kg.store.base import NamedGraph, Owner

ENTITIES = GRAPH + "entities"
"""The graph of areas, organisations, publications, and of the articles themselves."""


def article_graphs(article: Article, context: Context) -> tuple[NamedGraph, ...]:
    """The graphs of one article, in the layout of the named graphs; empty ones are left out.

    The article's own description, which holds its title, is not among them: see `description`.
    """
    text = f"{article.iri}/text"
    anchors = [_anchor(each, text, article.text_digest) for each in article.anchors]
    nodes: dict[str, Iterable[dict[str, Any]]] = {
        "claims": map(_document, article.statements),
        "provenance": map(_document, article.provenance),
        "anchors": [*map(_document, article.blocks), *(n for pair in anchors for n in pair)],
        "sensitive": map(_document, article.sensitive),
    }
    graphs = (
        NamedGraph(
            iri=f"{GRAPH}{name}/{article.key}",
            triples=_triples(documents, context),
            owner=Owner.DATA,
            restricted=name == "sensitive",
        )
        for name, documents in nodes.items()
    )
    return tuple(graph for graph in graphs if graph.triples)


def description(article: Article, context: Context) -> bytes:
    """What is said of the article as a work, as N-Triples for the graph of entities."""
    held = {"id": article.iri, "schema:hasPart": {"id": f"{article.iri}/text"}}
    texts = [held] if article.text_digest else []
    return _triples([_document(article.description), *texts], context)


def _document(node: Node) -> dict[str, Any]:
    return {"id": node.iri, "type": list(node.types), **node.properties}


def _anchor(anchor: AnchorRecord, text: str, document: str) -> Iterator[dict[str, Any]]:
    selector = f"{anchor.iri}/position"
    yield {
        "id": anchor.iri,
        "type": "rf:Anchor",
        "source": text,
        "selector": selector,
        "digest": anchor.digest,
        "documentDigest": document,
    }
    yield {
        "id": selector,
        "type": "oa:TextPositionSelector",
        "start": str(anchor.span.start),
        "end": str(anchor.span.end),
    }


def _triples(documents: Iterable[dict[str, Any]], context: Context) -> bytes:
    """The N-Triples of JSON-LD documents (JSON-LD 1.1 API, 8.1)."""
    document = {**context.document, "@graph": list(documents)}
    options = {"format": "application/n-quads", "documentLoader": _refuse}
    text: str = jsonld.to_rdf(document, options)
    return text.encode()


def _refuse(url: str, options: object) -> dict[str, Any]:
    """Nothing is fetched: the only context is the project's own."""
    raise jsonld.JsonLdError(f"{url} is not fetched", "jsonld.LoadDocumentError")
