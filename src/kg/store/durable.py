"""Files that are whole after a crash of the machine, or not there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

_TAIL: Final = 1024 * 1024
"""No line is longer."""


def write_durably(file: Path, content: Iterable[bytes], *, mode: int = 0o666) -> None:
    """Replace `file` so that a crash leaves either the old content or the new.

    It is made with `mode`, less what the umask takes. A crash may also leave a hidden file beside
    it, which ends in `.new`.
    """
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    try:
        write_synced(temporary, content, mode=mode)
        move_synced(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def write_synced(file: Path, content: Iterable[bytes], *, mode: int = 0o666) -> None:
    """Write a file whose content and name are then on disk."""
    with open(file, "wb", opener=partial(os.open, mode=mode)) as target:
        target.writelines(content)
        target.flush()
        os.fsync(target.fileno())
    sync(file.parent)


def append_durably(file: Path, lines: bytes) -> None:
    """Put whole lines at the end of `file`, which nobody else writes to meanwhile.

    A crash leaves the file without them, or with a beginning of them whose last line is cut; that
    piece is taken off by the next call.
    """
    is_new = not file.exists()
    with open(file, "a+b") as target:
        size = target.seek(0, os.SEEK_END)
        target.seek(max(size - _TAIL, 0))
        cut = len(target.read().rpartition(b"\n")[2])
        target.truncate(size - cut)
        target.write(lines)
        target.flush()
        os.fsync(target.fileno())
    if is_new:
        sync(file.parent)


def move_synced(path: Path, to: Path) -> None:
    """Rename within a folder or beside it; the new name is then on disk."""
    path.replace(to)
    sync(to.parent)


def sync_tree(folder: Path) -> None:
    """Have all that is in the folder on disk.

    A file with a second name elsewhere is passed over: its content is on disk already.
    """
    for path in (*folder.rglob("*"), folder):
        if path.is_dir() or path.stat().st_nlink == 1:
            sync(path)


def sync(path: Path) -> None:
    """Have one file, or the names in one folder, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
