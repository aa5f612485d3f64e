"""The digest of a result, from a worker: what it depends on, and what it does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from kg.errors import AnswerTooLarge, DeadlineExceeded, MemoryExceeded, TooManyRows
from kg.store.base import NamedGraph, Release
from kg.store.digests import ENGINE, ResultDigest
from store_parts import Ask, committed, graph

ALL = "SELECT ?s ?o { ?s <http://ex/p> ?o }"
REIFIES = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies>"
Digested = Callable[..., ResultDigest]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def digested(ask: Ask) -> Digested:
    def asked(release: Release, query: str, **options: object) -> ResultDigest:
        return ResultDigest.read(ask(release, query, digest=True, **options))

    return asked


@pytest.fixture
def release(folder: Path) -> Release:
    return committed(folder, graph("one", ":b :p :y", ":a :p :x", ':c :p "t\\t\\n\\"é"@en'))


def test_a_boolean_is_a_line(release: Release, digested: Digested) -> None:
    found = [digested(release, f"ASK {{ <http://ex/{name}> ?p ?o }}") for name in "az"]
    assert [(each.digest, each.rows) for each in found] == [(sha("true\n"), 1), (sha("false\n"), 1)]


def test_solutions_are_lines_below_the_variables(release: Release, digested: Digested) -> None:
    """The rule of docs/citing.md, written out by hand."""
    found = digested(release, ALL + " ORDER BY DESC(?s)")
    lines = [
        '<http://ex/c>\t"t\\t\\n\\"é"@en\n',
        "<http://ex/b>\t<http://ex/y>\n",
        "<http://ex/a>\t<http://ex/x>\n",
    ]
    assert found == ResultDigest(
        digest=sha("s\to\n" + "".join(sorted(lines))),
        sequence=sha("s\to\n" + "".join(lines)),
        rows=3,
        variables=("s", "o"),
        engine=ENGINE,
    )


def test_the_order_changes_the_sequence_alone(release: Release, digested: Digested) -> None:
    up, down = (digested(release, f"{ALL} ORDER BY {by}") for by in ("?s", "DESC(?s)"))
    assert up.digest == down.digest
    assert up.sequence != down.sequence


def test_duplicates_count(release: Release, digested: Digested) -> None:
    once, twice = (
        digested(release, f"SELECT {word} ?p {{ ?s ?p ?o }}") for word in ("DISTINCT", "")
    )
    assert (once.digest, once.rows) == (sha("p\n<http://ex/p>\n"), 1)
    assert (twice.digest, twice.rows) == (sha("p\n" + "<http://ex/p>\n" * 3), 3)


def test_an_unbound_variable_is_empty_and_no_empty_string(
    release: Release, digested: Digested
) -> None:
    found = [
        digested(release, f'SELECT ?a ?x ?b {{ VALUES (?a ?x ?b) {{ ("1" {value} "2") }} }}').digest
        for value in ("UNDEF", '""')
    ]
    assert found == [sha('a\tx\tb\n"1"\t\t"2"\n'), sha('a\tx\tb\n"1"\t""\t"2"\n')]


def test_solutions_without_variables_are_counted(release: Release, digested: Digested) -> None:
    none, one, two = (
        digested(release, query)
        for query in ("SELECT * { FILTER(false) }", "SELECT * {}", "SELECT * { {} UNION {} }")
    )
    assert [none.digest, one.digest, two.digest] == [sha("\n"), sha("\n\n"), sha("\n\n\n")]


def test_the_names_and_the_order_of_variables_count(release: Release, digested: Digested) -> None:
    queries = ("SELECT ?s ?o", "SELECT ?o ?s", "SELECT ?s (?o AS ?x)")
    found = {digested(release, f"{head} {{ ?s <http://ex/p> ?o }}").digest for head in queries}
    assert len(found) == 3


def test_triple_terms_are_written_as_n_triples_has_them(folder: Path, digested: Digested) -> None:
    release = committed(folder, graph("one", f":r {REIFIES} <<( :a :p <<( :b :q _:c )>> )>>"))
    found = digested(release, "SELECT ?t { ?r ?p ?t }")
    label = digested(release, "SELECT ?c { ?r ?p ?t BIND(OBJECT(OBJECT(?t)) AS ?c) }")
    prefix = f"g{sha('http://ex/one')[:16]}c14n0"
    assert label.digest == sha(f"c\n_:{prefix}\n")
    inner = f"<<( <http://ex/b> <http://ex/q> _:{prefix} )>>"
    assert found.digest == sha(f"t\n<<( <http://ex/a> <http://ex/p> {inner} )>>\n")


# --- blank nodes --------------------------------------------------------------------------

NODES = "SELECT ?s ?p ?o { ?s ?p ?o }"


def blank(*names: str, name: str = "one") -> NamedGraph:
    a, b, c = (f"_:{each}" for each in names)
    return graph(name, f":x :p {a}", f"{a} :q {b}", f'{b} :r "1"', f":y :p {c}", f'{c} :r "2"')


def test_the_same_data_built_twice_has_the_same_blank_nodes(
    tmp_path: Path, digested: Digested
) -> None:
    """Labels are a function of the graph's name and content, not of the file or the history."""
    at_once = committed(tmp_path / "a", blank("a", "b", "c"))
    committed(tmp_path / "b", graph("one", ":x :p _:z", ":z :p _:y", '_:y :r "0"'))
    committed(tmp_path / "b", blank("c", "x", "a"), graph("two", ":a :b _:c"))
    later = committed(tmp_path / "b", blank("b", "a", "u"))
    found = [digested(release, NODES) for release in (at_once, later)]
    assert found[0] == found[1]
    assert found[0].rows == 5


def test_other_graphs_have_other_blank_nodes(tmp_path: Path, digested: Digested) -> None:
    releases = [
        committed(tmp_path / name, blank("a", "b", "c", name=name)) for name in ("one", "two")
    ]
    assert len({digested(release, NODES).digest for release in releases}) == 2


def test_a_graph_is_digested_whatever_its_blank_nodes_are_called(
    tmp_path: Path, digested: Digested
) -> None:
    """A template makes new blank nodes each time; the graphs here have other names, too."""
    query = "CONSTRUCT { ?s <http://ex/w> [ <http://ex/v> ?o ] } { ?s ?p ?o }"
    first, second = (
        committed(tmp_path / name, blank(*labels, name=name))
        for name, labels in (("one", "abc"), ("two", "cba"))
    )
    found = [digested(release, query) for release in (first, first, second)]
    assert found[0] == found[1] == found[2]
    assert found[0].rows == 10


def test_a_graph_is_a_set_of_canonical_lines(release: Release, digested: Digested) -> None:
    found = digested(release, "CONSTRUCT { ?p ?p ?p . ?p ?p 1 } { ?s ?p ?o }")
    p, one = "<http://ex/p>", '"1"^^<http://www.w3.org/2001/XMLSchema#integer>'
    assert (found.digest, found.rows) == (sha(f"{p} {p} {one} .\n{p} {p} {p} .\n"), 2)


def test_a_graph_that_nobody_can_label_ends_its_worker(
    release: Release, digested: Digested
) -> None:
    """A complete graph of blank nodes: RDFC-1.0 takes time and memory that grow as factorials."""
    edges = (f"_:n{one} :p _:n{two}" for one in range(10) for two in range(10) if one != two)
    clique = f"PREFIX : <http://ex/> CONSTRUCT {{ {' . '.join(edges)} }} {{}}"
    with pytest.raises((DeadlineExceeded, MemoryExceeded)):
        digested(release, clique, deadline=0.5)
    assert digested(release, ALL).rows == 3


# --- caps ---------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [ALL, "CONSTRUCT WHERE { ?s ?p ?o }"])
def test_a_result_that_is_too_large_has_no_digest(
    release: Release, digested: Digested, query: str
) -> None:
    assert digested(release, query, answer_rows=3).rows == 3
    with pytest.raises(TooManyRows):
        digested(release, query, answer_rows=2)
    with pytest.raises(AnswerTooLarge):
        digested(release, query, answer_bytes=50)
