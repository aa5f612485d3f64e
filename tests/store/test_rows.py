"""Solutions are counted and cut in the engine's bytes as a parser would, however they are split."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import QueryResultsFormat, QuerySolutions, Store

from kg.media import CSV, JSON, SOLUTION_FORMATS, TSV, XML, Format
from kg.store.output import Output
from kg.store.rows import CountedRows, TooMany, first_rows

ENGINE = {
    JSON: QueryResultsFormat.JSON,
    XML: QueryResultsFormat.XML,
    CSV: QueryResultsFormat.CSV,
    TSV: QueryResultsFormat.TSV,
}
# What looks like the bytes between solutions, as the content of a string.
PIECES = ['"', "\\", "}", "{", ",", "[", "]", "},{", "{}", ",{},", "\n", "\r\n", "\t", "a", "é"]
TEXTS = st.lists(
    st.sampled_from([*PIECES, "<result>", "</result>", "&lt;", "head", '"}},{"', "\u2028"]),
    max_size=6,
).map("".join)
LITERALS = TEXTS.map(lambda text: json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028"))
TERMS = st.one_of(
    st.just("UNDEF"),
    LITERALS,
    LITERALS.map(lambda text: f"{text}@en"),
    LITERALS.map(lambda text: f"<<( <http://ex/s> <http://ex/p> {text} )>>"),
    st.sampled_from(["<http://ex/a>", "1", "1.5", "true", "<http://ex/type>"]),
)


@st.composite
def queries(draw: st.DrawFn) -> tuple[str, int]:
    """A query, and how many solutions it has."""
    variables = draw(st.sampled_from([["type"], ["x", "y"], ["head", "value", "z"], []]))
    row = st.lists(TERMS, min_size=len(variables), max_size=len(variables))
    rows = draw(st.lists(row, max_size=5))
    names = " ".join(f"?{name}" for name in variables)
    values = " ".join(f"({' '.join(row)})" for row in rows)
    return f"SELECT {names or '*'} {{ VALUES ({names}) {{ {values} }} }}", len(rows)


def document(query: str, form: Format) -> bytes:
    results = Store().query(query)
    assert isinstance(results, QuerySolutions)
    return results.serialize(format=ENGINE[form]) or b""


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def rows_of(data: bytes, form: Format) -> list[Any]:
    """The solutions of a document, read by a parser that is not ours."""
    if form == JSON:
        found: list[Any] = json.loads(data)["results"]["bindings"]
        return found
    if form == XML:
        results = ElementTree.fromstring(data)[1]  # noqa: S314 - the engine wrote it
        return [ElementTree.tostring(result) for result in results]
    if form == TSV:
        return data.decode().split("\n")[1:-1]
    return list(csv.reader(io.StringIO(data.decode(), newline="")))[1:]


CUTS = st.lists(st.integers(0, 10**6), max_size=40)


@settings(max_examples=150, deadline=None)
@given(queries(), st.integers(0, 6), CUTS, st.sampled_from(SOLUTION_FORMATS))
def test_the_first_rows_are_a_whole_document(
    asked: tuple[str, int], most: int, cuts: list[int], form: Format
) -> None:
    query, count = asked
    whole = document(query, form)
    with Output(limit=None, memory=10**6) as output:
        with first_rows(output, form, most) as rows:
            for piece in pieces(whole, cuts):
                rows.write(piece)
        made = output.content()
    assert rows.cut == (count > most)
    if count <= most:
        assert made == whole
    elif form != CSV or "<<(" not in query:  # the engine's CSV of a triple term is no CSV
        assert rows_of(made, form) == rows_of(whole, form)[:most]
    assert whole.startswith(made[: len(made) - len(b"</results></sparql>")])


@settings(max_examples=150, deadline=None)
@given(queries(), st.integers(0, 6), CUTS, st.sampled_from(SOLUTION_FORMATS))
def test_more_rows_than_the_cap_are_met_exactly(
    asked: tuple[str, int], most: int, cuts: list[int], form: Format
) -> None:
    query, count = asked
    with Output(limit=None, memory=10**6) as output:
        rows, refused = CountedRows(output, form, most), False
        try:
            for piece in pieces(document(query, form), cuts):
                rows.write(piece)
        except TooMany:
            refused = True
    assert refused == (count > most)


@pytest.mark.parametrize("form", SOLUTION_FORMATS, ids=lambda form: form.name)
def test_every_number_of_rows_in_every_piece_size(form: Format) -> None:
    query = (
        r'SELECT ?a ?b { VALUES (?a ?b) { (UNDEF UNDEF) ("}},{\"" "\\") (UNDEF "\r\n,{},")'
        r' ("<result>" UNDEF) (UNDEF UNDEF) (UNDEF UNDEF) } }'
    )
    whole = document(query, form)
    for most in range(8):
        for size in range(1, 30):
            with Output(limit=None, memory=10**6) as output:
                with first_rows(output, form, most) as rows:
                    for start in range(0, len(whole), size):
                        rows.write(whole[start : start + size])
                assert rows_of(output.content(), form) == rows_of(whole, form)[:most]
                assert rows.cut == (most < 6)


@pytest.mark.parametrize("form", SOLUTION_FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("term", ["UNDEF", '""', '",{},},{"', "<http://ex/a>"])
def test_many_short_solutions_are_counted(form: Format, term: str) -> None:
    whole = document(f"SELECT ?x {{ VALUES ?x {{ {f'{term} ' * 1000} }} }}", form)
    for most, refused in ((1000, False), (999, True)):
        with Output(limit=None, memory=10**6) as output:
            rows, met = CountedRows(output, form, most), False
            try:
                for start in range(0, len(whole), 512):
                    rows.write(whole[start : start + 512])
            except TooMany:
                met = True
        assert met == refused
