"""The one way that the dataset changes: a checkpoint of HEAD, the difference applied, published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode, Quad, RdfFormat, Store, parse

from kg.errors import CommitFailed, ForeignGraph, NoRelease
from kg.store.base import Changes, Commit, GraphState, NamedGraph, Owner, Release
from kg.store.canonical import (
    canonical_lines,
    graph_digest,
    held_lines,
    quad_line,
    stored_lines,
    triple_line,
)
from kg.store.graphs import Draft, Graphs, graph_name, is_held
from kg.store.release_files import carried_files, link, place_files
from kg.store.releases import Releases, release_digest

_BULK: Final = 50_000
"""From so many new quads on they are written as table files, past the engine's log."""
_TABLES: Final = 200
"""From so many table files on a commit merges them all, which takes seconds for a million quads.
The engine merges some itself at every few commits, so that there seldom are as many."""
_SMALL: Final = 2_000
"""Up to so many quads a copy in memory is made sooner than one on disk is opened."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """One graph as the release will have it; `lines` only where its triples change."""

    state: GraphState
    restricted: bool
    lines: tuple[bytes, ...] | None = None


_Plan = Mapping[str, _Planned]


def commit(folder: Path, change: Commit, *, now: datetime, plain: bool = False) -> Release | None:
    """The new release that HEAD names, or None where `change` differs in nothing from HEAD.

    A graph without triples is no graph. Raises NotAStore, OtherKindOfStore, StoreTooNew,
    StoreDamaged, StoreBusy, ForeignGraph, and CommitFailed for all else; HEAD and
    the releases are then as they were.
    """
    with writing(folder, plain=plain) as held:
        return held.commit(change, now=now)


@contextmanager
def writing(folder: Path, *, wait: float = 0.0, plain: bool = False) -> Iterator[Writing]:
    """The store with the right to write to it, until the block ends, what crashes left swept.

    Raises StoreBusy where another still writes after `wait` seconds, and as `commit` does.
    """
    releases = Releases.create(folder, plain=plain)
    try:
        with releases.lock(wait):
            releases.sweep()
            yield Writing(releases)
    except OSError as error:
        raise _failed(folder, error) from error


class Writing:
    """A store that nobody else writes to; `head` is the release that a write rests on.

    Of the graphs that it opens none may be used after their block.
    """

    def __init__(self, releases: Releases) -> None:
        self._releases = releases
        self.plain = releases.plain
        self.head = _head(releases)
        self._before: _Plan | None = None

    def owner(self, graph: str) -> Owner | None:
        """Who owns a graph, public or restricted; None where there is no such graph."""
        held = self._held().get(graph)
        return held.state.owner if held else None

    @contextmanager
    def graphs(self) -> Iterator[Graphs]:
        """The public graphs of HEAD, to be read."""
        yield Graphs(self._public())

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """A copy of the public graphs of HEAD, to be changed and thrown away."""
        if self.head is None or self.head.quads <= _SMALL:
            copy = Store()
            copy.extend(self._public())
            yield Draft(copy, plain=self.plain)
            return
        with self._releases.staging() as staging:
            _checkpoint(self.head, staging, "public")
            yield Draft(Store(str(staging / "public")), plain=self.plain)

    def commit(self, change: Commit, *, now: datetime) -> Release | None:
        """As the function of this name; the new release is `head` from then on."""
        try:
            release = _commit(self._releases, self.head, self._held(), change, now)
        except OSError as error:
            raise _failed(self._releases.folder, error) from error
        if release:
            self.head, self._before = release, None
        return release

    def _held(self) -> _Plan:
        if self._before is None:
            self._before = _held(self._releases, self.head)
        return self._before

    def _public(self) -> Store:
        return Store.read_only(str(self.head.folder / "public")) if self.head else Store()


def _commit(
    releases: Releases, head: Release | None, before: _Plan, change: Commit, now: datetime
) -> Release | None:
    after = _planned(releases, before, change)
    if head and _unchanged(head, before, after, change):
        return None
    counts: dict[str, tuple[int, int]] = {}
    with releases.staging() as staging:
        for part, restricted in (("public", False), ("restricted", True)):
            old, new = _part(before, restricted), _part(after, restricted)
            counts[part] = 0, 0
            if head and not _is_touched(old, new):
                _link(head, staging, part)
            else:
                _checkpoint(head, staging, part)
                counts[part] = _apply(
                    staging / part, old, new, union=not restricted, plain=releases.plain
                )
                _forget_log(staging / part)
        place_files(staging, change.files, head.folder if head else None)
        changes = _changes(_part(before, False), _part(after, False), *counts["public"])
        release = _described(releases, head, after, change, changes, now)
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


def _planned(releases: Releases, before: _Plan, change: Commit) -> _Plan:
    kept = {
        iri: held
        for iri, held in before.items()
        if held.state.owner not in change.owners and iri not in change.names
    }
    _check_names(before, change)
    after = dict(kept)
    for graph in change.graphs:
        if graph.iri in kept:
            owner = kept[graph.iri].state.owner
            raise ForeignGraph(graph.iri, owner.value, graph.owner.value)
        if graph.iri in after:
            problem = f"<{graph.iri}> is given twice"
            raise CommitFailed(releases.folder, problem, "Give each graph once.")
        planned = _plan(releases, graph, before.get(graph.iri))
        if planned.state.quads:
            after[graph.iri] = planned
    return after


def _check_names(before: _Plan, change: Commit) -> None:
    """What is replaced by name belongs to the writer, and is built from no files."""
    given = {graph.iri: graph.owner for graph in change.graphs}
    for iri in change.names & before.keys():
        owner = before[iri].state.owner
        if owner not in change.owners and (owner == Owner.DATA or given.get(iri, owner) != owner):
            raise ForeignGraph(iri, owner.value, given.get(iri, Owner.API).value)


def _plan(releases: Releases, graph: NamedGraph, held: _Planned | None) -> _Planned:
    if held and _is_as_held(graph, held):
        return _Planned(_state(graph, held.state.quads, held.state.digest), graph.restricted)
    lines = _lines(releases, graph)
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


def _lines(releases: Releases, graph: NamedGraph) -> list[bytes]:
    """The lines that are digested: canonical ones, or, in a plain store, those that are stored."""
    try:
        NamedNode(graph.iri)
        if releases.plain:
            return sorted(set(graph.triples.splitlines(keepends=True)))
        return canonical_lines(graph.triples)
    except (SyntaxError, ValueError) as error:
        problem = f"<{graph.iri}> is not a graph of N-Triples: {error}"
        raise CommitFailed(releases.folder, problem, "Mend the graph.") from error


def _state(graph: NamedGraph, quads: int, digest: str) -> GraphState:
    return GraphState(iri=graph.iri, owner=graph.owner, quads=quads, digest=digest)


def _unchanged(head: Release, before: _Plan, after: _Plan, change: Commit) -> bool:
    def summary(plan: _Plan) -> dict[str, tuple[GraphState, bool]]:
        return {iri: (graph.state, graph.restricted) for iri, graph in plan.items()}

    return (
        summary(before) == summary(after)
        and head.shapes_digest == change.shapes_digest
        and carried_files(head.folder) == dict(change.files)
    )


def _changes(before: _Plan, after: _Plan, removed: int, added: int) -> Changes:
    changed = (iri for iri in after.keys() & before.keys() if after[iri].lines is not None)
    return Changes(
        graphs_added=len(after.keys() - before.keys()),
        graphs_removed=len(before.keys() - after.keys()),
        graphs_changed=sum(1 for _ in changed),
        quads_added=added,
        quads_removed=removed,
    )


def _described(
    releases: Releases,
    head: Release | None,
    after: _Plan,
    change: Commit,
    changes: Changes,
    now: datetime,
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
        changes=changes,
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


def _link(head: Release, staging: Path, part: str) -> None:
    """The same engine folder once more, for a part that does not change.

    Sooner than a checkpoint, and sound, since nobody opens it to write.
    """
    (staging / part).mkdir()
    for file in (head.folder / part).iterdir():
        if file.name not in ("manifest.json", "LOCK") and not file.name.startswith("LOG"):
            link(file, staging / part / file.name)


def _apply(
    engine: Path, before: _Plan, after: _Plan, *, union: bool, plain: bool
) -> tuple[int, int]:
    """Make the engine folder hold `after`; returns how many quads went, and how many came.

    No reference to the store outlives this call.

    With `union` the engine's default graph holds each triple of the named graphs once; the
    engine's own union flag would count a triple of two graphs twice. In a `plain` store it is a
    graph like the others, and graphs may share blank nodes.
    """
    store = Store(str(engine))
    gone, new = _difference(store, before, after, relabel=not plain)
    for quad in parse(b"".join(gone), RdfFormat.N_QUADS):
        store.remove(quad)
    for iri in before.keys() - after.keys():
        store.remove_graph(graph_name(iri))
    _add(store, new)
    if union and not plain:
        _add(store, {triple_line(line) for line in new})
        for quad in parse(b"".join(gone), RdfFormat.N_QUADS):
            if not is_held(store, quad):
                store.remove(Quad(*quad.triple))
    if len(new) >= _BULK or len(list(engine.glob("*.sst"))) >= _TABLES:
        store.optimize()
    store.flush()
    return len(gone), len(new)


def _forget_log(engine: Path) -> None:
    """Remove what the engine wrote down for people; each file more is one to be synced."""
    for file in engine.glob("LOG*"):
        file.unlink()


def _difference(
    store: Store, before: _Plan, after: _Plan, *, relabel: bool
) -> tuple[set[bytes], set[bytes]]:
    """The N-Quads lines to take out and those to put in."""
    changed = {iri for iri, graph in after.items() if graph.lines is not None}
    old, new = set[bytes](), set[bytes]()
    for iri in (before.keys() - after.keys()) | (changed & before.keys()):
        graph = graph_name(iri)
        old.update(quad_line(line, graph) for line in held_lines(store, graph))
    for iri in changed:
        lines = list(after[iri].lines or ())
        if relabel:
            lines = stored_lines(lines, iri)
        new.update(quad_line(line, graph_name(iri)) for line in lines)
    return old - new, new - old


def _add(store: Store, lines: set[bytes]) -> None:
    # Loading renames blank nodes, so the few lines that may have them go in one by one.
    apart = {line for line in lines if b"_:" in line}
    store.extend(parse(b"".join(apart), RdfFormat.N_QUADS))
    load = store.bulk_load if len(lines) >= _BULK else store.load
    load(b"".join(lines - apart), RdfFormat.N_QUADS)


def _failed(folder: Path, error: OSError) -> CommitFailed:
    problem = error.strerror or str(error)
    if "No space left" in problem:
        return CommitFailed(folder, "no space is left on its file system", "Free some.")
    if "cross-device" in problem.lower():
        remedy = "Keep the whole store folder on one file system."
        return CommitFailed(folder, "its releases lie on another file system", remedy)
    return CommitFailed(folder, problem, "Check the permissions and the disk of that folder.")
