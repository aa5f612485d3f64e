"""What a release says of one resource, by its IRI."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from kg.errors import UnknownResource
from kg.media import JSON, Format
from kg.namespaces import BASE
from kg.query.request import QueryRequest
from kg.query.run import Answer, answer
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore
from kg.store.iris import absolute_iri


def resource(
    path: str,
    choose: Callable[[Sequence[Format]], Format],
    store: EmbeddedStore,
    settings: Settings,
) -> Answer:
    """The description of the IRI that `/id/<path>` stands for: DESCRIBE of the base plus path.

    Raises UnknownResource where it is the subject of no public triple, or no IRI at all.
    """
    iri = BASE + path
    release = _release_that_knows(iri, store, settings)
    request = QueryRequest(query=f"DESCRIBE <{iri}>", choose=choose, release=release)
    return answer(request, store, settings)


def _release_that_knows(iri: str, store: EmbeddedStore, settings: Settings) -> str:
    """The name of HEAD, so that the description comes from the release that was asked first."""
    if not absolute_iri(iri):
        raise _unknown(iri)
    request = QueryRequest(query=f"ASK {{ <{iri}> ?p ?o }}", choose=lambda _: JSON)
    asked = answer(request, store, settings)
    with asked.spool:
        if not json.loads(asked.spool.read())["boolean"]:
            raise _unknown(iri)
    return asked.release.name


def _unknown(iri: str) -> UnknownResource:
    return UnknownResource(
        f"nothing is said here of <{iri}>", remedy="Look for it with a query at /sparql."
    )
