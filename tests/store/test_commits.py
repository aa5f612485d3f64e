"""A commit: what it replaces, what it refuses, and what a failure leaves."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import CommitFailed, ForeignGraph, OtherKindOfStore, StoreBusy
from kg.settings import Settings
from kg.store.base import Commit, GraphState, NamedGraph, Owner
from kg.store.canonical import canonical_lines, graph_digest
from kg.store.commits import writing
from kg.store.embedded import EmbeddedStore, commit
from kg.store.graphs import DEFAULT_GRAPH
from kg.store.release_files import carried_files
from kg.store.releases import Releases, release_digest
from store_parts import CONTEXT, NOW, Ask, change, committed, graph, task

NAMED = "SELECT ?g ?s ?o { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g ?s ?o"
UNION = "SELECT ?s ?o { ?s ?p ?o } ORDER BY ?s ?o"


def rows(answer: bytes) -> list[str]:
    """The rows of a CSV answer, with local names for IRIs."""
    return answer.decode().replace("http://ex/", "").splitlines()[1:]


def test_a_release_tells_what_was_committed(folder: Path) -> None:
    release = committed(folder, graph("b", ":s :p :o"), graph("a", ":s :p :o", ":s :p :q"))
    digest = hashlib.sha256(b"<http://ex/s> <http://ex/p> <http://ex/o> .\n").hexdigest()
    assert (release.number, release.time, release.parent, release.who, release.message) == (
        1,
        "2026-01-02T03:04:05Z",
        None,
        "a test",
        "changed",
    )
    assert release.quads == 3
    assert [state.iri for state in release.graphs] == ["http://ex/a", "http://ex/b"]
    assert release.graphs[1] == GraphState("http://ex/b", Owner.DATA, 1, digest)
    assert Releases.open(folder).head() == release


def test_a_triple_in_two_graphs_is_one_row_of_the_default_graph(folder: Path, ask: Ask) -> None:
    release = committed(folder, graph("a", ":s :p :o"), graph("b", ":s :p :o", ":t :p :o"))
    assert rows(ask(release, UNION)) == ["s,o", "t,o"]
    assert rows(ask(release, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")) == ["2"]
    assert rows(ask(release, NAMED)) == ["a,s,o", "b,s,o", "b,t,o"]


@pytest.mark.parametrize("number", [255, 511, 65_535, 200])
def test_a_number_leaves_the_default_graph_though_one_like_it_comes(
    folder: Path, ask: Ask, number: int
) -> None:
    """The soak found it: the engine looks up 255 together with the numbers after it."""
    integer = "^^<http://www.w3.org/2001/XMLSchema#integer>"
    committed(folder, graph("a", f':s :p "{number}"{integer}'))
    release = committed(folder, graph("a", f':s :p "{number + 1}"{integer}'))
    assert rows(ask(release, UNION)) == [f"s,{number + 1}"]


_ENGINE = pytest.mark.xfail(
    strict=True,  # so that an engine without this fault is noticed
    raises=AssertionError,
    reason="the engine (0.5.13) looks up 255 with the numbers after it on disk: docs/http.md",
)


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("?s (:p|:q) 255", marks=_ENGINE),
        pytest.param("?s !:r 255", marks=_ENGINE),
        "?s :p|:q ?n FILTER(?n = 255)",
        "?s !:r ?n FILTER(?n = 255)",
        "{ ?s :p 255 } UNION { ?s :q 255 }",
    ],
)
def test_a_path_of_several_properties_to_a_number_finds_that_number(
    folder: Path, ask: Ask, pattern: str
) -> None:
    """The last three are what docs/http.md advises instead."""
    integer = "^^<http://www.w3.org/2001/XMLSchema#integer>"
    release = committed(folder, graph("a", *(f':s{n} :p "{n}"{integer}' for n in (254, 255, 256))))
    assert rows(ask(release, f"PREFIX : <http://ex/> SELECT ?s {{ {pattern} }}")) == ["s255"]


def test_a_triple_leaves_the_default_graph_with_the_last_graph_that_held_it(
    folder: Path, ask: Ask
) -> None:
    committed(folder, graph("a", ":s :p :o"), graph("b", ":s :p :o"))
    assert rows(ask(committed(folder, graph("b", ":s :p :o")), UNION)) == ["s,o"]
    assert rows(ask(committed(folder), UNION)) == []


TRIPLES = st.sets(st.sampled_from([f":{s} :p :{o}" for s in "abc" for o in "xyz"]))
DATASETS = st.dictionaries(
    st.sampled_from(["g", "h", "i"]), st.tuples(TRIPLES, st.booleans()), max_size=3
)


@settings(max_examples=6, deadline=None)
@given(history=st.lists(DATASETS, min_size=2, max_size=3))
def test_the_last_commit_alone_decides_what_a_release_holds(
    history: list[dict[str, tuple[set[str], bool]]],
    tmp_path_factory: pytest.TempPathFactory,
    ask: Ask,
) -> None:
    """Digest, named graphs and default graph do not depend on what was there before."""
    folder = tmp_path_factory.mktemp("history") / "store"
    for step in ({"g": ({":s :p :o"}, False)}, *history):
        graphs = [graph(name, *it, restricted=hidden) for name, (it, hidden) in step.items()]
        commit(folder, change(*graphs), now=NOW)
    release = Releases.open(folder).head()
    public = {name: it for name, (it, hidden) in history[-1].items() if it and not hidden}
    assert release.digest == release_digest(state(graph(name, *it)) for name, it in public.items())
    shown = {
        (name, *triple.replace(":", "").split()) for name, it in public.items() for triple in it
    }
    assert rows(ask(release, NAMED)) == sorted(f"{g},{s},{o}" for g, s, _, o in shown)
    assert rows(ask(release, UNION)) == sorted({f"{s},{o}" for _, s, _, o in shown})


def state(graph: NamedGraph) -> GraphState:
    lines = canonical_lines(graph.triples)
    return GraphState(graph.iri, graph.owner, len(lines), graph_digest(lines))


def test_restricted_graphs_are_in_no_public_place(folder: Path, ask: Ask) -> None:
    secret = graph("secret", ":hidden :p :o", restricted=True)
    release = committed(folder, graph("a", ":s :p :o"), secret)
    assert rows(ask(release, NAMED)) == ["a,s,o"]
    assert [state.iri for state in release.graphs] == ["http://ex/a"]
    assert release.quads == 1
    assert [it.iri for it in Releases.open(folder).restricted(release)] == ["http://ex/secret"]
    public = [release.folder / "manifest.json", *(release.folder / "public").iterdir()]
    assert [file for file in public if b"hidden" in file.read_bytes()] == []


def test_a_restricted_graph_changes_the_release_and_not_its_digest(folder: Path) -> None:
    first = committed(folder, graph("a", ":s :p :o"))
    second = committed(folder, graph("a", ":s :p :o"), graph("secret", ":s :p :o", restricted=True))
    assert (second.number, second.digest) == (2, first.digest)


def test_what_differs_in_nothing_makes_no_release(folder: Path) -> None:
    graphs = [graph("a", ":s :p :o", ":s :p :q"), graph("b", "_:x :p _:y"), graph("empty")]
    first = committed(folder, *graphs)
    assert commit(folder, change(*reversed(graphs[:2])), now=NOW) is None
    assert Releases.open(folder).all() == [first]


@pytest.mark.parametrize(
    "other",
    [
        {"shapes_digest": "1" * 64},
        {"files": {"context.jsonld": b"{}"}},
        {"files": {"context.jsonld": CONTEXT, "rules/one.rq": b"CONSTRUCT {} {}"}},
        {"files": {}},
    ],
    ids=["shapes digest", "context", "one rule more", "no file"],
)
def test_other_shapes_and_other_files_make_a_release(folder: Path, other: dict[str, Any]) -> None:
    committed(folder, graph("a", ":s :p :o"))
    same = change(graph("a", ":s :p :o"))
    assert commit(folder, same, now=NOW) is None
    assert commit(folder, replace(same, **other), now=NOW) is not None


def test_a_commit_replaces_the_graphs_of_its_owners_only(folder: Path, ask: Ask) -> None:
    committed(folder, graph("a", ":s :p :o"), graph("b", ":s :p :o"))
    by_api = graph("c", ":s :p :o", owner=Owner.API)
    committed(folder, by_api, owners=frozenset({Owner.API}))
    release = committed(folder, graph("b", ":t :p :o"))
    assert rows(ask(release, NAMED)) == ["b,t,o", "c,s,o"]


def test_a_graph_of_another_owner_is_refused(folder: Path) -> None:
    first = committed(folder, graph("a", ":s :p :o"))
    foreign = change(graph("a", ":t :p :o", owner=Owner.API), owners=frozenset({Owner.API}))
    with pytest.raises(ForeignGraph, match="belongs to data, and api may not write it"):
        commit(folder, foreign, now=NOW)
    assert Releases.open(folder).head() == first


def test_a_graph_may_change_its_owner_where_both_are_replaced(folder: Path) -> None:
    committed(folder, graph("a", ":s :p :o"))
    derived = graph("a", ":s :p :o", owner=Owner.DERIVED)
    release = committed(folder, derived, owners=frozenset({Owner.DATA, Owner.DERIVED}))
    assert [state.owner for state in release.graphs] == [Owner.DERIVED]


@pytest.mark.parametrize("triple", ["_:x :p :o", ":s :p _:x", ":s :p <<( :s :p _:x )>>"])
def test_blank_nodes_of_two_graphs_are_two_nodes(folder: Path, ask: Ask, triple: str) -> None:
    release = committed(folder, graph("a", triple), graph("b", triple))
    assert rows(ask(release, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")) == ["2"]


def test_a_graph_that_went_is_no_graph_any_more(folder: Path, ask: Ask) -> None:
    committed(folder, graph("a", ":s :p :o"), graph("b", ":s :p :o"))
    release = committed(folder, graph("b", ":s :p :o"))
    assert rows(ask(release, "SELECT ?g { GRAPH ?g {} }")) == ["b"]


def test_a_commit_sweeps_what_a_crashed_one_left(folder: Path) -> None:
    (folder / "releases" / ".staging-abc" / "public").mkdir(parents=True)
    release = committed(folder, graph("a", ":s :p :o"))
    assert os.listdir(folder / "releases") == [release.name]


def test_a_commit_brings_back_a_context_that_was_lost(folder: Path) -> None:
    first = committed(folder, graph("a", ":s :p :o"))
    (first.folder / "context.jsonld").unlink()
    second = committed(folder, graph("a", ":s :p :o"))
    assert (second.folder / "context.jsonld").read_bytes() == CONTEXT


def test_the_labels_of_blank_nodes_do_not_change_a_digest(folder: Path) -> None:
    first = committed(folder, graph("a", "_:x :p _:y", "_:y :q :o"))
    assert commit(folder, change(graph("a", "_:m :q :o", "_:k :p _:m")), now=NOW) is None
    assert committed(folder, graph("a", "_:x :p _:y", "_:x :q :o")).digest != first.digest


def test_a_graph_with_blank_nodes_can_change_and_go(folder: Path, ask: Ask) -> None:
    committed(folder, graph("a", "_:x :p :o", ":s :p <<( :s :p _:x )>>"), graph("b", ":t :p :o"))
    release = committed(folder, graph("a", "_:x :p :q"), graph("b", ":t :p :o"))
    assert rows(ask(release, "SELECT ?o { ?s ?p ?o } ORDER BY ?o")) == ["o", "q"]
    assert rows(ask(committed(folder, graph("b", ":t :p :o")), UNION)) == ["t,o"]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                '"1.00"^^<http://www.w3.org/2001/XMLSchema#decimal>',
                ":o",
                '"_:x"',
                '"é\\n"',
                '"b"@en',
            ]
        )
    )
)
def test_a_digest_is_what_sort_and_sha256sum_say(objects: list[str]) -> None:
    lines = canonical_lines(graph("g", *(f":s :p {word}" for word in objects)).triples)
    command = "LC_ALL=C sort | sha256sum"
    said = subprocess.run(
        ["sh", "-c", command], input=b"".join(reversed(lines)), capture_output=True, check=True
    )
    assert said.stdout.split()[0].decode() == hashlib.sha256(b"".join(lines)).hexdigest()


def test_numbers_are_digested_as_the_engine_keeps_them() -> None:
    given = b'<http://ex/s> <http://ex/p> "1.00"^^<http://www.w3.org/2001/XMLSchema#decimal> .\n'
    assert canonical_lines(given) == [given.replace(b"1.00", b"1")]


# --- failures -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        NamedGraph("http://ex/bad", b"<http://ex/s> is no triple", Owner.DATA),
        NamedGraph("no IRI", b"", Owner.DATA),
        graph("a", ":t :p :o"),
    ],
    ids=["no N-Triples", "no IRI", "given twice"],
)
def test_a_commit_that_fails_leaves_the_store_as_it_was(
    folder: Path, ask: Ask, bad: NamedGraph
) -> None:
    first = committed(folder, graph("a", ":s :p :o"))
    with pytest.raises(CommitFailed) as caught:
        commit(folder, change(graph("a", ":s :p :new"), bad), now=NOW)
    assert caught.value.remedy.endswith("The release before it is untouched.")
    assert os.listdir(folder / "releases") == [first.name]
    assert rows(ask(committed(folder, graph("a", ":s :p :new")), UNION)) == ["s,new"]


def test_a_commit_follows_one_that_failed_half_way(folder: Path, ask: Ask) -> None:
    """The engine of the failed one must be let go, and its folder be gone."""
    first = committed(folder, graph("a", ":s :p :o"))
    spoilt = first.folder / "restricted" / "CURRENT"
    content = spoilt.read_bytes()
    spoilt.write_bytes(b"MANIFEST-999999\n")
    both = [graph("a", ":s :p :new"), graph("secret", ":s :p :o", restricted=True)]
    with pytest.raises(CommitFailed):
        commit(folder, change(*both), now=NOW)
    spoilt.write_bytes(content)
    assert os.listdir(folder / "releases") == [first.name]
    assert rows(ask(committed(folder, graph("a", ":s :p :new")), UNION)) == ["s,new"]


def test_a_second_writer_is_told_that_the_store_is_busy(folder: Path) -> None:
    with Releases.create(folder).lock(), pytest.raises(StoreBusy):
        commit(folder, change(graph("a", ":s :p :o")), now=NOW)


def test_a_crash_before_head_moved_is_no_hindrance(folder: Path) -> None:
    first = committed(folder, graph("a", ":s :p :o"))
    second = committed(folder, graph("a", ":s :p :new"))
    (folder / "HEAD").write_text(f"{first.name}\n")
    third = committed(folder, graph("a", ":s :p :new"))
    assert (third.number, third.parent, third.digest) == (3, first.name, second.digest)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("a file system can only be mounted by root")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)  # a worker has its release open


def test_no_space_left_is_said_and_the_release_is_still_served(small_disk: Path, ask: Ask) -> None:
    folder = small_disk / "store"
    first = committed(folder, graph("a", ":s :p :o"))
    large = graph("large", *(f":s{number} :p :o{number}" for number in range(60_000)))
    with pytest.raises(CommitFailed, match="no space is left on its file system"):
        commit(folder, change(large), now=NOW)
    assert os.listdir(folder / "releases") == [first.name]
    assert rows(ask(Releases.open(folder).head(), UNION)) == ["s,o"]
    assert rows(ask(committed(folder, graph("a", ":s :p :new")), UNION)) == ["s,new"]


def test_a_release_on_another_file_system_is_copied(
    folder: Path, small_disk: Path, ask: Ask
) -> None:
    first = committed(folder, graph("a", ":s :p :o"))
    shutil.move(first.folder, small_disk / first.name)
    first.folder.symlink_to(small_disk / first.name)
    second = committed(folder, graph("a", ":s :p :o"), graph("b", ":t :p :o"))
    assert rows(ask(second, UNION)) == ["s,o", "t,o"]


def test_a_store_is_read_while_it_is_written(folder: Path) -> None:
    first = committed(folder, graph("a", ":s :p :o"))
    with EmbeddedStore(folder, Settings(workers=1)) as store:
        old = store.release()
        second = committed(folder, graph("a", ":s :p :new"))
        answers = [store.query(task(it, UNION)).read() for it in (store.release(), old)]
        assert [store.release(), old] == [second, first]
    assert [rows(answer) for answer in answers] == [["s,new"], ["s,o"]]


# --- by name ------------------------------------------------------------------------------

API = Owner.API


def named(*graphs: NamedGraph, names: str, **options: Any) -> Commit:
    """A commit that replaces exactly the graphs of these names, as a write over HTTP does."""
    iris = frozenset(f"http://ex/{name}" for name in names.split())
    return replace(change(*graphs), owners=frozenset(), names=iris, **options)


def test_exactly_the_graphs_that_are_named_are_replaced(folder: Path, ask: Ask) -> None:
    committed(folder, graph("d", ":s :p :o"))
    both = [graph(name, ":s :p :o", owner=API) for name in "ab"]
    commit(folder, named(*both, names="a b"), now=NOW)
    commit(folder, named(graph("a", ":t :p :o", owner=API), names="a"), now=NOW)
    release = commit(folder, named(names="b"), now=NOW)
    assert release and rows(ask(release, NAMED)) == ["a,t,o", "d,s,o"]


@pytest.mark.parametrize("given", [[], [graph("d", ":t :p :o", owner=API)]], ids=["gone", "taken"])
def test_a_graph_of_data_is_not_replaced_by_name(folder: Path, given: list[NamedGraph]) -> None:
    first = committed(folder, graph("d", ":s :p :o"))
    with pytest.raises(ForeignGraph, match="belongs to data, and api may not write it"):
        commit(folder, named(*given, names="d"), now=NOW)
    assert Releases.open(folder).head() == first


def test_a_release_carries_its_files_and_links_what_stays_the_same(folder: Path) -> None:
    files = {"context.jsonld": CONTEXT, "shapes.nt": b"# none\n", "rules/a.rq": b"CONSTRUCT {}"}
    first = commit(folder, replace(change(graph("a", ":s :p :o")), files=files), now=NOW)
    other = files | {"rules/a.rq": b"CONSTRUCT { }"}
    second = commit(folder, replace(change(graph("a", ":s :p :o")), files=other), now=NOW)
    assert first and second
    assert (carried_files(first.folder), carried_files(second.folder)) == (files, other)
    assert (second.folder / "shapes.nt").samefile(first.folder / "shapes.nt")


def test_a_part_that_stays_the_same_is_linked_and_can_still_change(folder: Path, ask: Ask) -> None:
    secret = graph("secret", ":s :p :o", restricted=True)
    first = committed(folder, graph("a", ":s :p :o"), secret)
    second = committed(folder, graph("a", ":t :p :o"), secret)
    tables = {file.name for file in (first.folder / "restricted").glob("*.sst")}
    assert tables and tables == {it.name for it in (second.folder / "restricted").glob("*.sst")}
    third = committed(
        folder, graph("a", ":t :p :o"), graph("secret", ":u :p :o", restricted=True), secret_of(2)
    )
    assert {it.iri for it in Releases.open(folder).restricted(third)} == {
        "http://ex/secret",
        "http://ex/secret2",
    }
    assert [it.digest for it in Releases.open(folder).restricted(first)] == [
        graph_digest(canonical_lines(secret.triples))
    ]
    assert rows(ask(first, UNION)) == ["s,o"]


def secret_of(number: int) -> NamedGraph:
    return graph(f"secret{number}", ":s :p :o", restricted=True)


def test_many_table_files_are_merged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kg.store.loading._TABLES", 12)
    counts = [
        len(list((committed(folder, graph("a", f":s :p :o{n}")).folder / "public").glob("*.sst")))
        for n in range(8)
    ]
    assert max(counts) < 30
    assert any(later < earlier for earlier, later in pairwise(counts))


def test_a_writer_waits_for_another_as_long_as_it_is_told(folder: Path) -> None:
    committed(folder, graph("a", ":s :p :o"))
    with ThreadPoolExecutor(1) as threads:
        with Releases.open(folder).lock():
            began = time.monotonic()
            with pytest.raises(StoreBusy), writing(folder, wait=0.2):
                pass
            assert 0.2 <= time.monotonic() - began < 2
            waiting = threads.submit(_head_when_free, folder)
            time.sleep(0.1)
            assert not waiting.done()
        assert waiting.result(timeout=5) == 1


def _head_when_free(folder: Path) -> int:
    with writing(folder, wait=10) as store:
        return store.head.number if store.head else 0


# --- plain stores -------------------------------------------------------------------------


def test_the_default_graph_of_a_plain_store_is_a_graph_of_its_own(folder: Path, ask: Ask) -> None:
    default = replace(graph("x", ":s :p :o", owner=API), iri=DEFAULT_GRAPH)
    both = replace(change(default, graph("a", ":t :p :o", owner=API)), owners=frozenset({API}))
    release = commit(folder, both, now=NOW, plain=True)
    assert release and rows(ask(release, UNION)) == ["s,o"]
    assert rows(ask(release, NAMED)) == ["a,t,o"]
    gone = commit(folder, replace(both, graphs=both.graphs[1:]), now=NOW, plain=True)
    assert gone and (rows(ask(gone, UNION)), rows(ask(gone, NAMED))) == ([], ["a,t,o"])


@pytest.mark.parametrize("plain", [True, False])
def test_a_plain_store_and_another_are_not_taken_for_each_other(folder: Path, plain: bool) -> None:
    Releases.create(folder, plain=plain)
    for refused in (Releases.create, Releases.open):
        with pytest.raises(OtherKindOfStore):
            refused(folder, plain=not plain)
    with pytest.raises(OtherKindOfStore):
        EmbeddedStore(folder, Settings(plain=not plain))


def test_a_plain_store_is_made_where_there_is_none(folder: Path) -> None:
    with EmbeddedStore(folder, Settings(plain=True)) as store:
        assert (store.release().number, store.release().quads) == (1, 0)


def test_a_commit_of_many_quads_leaves_no_log_of_the_engine_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last chunk is small, and goes the way of the others."""
    monkeypatch.setattr("kg.store.loading._BULK", 80)
    monkeypatch.setattr("kg.store.loading._CHUNK_QUADS", 60)
    told: list[tuple[str, int, int]] = []
    graphs = [graph(f"{g}", *(f":s{n} :p :o{n + g}" for n in range(30))) for g in range(3)]
    with writing(tmp_path) as held:
        release = held.commit(
            change(*graphs), now=NOW, progress=lambda *report: told.append(report)
        )
    assert release
    assert max(log.stat().st_size for log in (release.folder / "public").glob("*.log")) < 1_000
    loaded = [("quads loaded", 60, 90), ("quads loaded", 90, 90)]
    merged = [("triples counted", 90, 90), ("tables merged", 0, 1), ("tables merged", 1, 1)]
    assert told == loaded + merged
