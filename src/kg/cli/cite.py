"""`kg cite`: the result of a query as something that others can find, run again and compare."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from kg.cli.asked import asked, parameter_option
from kg.cli.options import project_option, store_option
from kg.errors import BadArgument
from kg.media import CITATION_FORMATS
from kg.project import Project
from kg.query.citation_texts import written
from kg.query.citing import About
from kg.query.citing import cite as citing
from kg.query.prefixes import prefixes_of
from kg.query.reading import readable
from kg.query.request import QueryRequest
from kg.query.run import evaluated
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore
from kg.store.tags import HEAD

_FORMATS = {format.name: format for format in CITATION_FORMATS}
_URL = "url"


@click.command()
@click.argument("text", metavar="TEXT|FILE|QUESTION")
@project_option
@store_option
@parameter_option
@click.option(
    "--release",
    metavar="R",
    default=HEAD,
    show_default=True,
    help="The release to ask: its name, number or tag.",
)
@click.option("--title", default="", help="What the result is, in at most 200 characters.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice([*_FORMATS, _URL]),
    default="text",
    show_default=True,
    help="How the citation is written.",
)
@click.option("--deadline", type=float, metavar="SECONDS", help="The most the query may take.")
def cite(
    text: str,
    project: Project,
    store: Path,
    parameters: tuple[str, ...],
    release: str,
    title: str,
    format_name: str,
    deadline: float | None,
) -> None:
    """Cite the result of a query: keep what was asked, of which release, and its digest.

    TEXT is SPARQL, FILE a file that holds it (- for standard input), QUESTION the name of one
    in data/questions/, as for kg query. The same citation twice is one. The release that it names
    is then kept. The server shows the citation below /c/; the setting public_url says where.

    \b
    kg cite figures-of-area -p area=area:JO --title 'Figures of Jordan'
    kg cite --release 3 --format bibtex query.rq
    """
    settings = Settings.read(deadline=deadline, workers=1)
    if format_name == _URL and not settings.public_url:
        raise BadArgument(
            "nobody has said under which address the server is known",
            remedy="Set public_url in kg.toml, or KG_PUBLIC_URL.",
        )
    with EmbeddedStore(store, settings) as opened:
        chosen = opened.release(release)
        query = asked(text, project, parameters, prefixes_of(chosen))
        request = QueryRequest(query=query.sparql, choose=readable, release=chosen.name)
        about = About(title, query.question, query.parameters)
        evaluate, now = partial(evaluated, store=opened), datetime.now(UTC)
        made, _ = citing(request, opened, settings, evaluate, now=now, about=about)
    url = f"{settings.public_url}c/{made.id}" if settings.public_url else ""
    click.echo(url if format_name == _URL else written(made, _FORMATS[format_name], url).rstrip())
