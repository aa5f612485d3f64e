"""What the query page reads out of a worker's answer."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    Quad,
    QueryResultsFormat,
    QuerySolutions,
    Store,
)

from kg.query.views.look import Term
from kg.query.views.query import Extract, Table, boolean, extract, table, term
from kg.store.base import Spool

_TEXT = st.text(st.characters(codec="utf-8"))
_IRIS = st.sampled_from(["urn:x", "http://example.org/é?a=b#c", "urn:%20"]).map(NamedNode)
_LITERALS = (
    st.builds(Literal, _TEXT)
    | st.builds(lambda text: Literal(text, language="en-GB"), _TEXT)
    | st.builds(lambda text, kind: Literal(text, datatype=kind), _TEXT, _IRIS)
    | st.builds(Literal, st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e9, 1e9))
)


@given(st.lists(_IRIS | _LITERALS | st.builds(BlankNode), min_size=1, max_size=5))
def test_terms_are_those_of_the_json(terms: list[Any]) -> None:
    """Whatever a literal holds, both documents tell of the same terms."""
    store = Store()
    for number, it in enumerate(terms):
        store.add(Quad(NamedNode(f"urn:{number}"), NamedNode("urn:p"), it))
    query = "SELECT ?x ?unbound ?s { ?s ?p ?x } ORDER BY ?s"
    found = table(Spool.of(_results(store, query, QueryResultsFormat.TSV)), 1, 100)
    rows = json.loads(_results(store, query, QueryResultsFormat.JSON))["results"]["bindings"]
    assert found.variables == ("x", "unbound", "s")
    assert [row["x"] for row in found.rows if row["x"].kind != "bnode"] == [
        _term(row["x"]) for row in rows if row["x"]["type"] != "bnode"
    ]
    assert all(row.keys() == {"x", "s"} for row in found.rows)


def test_a_number_without_quotes_has_the_datatype_of_its_spelling() -> None:
    xsd = "http://www.w3.org/2001/XMLSchema#"
    spelled = [term(text).datatype.removeprefix(xsd) for text in ("1", "-1.5", "1e3", "true")]
    assert spelled == ["integer", "decimal", "double", "boolean"]


def test_a_triple_term_is_as_it_is_written() -> None:
    assert term('<<( <urn:a> <urn:b> "c" )>>') == Term("triple", '<<( <urn:a> <urn:b> "c" )>>')


def test_a_part_of_a_table_counts_all_of_it() -> None:
    lines = "?x\n" + "".join(f"{number}\n" for number in range(1, 251))
    found = table(Spool.of(lines.encode(), cut=True), 101, 100)
    assert [row["x"].value for row in found.rows] == [str(each) for each in range(101, 201)]
    assert (found.first, found.total, found.more) == (101, 250, True)


def test_solutions_without_variables_are_counted() -> None:
    assert table(Spool.of(b"\n\n\n"), 1, 100) == Table((), ({}, {}), 1, 2, more=False)


def test_an_extract_ends_with_a_line() -> None:
    assert extract(Spool.of(b"a b c .\nd e f .\n"), 10) == Extract("a b c .", more=True)
    assert extract(Spool.of(b"a b c .\n"), 10) == Extract("a b c .\n", more=False)


def test_an_extract_of_a_long_answer_is_cut_between_characters() -> None:
    """What is read ends within a character, and what is shown does not."""
    long = ("é" * 3 + "\n") * 100_000
    assert extract(Spool.of(b"x" + long.encode()), 70_000) == Extract(
        ("x" + long)[:70_000].rpartition("\n")[0], more=True
    )


@pytest.mark.parametrize("length", [1, 65_535, 65_536, 65_537, 200_000])
def test_lines_are_whole_wherever_the_chunks_end(length: int) -> None:
    values = ["é" * (length // 2), "x" * length, "", "y"]
    content = "\n".join(["?x", *(f'"{value}"' for value in values)]) + "\n"
    found = table(Spool.of(content.encode()), 1, 100)
    assert [row["x"].value for row in found.rows] == values


def test_a_long_line_is_read_in_time_that_grows_with_its_length() -> None:
    """In quadratic time these 32 MiB take ten seconds."""
    started = time.process_time()
    found = table(Spool.of(b'?x\n"' + b"x" * (32 << 20) + b'"\n'), 2, 100)
    assert (found.total, found.rows) == (1, ())
    assert time.process_time() - started < 2


def test_an_answer_to_ask_is_read() -> None:
    assert boolean(Spool.of(b'{"head":{},"boolean":true}')) is True


def _results(store: Store, query: str, format: QueryResultsFormat) -> bytes:
    found = store.query(query)
    assert isinstance(found, QuerySolutions)
    written = found.serialize(format=format)
    assert written is not None
    return written


def _term(it: dict[str, str]) -> Term:
    return Term(it["type"], it["value"], it.get("xml:lang", ""), it.get("datatype", ""))
