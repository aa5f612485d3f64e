"""`kg verify`: a citation run again."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import click

from kg.cli.asked import is_file
from kg.cli.options import store_option
from kg.query.citing import verify as verifying
from kg.query.run import evaluated
from kg.query.telling import plain
from kg.settings import Settings
from kg.store.citations import Citation, Citations, read_citation
from kg.store.embedded import EmbeddedStore

_NOT_THE_SAME = 9
"""The exit code."""
_PERMALINK = re.compile(r"https?://[^?#]*/c/([^/?#]+)")


@click.command()
@click.argument("citation")
@store_option
@click.option(
    "--at",
    metavar="R",
    help="Compare with another release, by name, number or tag, or with HEAD.",
)
@click.option(
    "--format",
    "written",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the verdict is written.",
)
@click.option("--deadline", type=float, metavar="SECONDS", help="The most the query may take.")
@click.pass_context
def verify(
    ctx: click.Context,
    citation: str,
    store: Path,
    at: str | None,
    written: str,
    deadline: float | None,
) -> None:
    """Run the query of a citation again, and say whether its result is the same.

    CITATION is its id, its address, or a file with its record in JSON. The exit code is 0 where
    the result is the same, and 9 where it is not or its release is gone.

    \b
    kg verify 0123456789abcdef
    kg verify https://data.example.org/kg/c/0123456789abcdef --at HEAD
    """
    settings = Settings.read(deadline=deadline, workers=1)
    with EmbeddedStore(store, settings) as opened:
        meant = _meant(citation, Citations(opened.folder, settings.citations))
        verdict = verifying(meant, opened, settings, partial(evaluated, store=opened), at=at)
    if written == "json":
        click.echo(json.dumps(verdict.members(), ensure_ascii=False, indent=2))
    else:
        # Plain, since a record may be anybody's.
        click.echo("\n".join((verdict.sentence, *map(plain, meant.notes))))
    if not verdict.holds:
        ctx.exit(_NOT_THE_SAME)


def _meant(text: str, citations: Citations) -> Citation:
    """The citation at an address, in a file, or of an id."""
    permalink = _PERMALINK.fullmatch(text)
    if permalink:
        return citations.get(permalink[1])
    if is_file(text):
        return read_citation(Path(text))
    return citations.get(text)
