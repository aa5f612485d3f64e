"""Showing errors and progress to a person at a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from kg.errors import KgError, Place
from kg.publishing.sources import BadSources
from kg.publishing.staging import Progress as Report


def show_error(error: KgError) -> None:
    """The error on standard error: place, message, the line of the source, and what to do."""
    if isinstance(error, BadSources):
        for each in error.errors:
            show_error(each)
        return
    where = f"{_where(error.place)}: " if error.place else ""
    click.echo(where + click.style("error: ", fg="red", bold=True) + error.message, err=True)
    _show_line(error.place)
    if error.remedy:
        click.echo(click.style("  help: ", fg="cyan") + error.remedy, err=True)


def _where(place: Place) -> str:
    """The place with its file as seen from the working folder."""
    try:
        file, here = place.file.resolve(), Path.cwd()
    except FileNotFoundError:  # the working folder was deleted
        return str(place)
    shown = file.relative_to(here) if file.is_relative_to(here) else place.file
    return str(Place(shown, place.line, place.column))


def _show_line(place: Place | None) -> None:
    """The line of the file, and a caret below the column."""
    line = _line(place)
    if place is None or line is None:
        return
    click.echo(f"{place.line:>5} | {line}", err=True)
    if place.column:
        width = len(place.key or "^")
        caret = click.style("^" * width, fg="green", bold=True)
        click.echo(" " * 5 + " | " + " " * (place.column - 1) + caret, err=True)


def _line(place: Place | None) -> str | None:
    if place is None or place.line is None:
        return None
    try:
        return place.file.read_text(encoding="utf-8", errors="replace").splitlines()[place.line - 1]
    except (OSError, IndexError):
        return None


class _Amount(ProgressColumn):
    """How much is done of how much; of bytes how fast, too."""

    def __init__(self, of_bytes: Collection[str]) -> None:
        super().__init__()
        self._of_bytes = of_bytes
        self._count, self._bytes, self._rate = (
            MofNCompleteColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
        )

    def render(self, task: Task) -> Text:
        if task.description not in self._of_bytes:
            return self._count.render(task)
        return Text(" ").join((self._bytes.render(task), self._rate.render(task)))


class _Left(ProgressColumn):
    """How many a second, and the time that is left at that rate."""

    def __init__(self, of_bytes: Collection[str]) -> None:
        super().__init__()
        self._of_bytes = of_bytes
        self._time = TimeRemainingColumn(compact=True)

    def render(self, task: Task) -> Text:
        counted = task.speed is not None and task.description not in self._of_bytes
        rate = Text(f"{task.speed:,.0f}/s ") if counted else Text()
        return rate + Text("left ") + self._time.render(task)


@contextmanager
def progress(*, of_bytes: Collection[str] = (), left: bool = False) -> Iterator[Report]:
    """A bar on standard error for each thing that is counted; nothing where it is no terminal.

    What is named in `of_bytes` is counted in bytes. The time that is `left` is shown on demand.
    """
    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn()]
    columns += [_Amount(of_bytes), *([_Left(of_bytes)] if left else [])]
    console = Console(stderr=True)
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of)
            bars.update(tasks[what], completed=done)

        yield report
