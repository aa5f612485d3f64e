"""Named questions: a query with a title, a description and typed parameters in its comment.

    # title: Figures of one area
    # topic: Numbers as reported
    # description: Each figure that is reported of an area, with its cohort and its source.
    # parameter area: iri, the area
    SELECT … WHERE { VALUES ?area { area:JO } … }

A parameter's VALUES block holds its default, so that the text is a query as it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Final

from rdflib import XSD, Literal, URIRef

from kg.errors import (
    BadParameter,
    MalformedFile,
    Place,
    StoreDamaged,
    UnknownResource,
    suggestion,
)
from kg.files import read_text
from kg.query.lexer import Kind, Token, tokens
from kg.store.base import Release
from kg.store.iris import absolute_iri
from kg.validation.report import compact

FILE: Final = "questions.json"
"""The file in the folder of a release that has the questions of its project."""
_HEADER: Final = re.compile(r"^# (title|topic|description|parameter (\w+)): (.+)$", re.MULTILINE)


class ParameterType(Enum):
    """What a parameter's value is: an IRI, or a literal of a datatype of XML Schema."""

    IRI = "iri"
    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable of a question that takes one value."""

    name: str
    type: ParameterType
    description: str


@dataclass(frozen=True, slots=True)
class Question:
    """A named question; `query` runs as it stands, with the defaults of its parameters."""

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    query: str
    topic: str = ""
    """What it is about, with others; empty where its comment does not say."""

    @classmethod
    def read(cls, file: Path) -> Question:
        """The question in a `.rq` file. Raises MalformedFile where its comment lacks something."""
        return cls.parse(read_text(file, "it is a question"), file)

    @classmethod
    def parse(cls, query: str, file: Path) -> Question:
        """The question that stood in that file; raises as `read` does."""
        entries = [match.groups() for match in _HEADER.finditer(query)]
        header = {key: text for key, name, text in entries if not name}
        for key in ("title", "description"):
            if key not in header:
                problem = f"its leading comment has no “# {key}: …”"
                raise MalformedFile(Place(file, 1), "a question", problem)
        parameters = (_parameter(file, name, text) for _, name, text in entries if name)
        return cls(
            file.stem,
            header["title"],
            header["description"],
            tuple(parameters),
            query,
            header.get("topic", ""),
        )

    def default(self, name: str, prefixes: Mapping[str, str]) -> str:
        """The first value in the VALUES block of a parameter, as a person would write it."""
        start, end = _block(self.query, name)
        found = next(
            (
                token
                for token in tokens(self.query[start + 1 : end - 1])
                if token.kind is not Kind.COMMENT
            ),
            None,
        )
        if found is None:
            return ""
        if found.kind is Kind.STRING:
            quote = 3 if found.text[:3] in ('"""', "'''") else 1
            return found.text[quote:-quote]
        return compact(found.text[1:-1], prefixes) if found.kind is Kind.IRIREF else found.text

    def bound(self, values: Mapping[str, str], prefixes: Mapping[str, str]) -> str:
        """The query with these values in the VALUES blocks of its parameters.

        Raises BadParameter for a name that the question does not have, and for a value that is
        not of the parameter's type.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        query = self.query
        for name, value in values.items():
            if name not in known:
                raise BadParameter(
                    f"question {self.name} has no parameter {name!r}",
                    remedy="It has: " + (", ".join(sorted(known)) or "none") + ".",
                )
            query = _with_value(query, name, _term(known[name], value, prefixes))
        return query


def questions_of(release: Release) -> Mapping[str, Question]:
    """The questions that a release carries, by name; none of one made before they travelled.

    Raises StoreDamaged.
    """
    return _carried(release.folder / FILE)


def question_of(release: Release, name: str) -> Question:
    """The question of that name; raises UnknownResource where there is none."""
    known = questions_of(release)
    if name not in known:
        raise UnknownResource(
            f"there is no question {name!r} in release {release.name}",
            remedy=suggestion(name, sorted(known)) or "The page Ask lists those there are.",
        )
    return known[name]


def written(questions: Iterable[Question]) -> bytes:
    """The file that carries these questions."""
    texts = {question.name: question.query for question in questions}
    return (json.dumps(texts, ensure_ascii=False, indent=0, sort_keys=True) + "\n").encode()


@lru_cache(maxsize=16)
def _carried(file: Path) -> Mapping[str, Question]:
    try:
        texts = json.loads(file.read_bytes())
        return {name: Question.parse(text, Path(f"{name}.rq")) for name, text in texts.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, TypeError, MalformedFile) as error:
        problem = f"the questions cannot be read: {error}"
        remedy = "Restore this file from a copy, or build a new store: kg build --store OTHER."
        raise StoreDamaged(problem, remedy=remedy, place=Place(file)) from error


def with_iris(query: str, name: str, iris: Iterable[str]) -> str:
    """The query with these IRIs, which are absolute, in the VALUES block of a variable."""
    return _with_value(query, name, " ".join(URIRef(iri).n3() for iri in iris))


def _parameter(file: Path, name: str, text: str) -> Parameter:
    kind, _, description = text.partition(",")
    try:
        return Parameter(name, ParameterType(kind.strip()), description.strip())
    except ValueError as error:
        kinds = ", ".join(each.value for each in ParameterType)
        problem = f"parameter {name} has type {kind!r}, which is none of {kinds}"
        raise MalformedFile(Place(file, 1), "a question", problem) from error


def _term(parameter: Parameter, value: str, prefixes: Mapping[str, str]) -> str:
    """The value as SPARQL writes it; no text of the value can end its term."""
    if parameter.type is ParameterType.IRI:
        return _iri(parameter, value, prefixes)
    literal = Literal(value, datatype=XSD[parameter.type.value])
    if literal.ill_typed:
        raise BadParameter(
            f"{parameter.name} is {value!r}", remedy=f"It takes xsd:{parameter.type.value}."
        )
    return literal.n3()


def _iri(parameter: Parameter, value: str, prefixes: Mapping[str, str]) -> str:
    prefix, _, local = value.strip("<>").partition(":")
    iri = prefixes[prefix] + local if prefix in prefixes else value.strip("<>")
    if not absolute_iri(iri):
        raise BadParameter(
            f"{parameter.name} is {value!r}",
            remedy="It takes an IRI, in full or with a prefix such as area:JO.",
        )
    return URIRef(iri).n3()


def _with_value(query: str, name: str, term: str) -> str:
    start, end = _block(query, name)
    return f"{query[:start]}{{ {term} }}{query[end:]}"


@lru_cache(maxsize=128)
def _block(query: str, name: str) -> tuple[int, int]:
    """Where the braces of `VALUES ?name { … }` begin and end."""
    found = [token for token in tokens(query) if token.kind is not Kind.COMMENT]
    for values, variable, brace in zip(found, found[1:], found[2:], strict=False):
        if values.text.upper() == "VALUES" and variable.text == f"?{name}":
            for token in _after(found, brace):
                if token.text == "}":
                    return brace.start, token.start + 1
    raise BadParameter(f"the query has no VALUES ?{name} {{ … }} for its parameter {name}")


def _after(found: list[Token], token: Token) -> list[Token]:
    return found[found.index(token) + 1 :]
