"""`kg prune`: old releases go."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from kg.cli.options import store_option
from kg.cli.show import progress
from kg.errors import BadArgument
from kg.settings import Settings
from kg.store.releases import Releases
from kg.store.retention import Policy, Retained, retain

_WAIT_SECONDS: Final = 5.0
"""How long it waits for a write to end."""


@click.command()
@store_option
@click.option(
    "--keep",
    type=click.IntRange(0),
    help="Newest releases to keep; 0 sets no bound. By default the setting keep_releases.",
)
@click.option(
    "--days",
    type=click.FloatRange(0),
    help="Days a release is kept; 0 sets no bound. By default the setting keep_days.",
)
@click.option("--cited", is_flag=True, help="Remove also what a citation names.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def prune(store: Path, keep: int | None, days: float | None, cited: bool, dry_run: bool) -> None:
    """Remove old releases, and say of each that is kept why.

    A release goes only if every bound that is set lets it go. HEAD, and what is tagged, cited or
    in use stays whatever they say. What was removed is recorded with its digest.
    """
    settings = Settings.read(keep_releases=keep, keep_days=days)
    policy = Policy(settings.keep_releases, settings.keep_days)
    if not policy:
        raise BadArgument(
            "nothing says which releases are old",
            remedy="Give --keep N or --days D, or set keep_releases or keep_days.",
        )
    releases = Releases.open(store)
    with releases.lock(_WAIT_SECONDS):
        releases.sweep()
        with progress() as report:
            retained = retain(
                releases,
                policy,
                now=datetime.now(UTC),
                cited=cited,
                dry_run=dry_run,
                progress=lambda done, of: report("releases removed", done, of),
            )
    _show(retained, "would be removed" if dry_run else "removed")


def _show(retained: Retained, done: str) -> None:
    for removal in retained.removed:
        click.echo(f"{removal.name}: {done}, made {removal.time}, digest {removal.digest}")
    for name, why in retained.kept.items():
        click.echo(f"{name}: kept, {why}")
    click.echo(f"{len(retained.removed)} {done}, {len(retained.kept)} kept")
