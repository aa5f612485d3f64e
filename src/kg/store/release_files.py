"""The files that a release carries beside its graphs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_OTHERS: Final = ("manifest.json", "statistics.json", "search.sqlite", "public", "restricted")


def carried_files(release: Path) -> dict[str, bytes]:
    """The files in the folder of a release by path; one that was lost is not among them."""
    return {file.relative_to(release).as_posix(): file.read_bytes() for file in _files(release)}


def place_files(folder: Path, files: Mapping[str, bytes], before: Path | None) -> None:
    """Put the files into the folder of a release: links to those of the one before, where equal."""
    held = carried_files(before) if before else {}
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if before and held.get(name) == content:
            link(before / name, file)
        else:
            file.write_bytes(content)


def link(file: Path, to: Path) -> None:
    """A second name of a file that never changes; a copy where there can be none."""
    try:
        os.link(file, to)
    except OSError:  # another file system, another owner, or too many links
        to.write_bytes(file.read_bytes())


def _files(release: Path) -> Iterator[Path]:
    for entry in sorted(release.iterdir()):
        if entry.name not in _OTHERS:
            inner = sorted(entry.rglob("*")) if entry.is_dir() else [entry]
            yield from (file for file in inner if file.is_file())
