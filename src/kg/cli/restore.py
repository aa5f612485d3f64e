"""`kg restore`: a store out of a backup."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.ending import tidily
from kg.cli.options import store_option
from kg.cli.show import progress
from kg.store.restoring import restore as restore_store


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@store_option
def restore(file: Path, store: Path) -> None:
    """Make a new store from the backup FILE.

    The folder of --store must be new or empty. Every file is compared with the list in the backup,
    and every graph of HEAD with its digest, before the store is there.
    """
    with tidily(), progress(of_bytes=("unpacked",)) as report:
        made = restore_store(file, store, progress=report)
    click.echo(
        f"{store}: {len(made.releases)} releases, HEAD {made.head}, as they were at {made.made};"
        f" digest of the backup {made.digest}"
    )
