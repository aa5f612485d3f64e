"""Where a worker writes an answer: memory, then an unlinked file, up to a limit."""

from __future__ import annotations

import tempfile
from typing import Any


class OutputFull(Exception):
    """The answer has more bytes than it may have."""


class Output(tempfile.SpooledTemporaryFile[bytes]):
    """A file object that keeps `memory` bytes in memory and raises OutputFull past `limit`."""

    def __init__(self, *, limit: int | None, memory: int) -> None:
        super().__init__(max_size=memory)
        self._limit = limit
        self._memory = memory
        self._size = 0

    @property
    def is_small(self) -> bool:
        """Whether all of it is still in memory."""
        return self._size <= self._memory

    def write(self, data: Any) -> int:
        """Take these bytes; raises OutputFull."""
        self._size += len(data)
        if self._limit is not None and self._size > self._limit:
            raise OutputFull
        return super().write(data)

    def content(self) -> bytes:
        """All bytes."""
        self.seek(0)
        return self.read()

    def rewound(self) -> int:
        """The descriptor of a file that holds all bytes, at its beginning."""
        self.flush()
        self.seek(0)
        return self.fileno()
