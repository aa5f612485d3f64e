"""Files that were handed to the server by path: kept open until it has opened them itself.

The server opens `/proc/self/fd/N` at some later moment; were N closed before, it would find
nothing there, or another file. The kernel tells of an opening (inotify(7)). Where it does not, as
where its watches are used up, a file is kept for some seconds.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from kg.web.bodies import OpenFile

_SECONDS: Final = 30.0
_IN_OPEN: Final = 0x20
_IN_ONESHOT: Final = 0x80000000
_EVENT: Final = struct.Struct("iIII")
_BUFFER: Final = 64 * 1024

_Wait = tuple[OpenFile, asyncio.TimerHandle]


class Opening:
    """The files that wait to be opened. All methods run in the thread of the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[int, deque[_Wait]] = {}
        self._library = ctypes.CDLL(None)
        self._inotify: int = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._inotify >= 0:
            loop.add_reader(self._inotify, self._read)

    def keep(self, file: OpenFile) -> None:
        """Hold the file until somebody opens it, or some seconds have passed."""
        path = file.path.encode()
        watch = self._library.inotify_add_watch(self._inotify, path, _IN_OPEN | _IN_ONESHOT)
        timer = self._loop.call_later(_SECONDS, self._release, watch)
        self._waiting.setdefault(watch, deque()).append((file, timer))

    def _read(self) -> None:
        with suppress(BlockingIOError):
            for watch, mask in _events(os.read(self._inotify, _BUFFER)):
                if mask & _IN_OPEN:
                    self._release(watch)

    def _release(self, watch: int) -> None:
        """Let go of the file that has waited longest of those with this watch."""
        waiting = self._waiting.get(watch)
        if waiting:
            waiting.popleft()[1].cancel()
            if not waiting:
                del self._waiting[watch]


def _events(data: bytes) -> Iterator[tuple[int, int]]:
    """The watch and the mask of each event; a watch of a file gives no name after them."""
    place = 0
    while place < len(data):
        watch, mask, _, length = _EVENT.unpack_from(data, place)
        yield watch, mask
        place += _EVENT.size + length
