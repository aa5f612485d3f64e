"""What an answer is made of: bytes in memory where they are few, else an open file.

The front sends a file by its descriptor, so that a client that reads slowly holds a descriptor and
no memory. Several answers may share one.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kg.store.base import Spool

IN_MEMORY: Final = 64 * 1024
"""Bytes that are sent from memory, where each client that does not read them keeps a copy."""
_PIECE: Final = 64 * 1024


class OpenFile:
    """`size` bytes of an open file from `start` on; closed when nobody refers to it any more."""

    __slots__ = ("__weakref__", "descriptor", "size", "start")

    def __init__(self, descriptor: int, size: int, start: int = 0) -> None:
        self.descriptor = descriptor
        self.size = size
        self.start = start
        weakref.finalize(self, os.close, descriptor).atexit = False

    @classmethod
    def of(cls, content: bytes) -> OpenFile:
        """A file in memory that holds these bytes."""
        file = cls(os.memfd_create("answer"), len(content))
        left = memoryview(content)
        while left:
            left = left[os.write(file.descriptor, left) :]
        return file

    @property
    def path(self) -> str:
        """Where this process finds it while it is open, although it has no name on disk."""
        return f"/proc/self/fd/{self.descriptor}"

    def pieces(self) -> Iterator[bytes]:
        """The bytes in pieces, wherever others have read to."""
        place, end = self.start, self.start + self.size
        while place < end and (piece := os.pread(self.descriptor, min(_PIECE, end - place), place)):
            place += len(piece)
            yield piece


@dataclass(frozen=True, slots=True)
class NamedFile:
    """`size` bytes from `start` on of a file that has a name on disk and never changes."""

    path: str
    size: int
    start: int = 0

    def pieces(self) -> Iterator[bytes]:
        """The bytes in pieces."""
        with open(self.path, "rb") as file:
            yield from OpenFile(os.dup(file.fileno()), self.size, self.start).pieces()


Content = bytes | OpenFile | NamedFile


def content_of(spool: Spool) -> Content:
    """All bytes of a spool, which is closed then."""
    with spool:
        descriptor = spool.descriptor()
        if descriptor is not None:
            return OpenFile(os.dup(descriptor), spool.size)
        return kept(spool.read())


def kept(content: bytes) -> Content:
    """The bytes as they are sent best."""
    return OpenFile.of(content) if len(content) > IN_MEMORY else content


def size(content: Content) -> int:
    """How many bytes it has."""
    return len(content) if isinstance(content, bytes) else content.size


class Body:
    """A content as the iterable of a WSGI response; the front takes the content itself."""

    def __init__(self, content: Content) -> None:
        self.content = content

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self.content, bytes):
            yield self.content
        else:
            yield from self.content.pieces()
