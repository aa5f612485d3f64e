"""Whether a release holds what its manifest says: every digest made anew from the engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from pyoxigraph import Store

from kg.errors import Place, StoreDamaged
from kg.store.base import GraphState, Release
from kg.store.canonical import held_lines
from kg.store.graphs import Graphs, graph_name
from kg.store.holding import held
from kg.store.index import check_index
from kg.store.releases import Releases, release_digest

Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it is done, and of how much."""

_NOT_UNITED: Final = "ASK { GRAPH ?g { ?s ?p ?o } FILTER NOT EXISTS { ?s ?p ?o } }"
_ANY: Final = "ASK { ?s ?p ?o }"
_NOT_HELD: Final = "ASK { ?s ?p ?o FILTER NOT EXISTS { GRAPH ?g { ?s ?p ?o } } }"


def verify(release_folder: Path, progress: Progress) -> None:
    """Compare every graph of a release with its manifest; quads are counted to `progress`.

    Also that the default graph is the union of the public graphs, that the search index has its
    texts, and that the digest of the release is that of its graphs. Raises StoreDamaged, naming
    the graph that differs, and ReleaseMissing.
    """
    store = release_folder.parents[1]
    plain = _is_plain(store)
    with held(release_folder):
        releases = Releases(store, plain=plain)
        release = releases.named(release_folder.name)
        _verify_manifest(release)
        restricted = releases.restricted(release)
        counter = _Counter(progress, sum(it.quads for it in (*release.graphs, *restricted)))
        for part, states in (("public", release.graphs), ("restricted", restricted)):
            _verify_part(release_folder / part, states, counter, plain=plain)


def _verify_manifest(release: Release) -> None:
    if (
        release_digest(release.graphs) != release.digest
        or not release.name.endswith(f"-{release.digest[:12]}")
        or release.quads != sum(state.quads for state in release.graphs)
    ):
        raise _damaged(release.folder / "manifest.json", "the digest or the size of this release")


class _Counter:
    """Adds up what is done."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def add(self, quads: int) -> None:
        self._done += quads
        self._progress("quads verified", self._done, self._total)


def _verify_part(
    engine: Path, states: Iterable[GraphState], counter: _Counter, *, plain: bool
) -> None:
    """No reference to the store outlives this call."""
    states = tuple(states)
    try:
        store = Store.read_only(str(engine))
        others = set(Graphs(store).names()) - {state.iri for state in states}
        if others:
            raise _damaged(engine, f"<{min(others)}>, which the manifest does not name,")
        for state in states:
            triples = _triples(store, state.iri, plain=plain)
            if hashlib.sha256(triples).hexdigest() != state.digest:
                raise _damaged(engine, f"<{state.iri}>")
            counter.add(state.quads)
        if not plain and not _is_united(store, engine.name):
            raise _damaged(engine, "the default graph")
        if engine.name == "public":
            check_index(engine.parent, store)
    except (OSError, RuntimeError, ValueError) as error:
        raise StoreDamaged(
            f"this cannot be read: {error}", remedy=_REMEDY, place=Place(engine)
        ) from error


def _is_united(store: Store, part: str) -> bool:
    """Whether the default graph is what it is in this part: the set union, or nothing."""
    if part == "restricted":
        return not store.query(_ANY)
    return not (store.query(_NOT_UNITED) or store.query(_NOT_HELD))


def _triples(store: Store, graph: str, *, plain: bool) -> bytes:
    """The lines that the digest of a graph is of; a plain store keeps blank nodes as they are."""
    if plain:
        return b"".join(sorted(held_lines(store, graph_name(graph))))
    return Graphs(store).triples(graph)


def _is_plain(store: Path) -> bool:
    try:
        return bool(json.loads((store / "kg-store.json").read_bytes()).get("plain", False))
    except (OSError, ValueError, AttributeError) as error:
        raise _damaged(store / "kg-store.json", "this file") from error


_REMEDY: Final = "Restore the store from a backup, or build a new one: kg build --store OTHER."


def _damaged(place: Path, what: str) -> StoreDamaged:
    return StoreDamaged(
        f"{what} is not what the release was made with", remedy=_REMEDY, place=Place(place)
    )
