"""The store against a model in memory, whatever is done to it and in whatever order."""

from __future__ import annotations

import shutil

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pyoxigraph import DefaultGraph, RdfFormat, Store

from crashing import FILES
from kg.errors import Rejected, UnknownResource
from kg.media import N_TRIPLES
from kg.publishing.landing import land
from kg.publishing.preparation import Preparer
from kg.publishing.writes import Document, Method, Write, Written
from kg.settings import Settings
from kg.store.base import Commit, GraphState, NamedGraph, Owner, Release
from kg.store.canonical import graph_digest
from kg.store.commits import commit
from kg.store.embedded import EmbeddedStore
from kg.store.releases import Releases, release_digest
from store_parts import NOW, folder_in_memory

LINES = [f"<http://ex/{s}> <http://ex/p> <http://ex/{o}> .\n" for s in "ab" for o in "xyz"]
BUILT = [f"<http://ex/built> <http://ex/p> <http://ex/{o}> .\n" for o in "xyz"]
PREPARER = Preparer()

graphs = st.sampled_from([f"http://ex/{name}" for name in "ghi"])
contents = st.frozensets(st.sampled_from(LINES), max_size=4)
built = st.frozensets(st.sampled_from(BUILT), max_size=2)


class Stored(RuleBasedStateMachine):
    """Writes through the road in, and crashes; `model` is what must be there."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = folder_in_memory() / "store"
        self.model: dict[str, frozenset[str]] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.folder.parent)

    @initialize(data=built)
    def build(self, data: frozenset[str]) -> None:
        self._build(data)

    # --- writes ---------------------------------------------------------------------------

    @rule(data=built)
    def build_anew(self, data: frozenset[str]) -> None:
        """The graphs of `data` are replaced, those of `api` stay."""
        self._build(data)

    @rule(graph=graphs, lines=contents)
    def put(self, graph: str, lines: frozenset[str]) -> None:
        written = self._write(Method.PUT, graph, lines)
        assert written.changed == (self.model.get(graph, frozenset()) != lines)
        self._set(graph, lines)

    @rule(graph=graphs, lines=contents)
    def post(self, graph: str, lines: frozenset[str]) -> None:
        self._write(Method.POST, graph, lines)
        self._set(graph, self.model.get(graph, frozenset()) | lines)

    @rule(graph=graphs)
    def delete(self, graph: str) -> None:
        try:
            self._write(Method.DELETE, graph, frozenset())
            assert graph in self.model
        except UnknownResource:
            assert graph not in self.model
        self._set(graph, frozenset())

    @rule(graph=graphs, gone=contents, new=contents)
    def update_one(self, graph: str, gone: frozenset[str], new: frozenset[str]) -> None:
        self._update(
            f"DELETE DATA {{ GRAPH <{graph}> {{ {''.join(gone)} }} }} ;"
            f" INSERT DATA {{ GRAPH <{graph}> {{ {''.join(new)} }} }}"
        )
        self._set(graph, (self.model.get(graph, frozenset()) - gone) | new)

    @rule(source=graphs, into=graphs)
    def update_from_another(self, source: str, into: str) -> None:
        self._update(
            f"INSERT {{ GRAPH <{into}> {{ ?s ?p ?o }} }}"
            f" WHERE {{ GRAPH <{source}> {{ ?s ?p ?o }} }}"
        )
        held = self.model.get(source, frozenset())
        self._set(into, self.model.get(into, frozenset()) | held)

    @rule(graph=graphs)
    def collect_the_union(self, graph: str) -> None:
        self._update(
            f"INSERT {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
            " WHERE { ?s ?p ?o FILTER(?s != <http://ex/built>) }"
        )
        self._set(graph, frozenset().union(*self.model.values()).difference(BUILT))

    @rule(graph=graphs, line=st.sampled_from(BUILT))
    def say_of_what_is_built(self, graph: str, line: str) -> None:
        """Refused, unless the build says nothing of it: then it is taken, and taken back."""
        before = self.model.get(graph, frozenset())
        try:
            self._write(Method.PUT, graph, frozenset({line}))
        except Rejected:
            assert "http://ex/data" in self.model
        else:
            assert "http://ex/data" not in self.model
            self._write(Method.PUT, graph, before)

    @rule(line=st.sampled_from(LINES))
    def delete_from_any_graph(self, line: str) -> None:
        """All but the graph of `data`, which may not be changed."""
        triple = line.removesuffix(" .\n")
        self._update(
            f"DELETE {{ GRAPH ?g {{ {triple} }} }}"
            f" WHERE {{ GRAPH ?g {{ {triple} }} FILTER(?g != <http://ex/data>) }}"
        )
        for graph in self.model.keys() - {"http://ex/data"}:
            self._set(graph, self.model[graph] - {line})

    # --- crashes --------------------------------------------------------------------------

    @rule()
    def crash_while_staging(self) -> None:
        staging = self.folder / "releases" / ".staging-abc"
        shutil.copytree(self._head().folder, staging, dirs_exist_ok=True)

    @rule()
    def crash_before_head_moves(self) -> None:
        head = self._head()
        name = f"{head.number + 1}-{'0' * 12}"
        if not (self.folder / ".HEAD.new").exists():
            shutil.copytree(head.folder, self.folder / "releases" / name)
            (self.folder / ".HEAD.new").write_text(f"{name}\n")

    @rule()
    def open_anew(self) -> None:
        with EmbeddedStore(self.folder, Settings()) as store:
            assert store.release() == self._head()

    # --- reads ----------------------------------------------------------------------------

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        if not self.folder.exists():
            return
        head = self._head()
        store = Store.read_only(str(head.folder / "public"))
        found = {
            graph.value: lines_of(store.dump(format=RdfFormat.N_TRIPLES, from_graph=graph))
            for graph in store.named_graphs()
        }
        assert found == self.model
        union = lines_of(store.dump(format=RdfFormat.N_TRIPLES, from_graph=DefaultGraph()))
        assert union == frozenset().union(*self.model.values())
        assert head.digest == release_digest(state(*item) for item in self.model.items())

    # --- parts ----------------------------------------------------------------------------

    def _build(self, data: frozenset[str]) -> None:
        graph = NamedGraph("http://ex/data", "".join(data).encode(), Owner.DATA)
        owners = frozenset({Owner.DATA, Owner.DERIVED})
        commit(self.folder, Commit((graph,), owners, "tests", "", "", FILES), now=NOW)
        self._set("http://ex/data", data)

    def _write(self, method: Method, graph: str, lines: frozenset[str]) -> Written:
        document = Document("".join(lines).encode(), N_TRIPLES)
        return self._land(Write(method, graph, (document,)))

    def _update(self, text: str) -> None:
        self._land(Write(Method.UPDATE, None, (), text))

    def _land(self, write: Write) -> Written:
        return land(write, self.folder, Settings(), PREPARER, now=NOW)

    def _set(self, graph: str, lines: frozenset[str]) -> None:
        self.model.pop(graph, None)
        if lines:
            self.model[graph] = lines

    def _head(self) -> Release:
        return Releases.open(self.folder).head()


def lines_of(document: bytes | None) -> frozenset[str]:
    return frozenset((document or b"").decode().splitlines(keepends=True))


def state(iri: str, lines: frozenset[str]) -> GraphState:
    digest = graph_digest(line.encode() for line in lines)
    return GraphState(iri, Owner.API, len(lines), digest)


TestStored = Stored.TestCase
TestStored.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
