"""`kg tag`: a name for a release."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from kg.cli.options import format_option, message_option, store_option, user
from kg.cli.tables import show_table
from kg.errors import BadArgument
from kg.store.releases import Releases


@click.command()
@click.argument("name", required=False)
@click.argument("release", required=False)
@store_option
@format_option
@message_option("What is said of the tag.")
@click.option("--move", is_flag=True, help="Another release may have had this name.")
@click.option("--delete", is_flag=True, help="Take the tag NAME away.")
def tag(
    name: str | None,
    release: str | None,
    store: Path,
    written: str,
    message: str,
    move: bool,
    delete: bool,
) -> None:
    """Name a release so that it is found by NAME, and kept for ever; without NAME list the tags.

    RELEASE is a number, a full name or another tag; by default it is the one that HEAD names. A
    server answers from it below /r/NAME/.
    """
    releases = Releases.open(store)
    if name is None:
        if delete or move:
            raise BadArgument("no tag is named", remedy="Name one: kg tag NAME.")
        _list(releases, written)
    elif delete:
        if release or move:
            raise BadArgument(
                "--delete takes the name of the tag alone", remedy=f"kg tag --delete {name}"
            )
        gone = releases.untag(name)
        click.echo(f"tag {name} is gone; it named release {gone.release}, which is still there")
    else:
        named = releases.head() if release is None else releases.named(release)
        now = datetime.now(UTC)
        made = releases.tag(name, named, who=user(), message=message, now=now, move=move)
        click.echo(f"tag {made.name} names release {made.release}")


def _list(releases: Releases, written: str) -> None:
    tags = releases.tags()
    if written == "json":
        click.echo(json.dumps([asdict(each) for each in tags], indent=2))
        return
    table = Table("name", "release", "time", "who", "message")
    for each in tags:
        table.add_row(*map(escape, (each.name, each.release, each.time, each.who, each.message)))
    show_table(table)
