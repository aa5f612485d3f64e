"""`kg rollback`: HEAD names an earlier release again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from kg.cli.options import message_option, store_option, user
from kg.store.releases import Releases


@click.command()
@click.argument("release")
@store_option
@message_option("Why, for `kg releases --moves`.", required=True)
def rollback(release: str, store: Path, message: str) -> None:
    """Make RELEASE what is served: a number, a full name or a tag. No release is removed.

    A running server answers from it at its next request. The next release made rests on it, and
    has a number of its own. The move is written down: `kg releases --moves` shows it.
    """
    releases = Releases.open(store)
    wanted = releases.named(release)
    after = releases.rollback(wanted, who=user(), message=message, now=datetime.now(UTC))
    before = releases.moves()[-1].before
    click.echo(f"HEAD moved from release {before} to {after.name}")
    click.echo(f'To undo it: kg rollback {before} --store {store} --message "…"', err=True)
