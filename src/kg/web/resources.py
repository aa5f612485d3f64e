"""What a release says of one resource, by its IRI."""

from __future__ import annotations

import json
from typing import Final

from kg.errors import UnknownResource
from kg.media import GRAPH_FORMATS, JSON, Format
from kg.namespaces import BASE
from kg.query.request import QueryRequest
from kg.query.run import answer
from kg.settings import Settings
from kg.store.base import Ticket
from kg.store.embedded import EmbeddedStore
from kg.store.iris import absolute_iri

_SUFFIXES: Final = {format.suffix: format for format in GRAPH_FORMATS}


def split_suffix(path: str) -> tuple[str, Format | None]:
    """The path without a suffix such as `.ttl`, and the format of that suffix; None without one."""
    stem, _, suffix = path.rpartition(".")
    format = _SUFFIXES.get(suffix) if stem else None
    return (stem, format) if format else (path, None)


def description(path: str) -> str:
    """The query that describes the IRI which `/id/<path>` stands for.

    Raises UnknownResource where that is no IRI.
    """
    return f"DESCRIBE <{_iri(path)}>"


def is_known(
    path: str,
    release: str,
    store: EmbeddedStore,
    settings: Settings,
    ticket: Ticket | None = None,
) -> bool:
    """Whether the IRI is the subject of a public triple of the release."""
    if not absolute_iri(BASE + path):
        return False
    query = f"ASK {{ <{BASE + path}> ?p ?o }}"
    asked = QueryRequest(query=query, choose=lambda _: JSON, release=release)
    with answer(asked, store, settings, ticket).spool as spool:
        return bool(json.loads(spool.read())["boolean"])


def unknown(path: str) -> UnknownResource:
    """The error that tells that nothing is known of it."""
    return UnknownResource(
        f"nothing is said here of <{BASE + path}>", remedy="Look for it with a query at /sparql."
    )


def _iri(path: str) -> str:
    if not absolute_iri(BASE + path):
        raise unknown(path)
    return BASE + path
