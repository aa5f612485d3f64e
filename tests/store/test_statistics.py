"""The statistics of a release are those of its default graph, whatever commits led there."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kg.media import CSV
from kg.settings import Settings
from kg.store.base import Owner, Release
from kg.store.commits import commit
from kg.store.embedded import EmbeddedStore
from kg.store.release_files import carried_files
from kg.store.statistics import Statistics, read_statistics
from store_parts import NOW, change, committed, folder_in_memory, graph, task

TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
TRIPLES = st.sampled_from(
    [
        f":a {TYPE} :K",
        f":b {TYPE} :K",
        f":a {TYPE} :L",
        f":a {TYPE} _:k",
        f'_:x :p "a_:b . {TYPE} <http://ex/K>"',
        ":a :p :b",
        ":a :p _:x",
        "_:x :q _:y",
        ':b :q "a . "@en',
        ":b :q <<(:a:p:b)>>".replace(":a:p:b", " <http://ex/a> <http://ex/p> <http://ex/b> "),
    ]
)
GRAPHS = st.dictionaries(st.sampled_from("123"), st.lists(TRIPLES, max_size=6), max_size=3)


def asked(store: EmbeddedStore, release: Release, query: str) -> list[list[str]]:
    rows = store.query(task(release, query, CSV)).read().decode()
    return list(csv.reader(io.StringIO(rows)))[1:]


def counted(store: EmbeddedStore, release: Release) -> Statistics:
    """The same counts, by SPARQL over the default graph."""
    triples = asked(store, release, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    used = asked(store, release, "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p")
    made = "SELECT ?c (COUNT(*) AS ?n) { ?s a ?c FILTER(isIRI(?c)) } GROUP BY ?c"
    classes = asked(store, release, made)
    return Statistics(
        int(triples[0][0]),
        {name: int(count) for name, count in used},
        {name: int(count) for name, count in classes},
    )


@settings(max_examples=12)
@given(st.lists(GRAPHS, min_size=1, max_size=5))
def test_after_any_chain_of_commits_they_are_what_sparql_counts(
    chain: list[dict[str, list[str]]],
) -> None:
    folder = folder_in_memory()
    try:
        # Enough that most commits look up what is new, and some count everything.
        start = graph("start", *(f':s{n} :p "{n}"' for n in range(12)), owner=Owner.API)
        releases = [committed(folder, start, owners=frozenset({Owner.API}))]
        for graphs in chain:
            made = commit(
                folder, change(*(graph(name, *lines) for name, lines in graphs.items())), now=NOW
            )
            releases += [made] if made else []
        with EmbeddedStore(folder, Settings(workers=1)) as store:
            found = [read_statistics(release.folder) for release in releases]
            assert found == [counted(store, release) for release in releases]
    finally:
        shutil.rmtree(folder)


def test_a_long_chain_counts_by_looking_up_and_agrees_with_a_count_of_all(tmp_path: Path) -> None:
    many = graph("many", *(f":s{n} :p :o" for n in range(500)), owner=Owner.API)
    committed(tmp_path, many, owners=frozenset({Owner.API}))
    for n in range(5):
        last = committed(tmp_path, graph("one", f":s{n} :p :o", f":s{n} :q :o{n}"))
    with EmbeddedStore(tmp_path, Settings(workers=1)) as store:
        assert read_statistics(last.folder) == counted(store, last)


def test_they_are_no_file_that_a_release_carries(tmp_path: Path) -> None:
    release = committed(tmp_path, graph("one", ":a :p :b"))
    assert (release.folder / "statistics.json").is_file()
    assert set(carried_files(release.folder)) == {"context.jsonld"}


def test_a_commit_of_the_restricted_part_keeps_them(tmp_path: Path) -> None:
    first = committed(tmp_path, graph("one", ":a :p :b"))
    hidden = graph("two", ":a :p :c", restricted=True)
    second = committed(tmp_path, graph("one", ":a :p :b"), hidden)
    expected = Statistics(1, {"http://ex/p": 1}, {})
    assert [read_statistics(each.folder) for each in (first, second)] == [expected] * 2


def test_a_plain_store_has_none(tmp_path: Path) -> None:
    release = commit(tmp_path, change(graph("one", ":a :p :b")), now=NOW, plain=True)
    assert release
    assert read_statistics(release.folder) is None


def test_a_store_without_them_counts_them_anew(tmp_path: Path) -> None:
    first = committed(tmp_path, graph("one", ":a :p :b", ":a :q :c"))
    (first.folder / "statistics.json").unlink()
    second = committed(tmp_path, graph("one", ":a :p :b"))
    assert read_statistics(second.folder) == Statistics(1, {"http://ex/p": 1}, {})
