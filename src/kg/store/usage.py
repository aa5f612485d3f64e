"""What a store takes of its disk, counted as the disk has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes on disk, where a file with several names counts once, and the number of releases."""

    bytes: int
    releases: int


def usage(folder: Path) -> Usage:
    """What is in the store folder now; files that come and go meanwhile may be missing."""
    blocks = {(status.st_dev, status.st_ino): status.st_blocks for status in _files(folder)}
    return Usage(bytes=sum(blocks.values()) * 512, releases=_releases(folder / "releases"))


def _releases(folder: Path) -> int:
    try:
        return sum(name[:1].isdigit() for name in os.listdir(folder))
    except OSError:
        return 0


def _files(folder: Path | str) -> Iterator[os.stat_result]:
    try:
        entries = list(os.scandir(folder))
    except OSError:  # a release that was taken away meanwhile
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            else:
                yield entry.stat(follow_symlinks=False)
        except OSError:
            continue
