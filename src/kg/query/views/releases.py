"""The log of releases as a page shows it: those that are there, and those that went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.errors import ReleaseMissing
from kg.media import Format
from kg.query.telling import day
from kg.store.base import Release
from kg.store.dumps import DUMP_FORMATS, dump_path
from kg.store.moves import Move
from kg.store.releases import Releases
from kg.store.removals import Removal

A_PAGE: Final = 20
"""Releases on one page of the log."""
_MOST_MOVES: Final = 20


@dataclass(frozen=True, slots=True)
class Written:
    """A dump of a release: its format, and its bytes where it was made already."""

    format: Format
    size: int | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A release that is there; `parent` is empty where that is not."""

    release: Release
    is_head: bool
    tags: tuple[str, ...]
    parent: str
    dumps: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """A part of the history, the newest first; `more`: there are older ones."""

    entries: tuple[Kept | Removal, ...]
    page: int
    pages: int
    kept: int
    gone: int
    moves: tuple[Move, ...]
    """The last times that HEAD was moved to a release that was there."""

    @property
    def more(self) -> bool:
        """Whether there are older ones."""
        return self.page < self.pages


def log(releases: Releases, page: int) -> Log:
    """That part of the history; raises StoreDamaged."""
    there, removed = releases.names(), {each.name: each for each in releases.removed()}
    names = sorted({*there, *removed}, key=_number, reverse=True)
    shown = names[(page - 1) * A_PAGE : page * A_PAGE]
    return Log(
        entries=tuple(_entries(shown, removed, releases, frozenset(there))),
        page=page,
        pages=max(-(-len(names) // A_PAGE), 1),
        kept=len(there),
        gone=len(removed),
        moves=tuple(reversed(releases.moves()[-_MOST_MOVES:])),
    )


def choices(releases: Releases, most: int) -> list[tuple[str, str]]:
    """The tags, and the newest releases, to choose from: what is asked for, and what is read."""
    tags = [(tag.name, f"{tag.name} (tag of {tag.release})") for tag in releases.tags()]
    newest = reversed(releases.all(most))
    head = releases.head().name
    return [
        *((each.name, _named(each, is_head=each.name == head)) for each in newest),
        *tags[:most],
    ]


def _named(release: Release, *, is_head: bool) -> str:
    return f"{release.name}, {day(release.time)}{' (newest)' if is_head else ''}"


def _entries(
    names: list[str],
    removed: Mapping[str, Removal],
    releases: Releases,
    there: frozenset[str],
) -> list[Kept | Removal]:
    head, tags = releases.head().name, defaultdict(list)
    for tag in releases.tags():
        tags[tag.release].append(tag.name)
    found: list[Kept | Removal] = []
    for name in names:
        if name in removed:
            found.append(removed[name])
            continue
        with suppress(ReleaseMissing):  # removed at this moment
            release = releases.named(name)
            parent = release.parent if release.parent in there else None
            dumps = _dumps(releases.folder, name)
            found.append(Kept(release, name == head, tuple(tags[name]), parent or "", dumps))
    return found


def _dumps(store: Path, release: str) -> tuple[Written, ...]:
    return tuple(
        Written(format, _size(dump_path(store, release, format))) for format in DUMP_FORMATS
    )


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return None


def _number(name: str) -> int:
    return int(name.partition("-")[0])
