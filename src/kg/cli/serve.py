"""`kg serve`: SPARQL and dereferencing over HTTP."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.options import store_option
from kg.settings import Settings
from kg.web.serving import serve as serve_http


@click.command()
@store_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option("--workers", type=click.IntRange(1), help="Processes that evaluate queries.")
@click.option("--deadline", type=float, metavar="SECONDS", help="The most a query may take.")
def serve(store: Path, host: str, port: int, workers: int | None, deadline: float | None) -> None:
    """Serve the store over HTTP until it is interrupted.

    /sparql answers queries, /id/… dereferences, /dump/RELEASE.nq.gz and .trig.gz are the data.
    A release that is built meanwhile is served from the next request on.
    """
    settings = Settings.read(workers=workers, deadline=deadline)
    serve_http(store, settings, host, port, on_ready=_announce)


def _announce(url: str) -> None:
    click.echo(f"kg answers at {url}")
