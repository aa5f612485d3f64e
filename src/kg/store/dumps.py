"""The dumps of releases as files, each with its digest in a file beside it.

That file is what `sha256sum --check` takes, and is written after the dump: where it is missing,
the dump is, too, or was not read again yet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.errors import StoreError
from kg.media import N_QUADS, TRIG, Format
from kg.store.durable import write_durably

DUMP_FORMATS: Final = (N_QUADS, TRIG)
_DIGEST: Final = re.compile(r"([0-9a-f]{64})  \S+\n")


@dataclass(frozen=True, slots=True)
class DumpFile:
    """A dump that was made: where it lies, its bytes, and their SHA-256 in hex."""

    file: Path
    size: int
    sha256: str


def dump_path(store: Path, release: str, format: Format) -> Path:
    """Where the dump of a release lies, if it was made."""
    return store / "dumps" / f"{release}.{format.suffix}.gz"


def made_dump(file: Path) -> DumpFile | None:
    """What is known of the dump there; None where it was not made, or not digested."""
    with suppress(FileNotFoundError):
        size = file.stat().st_size
        found = _DIGEST.fullmatch(_digest_file(file).read_text("utf-8", errors="replace"))
        return DumpFile(file, size, found[1]) if found else None
    return None


def write_dump(file: Path, content: Iterable[bytes]) -> None:
    """Put the content there as a dump, whole or not at all; raises StoreError."""
    try:
        file.parent.mkdir(exist_ok=True)
        _digest_file(file).unlink(missing_ok=True)  # it may be one of other bytes
        write_durably(file, content)
    except OSError as error:
        raise _unwritten(file, error) from error


def digested(file: Path) -> DumpFile:
    """The dump that lies there; it is read where it has no digest yet. Raises StoreError."""
    known = made_dump(file)
    if known:
        return known
    try:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        write_durably(_digest_file(file), [f"{digest}  {file.name}\n".encode()])
        return DumpFile(file, file.stat().st_size, digest)
    except OSError as error:
        raise _unwritten(file, error) from error


def _digest_file(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def _unwritten(file: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{file} cannot be written: {error.strerror}",
        remedy="Check the space and the permissions of the store folder.",
    )
