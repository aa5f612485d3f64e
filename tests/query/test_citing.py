"""Citing results and running them again, on a real store with workers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kg.errors import (
    BadArgument,
    CitationsFull,
    NotCitable,
    QuerySyntax,
    ReleaseMissing,
    ReleaseRemoved,
    StoreDamaged,
    TooManyRows,
    UnknownCitation,
)
from kg.query.citing import About, Outcome, Verdict, cite, verify
from kg.query.reading import readable
from kg.query.request import QueryRequest
from kg.query.run import Answer, Plan, evaluated
from kg.settings import Settings
from kg.store.base import Dataset, Release
from kg.store.citations import MOST_BYTES, Citation, Citations
from kg.store.embedded import EmbeddedStore
from kg.store.releases import Releases
from kg.store.retention import Policy, retain
from store_parts import committed, graph

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
PAIRS = "SELECT ?s ?o { ?s <http://ex/p> ?o }"
SETTINGS = Settings(workers=1)


class Citing:
    """A store that cites and verifies; what is asked is HEAD unless a release is named."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = EmbeddedStore(folder, SETTINGS)
        self.evaluate: Callable[[Plan], Answer] = partial(evaluated, store=self.store)
        self.citations = Citations(folder.resolve(), SETTINGS.citations)

    def cite(
        self,
        query: str,
        *,
        now: datetime = NOW,
        settings: Settings = SETTINGS,
        about: About | None = None,
        **options: Any,
    ) -> Citation:
        request = QueryRequest(query=query, choose=readable, **options)
        return cite(request, self.store, settings, self.evaluate, now=now, about=about)[0]

    def verify(self, citation: Citation, at: str | None = None) -> Verdict:
        return verify(citation, self.store, SETTINGS, self.evaluate, at=at)


@pytest.fixture(scope="module")
def _once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ties: `:a` and `:b` have the same object."""
    folder = tmp_path_factory.mktemp("citing") / "store"
    secret = graph("secret", ":hidden :p :x", restricted=True)
    committed(folder, graph("one", ":a :p :x", ":b :p :x", ":c :p :y"), secret)
    return folder


@pytest.fixture
def folder(_once: Path, tmp_path: Path) -> Path:
    return shutil.copytree(_once, tmp_path / "store")


@pytest.fixture
def first(folder: Path) -> Release:
    return Releases.open(folder).head()


@pytest.fixture
def citing(folder: Path, first: Release) -> Iterator[Citing]:
    made = Citing(folder)
    with made.store:
        yield made


def forget(folder: Path, release: Release) -> None:
    """Take a release away as retention does, even where it is cited."""
    releases = Releases.open(folder)
    with releases.lock():
        gone = retain(releases, Policy(releases=1), now=NOW, cited=True).removed
    assert release.name in [each.name for each in gone]


# --- the record ---------------------------------------------------------------------------


def test_a_citation_says_what_was_asked_of_which_release(citing: Citing, first: Release) -> None:
    query = "SELECT ?s { ?s ex:p ?o } ORDER BY ?s LIMIT 2"
    made = citing.cite(query, about=About("Some", "who", {"area": "JO"}))
    assert replace(made, id="", digest="", sequence="", notes=(), kg="") == Citation(
        title="Some",
        query=query,
        prefixes={"ex": "http://ex/"},
        base="https://w3id.org/reported-figures/",
        default_graphs=(),
        named_graphs=(),
        question="who",
        parameters={"area": "JO"},
        release=first.name,
        release_digest=first.digest,
        release_time=first.time,
        form="SELECT",
        variables=("s",),
        rows=2,
        ordered=True,
        cut=True,
        notes=(),
        digest="",
        sequence="",
        engine=made.engine,
        kg="",
        cited="2026-02-03T04:05:06Z",
        dataset=made.dataset,
    )
    assert made.engine.startswith("Oxigraph 0.")
    assert made.dataset.title == "a kg dataset"


def test_a_citation_is_kept_under_its_id_as_it_was_given(citing: Citing) -> None:
    made = citing.cite(PAIRS)
    file = citing.folder / "citations" / f"{made.id}.json"
    assert (len(made.id), made.full_id[:16]) == (16, made.id)
    assert citing.citations.get(made.id) == made
    assert json.loads(file.read_bytes())["release"] == made.release
    assert list(file.parent.iterdir()) == [file]


def test_the_same_citation_twice_is_one_and_the_first(citing: Citing) -> None:
    made = citing.cite(PAIRS)
    file = citing.folder / "citations" / f"{made.id}.json"
    before = (file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_ino)
    again = citing.cite(PAIRS, now=NOW + timedelta(days=1), about=About("", "named", {}))
    assert again == made
    assert (file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_ino) == before


def test_what_differs_is_another_citation(citing: Citing, folder: Path) -> None:
    base = citing.cite(PAIRS)
    others = [
        citing.cite(PAIRS + " "),
        citing.cite(PAIRS, about=About("titled")),
        citing.cite(PAIRS, dataset=Dataset(("http://ex/one",))),
        citing.cite(PAIRS, dataset=Dataset((), ("http://ex/one",))),
    ]
    committed(folder, graph("one", ":a :p :x", ":b :p :x", ":c :p :y"), graph("two", ":d :q :x"))
    others.append(citing.cite(PAIRS))
    assert base.digest == others[-1].digest
    assert len({base.id, *(each.id for each in others)}) == 6


def test_only_prefixes_that_the_query_leaves_open_are_kept(citing: Citing) -> None:
    declared = citing.cite("PREFIX ex: <http://other/> ASK { ?s ex:p ?o }")
    assert (declared.prefixes, declared.rows, declared.form) == ({}, 1, "ASK")


# --- what cannot be cited -----------------------------------------------------------------


def test_what_is_new_each_time_is_refused(citing: Citing) -> None:
    for call in ("NOW()", "RAND()", "UUID()", "STRUUID()", "BNODE()"):
        with pytest.raises(NotCitable, match="something new each time"):
            citing.cite(f"SELECT ({call} AS ?x) {{}}")
    assert not (citing.folder / "citations").exists()


def test_first_rows_and_large_answers_and_broken_queries_are_refused(citing: Citing) -> None:
    with pytest.raises(BadArgument, match="whole result"):
        citing.cite(PAIRS, rows=1)
    with pytest.raises(TooManyRows):
        citing.cite(PAIRS, settings=Settings(workers=1, answer_rows=2))
    with pytest.raises(QuerySyntax):
        citing.cite("SELECT ?s {")
    assert not (citing.folder / "citations").exists()


def test_a_citation_that_is_too_large_is_refused(citing: Citing) -> None:
    with pytest.raises(NotCitable, match="record has"):
        citing.cite(PAIRS + "#" * MOST_BYTES)


@pytest.mark.parametrize("title", ["x" * 201, "a\nb", "a\u0000", "\udc80", "a\u202eb"])
def test_a_title_is_one_short_line_of_text(title: str) -> None:
    with pytest.raises(BadArgument, match="title"):
        About(title)


def test_a_full_store_takes_no_more_but_those_that_it_has(citing: Citing) -> None:
    one = Settings(workers=1, citations=1)
    made = citing.cite(PAIRS, settings=one)
    with pytest.raises(CitationsFull, match="1 citations"):
        citing.cite(PAIRS + " ", settings=one)
    assert citing.cite(PAIRS, settings=one) == made


def test_a_restricted_graph_is_not_seen(citing: Citing) -> None:
    assert citing.cite(PAIRS).rows == 3
    assert citing.cite("SELECT ?s { GRAPH <http://ex/secret> { ?s ?p ?o } }").rows == 0
    assert citing.cite(PAIRS, dataset=Dataset(("http://ex/secret",))).rows == 0


# --- verdicts -----------------------------------------------------------------------------

QUERIES = [
    PAIRS,
    PAIRS + " ORDER BY ?o",
    PAIRS + " ORDER BY ?o LIMIT 1",
    PAIRS + " LIMIT 2",
    "SELECT ?p { ?s ?p ?o }",
    "SELECT ?s ?none { ?s ex:p ?o OPTIONAL { ?o ex:p ?none } }",
    "SELECT ?t { ?s ?p ?o BIND(TRIPLE(?s, ?p, ?o) AS ?t) }",
    "ASK { ex:a ?p ?o }",
    "CONSTRUCT { ?s ex:q [ ex:r ?o ] } WHERE { ?s ?p ?o }",
    "DESCRIBE ex:a",
]


def test_an_old_release_gives_the_same_after_ten_more_and_a_restart(
    folder: Path, first: Release
) -> None:
    writer = Citing(folder)
    with writer.store:
        made = [writer.cite(query) for query in QUERIES]
    for number in range(10):
        committed(folder, graph("one", f":n{number} :p :z{number}"))
    reader = Citing(folder)
    with reader.store:
        verdicts = [reader.verify(reader.citations.get(each.id)) for each in made]
        elsewhere = [reader.verify(each, at="HEAD") for each in made]
    assert {(each.outcome, each.release) for each in verdicts} == {(Outcome.SAME, first.name)}
    assert {each.outcome for each in elsewhere} == {Outcome.DIFFERENT}
    assert all(each.release.startswith("11-") for each in elsewhere)


def test_a_changed_result_is_told_with_both_counts(citing: Citing, folder: Path) -> None:
    made = citing.cite(PAIRS)
    committed(folder, graph("one", ":a :p :x", ":b :p :x"))
    verdict = citing.verify(made, at="HEAD")
    members = verdict.members()
    assert verdict.outcome is Outcome.DIFFERENT
    assert "3 solutions when it was cited" in verdict.sentence
    assert f"2 solutions on release {verdict.release}" in verdict.sentence
    assert (members["cited"]["rows"], members["now"]["rows"]) == (3, 2)
    assert members["cited"]["digest"] != members["now"]["digest"]


def test_another_release_with_the_same_result_is_the_same(citing: Citing, folder: Path) -> None:
    made = citing.cite("SELECT ?s { ?s <http://ex/p> <http://ex/y> }")
    committed(folder, graph("one", ":a :p :z", ":c :p :y"))
    assert citing.verify(made, at="2").outcome is Outcome.SAME


def test_without_order_by_another_order_is_the_same(citing: Citing) -> None:
    made = citing.cite(PAIRS)
    assert citing.verify(replace(made, sequence="0" * 64)).outcome is Outcome.SAME


def test_with_order_by_another_order_is_told_as_that(citing: Citing, folder: Path) -> None:
    """The order of then by another property: the same solutions come in another order now."""
    query = "SELECT ?s { ?s ex:rank ?rank } ORDER BY ?rank"
    committed(folder, graph("one", ':a :rank "1"', ':b :rank "2"'))
    made = citing.cite(query)
    committed(folder, graph("one", ':a :rank "2"', ':b :rank "1"'))
    verdict = citing.verify(made, at="HEAD")
    assert (verdict.outcome, verdict.holds) == (Outcome.REORDERED, False)
    assert verdict.outcome.value == "same solutions in another order"
    assert "SPARQL does not fix the order" in verdict.sentence
    assert citing.verify(made).outcome is Outcome.SAME


def test_the_prefixes_are_those_of_then(citing: Citing) -> None:
    made = replace(citing.cite("SELECT ?o { ex:a ?p ?o }"), prefixes={"ex": "http://other/"})
    assert citing.verify(made).outcome is Outcome.DIFFERENT


def test_a_dataset_of_the_protocol_is_kept(citing: Citing, folder: Path) -> None:
    committed(folder, graph("one", ":a :p :x"), graph("two", ":b :p :x"))
    made = citing.cite(PAIRS, dataset=Dataset(("http://ex/two",)))
    assert (made.rows, citing.verify(made).outcome) == (1, Outcome.SAME)


# --- releases that go ---------------------------------------------------------------------


def test_a_cited_release_is_not_taken_by_retention(citing: Citing, folder: Path) -> None:
    made = citing.cite(PAIRS)
    committed(folder, graph("one", ":z :p :z"))
    releases = Releases.open(folder)
    with releases.lock():
        kept = retain(releases, Policy(releases=1), now=NOW).kept
    assert made.release in kept


def test_the_release_is_held_until_the_citation_is_kept(
    citing: Citing, folder: Path, first: Release
) -> None:
    """Retention in the middle, when the result is there and its citation is not."""
    removed: list[str] = []

    def and_prune(plan: Plan) -> Answer:
        answer = evaluated(plan, citing.store)
        committed(folder, graph("one", ":z :p :z"))
        citing.store.query(replace(plan.task, release=citing.store.release().folder)).close()
        releases = Releases.open(folder)
        with releases.lock():
            gone = retain(releases, Policy(releases=1), now=NOW).removed
        removed.extend(each.name for each in gone)
        return answer

    citing.evaluate = and_prune
    made = citing.cite(PAIRS)
    assert removed == []
    assert (folder / "releases" / made.release).is_dir()
    assert made.release == first.name


def test_a_release_that_is_gone_is_told(citing: Citing, folder: Path, first: Release) -> None:
    made = citing.cite(PAIRS)
    committed(folder, graph("one", ":z :p :z"))
    citing.store.close()
    forget(folder, first)
    reader = Citing(folder)
    with reader.store:
        verdict = reader.verify(made)
        assert (verdict.outcome, verdict.now, verdict.holds) == (Outcome.GONE, None, False)
        assert verdict.members()["now"] is None
        assert reader.verify(made, at="HEAD").outcome is Outcome.DIFFERENT
        with pytest.raises(ReleaseRemoved):
            reader.cite(PAIRS, release=first.name)


def test_another_release_of_the_same_digest_stands_in(
    citing: Citing, folder: Path, first: Release
) -> None:
    made = citing.cite(PAIRS)
    committed(folder, graph("one", ":z :p :z"))
    secret = graph("secret", ":hidden :p :x", restricted=True)
    back = committed(folder, graph("one", ":a :p :x", ":b :p :x", ":c :p :y"), secret)
    citing.store.close()
    forget(folder, first)
    reader = Citing(folder)
    with reader.store:
        verdict = reader.verify(made)
    assert (verdict.outcome, verdict.release) == (Outcome.SAME, back.name)


def test_a_release_of_other_data_is_told_and_not_run(citing: Citing) -> None:
    made = replace(citing.cite(PAIRS), release_digest="0" * 64)
    verdict = citing.verify(made)
    assert (verdict.outcome, verdict.now) == (Outcome.OTHER_RELEASE, None)


def test_an_unknown_release_to_compare_with_is_an_error(citing: Citing) -> None:
    with pytest.raises(ReleaseMissing):
        citing.verify(citing.cite(PAIRS), at="99")


# --- damage -------------------------------------------------------------------------------


DAMAGES = [
    ('"rows": 3', '"rows": 4', "it was changed"),
    ('"rows": 3', '"rows": "3"', "rows is no int"),
    ("ex/p", "ex/q", "it was changed"),
    ('"version": 1', '"version": 2', "version is 2"),
    ('"query":', '"quest":', "lacks the member 'query'"),
    ('"form": "SELECT"', '"form": "INSERT"', "form is 'INSERT'"),
    ('"release": "1-', '"release": "x', "release is 'x"),
    ("{", "[", "Expecting"),
]


def test_a_damaged_record_is_named(citing: Citing) -> None:
    made = citing.cite(PAIRS)
    file = citing.folder / "citations" / f"{made.id}.json"
    whole = file.read_text()
    for old, new, problem in DAMAGES:
        assert old in whole
        file.write_text(whole.replace(old, new, 1))
        with pytest.raises(StoreDamaged, match=problem) as caught:
            citing.citations.get(made.id)
        assert caught.value.place is not None
        assert caught.value.place.file == file.resolve()


def test_a_file_under_another_name_is_damaged(citing: Citing) -> None:
    made = citing.cite(PAIRS)
    file = citing.folder / "citations" / f"{made.id}.json"
    shutil.copy(file, file.with_name("0123456789abcdef.json"))
    with pytest.raises(StoreDamaged):
        citing.citations.get("0123456789abcdef")


def test_an_unknown_id_is_an_error(citing: Citing) -> None:
    for id in ("0" * 16, "x", "../HEAD", "0" * 15, ""):
        with pytest.raises(UnknownCitation):
            citing.citations.get(id)


def test_a_clash_of_ids_makes_a_longer_one(citing: Citing, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if somebody had looked for two citations whose ids begin alike."""
    real: property = vars(Citation)["full_id"]
    alike = property(lambda self: "0" * 16 + real.__get__(self)[16:])
    monkeypatch.setattr(Citation, "full_id", alike)
    one, two = citing.cite(PAIRS), citing.cite(PAIRS + " ")
    assert (len(one.id), len(two.id)) == (16, 32)
    assert [citing.citations.get(each.id) for each in (one, two)] == [one, two]


def test_many_writers_of_one_citation_make_one(citing: Citing) -> None:
    made = citing.cite(PAIRS)
    (citing.folder / "citations" / f"{made.id}.json").unlink()
    with ThreadPoolExecutor(8) as threads:
        versions = (replace(made, cited=f"2026-01-01T00:00:{n:02}Z") for n in range(40))
        kept = list(threads.map(citing.citations.add, versions))
    assert sum(new for _, new in kept) == 1
    assert [citation for citation, new in kept if new] == [citing.citations.get(made.id)]
    assert len({citation.cited for citation, _ in kept}) == 1
    assert [file.name for file in (citing.folder / "citations").iterdir()] == [f"{made.id}.json"]
