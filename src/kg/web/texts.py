"""The texts of articles that the operator supplied: files that are known by their SHA-256.

A text is read from its file each time that it is shown, and kept nowhere.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kg.publishing.texts import Text

_LARGEST: Final = 16 * 1024 * 1024
"""Bytes of a file that is looked at; no article is as long."""
_FILES: Final = 10_000

_State = tuple[int, int, int]


@dataclass(slots=True)
class Texts:
    """The files below a folder, or none; for any thread. What is kept of one is its digest."""

    folder: Path | None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _digests: dict[Path, tuple[_State, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, setting: str) -> Texts:
        """Those of the setting `texts`; empty for none."""
        return cls(Path(setting) if setting else None)

    def find(self, digest: str) -> Text | None:
        """The text with this digest, where the operator supplied it.

        Raises UnsuitableText and MissingFile for a file that has it and cannot be read as one.
        """
        if self.folder is None or not digest:
            return None
        with self._lock:
            self._look(self.folder)
            file = next((file for file, known in self._digests.items() if known[1] == digest), None)
        if file is None:
            return None
        text = Text.read(file)
        return text if text.digest == digest else None  # it was written to meanwhile

    def _look(self, folder: Path) -> None:
        """Take the digest of each file that is new or was written to."""
        seen = dict[Path, tuple[_State, str]]()
        for file, state in _files(folder):
            known = self._digests.get(file)
            with suppress(OSError):
                seen[file] = known if known and known[0] == state else (state, _digest(file))
        self._digests = seen


def _files(folder: Path) -> Iterator[tuple[Path, _State]]:
    found = 0
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(path, name)
            with suppress(OSError):
                status = file.stat()
                if status.st_size <= _LARGEST and file.is_file():
                    found += 1
                    yield file, (status.st_mtime_ns, status.st_ino, status.st_size)
            if found >= _FILES:
                return


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
