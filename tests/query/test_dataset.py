"""Several FROM clauses: their graphs are merged as a set, whatever way they are named."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.errors import QuerySyntax
from kg.namespaces import BASE
from kg.query.dataset import described_dataset
from kg.query.reading import Store
from kg.settings import Settings
from kg.store.base import Dataset
from store_parts import committed, graph

TWO = Dataset(("http://ex/one", "http://ex/two"), ())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    committed(tmp_path / "store", graph("one", ":s :p :o"), graph("two", ":s :p :o"))
    with Store(tmp_path / "store", Settings()) as opened:
        yield opened


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM <http://ex/one> FROM <http://ex/two> { ?s ?p ?o }",
        "PREFIX e: <http://ex/> SELECT * from e:one From e:two WHERE { ?s ?p ?o }",
        "BASE <http://ex/> SELECT * FROM <one> # FROM <three>\nFROM <two> { ?s ?p ?o }",
        "CONSTRUCT { ?s ?p ?o } FROM ex:one FROM ex:two WHERE { ?s ?p ?o }",
        "ASK FROM ex:one FROM ex:two { ?s ?p 'FROM <x>' }",
        r"ASK FROM <http://ex/\u006fne> FROM ex:tw\o {}".replace(r"w\o", "wo"),
        "BASE <http://ex/x#y> PREFIX e: <http://ex/> ASK FROM e:one FROM <./two> {}",
        "PREFIX from: <http://ex/> SELECT (from:f() AS ?x) FROM from:one FROM from:two {}",
    ],
)
def test_several_from_clauses_describe_a_dataset(query: str) -> None:
    assert described_dataset(query, {"ex": "http://ex/"}) == TWO


def test_named_graphs_go_with_them() -> None:
    query = "SELECT * FROM ex:one FROM NAMED ex:three FROM ex:two { ?s ?p ?o }"
    expected = Dataset(TWO.default_graphs, ("http://ex/three",))
    assert described_dataset(query, {"ex": "http://ex/"}) == expected


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { ?s ?p ?o }",
        "SELECT * FROM ex:one { ?s ?p 'FROM' }",
        "SELECT * FROM NAMED ex:one FROM NAMED ex:two { GRAPH ?g { ?s ?p ?o } }",
    ],
)
def test_one_from_clause_is_left_to_the_engine(query: str) -> None:
    assert described_dataset(query, {"ex": "http://ex/"}) == Dataset()


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ("SELECT * FROM <a:> FROM <http://[> {}", 25),
        ("SELECT * FROM <a:> FROM <http://x/%zz> {}", 25),
        ("SELECT * FROM <a:> FROM <b:> FROM NAMED", 35),
        ("SELECT * FROM <a:> FROM 5 {}", 25),
        ("SELECT * FROMex:one FROM ex:two {}", 10),
        ("SELECT * FROM ex:one fromex:two {}", 22),
        ("SELECT * FROMNAMED <a:> FROM ex:one FROM ex:two {}", 10),
        ("SELECT * FROM NAMEDex:one FROM ex:one FROM ex:two {}", 15),
        ("PREFIXex:<a:> SELECT * FROM ex:one FROM ex:two {}", 1),
        ("BASE <a:> PREFIXex:<a:> SELECT * FROM ex:one FROM ex:two {}", 11),
    ],
)
def test_a_clause_that_cannot_be_read_for_sure_is_refused_with_its_place(
    query: str, column: int
) -> None:
    with pytest.raises(QuerySyntax) as caught:
        described_dataset(query, {"ex": "http://ex/"})
    assert (caught.value.line, caught.value.column) == (1, column)


def test_a_relative_iri_is_resolved_against_the_base_of_all_queries() -> None:
    named = Dataset((f"{BASE}a", "http://ex/b"))
    assert described_dataset("SELECT * FROM <a> FROM <http://ex/b> {}", {}) == named


def test_a_prefix_that_is_not_declared_is_refused_with_its_place() -> None:
    with pytest.raises(QuerySyntax) as caught:
        described_dataset("ASK FROM a:b\nFROM a:c {}", {})
    assert (caught.value.line, caught.value.column) == (1, 10)


@pytest.mark.parametrize(
    "clauses",
    [
        "FROM <http://ex/one> FROM <http://ex/two>",
        "FROM<http://ex/one>FROM<http://ex/two>",
        "FROM ex:one FROM ex:two",
        "FROMex:one FROMex:two",
        "FROM ex:one FROMex:two",
        "FROM ex:one FROM NAMED ex:one FROMex:two",
        "FROMNAMED ex:one FROMex:one FROMex:two",
    ],
)
def test_a_triple_of_two_from_graphs_is_one_solution_or_refused(store: Store, clauses: str) -> None:
    """Never two, however the engine reads the clauses: it needs no space after a keyword."""
    try:
        answer = store.query(f"SELECT (COUNT(*) AS ?n) {clauses} {{ ?s ?p ?o }}", format="csv")
    except QuerySyntax as error:
        answer = str(error).encode()
    assert answer == b"n\r\n1\r\n" or b"put a space after FROM" in answer


def test_a_triple_of_two_graphs_is_one_solution_without_from(store: Store) -> None:
    assert store.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", format="csv") == b"n\r\n1\r\n"
    named = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
    assert store.query(named, format="csv") == b"n\r\n2\r\n"


def test_many_clauses_after_many_declarations_take_no_long() -> None:
    """The prologue is read once: such a query is looked at before it is counted or queued."""
    declared = "".join(f"PREFIX a{number}: <http://ex/> " for number in range(4000))
    started = time.monotonic()
    dataset = described_dataset(f"{declared}ASK {'FROM a1:x ' * 4000}{{}}", {})
    assert time.monotonic() - started < 2
    assert dataset == Dataset(("http://ex/x",) * 4000)
