"""The one way that the dataset changes: a checkpoint of HEAD, the difference applied, published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, Store, parse

from kg.errors import CommitFailed, ForeignGraph, NoRelease
from kg.store.base import Commit, GraphState, NamedGraph, Release
from kg.store.canonical import (
    canonical_lines,
    graph_digest,
    held_lines,
    quad_line,
    stored_lines,
    triple_line,
)
from kg.store.releases import Releases, release_digest

_BULK: Final = 50_000
"""From so many new quads on they are written as table files, past the engine's log."""
_MERGE_EVERY: Final = 50
"""Each commit adds table files, which slows look-ups down; so many commits are worth a merge."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """One graph as the release will have it; `lines` only where its triples change."""

    state: GraphState
    restricted: bool
    lines: tuple[bytes, ...] | None = None


_Plan = Mapping[str, _Planned]


def commit(folder: Path, change: Commit, *, now: datetime) -> Release | None:
    """The new release that HEAD names, or None where `change` differs in nothing from HEAD.

    A graph without triples is no graph. Raises NotAStore, StoreTooNew, StoreDamaged, StoreBusy,
    ForeignGraph, and CommitFailed for all else; HEAD and the releases are then as they were.
    """
    releases = Releases.create(folder)
    try:
        with releases.lock():
            releases.sweep()
            return _commit(releases, change, now)
    except OSError as error:
        raise _failed(folder, error) from error


def _commit(releases: Releases, change: Commit, now: datetime) -> Release | None:
    head = _head(releases)
    before = _held(releases, head)
    after = _planned(releases.folder, before, change)
    if head and _unchanged(head, before, after, change):
        return None
    with releases.staging() as staging:
        merge = releases.next_number() % _MERGE_EVERY == 0
        for part, restricted in (("public", False), ("restricted", True)):
            _checkpoint(head, staging, part)
            old, new = _part(before, restricted), _part(after, restricted)
            if not head or _is_touched(old, new):
                _apply(staging / part, old, new, union=not restricted, merge=merge)
        (staging / "context.jsonld").write_bytes(change.context)
        release = _described(releases, head, after, change, now)
        hidden = [graph.state for graph in after.values() if graph.restricted]
        return releases.publish(staging, release, hidden)


def _head(releases: Releases) -> Release | None:
    try:
        return releases.head()
    except NoRelease:
        return None


def _held(releases: Releases, head: Release | None) -> _Plan:
    if head is None:
        return {}
    public = {state.iri: _Planned(state, False) for state in head.graphs}
    return public | {state.iri: _Planned(state, True) for state in releases.restricted(head)}


# --- planning -----------------------------------------------------------------------------


def _planned(folder: Path, before: _Plan, change: Commit) -> _Plan:
    kept = {iri: held for iri, held in before.items() if held.state.owner not in change.owners}
    after = dict(kept)
    for graph in change.graphs:
        if graph.iri in kept:
            owner = kept[graph.iri].state.owner
            raise ForeignGraph(graph.iri, owner.value, graph.owner.value)
        if graph.iri in after:
            raise CommitFailed(folder, f"<{graph.iri}> is given twice", "Give each graph once.")
        planned = _plan(folder, graph, before.get(graph.iri))
        if planned.state.quads:
            after[graph.iri] = planned
    return after


def _plan(folder: Path, graph: NamedGraph, held: _Planned | None) -> _Planned:
    if held and _is_as_held(graph, held):
        return _Planned(_state(graph, held.state.quads, held.state.digest), graph.restricted)
    lines = _lines(folder, graph)
    digest = graph_digest(lines)
    same = held and held.state.digest == digest and held.restricted == graph.restricted
    return _Planned(
        _state(graph, len(lines), digest), graph.restricted, None if same else tuple(lines)
    )


def _is_as_held(graph: NamedGraph, held: _Planned) -> bool:
    """Whether the bytes given are the held graph's own canonical lines: then nothing is parsed."""
    if held.restricted != graph.restricted:
        return False
    return hashlib.sha256(graph.triples).hexdigest() == held.state.digest


def _lines(folder: Path, graph: NamedGraph) -> list[bytes]:
    try:
        NamedNode(graph.iri)
        return canonical_lines(graph.triples)
    except (SyntaxError, ValueError) as error:
        problem = f"<{graph.iri}> is not a graph of N-Triples: {error}"
        raise CommitFailed(folder, problem, "Mend the graph.") from error


def _state(graph: NamedGraph, quads: int, digest: str) -> GraphState:
    return GraphState(iri=graph.iri, owner=graph.owner, quads=quads, digest=digest)


def _unchanged(head: Release, before: _Plan, after: _Plan, change: Commit) -> bool:
    def summary(plan: _Plan) -> dict[str, tuple[GraphState, bool]]:
        return {iri: (graph.state, graph.restricted) for iri, graph in plan.items()}

    return (
        summary(before) == summary(after)
        and head.shapes_digest == change.shapes_digest
        and _context(head) == change.context
    )


def _context(head: Release) -> bytes | None:
    """None where it is lost: a new release then brings it back."""
    with suppress(FileNotFoundError):
        return (head.folder / "context.jsonld").read_bytes()
    return None


def _described(
    releases: Releases, head: Release | None, after: _Plan, change: Commit, now: datetime
) -> Release:
    public = sorted(
        (graph.state for graph in after.values() if not graph.restricted), key=lambda it: it.iri
    )
    return Release(
        number=releases.next_number(),
        digest=release_digest(public),
        folder=releases.folder,
        time=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        parent=head.name if head else None,
        who=change.who,
        message=change.message,
        shapes_digest=change.shapes_digest,
        quads=sum(state.quads for state in public),
        graphs=tuple(public),
    )


# --- writing ------------------------------------------------------------------------------


def _part(plan: _Plan, restricted: bool) -> _Plan:
    return {iri: graph for iri, graph in plan.items() if graph.restricted == restricted}


def _is_touched(before: _Plan, after: _Plan) -> bool:
    return before.keys() != after.keys() or any(graph.lines is not None for graph in after.values())


def _checkpoint(head: Release | None, staging: Path, part: str) -> None:
    """Hard links to the tables of HEAD; the engine copies them where links cannot be made."""
    if head:
        Store.read_only(str(head.folder / part)).backup(str(staging / part))
    else:
        (staging / part).mkdir()


def _apply(engine: Path, before: _Plan, after: _Plan, *, union: bool, merge: bool) -> None:
    """Make the engine folder hold `after`. No reference to the store outlives this call.

    With `union` the engine's default graph holds each triple of the named graphs once; the
    engine's own union flag would count a triple of two graphs twice. `merge` rewrites the
    tables, which takes about 5 s for a million quads.
    """
    store = Store(str(engine))
    gone, new = _difference(store, before, after)
    for quad in parse(b"".join(gone), RdfFormat.N_QUADS):
        store.remove(quad)
    for iri in before.keys() - after.keys():
        store.remove_graph(NamedNode(iri))
    _add(store, new)
    if union:
        _add(store, {triple_line(line) for line in new})
        for quad in _orphans(store, gone):
            store.remove(quad)
    if merge or len(new) >= _BULK:
        store.optimize()
    store.flush()


def _difference(store: Store, before: _Plan, after: _Plan) -> tuple[set[bytes], set[bytes]]:
    """The N-Quads lines to take out and those to put in."""
    changed = {iri for iri, graph in after.items() if graph.lines is not None}
    old, new = set[bytes](), set[bytes]()
    for iri in (before.keys() - after.keys()) | (changed & before.keys()):
        graph = NamedNode(iri)
        old.update(quad_line(line, graph) for line in held_lines(store, graph))
    for iri in changed:
        lines = stored_lines(list(after[iri].lines or ()), iri)
        new.update(quad_line(line, NamedNode(iri)) for line in lines)
    return old - new, new - old


def _add(store: Store, lines: set[bytes]) -> None:
    # Loading renames blank nodes, so the few lines that may have them go in one by one.
    apart = {line for line in lines if b"_:" in line}
    store.extend(parse(b"".join(apart), RdfFormat.N_QUADS))
    load = store.bulk_load if len(lines) >= _BULK else store.load
    load(b"".join(lines - apart), RdfFormat.N_QUADS)


def _orphans(store: Store, gone: set[bytes]) -> Iterator[Quad]:
    """Quads of the default graph for the triples that no named graph holds any more."""
    for quad in parse(b"".join(gone), RdfFormat.N_QUADS):
        holders = store.quads_for_pattern(quad.subject, quad.predicate, quad.object)
        if all(holder.graph_name == DefaultGraph() for holder in holders):
            yield Quad(*quad.triple)


def _failed(folder: Path, error: OSError) -> CommitFailed:
    problem = error.strerror or str(error)
    if "No space left" in problem:
        return CommitFailed(folder, "no space is left on its file system", "Free some.")
    if "cross-device" in problem.lower():
        remedy = "Keep the whole store folder on one file system."
        return CommitFailed(folder, "its releases lie on another file system", remedy)
    return CommitFailed(folder, problem, "Check the permissions and the disk of that folder.")
