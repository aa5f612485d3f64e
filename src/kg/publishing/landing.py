"""The road of one write from outside: read or run, derive, validate, commit."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from kg.errors import (
    BadArgument,
    DefaultGraphRefused,
    GraphChanged,
    NoRelease,
    QuerySyntax,
    UnknownResource,
)
from kg.media import N_TRIPLES
from kg.publishing.preparation import Checks, Preparer
from kg.publishing.reauditing import findings_after
from kg.publishing.staging import is_reference, reached
from kg.publishing.using import with_dataset
from kg.publishing.writes import Method, Write, Written
from kg.publishing.written_graphs import (
    Said,
    Statement,
    check_conforms,
    check_free,
    checked,
    derived_graph,
    is_derived_of_written,
)
from kg.query.prefixes import prefixes_of
from kg.query.updates import Operation, operations
from kg.settings import Settings
from kg.store.base import Commit, NamedGraph, Owner, Release
from kg.store.canonical import stored
from kg.store.commits import Writing, writing
from kg.store.graphs import DEFAULT_GRAPH, Draft, Graphs, checked_update
from kg.store.memory import MemoryDataset
from kg.store.release_files import carried_files
from kg.store.retention import Event, Policy, retained_events
from kg.store.tokens import check_begins

Contents = Mapping[str, bytes]
"""The canonical N-Triples of each graph that a write changes; none where it is then gone."""

_REMEDY: Final = "Mend what is named, and send the write again."


def land(
    write: Write, folder: Path, settings: Settings, preparer: Preparer, *, now: datetime.datetime
) -> Written:
    """What the write came to. Nobody else writes meanwhile, so that it rests on one state.

    Raises as `Writer.write`, apart from what that adds.
    """
    given = _given(write)  # before anybody has to wait for it
    with writing(folder, wait=settings.queue_seconds, plain=settings.plain) as store:
        head = _head(store, folder)
        contents = _changed(write, store, head, _contents(write, given, store, head, settings))
        after, events = head, list[Event]()
        if contents:
            change = _change(write, store, head, contents, preparer)
            after = store.commit(change, now=now) or head
        if after is not head:
            policy = Policy(settings.keep_releases, settings.keep_days)
            events = retained_events(folder, policy, now=now, plain=settings.plain)
        return replace(_written(write, head, after), events=tuple(events))


def _written(write: Write, before: Release, after: Release) -> Written:
    changed = after is not before
    if write.method is Method.UPDATE:
        return Written(after.name, changed, created=False, graph_digest=None)
    digest = _digest(after, write.graph)
    created = digest is not None and _digest(before, write.graph) is None
    return Written(after.name, changed, created, digest)


def _head(store: Writing, folder: Path) -> Release:
    if store.head is None:
        raise NoRelease(folder)
    return store.head


def _digest(head: Release, graph: str | None) -> str | None:
    """The digest of a public graph, None where there is none."""
    return _digests(head).get(graph or DEFAULT_GRAPH)


def _digests(head: Release) -> dict[str, str]:
    return {state.iri: state.digest for state in head.graphs}


def _changed(
    write: Write, store: Writing, head: Release, contents: Iterable[tuple[str, bytes]]
) -> Contents:
    """The graphs that would not be what they are; raises Forbidden and ForeignGraph."""
    digests = _digests(head)
    changed = {
        graph: triples
        for graph, triples in contents
        if (_sha256(triples) if triples else None) != digests.get(graph)
    }
    if not store.plain:
        for graph in changed:
            check_begins(graph, write.only, write.who)
            check_free(graph, store.owner(graph))
    return changed


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- what is to be written ----------------------------------------------------------------


def _given(write: Write) -> MemoryDataset:
    """The documents of the request as one graph; raises MalformedData."""
    given = MemoryDataset()
    for document in write.documents:
        graph = write.graph or DEFAULT_GRAPH
        given.load(document.content, document.format, graph, base=write.graph)
    return given


def _contents(
    write: Write, given: MemoryDataset, store: Writing, head: Release, settings: Settings
) -> list[tuple[str, bytes]]:
    """The graphs that the write may change, with what they would hold."""
    if write.method is Method.UPDATE:
        return _updated(write, store, head, settings)
    if write.graph is None and not store.plain:
        raise DefaultGraphRefused("this request")
    return [_graph(write, given, write.graph or DEFAULT_GRAPH, store, head)]


def _graph(
    write: Write, given: MemoryDataset, graph: str, store: Writing, head: Release
) -> tuple[str, bytes]:
    """One graph after PUT, POST or DELETE (Graph Store Protocol 1.1, 5.3 to 5.5)."""
    if not store.plain:
        check_free(graph, store.owner(graph))
    _check_conditions(write, graph, _digest(head, graph))
    if write.method is Method.DELETE:
        if _digest(head, graph) is None and graph != DEFAULT_GRAPH:
            raise UnknownResource(f"there is no graph <{graph}>")
        return graph, b""
    if write.method is Method.POST:
        with store.graphs() as graphs:
            given.load(graphs.triples(graph), N_TRIPLES, graph)
    triples = given.triples(graph)
    return graph, stored(triples, graph) if store.plain else triples


def _check_conditions(write: Write, graph: str, digest: str | None) -> None:
    """If-Match and If-None-Match (RFC 9110, 13.1); raises GraphChanged."""
    if write.if_match is not None and not _is_one(digest, write.if_match):
        raise GraphChanged(graph)
    if write.if_none_match is not None and _is_one(digest, write.if_none_match):
        raise GraphChanged(graph)


def _is_one(digest: str | None, digests: Sequence[str]) -> bool:
    return digest is not None and ("*" in digests or digest in digests)


def _updated(
    write: Write, store: Writing, head: Release, settings: Settings
) -> list[tuple[str, bytes]]:
    """The graphs that an update may have changed, after it was run on a copy."""
    prefixes = prefixes_of(head)
    found = operations(
        write.update,
        prefixes,
        query_bytes=settings.write_bytes,
        nesting=settings.nesting,
        plain=store.plain,
    )
    for graph in sorted({graph for operation in found for graph in operation.writes}):
        check_begins(graph, write.only, write.who)
    with store.draft() as draft:
        _run(write, found, draft, prefixes, plain=store.plain)
        touched = _touched(found, head, draft)
        return [(graph, draft.triples(graph)) for graph in sorted(touched)]


def _run(
    write: Write,
    found: Sequence[Operation],
    draft: Draft,
    prefixes: Mapping[str, str],
    *,
    plain: bool,
) -> None:
    for number, operation in enumerate(found, start=1):
        if not plain:
            _check_source(operation, draft)
        text = operation.text
        if write.dataset:
            if operation.describes:
                raise BadArgument(
                    f"the update has WITH or USING at line {operation.line}, and the request"
                    " using-graph-uri or using-named-graph-uri",
                    remedy="Describe the dataset in one place (SPARQL 1.1 Protocol, 2.2.3).",
                )
            text = with_dataset(text, write.dataset)
        last = number == len(found)
        writes = None if operation.any_graph else operation.writes
        try:
            draft.run(text, prefixes, writes, reads=operation.reads, last=last)
        except QuerySyntax:
            checked_update(write.update, prefixes)  # with the place in the whole text
            raise


def _check_source(operation: Operation, draft: Draft) -> None:
    """ADD and COPY from a graph that is not there fail, as MOVE does (SPARQL 1.1 Update, 3.2).

    The engine copies nothing then, so that a misspelt name would empty the graph copied to.
    """
    if operation.source is not None and operation.source not in draft.names():
        raise BadArgument(
            f"line {operation.line} copies <{operation.source}>, which does not exist",
            remedy="With SILENT it is no error.",
        )


def _touched(found: Sequence[Operation], head: Release, draft: Draft) -> set[str]:
    """The graphs that may have been written; raises BadArgument for a name that is reserved."""
    touched = {graph for operation in found for graph in operation.writes}
    if any(operation.any_graph for operation in found):
        held = _digests(head).keys() - {DEFAULT_GRAPH}
        touched |= held.union(draft.names())
    if DEFAULT_GRAPH in touched:
        raise BadArgument(f"<{DEFAULT_GRAPH}> is reserved", remedy="Choose another IRI.")
    if any(operation.default for operation in found):
        touched.add(DEFAULT_GRAPH)
    return touched


# --- what is committed --------------------------------------------------------------------


def _change(
    write: Write, store: Writing, head: Release, contents: Contents, preparer: Preparer
) -> Commit:
    names = set(contents)
    if store.plain:
        graphs = tuple(NamedGraph(iri, triples, Owner.API) for iri, triples in contents.items())
    else:
        names |= {derived_graph(graph) for graph in contents}
        checks = preparer.checks(head)
        graphs = _derived_and_checked(store, head, contents, checks)
        changed = dict.fromkeys(names, b"") | {graph.iri: graph.triples for graph in graphs}
        with store.graphs() as held:
            found = findings_after(changed, held, head, checks)
        names |= found.names
        graphs += found.graphs
    return Commit(
        graphs=graphs,
        owners=frozenset(),
        names=frozenset(names),
        who=write.who,
        message=f"{write.method.value} {f'<{write.graph}>' if write.graph else ''}".strip(),
        shapes_digest=head.shapes_digest,
        files=carried_files(head.folder),
    )


def _derived_and_checked(
    store: Writing, head: Release, contents: Contents, checks: Checks
) -> tuple[NamedGraph, ...]:
    """The graphs and what is derived from them; raises Rejected."""
    with store.graphs() as graphs:
        reached_from = partial(_reached, graphs=graphs, head=head)
        elsewhere = _elsewhere(contents, graphs, head)
        results = [
            checked(graph, triples, checks, reached_from, partial(elsewhere, graph))
            for graph, triples in contents.items()
            if triples
        ]
    check_conforms(results, remedy=_REMEDY)
    return tuple(graph for result in results for graph in result.graphs)


def _elsewhere(
    contents: Contents, graphs: Graphs, head: Release
) -> Callable[[str, str], Iterator[Statement]]:
    """What others than a graph say of an IRI, once the graphs are what they are to be."""
    owners = {state.iri: state.owner for state in head.graphs}
    new = Said(NamedGraph(iri, triples, Owner.API) for iri, triples in contents.items())

    def elsewhere(graph: str, subject: str) -> Iterator[Statement]:
        yield from new.elsewhere(graph, subject)
        for other, line in graphs.described(subject):
            # What is derived from clients' graphs is derived anew, from all that is seen together.
            if other not in contents and not is_derived_of_written(other):
                yield Statement(line, other, owners[other])

    return elsewhere


def _reached(triples: Iterable[bytes], *, graphs: Graphs, head: Release) -> bytes:
    """The statements of the reference subjects that these lead to, looked up one by one."""
    reference = [
        state.iri for state in head.graphs if state.owner is Owner.DATA and is_reference(state.iri)
    ]
    return reached(triples, partial(graphs.statements, graphs=reference))
