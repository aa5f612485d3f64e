"""`kg publish`: many articles and dumps as one release."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from kg.cli.ending import tidily
from kg.cli.options import message_option, store_option, user
from kg.cli.show import progress
from kg.publishing.bulk.landing import Landed
from kg.publishing.bulk.publish import Request, publish_in_bulk
from kg.settings import Settings


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@store_option
@click.option("--graph", metavar="IRI", help="The graph of the one file of Turtle or N-Triples.")
@click.option(
    "--replace", is_flag=True, help="What was published before and is not given now goes away."
)
@click.option("--strict", is_flag=True, help="Write nothing where anything is wrong.")
@click.option(
    "--no-gate",
    is_flag=True,
    help="Derive and check nothing but syntax; the release and its graphs say so.",
)
@click.option(
    "--processes",
    type=click.IntRange(1),
    help="Processes that derive and check.  [default: the processors]",
)
@click.option(
    "--quarantine",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where what is wrong is put, with its reports; by default a new folder in the store.",
)
@message_option("What the release log says of this release.")
@click.pass_context
def publish(
    ctx: click.Context,
    paths: tuple[Path, ...],
    store: Path,
    graph: str | None,
    replace: bool,
    strict: bool,
    no_gate: bool,
    processes: int | None,
    quarantine: Path | None,
    message: str,
) -> None:
    """Publish articles and dumps into a store that kg build made, as one release.

    PATHS are files, or folders with them at any depth: articles' sources (.yaml), and RDF
    (.ttl, .nt, .nq, .trig; also with .gz). Each article, and each named graph, is derived and
    checked by itself with the shapes of the store. What is wrong is set aside, with its report,
    and the others land; then the exit code is 4. What was published before under the same names
    is replaced. A build leaves it alone, and nobody writes it over HTTP.

    After a kill, run the same command again: it goes on where it was.
    """
    request = Request(
        paths=paths,
        who=user(),
        message=message,
        graph=graph,
        gate=not no_gate,
        strict=strict,
        replace=replace,
        quarantine=quarantine,
        processes=processes or len(os.sched_getaffinity(0)),
    )
    with tidily(), progress(of_bytes=("files read", "units looked at"), left=True) as report:
        landed = publish_in_bulk(
            request,
            store,
            Settings.read(),
            now=lambda: datetime.now(UTC),
            progress=report,
            say=click.echo,
        )
    _show(landed, store, gate=not no_gate)
    if landed.aside:
        ctx.exit(4)


def _show(landed: Landed, store: Path, *, gate: bool) -> None:
    for note in landed.notes:
        click.echo(note)
    if landed.aside:
        click.echo(f"set aside: {landed.aside}; {landed.quarantine} has them, and says why")
    unchecked = "" if gate else ", unchecked: the gate was off"
    click.echo(f"published: {landed.units}, with {landed.quads} quads{unchecked}")
    release = landed.release
    if release is None:
        click.echo(f"{store}: nothing differs from the release that is there")
        return
    click.echo(
        f"release {release.name}: {release.quads} quads in {len(release.graphs)} graphs,"
        f" digest {release.digest}"
    )
