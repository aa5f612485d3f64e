"""SPARQL 1.1 Graph Store HTTP Protocol: one graph read, replaced, added to, or removed.

`/graphs/<path>` is direct identification (section 4.1): it stands for the graph whose IRI is the
base of graphs and the path; in a plain store the graph has the address itself as its IRI.
`/graphs?graph=IRI` and `/graphs?default` are indirect identification (section 4.2).

An ETag here is the digest of the graph, a full stop, and what else the bytes depend on. A write
compares the digest alone: whatever format a client has read, it has read that graph.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from flask import Request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData
from werkzeug.wrappers import Response

from kg.errors import (
    BadArgument,
    DefaultGraphRefused,
    UnknownResource,
    UnsupportedBody,
)
from kg.media import JSON_LD, N_TRIPLES, RDF_XML, TURTLE, Format
from kg.namespaces import GRAPH
from kg.publishing.writing import Document, Method, Write, Writer
from kg.query.request import QueryRequest
from kg.query.run import Plan
from kg.settings import Settings
from kg.store.base import Release
from kg.store.embedded import EmbeddedStore
from kg.store.graphs import DEFAULT_GRAPH
from kg.store.iris import absolute_iri
from kg.store.tokens import Token, Tokens
from kg.web.negotiation import chooser, coding
from kg.web.tokens import writer_of
from kg.web.updates import written
from kg.web.uploads import address_of, at_most_one, body_of, check_charset, check_encoding, pairs_of

BODIES: Final = (TURTLE, N_TRIPLES, RDF_XML, JSON_LD)
"""The formats in which a graph is taken."""
_TYPES: Final = {name: each for each in BODIES for name in (each.media_type, *each.aliases)}
_MULTIPART: Final = "multipart/form-data"
_TAKEN: Final = (*(each.media_type for each in BODIES), _MULTIPART)
_MOST_PARTS: Final = 100

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_TAG: Final = re.compile(r'(W/)?"([^"]*)"')
_UNION: Final = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"


# --- which graph --------------------------------------------------------------------------


def named_by(request: Request, path: str | None, settings: Settings) -> str | None:
    """The IRI of the graph that the request is about; None for the default graph.

    Raises BadArgument where it names none, two, or something that is no absolute IRI.
    """
    parameters = MultiDict(pairs_of(request.query_string))
    graph, default = at_most_one(parameters, "graph"), at_most_one(parameters, "default")
    if path is not None:
        if graph is not None or default is not None:
            raise BadArgument(
                "the address names a graph, and a parameter names another", remedy="Name one."
            )
        return _checked(address_of(request) if settings.plain else GRAPH + path)
    if (graph is None) == (default is None):
        raise BadArgument(
            "the request must name one graph", remedy="Give it ?graph=IRI, or ?default."
        )
    return None if graph is None else _checked(graph)


def _checked(iri: str) -> str:
    if not absolute_iri(iri):
        raise BadArgument(f"{iri[:200]!r} is no absolute IRI", remedy="A graph is named by one.")
    return iri


# --- GET and HEAD -------------------------------------------------------------------------


def read_request(
    request: Request, graph: str | None, name: str | None, store: EmbeddedStore
) -> QueryRequest:
    """The query for all triples of a graph, of the release `name` or of HEAD.

    Raises UnknownResource where the release has no such public graph: one that is restricted is as
    unknown as one that is not there, and is looked for in the same way.
    """
    release = store.release(name)
    if graph is not None:
        _state_digest(release, graph)
    parameters = MultiDict(pairs_of(request.query_string))
    choose = chooser(request.headers.get("Accept"), at_most_one(parameters, "format"))
    return QueryRequest(
        query=_UNION if graph is None else _triples_of(graph),
        choose=choose,
        release=release.name,
        coding=coding(request.headers.get("Accept-Encoding")),
    )


def etag_of(plan: Plan, graph: str | None) -> str:
    """The strong validator of a graph in a format, with its quotes; see the module."""
    digest = plan.release.digest if graph is None else _state_digest(plan.release, graph)
    # Prefixes come from the context of the release, and JSON-LD is compacted with it.
    depends = (plan.format.name, plan.task.coding.value, sorted(plan.task.prefixes.items()))
    rest = hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:16]
    return f'"{digest}.{rest}"'


def _triples_of(graph: str) -> str:
    return f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"


def _state_digest(release: Release, graph: str) -> str:
    """The digest of a public graph; the manifest has them in the order of their IRIs."""
    position = bisect_left(release.graphs, graph, key=lambda state: state.iri)
    found = release.graphs[position : position + 1]
    if graph == DEFAULT_GRAPH or not found or found[0].iri != graph:
        raise UnknownResource(
            f"there is no graph <{graph}>", remedy="Look for one with GRAPH ?g at /sparql."
        )
    return found[0].digest


# --- PUT, POST, DELETE --------------------------------------------------------------------


def change(
    request: Request, graph: str | None, writer: Writer, settings: Settings, tokens: Tokens
) -> Response:
    """Replace (PUT), add to (POST) or remove (DELETE) a graph: 201, 204, or 422 with the report.

    Raises AccessError, DefaultGraphRefused, BadArgument, BodyTooLarge, UnsupportedBody, and what
    `Writer.write` does.
    """
    token = writer_of(request, tokens, settings)
    token.check_graph(graph)
    if graph is None and not settings.plain:
        raise DefaultGraphRefused(request.method)
    if graph == DEFAULT_GRAPH:
        raise BadArgument(f"<{graph}> is reserved", remedy="Choose another IRI for the graph.")
    return written(request, writer, _write(request, graph, token, settings))


def create(request: Request, writer: Writer, settings: Settings, tokens: Tokens) -> Response:
    """Make a new graph with an IRI that nothing has yet: 201 and where it is (section 5.5).

    Raises what `change` does.
    """
    token = writer_of(request, tokens, settings)
    graph, location = _new_graph(request, token, settings)
    response = written(request, writer, _write(request, graph, token, settings))
    if response.status_code < 300:
        if "KG-Graph-Digest" not in response.headers:
            raise BadArgument("the body has no triple, and so makes no graph", remedy="Send some.")
        response.status_code = 201
        response.headers["Location"] = location
    return response


def _new_graph(request: Request, token: Token, settings: Settings) -> tuple[str, str]:
    """A new IRI that the token may write, and the address that leads to it."""
    name = secrets.token_hex(16)
    here = address_of(request)
    if settings.plain:
        return _checked(f"{here}/{name}"), f"{here}/{name}"
    graph = (token.graphs[0] if token.graphs else GRAPH) + name
    if graph.startswith(GRAPH):
        return _checked(graph), f"{here}/{quote(graph.removeprefix(GRAPH))}"
    return _checked(graph), f"{here}?graph={quote(graph, safe='')}"


def _write(request: Request, graph: str | None, token: Token, settings: Settings) -> Write:
    _check_whole(request)
    documents: tuple[Document, ...] = ()
    if request.method != "DELETE":
        documents = tuple(_documents(request, settings.write_bytes))
    return Write(
        method=Method[request.method],
        graph=graph,
        documents=documents,
        who=token.name,
        if_match=_if_match(request),
        if_none_match=_if_none_match(request),
    )


def _check_whole(request: Request) -> None:
    """Raises BadArgument for a part of a body (RFC 9110, 14.5), which would be taken as all."""
    if "Content-Range" in request.headers:
        raise BadArgument("the body is a part of one", remedy="Send the whole graph.")


# --- conditions ---------------------------------------------------------------------------


def _if_match(request: Request) -> tuple[str, ...] | None:
    """The digests of which the graph must have one; weak tags never match (section 13.1.1)."""
    return _digests(request.headers.get("If-Match"), weak=False)


def _if_none_match(request: Request) -> tuple[str, ...] | None:
    """The digests that the graph must not have; weak tags match, too (section 13.1.2)."""
    return _digests(request.headers.get("If-None-Match"), weak=True)


def _digests(field: str | None, *, weak: bool) -> tuple[str, ...] | None:
    """What the tags of a condition say of a graph (RFC 9110); None where there is no condition.

    A tag that can be no graph's is left out, so that none may be left.
    """
    if field is None or field.strip() == "*":
        return ("*",) if field else None
    tags = (tag.partition(".")[0] for is_weak, tag in _TAG.findall(field) if weak or not is_weak)
    return tuple(tag for tag in tags if _DIGEST.fullmatch(tag))


# --- bodies -------------------------------------------------------------------------------


def _documents(request: Request, limit: int) -> Iterator[Document]:
    """The document in the body, or each one of a form (section 5.5); raises UnsupportedBody."""
    check_encoding(request, _TAKEN)
    body = body_of(request, limit)
    if request.mimetype != _MULTIPART:
        yield Document(body, _format(request.mimetype, request.mimetype_params.get("charset")))
        return
    if request.method != "POST":
        raise UnsupportedBody(f"{_MULTIPART} in a {request.method}", _TAKEN[:-1])
    yield from _parts(body, request.mimetype_params.get("boundary", ""))


def _format(media_type: str, charset: str | None) -> Format:
    check_charset(media_type, charset, _TAKEN)
    if media_type not in _TYPES:
        raise UnsupportedBody(media_type, _TAKEN)
    return _TYPES[media_type]


def _parts(body: bytes, boundary: str) -> Iterator[Document]:
    """Each part of a form as a document of its own type (RFC 7578)."""
    if not boundary:
        raise BadArgument(f"{_MULTIPART} has no boundary", remedy="Name it in Content-Type.")
    decoder = MultipartDecoder(boundary.encode(), max_parts=_MOST_PARTS)
    try:
        yield from _decoded(decoder, body)
    except (ValueError, HTTPException) as error:
        raise BadArgument(
            f"the body is no {_MULTIPART} of at most {_MOST_PARTS} parts, or it was cut",
            remedy="Send it again, or in several requests.",
        ) from error


def _decoded(decoder: MultipartDecoder, body: bytes) -> Iterator[Document]:
    decoder.receive_data(body)
    decoder.receive_data(None)
    format, content = TURTLE, bytearray()
    while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
        if isinstance(event, Field | File):
            media_type, options = parse_options_header(event.headers.get("Content-Type"))
            format, content = _format(media_type, options.get("charset")), bytearray()
        elif isinstance(event, Data):
            content += event.data
            if not event.more_data:
                yield Document(bytes(content), format)
