"""`kg build`: a release of the project."""

from __future__ import annotations

import datetime
import getpass
import os
from pathlib import Path

import click

from kg.cli.options import project_option, store_option, text_option
from kg.cli.show import progress
from kg.project import Project
from kg.publishing.publish import publish
from kg.publishing.texts import Text


@click.command()
@project_option
@store_option
@text_option
@click.option("--message", default="", help="What the release log says of this release.")
def build(project: Project, store: Path, texts: tuple[Path, ...], message: str) -> None:
    """Make a release of the project in the store.

    Reads every article and the reference data, derives what the rules say, checks it against
    the shapes, and commits. Where anything is wrong, nothing is written and the release before
    stays. Where nothing differs from it, no release is made. With --text the digests of that
    article are checked; the release is the same to the byte with and without.
    """
    with progress() as report:
        release = publish(
            project,
            store,
            who=_user(),
            message=message,
            now=datetime.datetime.now(datetime.UTC),
            texts=[Text.read(file) for file in texts],
            progress=report,
        )
    if release is None:
        click.echo(f"{store}: nothing differs from the release that is there")
        return
    click.echo(
        f"release {release.name}: {release.quads} quads in {len(release.graphs)} graphs,"
        f" digest {release.digest}"
    )


def _user() -> str:
    """Who makes the release; a user of a container may have a number and no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the latter from Python 3.13 on
        return f"uid {os.getuid()}"
