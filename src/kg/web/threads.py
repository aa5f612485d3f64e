"""Threads that answer requests for the loop: as few hand-overs and wake-ups as there can be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

_Result = TypeVar("_Result")
_Work = tuple[Callable[[], _Result], "asyncio.Future[_Result]"]


class Threads(Generic[_Result]):
    """At most `size` calls at a time, each in a thread; `run` belongs to the thread of the loop.

    An executor's futures, with a lock and a condition each, took longer than the rest of a
    hand-over. The threads end with the process.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._started = 0
        self._busy = 0
        self._work: SimpleQueue[_Work[_Result]] = SimpleQueue()

    @property
    def all_busy(self) -> bool:
        """Whether a further call would wait."""
        return self._busy >= self._size

    def run(
        self, loop: asyncio.AbstractEventLoop, call: Callable[[], _Result]
    ) -> asyncio.Future[_Result]:
        """What the call returns or raises."""
        future: asyncio.Future[_Result] = loop.create_future()
        self._busy += 1
        if self._busy > self._started and self._started < self._size:
            self._started += 1
            threading.Thread(
                target=self._serve, args=(loop,), name=f"request-{self._started}", daemon=True
            ).start()
        self._work.put((call, future))
        return future

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            call, future = self._work.get()
            try:
                result = call()
            except Exception as error:
                loop.call_soon_threadsafe(self._fail, future, error)
            else:
                loop.call_soon_threadsafe(self._finish, future, result)
                del result  # an idle thread keeps no answer
            del call, future

    def _finish(self, future: asyncio.Future[_Result], result: _Result) -> None:
        self._busy -= 1
        if not future.done():
            future.set_result(result)

    def _fail(self, future: asyncio.Future[_Result], error: Exception) -> None:
        self._busy -= 1
        if not future.done():
            future.set_exception(error)
