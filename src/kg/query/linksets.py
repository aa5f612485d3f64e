"""The linksets of a release: what it says of its links to other datasets."""

from __future__ import annotations

from importlib.resources import files

from kg.media import N_TRIPLES
from kg.query.request import QueryRequest
from kg.query.run import answer
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore


def linksets(release: str, store: EmbeddedStore, settings: Settings) -> list[str]:
    """Lines of N-Triples that describe each linkset, its target, and the number of its links.

    Raises EvaluationError, and StoreError for an unknown release.
    """
    query = files("kg.query").joinpath("linksets.rq").read_text("utf-8")
    asked = QueryRequest(query=query, choose=lambda _: N_TRIPLES, release=release)
    with answer(asked, store, settings).spool as spool:
        return spool.read().decode().splitlines(keepends=True)
