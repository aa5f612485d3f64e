"""An RDF document that was made here, written in another format."""

from __future__ import annotations

from collections.abc import Mapping

from pyoxigraph import RdfFormat, parse, serialize

from kg.media import Format
from kg.store.memory import ENGINE_FORMATS


def rewritten(
    document: bytes, read: Format, written: Format, prefixes: Mapping[str, str] | None = None
) -> bytes:
    """The triples of a document in another format; the prefixes are those of the new document.

    The document is one that this program made: raises SyntaxError where it is none.
    """
    triples = (quad.triple for quad in parse(document, ENGINE_FORMATS[read]))
    format = ENGINE_FORMATS[written]
    if prefixes and format not in (RdfFormat.N_TRIPLES, RdfFormat.N_QUADS, RdfFormat.JSON_LD):
        return serialize(triples, format=format, prefixes=dict(prefixes)) or b""
    return serialize(triples, format=format) or b""
