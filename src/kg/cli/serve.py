"""`kg serve`: SPARQL and dereferencing over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kg.cli.options import store_option
from kg.settings import Settings
from kg.web.serving import serve as serve_http


@click.command(epilog="Each option but --store is a setting; `kg settings` shows them all.")
@store_option
@click.option("--host", metavar="ADDRESS", help="The address to listen on; else 127.0.0.1.")
@click.option("--port", type=int, help="The port to listen on, else 8080; 0 takes a free one.")
@click.option("--workers", type=int, help="Processes that evaluate queries.")
@click.option("--deadline", type=float, metavar="SECONDS", help="The most a query may take.")
@click.option("--public-url", metavar="URL", help="The address that clients know the server by.")
@click.option(
    "--trusted-proxies",
    metavar="NETWORKS",
    help="Reverse proxies whose X-Forwarded fields are believed, with commas between.",
)
@click.option("--texts", metavar="FOLDER", help="Texts of articles, for readers with the scope.")
@click.option("--log-format", metavar="line|json", help="How the log is written.")
@click.option("--log-level", metavar="debug|info|warning", help="What the log tells.")
def serve(store: Path, **flags: Any) -> None:
    """Serve the store over HTTP until it is interrupted.

    /sparql answers queries, /id/… dereferences, /dump/RELEASE.nq.gz and .trig.gz are the data,
    /health/ready and /metrics are for operators. A release that is built meanwhile is served from
    the next request on. The first SIGTERM lets running answers end, the second does not.
    """
    settings = Settings.read(**flags)
    serve_http(store, settings, settings.host, settings.port, on_ready=_announce)


def _announce(url: str) -> None:
    click.echo(f"kg answers at {url}")
