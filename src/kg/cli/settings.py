"""`kg settings`: each setting with its value, and where that comes from."""

from __future__ import annotations

import json

import click
from rich.markup import escape
from rich.table import Table

from kg.cli.tables import show_table
from kg.settings import given


@click.command()
@click.option(
    "--format",
    "written",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the settings are written.",
)
def settings(written: str) -> None:
    """Show every setting: its value, and whether that is the default, or who gave it.

    A default is overridden by kg.toml in this folder (KG_CONFIG names another file), that by the
    environment (KG_DEADLINE=10), and that by a flag of a command.
    """
    rows = [(each.name, each.value(), each.origin) for each in given()]
    if written == "json":
        members = [{"name": name, "value": value, "origin": origin} for name, value, origin in rows]
        click.echo(json.dumps(members, indent=2))
        return
    table = Table("name", "value", "origin")
    for name, value, origin in rows:
        table.add_row(name, escape(_shown(value)), escape(origin))
    show_table(table)


def _shown(value: object) -> str:
    """As it could be written to the environment."""
    return str(int(value)) if isinstance(value, bool) else str(value)
