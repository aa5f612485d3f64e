"""`kg backup`: a store as one file."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from kg.cli.ending import tidily
from kg.cli.options import store_option
from kg.cli.show import progress
from kg.store.backups import Which, back_up


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@store_option
@click.option(
    "--releases",
    "which",
    type=click.Choice([each.value for each in Which]),
    default=Which.ALL.value,
    show_default=True,
    help="Every release, or the one that HEAD names alone.",
)
@click.option("--force", is_flag=True, help="Replace FILE where it is there already.")
def backup(file: Path, store: Path, which: str, force: bool) -> None:
    """Write a backup of the store to FILE.

    The store may be served and written meanwhile. FILE holds releases, tags, citations, history
    and the digests of tokens; it is read back before it gets its name, and only its owner may read
    it. Dumps are not in it: they are made anew.
    """
    with tidily(), progress(of_bytes=("read", "written", "verified")) as report:
        made = back_up(
            store,
            file,
            which=Which(which),
            now=datetime.datetime.now(datetime.UTC),
            progress=report,
            replace=force,
        )
    click.echo(
        f"{file}: {len(made.releases)} releases, HEAD {made.head},"
        f" {made.size} bytes in {file.stat().st_size}; verified, digest {made.digest}"
    )
