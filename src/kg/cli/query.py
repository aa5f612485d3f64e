"""`kg query`: an answer from the built release, without a server."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rdflib.exceptions import ParserError
from rdflib.query import Result

from kg.cli.asked import asked, parameter_option
from kg.cli.options import project_option, store_option
from kg.cli.tables import show_table, solutions_table
from kg.errors import NotAcceptable
from kg.media import FORMATS, JSON, SOLUTION_FORMATS, TURTLE, Form, Format
from kg.project import Project
from kg.query.prefixes import prefixes_of
from kg.query.reading import Store, named, typed_solutions
from kg.query.run import Answer
from kg.settings import Settings


@click.command()
@click.argument("text", metavar="TEXT|FILE|QUESTION")
@project_option
@store_option
@click.option(
    "--format",
    "written",
    type=click.Choice(["table", *FORMATS]),
    default=None,
    help="How the answer is written; by default a table, and Turtle for a graph.",
)
@parameter_option
@click.option("--deadline", type=float, metavar="SECONDS", help="The most the query may take.")
def query(
    text: str,
    project: Project,
    store: Path,
    written: str | None,
    parameters: tuple[str, ...],
    deadline: float | None,
) -> None:
    """Answer a query from the built release.

    TEXT is SPARQL, FILE a file that holds it (- for standard input), QUESTION the name of one
    in data/questions/. The usual prefixes, rf: and those of the project's context are declared.

    \b
    kg query 'SELECT ?area ?text { ?c sdmx-dimension:refArea ?area ; rf:reportedText ?text }'
    kg query figures-of-area -p area=area:JO
    kg query --format csv query.rq
    """
    with Store(store, Settings.read(deadline=deadline, workers=1)) as opened:
        prefixes = prefixes_of(opened.release())
        sparql = asked(text, project, parameters, prefixes).sparql
        if written is None or written == "table":
            _show(opened.answer(sparql, _tabular if written else _default), prefixes)
        else:
            _copy(opened.answer(sparql, named(written)))


def _copy(given: Answer) -> None:
    """The bytes of the answer as they are, to standard output."""
    with given.spool as spool:
        for chunk in spool.chunks():
            sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _default(offered: Sequence[Format]) -> Format:
    return JSON if JSON in offered else TURTLE


def _tabular(offered: Sequence[Format]) -> Format:
    if JSON not in offered:
        raise NotAcceptable("table", [format.name for format in offered])
    return JSON


def _parsed(content: bytes) -> Result:
    try:
        return Result.parse(io.BytesIO(content), format="json")
    except (NotImplementedError, ParserError) as error:  # a triple term (SPARQL 1.2)
        raise NotAcceptable("table", [format.name for format in SOLUTION_FORMATS]) from error


def _show(given: Answer, prefixes: Mapping[str, str]) -> None:
    """Solutions as a table, a boolean as a word, a graph as it is."""
    if given.form.gives_graph:
        _copy(given)
        return
    with given.spool as spool:
        result = _parsed(spool.read())
    if given.form is Form.ASK:
        click.echo("true" if result.askAnswer else "false")
        return
    variables = [str(variable) for variable in result.vars or ()]
    solutions = typed_solutions(result)
    show_table(solutions_table(variables, solutions, prefixes))
    click.echo(f"{len(solutions)} solution{'' if len(solutions) == 1 else 's'}", err=True)
