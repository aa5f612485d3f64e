"""What a release says of one resource, by its IRI."""

from __future__ import annotations

import json
from typing import Final

from kg.errors import UnknownResource
from kg.media import GRAPH_FORMATS, JSON, Format
from kg.query.request import QueryRequest
from kg.query.run import answer
from kg.query.telling import day
from kg.settings import Settings
from kg.store.base import Release, Ticket
from kg.store.embedded import EmbeddedStore
from kg.store.iris import absolute_iri

_LOOKED_INTO: Final = 8
"""The newest releases in which a resource is looked for that is not in this one."""
_SUFFIXES: Final = {format.suffix: format for format in GRAPH_FORMATS}


def split_suffix(path: str) -> tuple[str, Format | None]:
    """The path without a suffix such as `.ttl`, and the format of that suffix; None without one."""
    stem, _, suffix = path.rpartition(".")
    format = _SUFFIXES.get(suffix) if stem else None
    return (stem, format) if format else (path, None)


def description(iri: str) -> str:
    """The query that describes the IRI; raises UnknownResource where it is none."""
    if not absolute_iri(iri):
        raise unknown(iri)
    return f"DESCRIBE <{iri}>"


def is_known(
    iri: str,
    release: str,
    store: EmbeddedStore,
    settings: Settings,
    ticket: Ticket | None = None,
) -> bool:
    """Whether the IRI is the subject of a public triple of the release."""
    if not absolute_iri(iri):
        return False
    asked = QueryRequest(query=f"ASK {{ <{iri}> ?p ?o }}", choose=lambda _: JSON, release=release)
    with answer(asked, store, settings, ticket).spool as spool:
        return bool(json.loads(spool.read())["boolean"])


def unknown_in(
    here: Release, iri: str, store: EmbeddedStore, settings: Settings, ticket: Ticket | None
) -> UnknownResource:
    """The error that tells that nothing is known of it here, and which release has it.

    It names the newest of the few other releases that are looked into.
    """
    others = (each for each in reversed(store.history.all(_LOOKED_INTO)) if each.name != here.name)
    having = (each for each in others if is_known(iri, each.name, store, settings, ticket))
    return unknown(iri, next(having, None))


def unknown(iri: str, elsewhere: Release | None = None) -> UnknownResource:
    """The error that tells that nothing is known of it, or in another release alone."""
    if elsewhere is None:
        error = UnknownResource(
            f"nothing is said here of <{iri}>",
            remedy="Search for it by name, or ask a query for what names it.",
        )
    else:
        error = UnknownResource(
            f"nothing is said of <{iri}> in this release",
            remedy=f"Release {elsewhere.name} of {day(elsewhere.time)} has it.",
        )
        error.release = elsewhere.name
    error.iri = iri
    return error
