"""`kg build`: a release of the project."""

from __future__ import annotations

import datetime
import logging
from dataclasses import replace
from pathlib import Path

import click

from kg.cli.options import message_option, project_option, store_option, text_option, user
from kg.cli.show import progress
from kg.errors import KgError
from kg.project import Project
from kg.publishing.publish import publish
from kg.publishing.texts import Text
from kg.settings import Settings
from kg.store.dumps import DUMP_FORMATS
from kg.store.embedded import EmbeddedStore
from kg.store.retention import Policy


@click.command()
@project_option
@store_option
@text_option
@message_option("What the release log says of this release.")
@click.option(
    "--dumps/--no-dumps",
    default=True,
    show_default=True,
    help="Write the release as N-Quads and TriG, too, with digests. Else the first who asks for"
    " one waits for it.",
)
def build(
    project: Project, store: Path, texts: tuple[Path, ...], message: str, *, dumps: bool
) -> None:
    """Make a release of the project in the store.

    Reads every article and the reference data, derives what the rules say, checks it against
    the shapes, and commits. Where anything is wrong, nothing is written and the release before
    stays. Where nothing differs from it, no release is made. Old releases go as the settings
    keep_releases and keep_days say. With --text the digests of that article are checked; the
    release is the same to the byte with and without.
    """
    settings = Settings.read()
    with progress() as report:
        release = publish(
            project,
            store,
            who=user(),
            message=message,
            now=datetime.datetime.now(datetime.UTC),
            texts=[Text.read(file) for file in texts],
            progress=report,
            settings=settings,
            policy=Policy(settings.keep_releases, settings.keep_days),
            log=_say,
        )
    if dumps:
        _make_dumps(store, settings)
    if release is None:
        click.echo(f"{store}: nothing differs from the release that is there")
        return
    click.echo(
        f"release {release.name}: {release.quads} quads in {len(release.graphs)} graphs,"
        f" digest {release.digest}"
    )


def _make_dumps(store: Path, settings: Settings) -> None:
    """The dumps of HEAD, where they are missing; the release is there with and without them."""
    try:
        with progress() as report, EmbeddedStore(store, replace(settings, plain=False)) as opened:
            release = opened.release()
            for number, format in enumerate(DUMP_FORMATS, start=1):
                opened.dump(release, format)
                report("dumps written", number, len(DUMP_FORMATS))
    except KgError as error:
        click.echo(f"the release is made, and its dumps are not: {error}", err=True)


def _say(level: int, event: str) -> None:
    """What retention did, on standard error."""
    if level >= logging.INFO:
        click.echo(event, err=True)
