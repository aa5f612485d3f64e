"""Where a worker writes an answer: memory, then an unlinked file, up to a limit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any, Final
from xml.parsers import expat

from kg.store.base import Coding

_CHUNK: Final = 64 * 1024


class OutputFull(Exception):
    """The answer has more bytes than it may have."""


class NotXml(Exception):
    """What was written is no XML, or would be read as other than it is."""


class Output(tempfile.SpooledTemporaryFile[bytes]):
    """A file object that keeps `memory` bytes in memory and raises OutputFull past `limit`.

    `coding` is how its bytes are packed, `cut` whether rows were left out of it.
    """

    def __init__(self, *, limit: int | None, memory: int) -> None:
        super().__init__(max_size=memory or 1)  # zero would keep all of it in memory
        self.coding = Coding.IDENTITY
        self.cut = False
        self.size = 0
        self._limit = limit
        self._memory = memory

    @property
    def is_small(self) -> bool:
        """Whether all of it is still in memory."""
        return self.size <= self._memory

    def write(self, data: Any) -> int:
        """Take these bytes; raises OutputFull."""
        self.size += len(data)
        if self._limit is not None and self.size > self._limit:
            raise OutputFull
        return super().write(data)

    def content(self) -> bytes:
        """All bytes."""
        self.seek(0)
        return self.read()

    def chunks(self) -> Iterator[bytes]:
        """All bytes in pieces; what is written after the last piece follows it."""
        self.seek(0)
        while chunk := self.read(_CHUNK):
            yield chunk

    def rewound(self) -> int:
        """The descriptor of a file that holds all bytes, at its beginning."""
        self.flush()
        self.seek(0)
        return self.fileno()


class XmlOutput(Output):
    """An Output that raises NotXml where the engine writes what XML cannot hold."""

    def __init__(self, *, limit: int, memory: int) -> None:
        super().__init__(limit=limit, memory=memory)
        self._parser = expat.ParserCreate(namespace_separator=" ")

    def write(self, data: Any) -> int:
        """Take these bytes; raises OutputFull and NotXml."""
        content = bytes(data)
        # A reader takes a carriage return for a line feed (XML 1.0, section 2.11).
        if b"\r" in content:
            raise NotXml
        try:
            self._parser.Parse(content, False)
        except expat.ExpatError as error:
            raise NotXml from error
        return super().write(content)
