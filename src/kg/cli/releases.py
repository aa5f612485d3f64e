"""`kg releases`: the releases of a store."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.table import Table

from kg.cli.options import store_option
from kg.cli.tables import show_table
from kg.store.releases import Releases


@click.command()
@store_option
@click.option(
    "--format",
    "written",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the list is written.",
)
def releases(store: Path, written: str) -> None:
    """List the releases of the store, the oldest first; HEAD is marked with a star."""
    folder = Releases.open(store)
    head = folder.head().name
    rows = [
        {
            "name": release.name,
            "head": release.name == head,
            "time": release.time,
            "quads": release.quads,
            "graphs": len(release.graphs),
            "digest": release.digest,
            "who": release.who,
            "message": release.message,
        }
        for release in folder.all()
    ]
    if written == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table("", "name", "time", "quads", "graphs", "who", "message")
    for row in rows:
        cells = (row[key] for key in ("name", "time", "quads", "graphs", "who", "message"))
        table.add_row("*" if row["head"] else "", *map(str, cells))
    show_table(table)
