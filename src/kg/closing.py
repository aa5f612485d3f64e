"""What is open until it is closed: by `close`, or at the end of a `with` block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Closing(ABC):
    """A class that holds a resource, and gives it back in `close`."""

    @abstractmethod
    def close(self) -> None:
        """Give it back; nothing can be done with it any more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
