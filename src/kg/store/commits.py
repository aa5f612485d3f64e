"""The one way that the dataset changes: a checkpoint of HEAD, the difference applied, published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode, Store

from kg.errors import CommitFailed, ForeignGraph, NoRelease
from kg.store.base import (
    Changes,
    Commit,
    GraphState,
    NamedGraph,
    Owner,
    Release,
    SpooledGraph,
)
from kg.store.canonical import canonical_lines, graph_digest
from kg.store.graphs import Draft, Graphs
from kg.store.index import SearchIndex, carry
from kg.store.loading import Plan, Planned, Progress, apply, unseen
from kg.store.release_files import carried_files, link, place_files
from kg.store.releases import Releases, release_digest
from kg.store.statistics import NOTHING, read_statistics, write_statistics

_SMALL: Final = 2_000
"""Up to so many quads a copy in memory is made sooner than one on disk is opened."""


def commit(folder: Path, change: Commit, *, now: datetime, plain: bool = False) -> Release | None:
    """The new release that HEAD names, or None where `change` differs in nothing from HEAD.

    A graph without triples is no graph. Raises NotAStore, OtherKindOfStore, OtherStoreFormat,
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
        self._before: Plan | None = None

    def owner(self, graph: str) -> Owner | None:
        """Who owns a graph, public or restricted; None where there is no such graph."""
        held = self._held().get(graph)
        return held.state.owner if held else None

    def published(self) -> list[str]:
        """The graphs, public and restricted, that a bulk publish brought in."""
        held = self._held().items()
        return [iri for iri, graph in held if graph.state.owner is Owner.PUBLISHED]

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

    def commit(
        self, change: Commit, *, now: datetime, progress: Progress = unseen
    ) -> Release | None:
        """As the function of this name; the new release is `head` from then on.

        `progress` is told of the public quads as they are loaded, counted and merged.
        """
        try:
            release = _commit(self._releases, self.head, self._held(), change, now, progress)
        except OSError as error:
            raise _failed(self._releases.folder, error) from error
        if release:
            self.head, self._before = release, None
        return release

    def _held(self) -> Plan:
        if self._before is None:
            self._before = _held(self._releases, self.head)
        return self._before

    def _public(self) -> Store:
        return Store.read_only(str(self.head.folder / "public")) if self.head else Store()


def _commit(
    releases: Releases,
    head: Release | None,
    before: Plan,
    change: Commit,
    now: datetime,
    progress: Progress,
) -> Release | None:
    after = _planned(releases, before, change)
    if head and _unchanged(head, before, after, change):
        return None
    with releases.staging() as staging:
        public = _public(head, staging, before, after, progress, plain=releases.plain)
        _restricted(head, staging, before, after, plain=releases.plain)
        place_files(staging, change.files, head.folder if head else None)
        changes = _changes(_part(before, False), _part(after, False), *public)
        release = _described(releases, head, after, change, changes, now)
        hidden = [graph.state for graph in after.values() if graph.restricted]
        return releases.publish(staging, release, hidden)


def _public(
    head: Release | None,
    staging: Path,
    before: Plan,
    after: Plan,
    progress: Progress,
    *,
    plain: bool,
) -> tuple[int, int]:
    """Write the public part and what is counted and indexed of it; quads that went, and came."""
    old, new = _part(before, False), _part(after, False)
    statistics = read_statistics(head.folder) if head else NOTHING
    removed = added = 0
    if head and not _is_touched(old, new):
        _link(head, staging, "public")
        carry(head.folder, staging)
    else:
        _checkpoint(head, staging, "public")
        engine = staging / "public"
        with _search(head, staging, plain=plain) as search:
            applied = apply(
                engine,
                old,
                new,
                union=statistics,
                united=not plain,
                plain=plain,
                progress=progress,
                search=search,
            )
        statistics, removed, added = applied.statistics, applied.removed, applied.added
        _forget_log(engine)
    if statistics and not plain:
        write_statistics(staging, statistics)
    return removed, added


@contextmanager
def _search(head: Release | None, staging: Path, *, plain: bool) -> Iterator[SearchIndex | None]:
    """The search index of the release that is made; a plain store has none."""
    if plain:
        yield None
        return
    with closing(SearchIndex(staging, head.folder if head else None)) as search:
        yield search


def _restricted(
    head: Release | None, staging: Path, before: Plan, after: Plan, *, plain: bool
) -> None:
    """Write the restricted part, whose default graph is empty."""
    old, new = _part(before, True), _part(after, True)
    if head and not _is_touched(old, new):
        _link(head, staging, "restricted")
    else:
        _checkpoint(head, staging, "restricted")
        apply(staging / "restricted", old, new, union=None, united=False, plain=plain)
        _forget_log(staging / "restricted")


def _head(releases: Releases) -> Release | None:
    try:
        return releases.head()
    except NoRelease:
        return None


def _held(releases: Releases, head: Release | None) -> Plan:
    if head is None:
        return {}
    public = {state.iri: Planned(state, False) for state in head.graphs}
    return public | {state.iri: Planned(state, True) for state in releases.restricted(head)}


# --- planning -----------------------------------------------------------------------------


def _planned(releases: Releases, before: Plan, change: Commit) -> Plan:
    kept = {
        iri: held
        for iri, held in before.items()
        if held.state.owner not in change.owners and iri not in change.names
    }
    _check_names(before, change)
    after = dict(kept)
    given: tuple[NamedGraph | SpooledGraph, ...] = (*change.graphs, *change.spooled)
    for graph in given:
        planned = _plan(releases, graph, before)
        iri, owner = planned.state.iri, planned.state.owner
        if iri in kept:
            raise ForeignGraph(iri, kept[iri].state.owner.value, owner.value)
        if iri in after:
            problem = f"<{iri}> is given twice"
            raise CommitFailed(releases.folder, problem, "Give each graph once.")
        if planned.state.quads:
            after[iri] = planned
    return after


def _check_names(before: Plan, change: Commit) -> None:
    """What is replaced by name belongs to the writer, and is built from no files."""
    given = {graph.iri: graph.owner for graph in change.graphs}
    given |= {graph.state.iri: graph.state.owner for graph in change.spooled}
    for iri in change.names & before.keys():
        owner = before[iri].state.owner
        if owner not in change.owners and (owner == Owner.DATA or given.get(iri, owner) != owner):
            raise ForeignGraph(iri, owner.value, given.get(iri, Owner.API).value)


def _plan(releases: Releases, graph: NamedGraph | SpooledGraph, before: Plan) -> Planned:
    if isinstance(graph, SpooledGraph):
        return _unless_held(graph.state, graph.restricted, graph, before.get(graph.state.iri))
    held = before.get(graph.iri)
    if held and _is_as_held(graph, held):
        return Planned(_state(graph, held.state.quads, held.state.digest), graph.restricted)
    lines = _lines(releases, graph)
    state = _state(graph, len(lines), graph_digest(lines))
    return _unless_held(state, graph.restricted, b"".join(lines), held)


def _unless_held(
    state: GraphState, restricted: bool, content: bytes | SpooledGraph, held: Planned | None
) -> Planned:
    same = held and held.state.digest == state.digest and held.restricted == restricted
    return Planned(state, restricted, None if same else content)


def _is_as_held(graph: NamedGraph, held: Planned) -> bool:
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


def _unchanged(head: Release, before: Plan, after: Plan, change: Commit) -> bool:
    def summary(plan: Plan) -> dict[str, tuple[GraphState, bool]]:
        return {iri: (graph.state, graph.restricted) for iri, graph in plan.items()}

    return (
        summary(before) == summary(after)
        and head.shapes_digest == change.shapes_digest
        and carried_files(head.folder) == dict(change.files)
    )


def _changes(before: Plan, after: Plan, removed: int, added: int) -> Changes:
    changed = (iri for iri in after.keys() & before.keys() if after[iri].content is not None)
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
    after: Plan,
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


def _part(plan: Plan, restricted: bool) -> Plan:
    return {iri: graph for iri, graph in plan.items() if graph.restricted == restricted}


def _is_touched(before: Plan, after: Plan) -> bool:
    changed = any(graph.content is not None for graph in after.values())
    return changed or before.keys() != after.keys()


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


def _forget_log(engine: Path) -> None:
    """Remove what the engine wrote down for people; each file more is one to be synced."""
    for file in engine.glob("LOG*"):
        file.unlink()


def _failed(folder: Path, error: OSError) -> CommitFailed:
    problem = error.strerror or str(error)
    if "No space left" in problem:
        return CommitFailed(folder, "no space is left on its file system", "Free some.")
    if "cross-device" in problem.lower():
        remedy = "Keep the whole store folder on one file system."
        return CommitFailed(folder, "its releases lie on another file system", remedy)
    return CommitFailed(folder, problem, "Check the permissions and the disk of that folder.")
