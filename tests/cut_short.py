"""Work of the store that is killed at a line of its choice, in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def killed_at(line: int, files: tuple[str, ...], work: Callable[[], object]) -> bool:
    """Whether the work was killed before it ran so many lines of these files; else it was done."""
    child = os.fork()
    if child == 0:
        sys.settrace(_Killer(line, files))
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


class _Killer:
    """A trace function (sys.settrace) that counts lines, and ends the process at the last."""

    def __init__(self, lines: int, files: tuple[str, ...]) -> None:
        self._left = lines
        self._files = files

    def __call__(self, frame: FrameType, event: str, _: Any) -> _Killer | None:
        if os.path.basename(frame.f_code.co_filename) not in self._files:
            return None
        if event == "line":
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return self
