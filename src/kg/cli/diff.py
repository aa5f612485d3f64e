"""`kg diff`: what one release says otherwise than another."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from kg.cli.options import store_option
from kg.cli.show import progress
from kg.publishing.staging import Progress as Report
from kg.query.changes import changes
from kg.query.claims import Asking
from kg.query.telling import told, written_json
from kg.settings import Settings
from kg.store.base import Release
from kg.store.differences import (
    GraphDifference,
    Written,
    differences,
    differing_graphs,
    kept,
    touched,
    written,
)
from kg.store.embedded import EmbeddedStore
from kg.store.releases import Releases

_COLOURS = {"+ ": "green", "- ": "red", "~ ": "yellow"}


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="[B]", required=False)
@store_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["claims", "json", "quads", "patch"]),
    default="claims",
    show_default=True,
    help="Claims as people read them, the same as JSON, N-Quads after - and +, or RDF Patch.",
)
def diff(before: str, after: str | None, store: Path, form: str) -> None:
    """Tell how release B differs from release A.

    A and B are names, numbers or tags of releases; without B it is the one that HEAD names.
    Restricted graphs are not looked at.

    \b
    kg diff 1
    kg diff 2017-11 2017-12
    kg diff 1 2 --format patch > 1-2.rdfp
    """
    releases = Releases.open(store)
    old = releases.named(before)
    new = releases.named(after) if after is not None else releases.head()
    with kept(old, new):
        if form in ("quads", "patch"):
            _copy(old, new, Written(form))
        else:
            _tell(old, new, store, as_json=form == "json")


def _copy(old: Release, new: Release, form: Written) -> None:
    """The quads to standard output, as they are found."""
    if form is Written.QUADS and sys.stdout.isatty():
        for line in written(_found(old, new), form, old.digest, new.digest):
            click.echo(_coloured(line.decode()), nl=False)
        return
    with progress() as report:
        # A bar below what is printed to the same terminal would be in its way.
        found = _found(old, new, _silent if sys.stdout.isatty() else report)
        sys.stdout.buffer.writelines(written(found, form, old.digest, new.digest))
        sys.stdout.buffer.flush()


def _tell(old: Release, new: Release, store: Path, *, as_json: bool) -> None:
    settings = Settings.read(workers=1)
    with EmbeddedStore(store, settings) as opened:
        with progress() as report:
            graphs = [touched(each) for each in _found(old, new, report)]
            found = changes(old, new, graphs, Asking(opened, settings), report=report)
        if as_json:
            click.echo(written_json(found), nl=False)
            return
        for line in told(found):
            click.echo(_coloured(line))


def _silent(what: str, done: int, of: int) -> None:
    """No progress."""


def _found(old: Release, new: Release, report: Report = _silent) -> Iterator[GraphDifference]:
    graphs = differing_graphs(old, new)
    found = differences(old.folder, new.folder, graphs)
    for number, each in enumerate(found, start=1):
        report("Graphs", number, len(graphs))
        yield each


def _coloured(line: str) -> str:
    colour = _COLOURS.get(line.lstrip(" ")[:2])
    return click.style(line, fg=colour) if colour else line
