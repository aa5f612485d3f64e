"""`kg.open`: typed solutions, or bytes in a format."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from rdflib import Graph, Literal, URIRef

import kg
from kg.errors import (
    BadArgument,
    BadSetting,
    DeadlineExceeded,
    NoRelease,
    NotAcceptable,
    NotAStore,
    QuerySyntax,
    StoreDamaged,
    UnknownFunction,
)

LEFT = "{ ?claim rf:cohort cohort:ff-departed ; sdmx-measure:obsValue ?value }"


def test_select_gives_solutions_with_typed_terms(built: Path) -> None:
    query = "SELECT ?area ?value { ?claim sdmx-dimension:refArea ?area ; rf:upper ?value }"
    with kg.open(built) as store:
        solutions = store.query(query)
    area = URIRef("https://w3id.org/reported-figures/area/northland")
    assert solutions == [{"area": area, "value": Literal(Decimal(40))}]


def test_ask_gives_a_bool(built: Path) -> None:
    with kg.open(built) as store:
        assert store.query("ASK " + LEFT) is True
        assert store.query("ASK { area:JO ?p ?o }") is False


def test_construct_gives_a_graph(built: Path) -> None:
    with kg.open(built) as store:
        graph = store.query("CONSTRUCT { ?area a schema:Place } { ?area a schema:Place }")
    assert isinstance(graph, Graph)
    assert len(graph) == 1


def test_a_format_gives_its_bytes(built: Path) -> None:
    with kg.open(str(built)) as store:
        answer = store.query(f"SELECT (COUNT(*) AS ?n) {LEFT}", format="csv")
    assert answer == b"n\r\n2\r\n"


def test_a_format_of_another_form_is_refused_with_those_offered(built: Path) -> None:
    with kg.open(built) as store, pytest.raises(NotAcceptable, match="turtle"):
        store.query("DESCRIBE area:northland", format="csv")


def test_a_function_that_nobody_has_is_named(built: Path) -> None:
    with kg.open(built) as store, pytest.raises(UnknownFunction, match="no function <urn:f>"):
        store.query("SELECT (<urn:f>(1) AS ?x) {}")


def test_a_relative_iri_is_resolved_against_the_base(built: Path) -> None:
    with kg.open(built) as store:
        assert store.query("ASK { <area/northland> a schema:Place }") is True


def test_a_malformed_query_has_line_and_column(built: Path) -> None:
    with kg.open(built) as store, pytest.raises(QuerySyntax) as caught:
        store.query("SELECT *\n{ ?s ?p }")
    assert (caught.value.line, caught.value.column) == (2, 10)


def test_a_query_without_end_is_ended_and_the_store_answers_on(built: Path) -> None:
    endless = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
    with kg.open(built, deadline=0.5) as store:
        with pytest.raises(DeadlineExceeded):
            store.query(endless)
        assert store.query("ASK {}") is True


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("")
    with pytest.raises(NotAStore), kg.open(tmp_path):
        pass


def test_a_folder_that_is_not_there_has_no_release(tmp_path: Path) -> None:
    with pytest.raises(NoRelease), kg.open(tmp_path / "nowhere"):
        pass


def test_a_setting_of_the_environment_is_checked(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KG_WORKER_MEMORY", "much")
    with pytest.raises(BadSetting, match="KG_WORKER_MEMORY is 'much'"):
        kg.open(built)


@pytest.mark.parametrize(
    ("query", "offered"),
    [
        ("SELECT (<<( rf:a rf:b rf:c )>> AS ?x) {}", "json, xml, csv, tsv"),
        ("CONSTRUCT { rf:a rf:b <<( rf:a rf:b rf:c )>> } {}", "turtle, ntriples, nquads"),
    ],
)
def test_a_triple_term_is_refused_with_the_formats_that_have_it(
    built: Path, query: str, offered: str
) -> None:
    with kg.open(built) as store:
        with pytest.raises(NotAcceptable, match=offered):
            store.query(query)
        assert b"b" in store.query(query, format=offered.partition(",")[0])


@pytest.mark.parametrize("deadline", [0, -1, float("nan")])
def test_a_deadline_that_is_none_is_refused(built: Path, deadline: float) -> None:
    with kg.open(built) as store, pytest.raises(BadArgument, match="above zero"):
        store.query("ASK {}", deadline=deadline)


def test_a_release_that_lost_its_context_is_damaged(built: Path) -> None:
    (context,) = built.glob("releases/*/context.jsonld")
    context.unlink()
    with kg.open(built) as store, pytest.raises(StoreDamaged):
        store.query("ASK {}")
