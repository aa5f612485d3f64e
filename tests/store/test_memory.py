"""The dataset in memory: loading, the union, rules, and the triples of a graph."""

from __future__ import annotations

import hashlib
import threading
import traceback
from pathlib import Path

import pytest

from kg.errors import MalformedData, QuerySyntax
from kg.media import JSON_LD, N_QUADS, N_TRIPLES, RDF_XML, TRIG, TURTLE, Format
from kg.namespaces import FUNCTION, USUAL_PREFIXES
from kg.store.memory import MemoryDataset
from store_parts import committed, graph

LINE = b"<http://ex/s> <http://ex/p> <http://ex/o> .\n"
DOCUMENTS = {
    TURTLE: b"@prefix ex: <http://ex/> . ex:s ex:p ex:o .",
    N_TRIPLES: LINE,
    JSON_LD: b'{"@id": "http://ex/s", "http://ex/p": {"@id": "http://ex/o"}}',
    RDF_XML: b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://ex/">'
    b'<rdf:Description rdf:about="http://ex/s"><p rdf:resource="http://ex/o"/>'
    b"</rdf:Description></rdf:RDF>",
}
COPY = "CONSTRUCT { ?s ex:q ?n } { SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?s }"


@pytest.mark.parametrize("form", DOCUMENTS, ids=lambda form: form.name)
def test_a_document_goes_to_the_graph_that_is_named(form: Format) -> None:
    dataset = MemoryDataset()
    dataset.load(DOCUMENTS[form], form, "http://ex/g")
    assert dataset.graph_names() == ["http://ex/g"]
    assert dataset.triples("http://ex/g") == LINE


@pytest.mark.parametrize(
    ("form", "document"),
    [
        (TRIG, b"<http://ex/g> { <http://ex/s> <http://ex/p> <http://ex/o> }"),
        (N_QUADS, b"<http://ex/s> <http://ex/p> <http://ex/o> <http://ex/g> ."),
    ],
    ids=["trig", "nquads"],
)
def test_a_dataset_brings_its_own_graphs(form: Format, document: bytes) -> None:
    dataset = MemoryDataset()
    dataset.load(document, form)
    assert dataset.triples("http://ex/g") == LINE


def test_a_malformed_document_has_line_and_column() -> None:
    with pytest.raises(MalformedData) as caught:
        MemoryDataset().load(LINE + b"<http://ex/s> <no iri", N_TRIPLES, "http://ex/g")
    assert (caught.value.line, caught.value.column) == (2, 15)


def test_rules_see_the_set_union_as_it_is_now() -> None:
    dataset = MemoryDataset()
    for name in ("http://ex/g", "http://ex/h"):
        dataset.add(name, LINE)
    count = b'<http://ex/s> <http://ex/q> "%d"^^<http://www.w3.org/2001/XMLSchema#integer> .\n'
    assert dataset.construct(COPY, {"ex": "http://ex/"}) == count % 1
    dataset.add("http://ex/h", LINE.replace(b"/o>", b"/new>"))
    assert dataset.construct(COPY, {"ex": "http://ex/"}) == count % 2


@pytest.mark.parametrize(
    ("query", "place"),
    [("CONSTRUCT {\n ?s ?p }", (2, 8)), ("SELECT * {}", (None, None)), ("INSERT", (1, 7))],
    ids=["broken", "of another form", "an update"],
)
def test_a_rule_that_is_none_is_refused(query: str, place: tuple[int, int]) -> None:
    with pytest.raises(QuerySyntax) as caught:
        MemoryDataset().construct(query, {})
    assert (caught.value.line, caught.value.column) == place


def test_triples_are_what_a_release_digests(tmp_path: Path) -> None:
    given = graph("g", "_:b :p _:a", ":s :p 'x'".replace("'", '"'), "_:a :q :o")
    dataset = MemoryDataset()
    dataset.add(given.iri, given.triples)
    digest = hashlib.sha256(dataset.triples(given.iri)).hexdigest()
    assert committed(tmp_path / "store", given).graphs[0].digest == digest


def test_a_refused_rule_leaves_nothing_that_another_thread_may_not_drop() -> None:
    """The engine's results belong to the thread that made them, and an error keeps its frames."""
    errors: list[QuerySyntax] = []

    def refuse() -> None:
        try:
            MemoryDataset().construct("SELECT * {}", {})
        except QuerySyntax as error:
            errors.append(error)

    thread = threading.Thread(target=refuse)
    thread.start()
    thread.join()
    frames = [frame for error in errors for frame, _ in traceback.walk_tb(error.__traceback__)]
    assert [frame for frame in frames if "result" in frame.f_locals] == []
    assert len(errors) == 1


def test_a_rule_may_call_the_functions_of_intervals() -> None:
    query = 'CONSTRUCT { <http://ex/s> <http://ex/p> ?x } { BIND(rff:sum("[1,)", 2) AS ?x) }'
    assert MemoryDataset().construct(query, USUAL_PREFIXES) == (
        b'<http://ex/s> <http://ex/p> "[3,)"^^<' + FUNCTION.encode() + b"interval> .\n"
    )
