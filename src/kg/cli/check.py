"""`kg check`: what is wrong with the project, without writing a release."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.options import check_may_write, project_option, text_option
from kg.cli.show import progress, show_findings
from kg.errors import BadArgument
from kg.project import Project
from kg.publishing.placing import write_places
from kg.publishing.publish import check as check_project
from kg.publishing.texts import Text
from kg.validation.report import conforms


@click.command()
@project_option
@text_option
@click.option(
    "--write",
    is_flag=True,
    help="Turn places that are given by their incipit into positions, and write all digests.",
)
@click.pass_context
def check(ctx: click.Context, project: Project, texts: tuple[Path, ...], write: bool) -> None:
    """Check the project: sources, rules, shapes.

    Reports everything that is wrong with file, line and key, and ends with 0 where a build
    would land, 3 where something cannot be read, 4 where the shapes find a violation.

    While writing, a place in the text may be {incipit: some first words, through: last words,
    occurrence: 2}, with at most six words each; `kg check --write --text FILE` makes positions
    of it, within the block that it stands in, and writes the digests. The source is left as it
    was where a place cannot be found.
    """
    supplied = [Text.read(file) for file in texts]
    if write:
        check_may_write(ctx)
        _write(project, supplied)
    with progress() as report:
        checked = check_project(project, supplied, report)
    show_findings(checked.findings, checked.shapes.prefixes)
    if not conforms(checked.findings):
        ctx.exit(4)
    articles = len(checked.staged.units)
    click.echo(f"{project.folder}: conforms; {articles} articles, {len(checked.findings)} findings")
    verified = checked.anchors(supplied) if supplied else 0
    click.echo(f"{verified} of {checked.anchors()} anchors verified against their text")


def _write(project: Project, texts: list[Text]) -> None:
    if not texts:
        raise BadArgument(
            "--write needs the article's text", remedy="Add --text FILE with the text's file."
        )
    for text in texts:
        file = write_places(project.sources(), text)
        click.echo(f"{file} written" if file else f"{text.file}: every place was written already")
