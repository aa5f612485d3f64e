"""The named questions: each is answered as was worked out by hand, and no two ask in one way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import kg
from kg.project import Project
from kg.query.lexer import Kind, tokens
from kg.query.prefixes import prefixes_of
from kg.query.questions import ParameterType, Question
from kg.query.reading import Store

PROJECT = Project.at(Path(__file__).parents[2])
QUESTIONS = [Question.read(file) for file in PROJECT.questions()]

named = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)


@pytest.fixture(scope="module")
def store(real_store: Path) -> Iterator[Store]:
    with kg.open(real_store) as opened:
        yield opened


def expected(question: Question) -> str:
    file = PROJECT.folder / "data" / "questions" / f"{question.name}.expected"
    return file.read_text(encoding="utf-8")


def answer(store: Store, query: str) -> str:
    """The answer as CSV, with LF line ends."""
    return store.query(query, format="csv").decode().replace("\r\n", "\n")


def words(query: str) -> list[str]:
    return [token.text for token in tokens(query) if token.kind is not Kind.COMMENT]


def defaults(question: Question) -> dict[str, str]:
    """What stands in the VALUES block of each parameter, as a user would type it."""
    found = words(question.query)
    values = {}
    for parameter in question.parameters:
        place = found.index(f"?{parameter.name}", found.index("VALUES"))
        start, default, end = found[place - 1], found[place + 2], found[place + 3 :]
        assert (start, found[place + 1]) == ("VALUES", "{")
        one_value = end[0] == "}" or (end[0], end[2]) == ("^^", "}")
        assert one_value, f"{question.name}: {parameter.name} has one default"
        values[parameter.name] = default.strip('<>"')
    return values


def shape(query: str) -> tuple[str, ...]:
    """Keywords and operators in their order: names, values and separators are left out."""
    kept = {Kind.WORD, Kind.MARK}
    return tuple(
        token.text.upper()
        for token in tokens(query)
        if token.kind in kept and token.text not in ".;,"
    )


@named
def test_a_question_is_answered_as_the_text_says(store: Store, question: Question) -> None:
    assert answer(store, question.query) == expected(question)


@named
def test_a_default_may_be_given_like_any_value(store: Store, question: Question) -> None:
    prefixes: Mapping[str, str] = prefixes_of(store.release())
    bound = question.bound(defaults(question), prefixes)
    assert answer(store, bound) == expected(question)


@named
def test_a_question_says_what_it_asks(question: Question) -> None:
    assert question.title[0].isupper() and not question.title.endswith(".")
    assert question.description[0].isupper() and question.description.endswith(".")
    assert all(parameter.description for parameter in question.parameters)


@named
def test_every_values_block_of_one_value_is_a_parameter(question: Question) -> None:
    found = words(question.query)
    blocks = {found[at + 1] for at, word in enumerate(found) if word == "VALUES"}
    chosen = {f"?{parameter.name}" for parameter in question.parameters}
    assert blocks - {"?type"} == chosen


@named
def test_an_answer_has_one_order_and_a_query_no_prefixes_of_its_own(question: Question) -> None:
    found = words(question.query)
    assert "PREFIX" not in found
    assert "ORDER" in found or len(expected(question).splitlines()) == 2


def test_there_are_at_least_forty_questions() -> None:
    assert len(QUESTIONS) >= 40


def test_no_two_questions_have_one_shape() -> None:
    by_shape = defaultdict(list)
    for question in QUESTIONS:
        by_shape[shape(question.query)].append(question.name)
    assert [names for names in by_shape.values() if len(names) > 1] == []


def test_no_two_questions_have_one_title() -> None:
    assert len({question.title for question in QUESTIONS}) == len(QUESTIONS)


def test_every_answer_belongs_to_a_question() -> None:
    folder = PROJECT.folder / "data" / "questions"
    assert {file.stem for file in folder.glob("*.expected")} == {each.name for each in QUESTIONS}


def test_parameters_have_several_types() -> None:
    used = {parameter.type for question in QUESTIONS for parameter in question.parameters}
    assert used >= set(ParameterType) - {ParameterType.BOOLEAN}
