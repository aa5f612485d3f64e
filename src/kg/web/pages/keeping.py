"""What pages keep of the releases that were looked at last: a release never changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from kg.errors import QueueFull

_MOST: Final = 4

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The values of the keys that were asked for last; for any thread.

    Each is made once, however many ask for it at one moment: the others wait for it, but no
    longer than so many seconds.
    """

    def __init__(self, seconds: float, most: int = _MOST) -> None:
        self._seconds = seconds
        self._most = most
        self._lock = threading.Lock()
        self._cells: OrderedDict[Hashable, _Cell[Value]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value that was made for this key, or is made now; raises what `make` does.

        Raises QueueFull where others were making it for all that time.
        """
        with self._lock:
            cell = self._cells.setdefault(key, _Cell())
            self._cells.move_to_end(key)
            while len(self._cells) > self._most:
                self._cells.popitem(last=False)
        return cell.get(make, self._seconds)


class _Cell(Generic[Value]):
    """One value; where making it failed, the next who asks makes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[Value, ...] = ()

    def get(self, make: Callable[[], Value], seconds: float) -> Value:
        if not self._lock.acquire(timeout=seconds):
            raise QueueFull(seconds)
        try:
            if not self._made:
                self._made = (make(),)
            return self._made[0]
        finally:
            self._lock.release()
