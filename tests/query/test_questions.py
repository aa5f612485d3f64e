"""Named questions: read from their comment, bound by typed terms, never by text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import BadParameter, MalformedFile
from kg.query.lexer import tokens
from kg.query.questions import Parameter, ParameterType, Question

PREFIXES = {"cohort": "https://example.org/cohort/"}
QUERY = "SELECT * { VALUES ?x { 1 } ?s ?p ?x }"


def question(kind: ParameterType, query: str = QUERY) -> Question:
    return Question("q", "Q", "A question", (Parameter("x", kind, "x"),), query)


def test_a_question_is_read_from_its_comment(tmp_path: Path) -> None:
    file = tmp_path / "lamps.rq"
    query = "# title: Lamps\n# description: All of them.\n# parameter x: iri, the lamp\n" + QUERY
    file.write_text(query)
    parameters = (Parameter("x", ParameterType.IRI, "the lamp"),)
    assert Question.read(file) == Question("lamps", "Lamps", "All of them.", parameters, query)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("# title: Lamps\n" + QUERY, "has no “# description: …”"),
        ("# title: L\n# description: D\n# parameter x: colour, c\n" + QUERY, "type 'colour'"),
    ],
)
def test_a_question_that_lacks_something_is_refused(
    tmp_path: Path, content: str, problem: str
) -> None:
    file = tmp_path / "lamps.rq"
    file.write_text(content)
    with pytest.raises(MalformedFile, match=problem):
        Question.read(file)


@pytest.mark.parametrize(
    ("kind", "value", "term"),
    [
        (ParameterType.IRI, "cohort:a", "<https://example.org/cohort/a>"),
        (ParameterType.IRI, "<urn:x>", "<urn:x>"),
        (ParameterType.STRING, 'a "b"', '"a \\"b\\""^^<http://www.w3.org/2001/XMLSchema#string>'),
        (ParameterType.INTEGER, "7", '"7"^^<http://www.w3.org/2001/XMLSchema#integer>'),
    ],
)
def test_a_value_becomes_a_term_of_its_type(kind: ParameterType, value: str, term: str) -> None:
    bound = question(kind).bound({"x": value}, PREFIXES)
    assert bound == f"SELECT * {{ VALUES ?x {{ {term} }} ?s ?p ?x }}"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ParameterType.IRI, "no iri"),
        (ParameterType.IRI, "urn:x> } DROP"),
        (ParameterType.IRI, "http://[bad"),
        (ParameterType.INTEGER, "seven"),
        (ParameterType.DATE, "2017-02-30"),
    ],
)
def test_a_value_of_another_type_is_refused(kind: ParameterType, value: str) -> None:
    with pytest.raises(BadParameter):
        question(kind).bound({"x": value}, PREFIXES)


def test_a_parameter_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadParameter, match="It has: x"):
        question(ParameterType.IRI).bound({"y": "urn:y"}, PREFIXES)


def test_braces_in_comments_and_strings_are_not_the_block() -> None:
    query = 'SELECT * { # VALUES ?x { 2 }\n VALUES ?x { "}" } }'
    bound = question(ParameterType.IRI, query).bound({"x": "urn:x"}, {})
    assert bound == "SELECT * { # VALUES ?x { 2 }\n VALUES ?x { <urn:x> } }"


def test_a_block_that_is_not_closed_is_refused() -> None:
    with pytest.raises(BadParameter, match=r"no VALUES \?x { … }"):
        question(ParameterType.IRI, "SELECT * { VALUES ?x { 1").bound({"x": "urn:x"}, {})


@given(st.text())
def test_no_string_ends_its_term(value: str) -> None:
    """Whatever the value holds, the query keeps its tokens but for the one that was exchanged."""
    if any("\ud800" <= character <= "\udfff" for character in value):
        return
    bound = question(ParameterType.STRING).bound({"x": value}, {})
    before = [token.text for token in tokens(QUERY)]
    after = [token.text for token in tokens(bound)]
    assert (after[:6], after[9:]) == (before[:6], before[7:])
