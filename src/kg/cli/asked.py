"""The query that a command was given: as its text, as a file, or as the name of a question."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from kg.errors import BadParameter, MissingFile, UnknownQuestion
from kg.files import decoded, read_text
from kg.project import Project
from kg.query.questions import Question


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as it runs, and the question that it is with its parameters, where it is one."""

    sparql: str
    question: str
    parameters: Mapping[str, str]


def parameter_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`-p NAME=VALUE`, given to the command as `parameters`, for `asked`."""
    return click.option(
        "-p",
        "--parameter",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        help="A value for a parameter of a question; an IRI may have a prefix: -p area=area:JO.",
    )(command)


def asked(
    text: str, project: Project, parameters: tuple[str, ...], prefixes: Mapping[str, str]
) -> Asked:
    """The query that is meant: a question by its name, else a file, else the text itself.

    Raises BadParameter, MissingFile, UnknownQuestion, and what reading a question does.
    """
    values = _values(parameters)
    questions = {file.stem: file for file in project.questions()}
    if text in questions:
        bound = Question.read(questions[text]).bound(values, prefixes)
        return Asked(bound, text, values)
    if values:
        raise BadParameter("only a question has parameters", remedy="Write the values yourself.")
    return Asked(_text_or_file(text, questions), "", {})


def _values(parameters: tuple[str, ...]) -> dict[str, str]:
    values = {}
    for parameter in parameters:
        name, equals, value = parameter.partition("=")
        if not equals:
            raise BadParameter(f"{parameter!r} is no parameter", remedy="Write it as NAME=VALUE.")
        values[name] = value
    return values


def _text_or_file(text: str, questions: Mapping[str, Path]) -> str:
    if text == "-":
        return decoded(sys.stdin.buffer.read(), Path("-"))
    if is_file(text):
        return read_text(Path(text), "it was named as a query")
    if text.endswith(".rq"):
        raise MissingFile(Path(text), "it was named as a query")
    if "{" not in text and len(text.split()) < 2:
        raise UnknownQuestion(text, questions)
    return text


def is_file(text: str) -> bool:
    """Whether a file has this name; no file has a very long one."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False
