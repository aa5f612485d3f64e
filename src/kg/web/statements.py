"""What the server says of itself in RDF: statements as N-Triples, and the answer of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from flask import Request
from werkzeug.wrappers import Response

from kg.media import GRAPH_FORMATS, N_TRIPLES, Format
from kg.namespaces import BASE
from kg.store.base import Release
from kg.store.rewriting import rewritten
from kg.web.conditions import has
from kg.web.links import base_url

PREFIXES: Final = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "formats": "http://www.w3.org/ns/formats/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "service": BASE + "service#",
    "spdx": "http://spdx.org/rdf/terms#",
    "void": "http://rdfs.org/ns/void#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def statement(*terms: str) -> str:
    """A line of N-Triples; a term may be a name with one of the prefixes."""
    return " ".join(map(_term, terms)) + " .\n"


def _term(text: str) -> str:
    """An IRI for a name with one of our prefixes; anything else as it is."""
    prefix, _, name = text.partition(":")
    return f"<{PREFIXES[prefix]}{name}>" if prefix in PREFIXES else text


def iri(value: str) -> str:
    """An IRI as a term."""
    return f"<{value}>"


def text(value: str) -> str:
    """A string as a term."""
    return json.dumps(value, ensure_ascii=False)  # its escapes are among those of N-Triples


def number(value: float, datatype: str = "integer") -> str:
    """A number as a term."""
    return typed(str(value), datatype)


def typed(value: str, datatype: str) -> str:
    """A value of a datatype of XML Schema as a term."""
    return f"{text(value)}^^<{PREFIXES['xsd']}{datatype}>"


def root_url(request: Request, at: str | None) -> str:
    """The absolute URL below which everything is read: of the server, or of a release of it.

    `at` is the name of that release. Raises BadArgument for a Host that makes no IRI.
    """
    base = base_url(request)
    return f"{base}r/{at}/" if at else base


def stated(
    request: Request,
    statements: Iterable[str],
    release: Release,
    choose: Callable[[Sequence[Format]], Format],
) -> Response:
    """The statements in the format that `choose` picks; raises NotAcceptable.

    Nothing of it is immutable: tags, settings and the name of the server change.
    """
    format = choose(GRAPH_FORMATS)
    document = "".join(sorted(set(statements))).encode()
    content = rewritten(document, N_TRIPLES, format, PREFIXES)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    response = Response(content, content_type=format.content_type)
    if has(request.headers.get("If-None-Match"), tag):
        response = Response(status=304)
    response.headers["ETag"] = tag
    response.headers["KG-Release"] = release.name
    response.headers["Vary"] = "Accept"
    response.headers["Cache-Control"] = "no-cache"
    return response
