"""Tags: names that people give to releases, one file each in `tags/`."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from kg.errors import BadArgument, Place, StoreDamaged
from kg.store.durable import sync, write_durably

HEAD: Final = "HEAD"
"""What stands for the release that is served, wherever a release is named."""
_FOLDER: Final = "tags"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")
"""No number and no name of a release, which begin with a digit."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A name of a release: who gave it when, and why. `release` is the full name."""

    name: str
    release: str
    time: str
    who: str
    message: str


def is_tag_name(text: str) -> bool:
    """Whether a tag can have this name."""
    return _NAME.fullmatch(text) is not None and text != HEAD


def all_tags(store: Path) -> list[Tag]:
    """Every tag by name; raises StoreDamaged for one that cannot be read."""
    files = sorted((store / _FOLDER).glob("[A-Za-z]*.json"))
    return [tag for file in files if (tag := _read(file))]


def tag_named(store: Path, name: str) -> Tag | None:
    """The tag of this name; raises StoreDamaged where it cannot be read."""
    return _read(_file(store, name)) if is_tag_name(name) else None


def write_tag(store: Path, tag: Tag, *, move: bool) -> None:
    """Write the tag, durably; with `move` in the place of one of its name. Raises BadArgument.

    Call it under the lock of the store only.
    """
    if not is_tag_name(tag.name):
        raise BadArgument(
            f"the name of the tag is {tag.name!r}",
            remedy="It takes up to 64 letters, digits and ._-, the first a letter; not HEAD.",
        )
    before = tag_named(store, tag.name)
    if before and before.release != tag.release and not move:
        raise BadArgument(
            f"the tag {tag.name} names release {before.release}, since {before.time}",
            remedy="Choose another name, or move it with --move.",
        )
    if not (store / _FOLDER).is_dir():
        (store / _FOLDER).mkdir()
        sync(store)
    content = json.dumps(asdict(tag), ensure_ascii=False, indent=1) + "\n"
    write_durably(_file(store, tag.name), [content.encode()])


def remove_tag(store: Path, name: str) -> Tag:
    """Take the tag away; raises BadArgument where there is none of this name.

    Call it under the lock of the store only.
    """
    tag = tag_named(store, name)
    if tag is None:
        there = ", ".join(each.name for each in all_tags(store)) or "none"
        raise BadArgument(f"there is no tag {name!r}", remedy=f"There are: {there}.")
    _file(store, name).unlink()
    sync(store / _FOLDER)
    return tag


def _file(store: Path, name: str) -> Path:
    return store / _FOLDER / f"{name}.json"


def _read(file: Path) -> Tag | None:
    try:
        read: dict[str, Any] = json.loads(file.read_bytes())
        return Tag(**{key: str(read[key]) for key in Tag.__dataclass_fields__})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(
            f"this tag cannot be read: {error}",
            remedy="Restore this file from a copy, or remove it and tag the release anew.",
            place=Place(file),
        ) from error
