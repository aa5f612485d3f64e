"""`kg new`: the source of a new article."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.options import check_may_write, project_option
from kg.project import Project
from kg.publishing.drafts import draft
from kg.publishing.texts import Text


@click.command()
@click.argument("slug")
@project_option
@click.option("--title", required=True, help="The headline of the article.")
@click.option(
    "--publisher", required=True, metavar="NAME", help="Who published it, such as org/fox-news."
)
@click.option("--text", type=click.Path(path_type=Path), metavar="FILE", help="The article's text.")
@click.pass_context
def new(
    ctx: click.Context,
    slug: str,
    project: Project,
    title: str,
    publisher: str,
    text: Path | None,
) -> None:
    """Start the source of an article: data/articles/SLUG/article.yaml.

    With --text it gets the text's digest and a block for each line; the text itself is not
    copied. Write the claims into the blocks, then run kg check --write --text FILE.
    """
    check_may_write(ctx)
    read = Text.read(text) if text else None
    file = draft(project, slug, title=title, publisher=publisher, text=read)
    click.echo(f"{file} written")
