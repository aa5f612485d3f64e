"""Full-text search of a release: what it finds, in which order, and how it follows commits."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import BadArgument, DeadlineExceeded, NoSearchIndex, StoreDamaged
from kg.namespaces import RF
from kg.store.backups import Which, back_up
from kg.store.base import Owner, Release
from kg.store.commits import commit, writing
from kg.store.index import FILE, opened, within
from kg.store.releases import Releases
from kg.store.restoring import restore
from kg.store.search import Piece, search
from kg.store.verification import verify
from store_parts import NOW, change, committed, folder_in_memory, graph

LABEL = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
PARAPHRASE = f"<{RF}paraphrase>"
TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
CLAIM, COHORT, CONCEPT = (
    f"<{RF}Claim>",
    f"<{RF}Cohort>",
    ("<http://www.w3.org/2004/02/skos/core#Concept>"),
)


def literal(text: str, language: str = "en") -> str:
    """A literal of a line of `graph`, whose spaces are not those between terms."""
    return f'"{text}"'.replace(" ", "\\u0020") + (f"@{language}" if language else "")


def found(release: Release, asked: str, **options: object) -> list[str]:
    hits = search(release.folder, asked, **options).hits  # type: ignore[arg-type]
    return [hit.subject.removeprefix("http://ex/") for hit in hits]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    lines = [
        f":fighters {LABEL} {literal('foreign fighters')}",
        f":fighters {TYPE} {COHORT}",
        f":fighters {TYPE} {CONCEPT}",
        f":unfinished {LABEL} {literal('fight')}",
        f":claim {PARAPHRASE} {literal('Some fighters came back to São Tomé.')}",
        f":claim {TYPE} {CLAIM}",
        f":number <{RF}reportedText> {literal('about 3,417', '')}",
        f":number {TYPE} {CLAIM}",
        f":hostile {LABEL} {literal('<script>alert(1)</script> fight*')}",
    ]
    return committed(tmp_path_factory.mktemp("search") / "store", graph("one", *lines))


def test_labels_come_before_texts_and_the_exact_label_first(release: Release) -> None:
    assert found(release, "fight")[0] == "unfinished"
    assert found(release, "fight")[-1] == "claim"
    assert set(found(release, "fight")) == {"unfinished", "fighters", "hostile", "claim"}


@pytest.mark.parametrize(
    "asked", ["sao tome", "SÃO TOMÉ", "São To", '"came back to sao"', "sa* back"]
)
def test_accents_case_phrases_and_beginnings(release: Release, asked: str) -> None:
    assert found(release, asked) == ["claim"]


@pytest.mark.parametrize("asked", ["fighters nowhere", '"back came"', "ighters", "fig fighters"])
def test_all_words_are_needed_in_whole_but_the_last(release: Release, asked: str) -> None:
    assert found(release, asked) == []


@pytest.mark.parametrize("asked", ["3417", "3,417", "3 417", "about 34"])
def test_a_number_is_found_as_it_is_written_and_without_its_comma(
    release: Release, asked: str
) -> None:
    assert found(release, asked) == (["number"] if asked != "about 34" else [])


def test_what_was_found_is_marked_and_nothing_else(release: Release) -> None:
    (hit,) = search(release.folder, "sao fighters").hits
    assert [piece.text for piece in hit.shown if piece.found] == ["fighters", "São"]
    assert "".join(piece.text for piece in hit.shown) == hit.text


def test_a_resource_of_several_kinds_is_of_the_first(release: Release) -> None:
    assert search(release.folder, "fight").kinds == {"cohort": 1, "claim": 1, "other": 2}
    assert found(release, "fight", kinds=["cohort"]) == ["fighters"]
    assert found(release, "fight", kinds=["concept"]) == []
    assert set(found(release, "fight", kinds=["other", "claim"])) == {
        "unfinished",
        "hostile",
        "claim",
    }


def test_parts_of_what_was_found_follow_each_other(release: Release) -> None:
    parts = [found(release, "fight", limit=1, offset=number) for number in range(5)]
    assert [each for part in parts for each in part] == found(release, "fight")
    assert search(release.folder, "fight", limit=1).total == 4


@given(st.text(alphabet=st.sampled_from("fight\"*^-+():{}\\.,'\0 ANDORNEAR~@é\u202e"), max_size=40))
@settings(max_examples=150)
def test_whatever_is_asked_is_looked_for_and_never_steers(release: Release, asked: str) -> None:
    assert search(release.folder, asked).complete


@pytest.mark.parametrize("asked", ["fight OR zzz", "fight NOT fight", "text:fight", "NEAR(fight)"])
def test_operators_are_words(release: Release, asked: str) -> None:
    assert found(release, asked) == []


@pytest.mark.parametrize("asked", ["", " ", '"', "***", '""', "!?"])
def test_without_a_word_nothing_is_found(release: Release, asked: str) -> None:
    assert search(release.folder, asked).total == 0


@pytest.mark.parametrize("asked", ["x" * 301, "a " * 17])
def test_too_much_is_refused_with_what_is_taken(release: Release, asked: str) -> None:
    with pytest.raises(BadArgument, match="the search has"):
        search(release.folder, asked)


def test_it_gives_up_in_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f":n{number} {LABEL} {literal(f'name {number}')}" for number in range(3000)]
    release = committed(folder, graph("many", *lines))
    with pytest.raises(DeadlineExceeded):
        search(release.folder, "name", seconds=-1.0)
    left = iter([-1.0, 60.0, 60.0, 60.0])
    monkeypatch.setattr("kg.store.search.within", lambda index, _: within(index, next(left)))
    some = search(release.folder, "name")
    assert (some.complete, some.total, len(some.hits)) == (False, 1000, 20)


def test_what_was_found_is_shown_in_time_or_not_at_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f":n{number} {LABEL} {literal(f'name {number}')}" for number in range(3000)]
    release = committed(folder, graph("many", *lines))
    left = iter([60.0, 60.0, -1.0])
    monkeypatch.setattr("kg.store.search.within", lambda index, _: within(index, next(left)))
    with pytest.raises(DeadlineExceeded):
        search(release.folder, "name", limit=50)


PLACED = [
    f":tunisia {LABEL} {literal('Tunisia')}",
    f":left {LABEL} {literal('people who left')}",
    f":told <{RF}reportedText> {literal('about 3,000')}",
    f":told {PARAPHRASE} {literal('Some went to fight.')}",
    f":told {TYPE} {CLAIM}",
    ":told <http://purl.org/linked-data/sdmx/2009/dimension#refArea> :tunisia",
    f":told <{RF}cohort> :left",
    f":other <{RF}reportedText> {literal('about 4,000')}",
    f":other {TYPE} {CLAIM}",
    f":other <{RF}cohort> :left",
]


@pytest.mark.parametrize(
    ("asked", "subjects"),
    [
        ("tunisia", ["tunisia", "told"]),
        ("tunis", ["tunisia", "told"]),
        ("tunisia 3000", ["told"]),
        ("3000 tunisia left", ["told"]),
        ("tunisia fight", ["told"]),
        ("tunisia 4000", []),
        ("people who left", ["left", "told", "other"]),
        ('"people left"', []),
    ],
)
def test_a_claim_is_found_by_what_its_area_and_its_cohort_are_called(
    folder: Path, asked: str, subjects: list[str]
) -> None:
    assert found(committed(folder, graph("one", *PLACED)), asked) == subjects


def test_a_claim_found_by_its_area_shows_its_wording(folder: Path) -> None:
    release = committed(folder, graph("one", *PLACED))
    (hit,) = search(release.folder, "tunisia", kinds=["claim"]).hits
    assert (hit.text, hit.shown) == ("about 3,000", (Piece("about 3,000", False),))
    (hit,) = search(release.folder, "about tunisia").hits
    assert hit.shown == (Piece("about", True), Piece(" 3,000", False))


# --- following commits --------------------------------------------------------------------


VALUE = "http://purl.org/linked-data/sdmx/2009/measure#obsValue"
DECIMAL = '"{}"^^<http://www.w3.org/2001/XMLSchema#decimal>'
TRIPLES = st.sampled_from(
    [
        f":a {LABEL} {literal('alpha')}",
        f":a {LABEL} {literal('alpha', 'fr')}",
        f":a {PARAPHRASE} {literal('alpha beta')}",
        f":b {LABEL} {literal('beta')}",
        f":b {TYPE} {CLAIM}",
        f":b <{RF}cohort> :a",
        f":b <{RF}cohort> _:x",
        *(f":b <{VALUE}> {value}" for value in (DECIMAL.format("2.50"), DECIMAL.format("2.5"))),
        f":b <{VALUE}> {DECIMAL.format('25').replace('decimal', 'integer')}",
        f":b <{VALUE}> {DECIMAL.format('25.0')}",
        *(f":b <{VALUE}> {value}" for value in ('"2.5"', '"about"@en', ":a", "_:x")),
        f":a {TYPE} {COHORT}",
        f"_:x {LABEL} {literal('nobody')}",
        ":a :p :b",
    ]
)
GRAPHS = st.dictionaries(st.sampled_from("123"), st.lists(TRIPLES, max_size=7), max_size=3)


@settings(max_examples=25)
@given(st.lists(GRAPHS, min_size=2, max_size=6))
def test_after_any_chain_of_commits_it_has_what_the_default_graph_has(
    chain: list[dict[str, list[str]]],
) -> None:
    folder = folder_in_memory()
    try:
        for graphs in chain:
            given = [graph(name, *lines, restricted=name == "3") for name, lines in graphs.items()]
            made = commit(folder / "store", change(*given), now=NOW)
            if made:
                verify(made.folder, lambda *_: None)
    finally:
        shutil.rmtree(folder)


def many(*more: str) -> list[str]:
    """So many triples that a commit which gives as many looks at those alone that differ."""
    return [f":s{number} :p :o" for number in range(50)] + list(more)


def test_a_later_release_has_what_was_added_and_not_what_was_removed(folder: Path) -> None:
    first = committed(folder, graph("one", *many(f":a {LABEL} {literal('before')}")))
    second = committed(folder, graph("one", *many(f":b {LABEL} {literal('after')}")))
    assert (found(first, "before"), found(first, "after")) == (["a"], [])
    assert (found(second, "before"), found(second, "after")) == ([], ["b"])


def test_a_number_is_there_as_long_as_one_way_to_write_it_is(folder: Path) -> None:
    """Two literals of one number are two statements; removing one took the other along."""
    integer = DECIMAL.format("5").replace("decimal", "integer")
    both = [f":b <{VALUE}> {value}" for value in (integer, DECIMAL.format("5.0"))]
    first = committed(folder, graph("one", *many(*both, f':b <{VALUE}> "about"')))
    second = committed(folder, graph("one", *many(*both[1:])))
    for release, values in ((first, [5, 5, "about"]), (second, [5])):
        verify(release.folder, lambda *_: None)
        with opened(release.folder) as index:
            rows = index.execute("SELECT value FROM value ORDER BY value").fetchall()
        assert [row[0] for row in rows] == values


def test_a_text_of_two_graphs_stays_until_neither_has_it(folder: Path) -> None:
    line = f":a {LABEL} {literal('both')}"
    committed(folder, graph("one", *many(line)), graph("two", line))
    second = committed(folder, graph("one", *many()), graph("two", line))
    third = committed(folder, graph("one", *many()), graph("two", ":x :y :z"))
    assert (found(second, "both"), found(third, "both")) == (["a"], [])


def test_a_commit_that_changes_no_text_shares_the_file(folder: Path) -> None:
    first = committed(folder, graph("one", *many(f":a {LABEL} {literal('same')}")))
    second = committed(folder, graph("one", *many(f":a {LABEL} {literal('same')}")[1:]))
    hidden = committed(
        folder,
        graph("two", ":r :p :o", restricted=True, owner=Owner.API),
        owners=frozenset({Owner.API}),
    )
    inodes = {(each.folder / FILE).stat().st_ino for each in (first, second, hidden)}
    assert len(inodes) == 1


def test_nothing_of_restricted_graphs_is_in_the_file(folder: Path) -> None:
    secret = f":a {LABEL} {literal('Secretname')}"
    release = committed(
        folder, graph("one", *many()), graph("sensitive/x", secret, restricted=True)
    )
    assert found(release, "secretname") == []
    assert b"ecretname" not in (release.folder / FILE).read_bytes()


def test_what_becomes_restricted_is_found_no_more(folder: Path) -> None:
    secret = f":a {LABEL} {literal('Secretname')}"
    committed(folder, graph("one", *many()), graph("two", secret))
    release = committed(folder, graph("one", *many()), graph("two", secret, restricted=True))
    assert found(release, "secretname") == []
    with sqlite3.connect(release.folder / FILE) as index:
        assert index.execute("SELECT COUNT(*) FROM entry").fetchone() == (0,)
        assert index.execute("SELECT iri FROM term").fetchall() == []


def test_a_release_of_an_older_kg_says_so_and_the_next_has_one(folder: Path) -> None:
    old = committed(folder, graph("one", *many(f":a {LABEL} {literal('old')}")))
    (old.folder / FILE).unlink()
    with pytest.raises(NoSearchIndex, match="has no search index"):
        search(old.folder, "old")
    new = committed(folder, graph("one", *many(f":a {LABEL} {literal('old')}", ":b :p :o")))
    assert found(new, "old") == ["a"]


def test_a_damaged_file_is_told_of_and_made_anew_by_the_next_write(folder: Path) -> None:
    first = committed(folder, graph("one", *many(f":a {LABEL} {literal('old')}")))
    file = first.folder / FILE
    file.write_bytes(file.read_bytes()[:4096] + b"\0" * (file.stat().st_size - 4096))
    with pytest.raises(StoreDamaged, match="the search index cannot be read"):
        search(first.folder, "old")
    second = committed(folder, graph("one", *many(f":a {LABEL} {literal('new')}")))
    assert (found(second, "new"), found(second, "old")) == (["a"], [])


def test_verification_finds_a_text_too_many(folder: Path) -> None:
    release = committed(folder, graph("one", *many(f":a {LABEL} {literal('real')}")))
    verify(release.folder, lambda *_: None)
    with sqlite3.connect(release.folder / FILE) as index:
        index.execute("UPDATE entry SET text = 'forged'")
    with pytest.raises(StoreDamaged, match="the search index is not what"):
        verify(release.folder, lambda *_: None)


def test_a_plain_store_has_none(folder: Path) -> None:
    with writing(folder, plain=True) as store:
        release = store.commit(change(graph("one", f":a {LABEL} {literal('x')}")), now=NOW)
    assert release
    assert not (release.folder / FILE).exists()


def test_a_backup_has_it(folder: Path, tmp_path: Path) -> None:
    committed(folder, graph("one", *many(f":a {LABEL} {literal('kept')}")))
    file = tmp_path / "backup"
    back_up(folder, file, which=Which.ALL, now=NOW, progress=lambda *_: None)
    restore(file, tmp_path / "restored", progress=lambda *_: None)
    assert found(Releases.open(tmp_path / "restored").head(), "kept") == ["a"]
