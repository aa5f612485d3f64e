"""`kg token`: who may write to the store over HTTP, operate it, or see what is restricted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from kg.cli.options import store_option
from kg.cli.tables import show_table
from kg.store.releases import Releases
from kg.store.tokens import MOST_DAYS, Scope, Tokens


@click.group()
def token() -> None:
    """Let somebody write to the store over HTTP, or see more of it, and end that.

    Without a token nobody can. A running server knows of a change at its next request.
    """


@token.command()
@click.argument("name")
@store_option
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    default=[Scope.WRITE.value],
    show_default=True,
    help="What it is good for: to write graphs; to operate the server; to see on pages what is"
    " restricted. May be given more than once.",
)
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    default=90,
    show_default=True,
    help="How long it is valid.",
)
@click.option(
    "--graph",
    "graphs",
    multiple=True,
    metavar="PREFIX",
    help="It may write only graphs whose IRI begins so. May be given more than once.",
)
def create(
    name: str, store: Path, scopes: tuple[str, ...], days: int, graphs: tuple[str, ...]
) -> None:
    """Make a token and print it, this once: only its digest is kept.

    NAME says in each release who wrote it.
    """
    secret = _tokens(store).create(
        name,
        tuple(Scope(scope) for scope in dict.fromkeys(scopes)),
        days=days,
        graphs=graphs,
        now=datetime.now(UTC),
    )
    click.echo(secret)
    click.echo(
        "Keep it now, it is shown only here. Send it as “Authorization: Bearer …”.", err=True
    )


@token.command(name="list")
@store_option
def show(store: Path) -> None:
    """List the tokens of the store; not the tokens themselves, which are kept nowhere."""
    now = datetime.now(UTC)
    table = Table("name", "scopes", "created", "expires", "", "graphs")
    for each in _tokens(store).all():
        cells = (
            each.name,
            ", ".join(each.scopes),
            each.created,
            each.expires,
            "expired" if each.expired(now) else "",
            ", ".join(f"{prefix}*" for prefix in each.graphs) or "any",
        )
        table.add_row(*map(escape, cells))
    show_table(table)


@token.command()
@click.argument("name")
@store_option
def revoke(name: str, store: Path) -> None:
    """End the token NAME."""
    _tokens(store).revoke(name)


def _tokens(store: Path) -> Tokens:
    return Tokens(Releases.open(store).folder)
