"""Doing something again whenever a file of a project changes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click

from kg.cli.show import show_error
from kg.errors import KgError
from kg.project import Project

_LOOK_SECONDS: Final = 0.25
_CLEAR: Final = "\x1b[2J\x1b[3J\x1b[H"

State = dict[str, tuple[int, int]]
"""Time of change in nanoseconds, and size, of each file."""


def watched(project: Project, check: Callable[[], int], looks: Iterator[None] | None = None) -> int:
    """The exit code of the last time, when the person ends it with Ctrl-C.

    `looks` gives a moment to look at each time; by default they are a quarter of a second apart.
    """
    code = 0
    seen: State = {}
    try:
        for _ in looks or _moments():
            now = _settled(project)
            if now is None or now == seen:
                continue
            seen = now
            code = _afresh(project, check)
    except KeyboardInterrupt:
        click.echo(err=True)
    return code


def _moments() -> Iterator[None]:
    while True:
        yield
        time.sleep(_LOOK_SECONDS)


def _afresh(project: Project, check: Callable[[], int]) -> int:
    if sys.stderr.isatty():
        click.echo(_CLEAR, err=True, nl=False)
    try:
        code = check()
    except KgError as error:
        show_error(error)
        code = error.exit_code
    click.echo(f"watching {project.folder}; Ctrl-C ends it", err=True)
    return code


def _settled(project: Project) -> State | None:
    """The files as they are; None while an editor writes some of them."""
    before = _state(project)
    time.sleep(_LOOK_SECONDS / 2)
    return before if before == _state(project) else None


def _state(project: Project) -> State:
    found: State = {}
    for part in ("ontology", "data"):
        for file in (project.folder / part).rglob("*"):
            try:
                status = file.stat()
            except OSError:  # it went away meanwhile, or is a link to nothing
                continue
            if file.is_file() and not _is_hidden(file):
                found[str(file)] = status.st_mtime_ns, status.st_size
    return found


def _is_hidden(file: Path) -> bool:
    """Editors keep their copies in such files."""
    return file.name.startswith(".") or file.name.endswith(("~", ".swp"))
