"""Reading RDF files."""

from __future__ import annotations

import re
from pathlib import Path

from rdflib import Graph
from rdflib.plugins.parsers.notation3 import BadSyntax

from kg.errors import MalformedFile, Place
from kg.files import read_text
from kg.namespaces import BASE


def read_turtle(file: Path) -> Graph:
    """The graph in a Turtle file. Raises MissingFile, or MalformedFile with the line."""
    graph = Graph()
    try:
        graph.parse(data=read_text(file, "it is read as Turtle"), format="turtle", publicID=BASE)
    except (BadSyntax, AssertionError) as error:  # the latter for a string without end
        raise MalformedFile(_turtle_place(file, error), "Turtle", _problem(error)) from error
    return graph


def _turtle_place(file: Path, error: Exception) -> Place:
    line = getattr(error, "lines", None)
    return Place(file, line + 1 if isinstance(line, int) else None)


def _problem(error: Exception) -> str:
    text = getattr(error, "message", None) or re.sub(r"\s+", " ", str(error))
    return str(text)[:120]
