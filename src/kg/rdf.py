"""Reading RDF files."""

from __future__ import annotations

import re
from pathlib import Path

from rdflib import Graph
from rdflib.plugins.parsers.notation3 import BadSyntax

from kg.errors import MalformedFile, MissingFile, Place


def read_turtle(file: Path) -> Graph:
    """The graph in a Turtle file. Raises MissingFile, or MalformedFile with the line."""
    graph = Graph()
    try:
        graph.parse(file, format="turtle")
    except FileNotFoundError as error:
        raise MissingFile(file, "it is read as Turtle") from error
    except (BadSyntax, UnicodeDecodeError) as error:
        raise MalformedFile(_turtle_place(file, error), "Turtle", _problem(error)) from error
    return graph


def _turtle_place(file: Path, error: Exception) -> Place:
    line = getattr(error, "lines", None)
    return Place(file, line + 1 if isinstance(line, int) else None)


def _problem(error: Exception) -> str:
    text = getattr(error, "message", None) or re.sub(r"\s+", " ", str(error))
    return str(text)[:120]
