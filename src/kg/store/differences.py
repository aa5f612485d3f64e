"""The quads in which one release differs from another, found graph by graph."""

from __future__ import annotations

import base64
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, RdfFormat, Store

from kg.errors import StoreDamaged
from kg.store.base import Release
from kg.store.canonical import quad_line
from kg.store.graphs import graph_name
from kg.store.holding import held
from kg.store.removals import missing_at

_IN_MEMORY: Final = 16 * 1024 * 1024
"""Bytes of a graph beyond which its lines go through a file."""
_DEPTH: Final = 16
"""How many blank nodes may stand between one that changed and the IRI that leads to it."""
_TOKEN: Final = re.compile(
    rb'"(?:[^"\\]|\\.)*"'  # a literal, which may hold what looks like a blank node
    rb"|<[^<>\s]*>"
    rb"|_:[^\s<>]+"
)


class Written(Enum):
    """The forms in which the quads of a difference are written."""

    QUADS = "quads"
    PATCH = "patch"
    SUBJECTS = "subjects"


@dataclass(frozen=True, slots=True)
class GraphDifference:
    """What a graph lost and got: sorted N-Quads lines, blank nodes labelled as dumps have them.

    `roots` gives for the label of a blank node the IRIs that lead to it.
    """

    iri: str
    removed: tuple[bytes, ...]
    added: tuple[bytes, ...]
    roots: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class TouchedGraph:
    """How many quads a graph lost and got: in all, and by the IRI that they tell of.

    A blank node's count where an IRI leads to it; what no IRI leads to is in the sums alone.
    """

    iri: str
    removed: int
    added: int
    subjects: Mapping[str, tuple[int, int]]


def differing_graphs(before: Release, after: Release) -> tuple[str, ...]:
    """The IRIs, sorted, of the public graphs that do not hold the same in both."""
    old = {graph.iri: graph.digest for graph in before.graphs}
    new = {graph.iri: graph.digest for graph in after.graphs}
    return tuple(sorted(iri for iri in old.keys() | new.keys() if old.get(iri) != new.get(iri)))


@contextmanager
def kept(*releases: Release) -> Iterator[None]:
    """The releases stay while the block runs; raises ReleaseMissing where one is gone already."""
    with ExitStack() as holds:
        for release in releases:
            try:
                holds.enter_context(held(release.folder))
            except FileNotFoundError:
                raise missing_at(release.folder) from None
        yield


def differences(before: Path, after: Path, graphs: Iterable[str]) -> Iterator[GraphDifference]:
    """What each of these graphs lost and got between the releases in these folders.

    Restricted graphs are not opened. One graph is held in memory at a time. Raises StoreDamaged
    for a release that cannot be opened; whoever calls this holds both, so that they stay.
    """
    with _opened(before) as old, _opened(after) as new:
        for iri in graphs:
            yield _difference(old, new, iri)


def differences_between(
    store: Store, before: Path, graphs: Iterable[str]
) -> Iterator[GraphDifference]:
    """As `differences`, where the later release is open in `store` already."""
    with _opened(before) as old:
        for iri in graphs:
            yield _difference(old, store, iri)


def written(
    found: Iterable[GraphDifference], form: Written, before: str, after: str
) -> Iterator[bytes]:
    """The lines of a difference; `before` and `after` are the digests of the releases.

    QUADS: N-Quads lines, each after `- ` or `+ `. PATCH: RDF Patch. SUBJECTS: one JSON array a
    graph, for `touched_graph`.
    """
    if form is Written.QUADS:
        return _quads(found)
    if form is Written.PATCH:
        return _patch(found, before, after)
    return (_line_of(touched(each)) for each in found)


def touched(found: GraphDifference) -> TouchedGraph:
    """What the quads of a difference tell of."""
    removed, added = _subjects(found.removed, found.roots), _subjects(found.added, found.roots)
    return TouchedGraph(
        iri=found.iri,
        removed=len(found.removed),
        added=len(found.added),
        subjects={iri: (removed[iri], added[iri]) for iri in sorted(removed.keys() | added.keys())},
    )


def touched_graph(line: bytes) -> TouchedGraph:
    """What one line of the form SUBJECTS says."""
    iri, removed, added, subjects = json.loads(line)
    return TouchedGraph(iri, removed, added, {key: tuple(counts) for key, counts in subjects})


# --- finding ------------------------------------------------------------------------------


@contextmanager
def _opened(release: Path) -> Iterator[Store]:
    """The public graphs of a release; whoever asks for them holds it."""
    try:
        yield Store.read_only(str(release / "public"))
    except (OSError, RuntimeError) as error:
        remedy = "Ask an older release, or build a new store: kg build --store OTHER."
        raise StoreDamaged(f"{release} cannot be read: {error}", remedy=remedy) from error


def _difference(old: Store, new: Store, iri: str) -> GraphDifference:
    graph = graph_name(iri)
    gone, came = set(_lines(old, graph)), list[bytes]()
    for line in _lines(new, graph):
        if line in gone:
            gone.remove(line)
        else:
            came.append(line)
    removed, added = sorted(gone), sorted(came)
    roots = _roots(old, removed, graph) | _roots(new, added, graph)
    return GraphDifference(
        iri=iri,
        removed=tuple(quad_line(line, graph) for line in removed),
        added=tuple(quad_line(line, graph) for line in added),
        roots=roots,
    )


def _lines(store: Store, graph: NamedNode | DefaultGraph) -> Iterator[bytes]:
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        store.dump(file, RdfFormat.N_TRIPLES, from_graph=graph)
        file.seek(0)
        yield from file


def _roots(
    store: Store, lines: Iterable[bytes], graph: NamedNode | DefaultGraph
) -> dict[str, frozenset[str]]:
    """For each blank node that is a subject here, the IRIs that lead to it in this graph."""
    labels = {line[2:].partition(b" ")[0].decode() for line in lines if line.startswith(b"_:")}
    return {label: frozenset(_leading(store, BlankNode(label), graph)) for label in labels}


def _leading(store: Store, node: BlankNode, graph: NamedNode | DefaultGraph) -> set[str]:
    found, seen, edge = set[str](), {node}, {node}
    for _ in range(_DEPTH):
        subjects = {
            quad.subject
            for each in edge
            for quad in store.quads_for_pattern(None, None, each, graph)
        }
        found |= {subject.value for subject in subjects if isinstance(subject, NamedNode)}
        edge = {subject for subject in subjects if isinstance(subject, BlankNode)} - seen
        seen |= edge
    return found


# --- writing ------------------------------------------------------------------------------


def _quads(found: Iterable[GraphDifference]) -> Iterator[bytes]:
    for each in found:
        signed = [(line, b"- ") for line in each.removed] + [(line, b"+ ") for line in each.added]
        for line, sign in sorted(signed):  # so that what was and what is stand together
            yield sign + line


def _patch(found: Iterable[GraphDifference], before: str, after: str) -> Iterator[bytes]:
    """RDF Patch (afs.github.io/rdf-delta/rdf-patch.html); the ids name states by their digests."""
    yield f"H id <{_named_by_digest(after)}> .\n".encode()
    yield f"H prev <{_named_by_digest(before)}> .\n".encode()
    yield b"TX .\n"
    for each in found:
        for line in each.removed:
            yield b"D " + _patch_row(line)
        for line in each.added:
            yield b"A " + _patch_row(line)
    yield b"TC .\n"


def _named_by_digest(digest: str) -> str:
    """RFC 6920, section 3."""
    value = base64.urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode()
    return f"ni:///sha-256;{value}"


def _patch_row(line: bytes) -> bytes:
    """A blank node is written as an IRI, since its label counts beyond the document."""
    return _TOKEN.sub(_as_iri, line) if b"_:" in line else line


def _as_iri(token: re.Match[bytes]) -> bytes:
    text = token[0]
    return b"<" + text + b">" if text.startswith(b"_:") else text


def _subjects(lines: Iterable[bytes], roots: Mapping[str, frozenset[str]]) -> Counter[str]:
    counted = Counter[str]()
    for line in lines:
        subject = line.partition(b" ")[0].decode()
        if subject.startswith("_:"):
            counted.update(roots.get(subject[2:], ()))
        else:
            counted[subject[1:-1]] += 1
    return counted


def _line_of(found: TouchedGraph) -> bytes:
    members = [found.iri, found.removed, found.added, list(found.subjects.items())]
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
