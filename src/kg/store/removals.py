"""What was taken away: a line of `removed.jsonl` for each release that retention removed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from kg.errors import ReleaseMissing, ReleaseRemoved
from kg.store.durable import append_durably

_FILE: Final = "removed.jsonl"
_ASKED: Final = re.compile(r"[0-9]+(-[0-9a-f]{12})?")
_NUMBER: Final = re.compile(rb'^\{"name": "(\d+)-', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Removal:
    """A release that is no longer there: its name, digest and time, when it went, and why."""

    name: str
    digest: str
    time: str
    removed: str
    why: str


def removals(store: Path) -> list[Removal]:
    """Every release that was removed, in the order in which they went.

    The line is written before the folder goes, so that a crash loses none; one whose folder is
    there all the same is left out.
    """
    told = {removal.name: removal for removal in _read(_content(store).splitlines())}
    return [each for each in told.values() if not (store / "releases" / each.name).is_dir()]


def record_removals(store: Path, going: Iterable[Removal]) -> None:
    """Write down what is about to be removed. Call it under the lock of the store only."""
    lines = (json.dumps(asdict(removal), ensure_ascii=False) + "\n" for removal in going)
    append_durably(store / _FILE, "".join(lines).encode())


def newest_removed(store: Path) -> int:
    """The highest number that a removed release had, or 0."""
    numbers = _NUMBER.findall(_content(store))
    return max(map(int, numbers), default=0)


def missing(store: Path, text: str, by: str, there: Sequence[str]) -> ReleaseMissing:
    """Why there is no release of this name or number: it was removed, or never was."""
    removal = _removal(store, text) if _ASKED.fullmatch(text) else None
    if removal:
        return ReleaseRemoved(removal.name, removal.digest, removal.removed)
    return ReleaseMissing(text, by, there)


def missing_at(folder: Path) -> ReleaseMissing:
    """Why the folder of a release that was there is gone."""
    return missing(folder.parent.parent, folder.name, "a query", ())


def _removal(store: Path, text: str) -> Removal | None:
    """The last record of this name or number; only that line is parsed."""
    line = re.compile(rb'^\{"name": "' + text.encode() + rb'["-].*', re.MULTILINE)
    return next(_read(reversed(line.findall(_content(store)))), None)


def _read(lines: Iterable[bytes]) -> Iterator[Removal]:
    for line in lines:
        try:
            read = json.loads(line)
            yield Removal(**{key: str(read[key]) for key in Removal.__dataclass_fields__})
        except (ValueError, KeyError, TypeError):
            continue  # a crash cut it, before the folder was touched


def _content(store: Path) -> bytes:
    try:
        return (store / _FILE).read_bytes()
    except FileNotFoundError:
        return b""
