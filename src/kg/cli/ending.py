"""How a command ends that is told to: tidily."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

_TOLD: Final = 128 + signal.SIGTERM
"""The exit code by which a shell knows a program that SIGTERM ended."""


@contextmanager
def tidily() -> Iterator[None]:
    """SIGTERM ends the block as an exception does, so that nothing stays that is half made."""
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(_TOLD)
