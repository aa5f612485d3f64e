"""Answers that are kept to be given again, bounded in bytes, the one used longest ago let go first.

An answer is kept under its ETag, which says all that it depends on. What a client sent (path,
parameters, fields, body) leads to the ETag, so that the same question in another spelling has the
same answer. HEAD's release is part of what leads there: a new release is another question.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from kg.web.bodies import IN_MEMORY, Content, size
from kg.web.exchange import Kept

_LARGEST: Final = 8
"""An answer may take one in so many of the bytes, so that one never drives out all others."""
_FILE: Final = 1024 * 1024
"""What a file counts at least: descriptors are fewer than bytes."""
_OVERHEAD: Final = 512

Fields = list[tuple[str, str]]
_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a question leads: an ETag, and the fields of the answer and of a 304 in its place."""

    etag: str
    fields: Fields
    unmodified: Fields


class Cache:
    """Answers by ETag and ETags by question, together at most `limit` bytes; for any thread."""

    def __init__(self, limit: int) -> None:
        self._largest = limit // _LARGEST
        self._answers: _Shelf[str, Kept] = _Shelf(limit - self._largest)
        self._links: _Shelf[tuple[str, ...], Link] = _Shelf(self._largest)

    def takes(self, content: Content) -> bool:
        """Whether an answer is small enough to be kept."""
        return _weight(content) <= self._largest

    def find(self, etag: str) -> Kept | None:
        """The answer with this ETag."""
        return self._answers.get(etag)

    def led(self, question: tuple[str, ...]) -> Link | None:
        """Where this question led before; without fields where they are another answer's.

        Fresh blank nodes give a query answers of different lengths, and what is kept under its
        ETag now may be that of another spelling, or a later one.
        """
        link = self._links.get(question)
        answer = self._answers.get(link.etag) if link and link.fields else None
        if link and answer and ("content-length", str(size(answer.content))) not in link.fields:
            return replace(link, fields=[])
        return link

    @property
    def bytes(self) -> int:
        """Bytes that count towards the limit now."""
        return self._answers.weight + self._links.weight

    @property
    def entries(self) -> int:
        """How many answers are kept."""
        return len(self._answers)

    def keep(self, etag: str, answer: Kept) -> None:
        """Keep an answer that `takes` allowed."""
        self._answers.put(etag, answer, _weight(answer.content))

    def lead(self, question: tuple[str, ...], link: Link) -> None:
        """Remember where a question leads."""
        fields = sum(len(name) + len(value) for name, value in link.fields)
        self._links.put(question, link, 2 * fields + sum(map(len, question)) + _OVERHEAD)


def _weight(content: Content) -> int:
    return max(size(content), _FILE if size(content) > IN_MEMORY else 0) + _OVERHEAD


class _Shelf(Generic[_Key, _Value]):
    """Values with weights, together at most `limit`; what was used longest ago goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._held: OrderedDict[_Key, tuple[_Value, int]] = OrderedDict()
        self.weight = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: _Key) -> _Value | None:
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: _Key, value: _Value, weight: int) -> None:
        if weight > self._limit:
            return
        with self._lock:
            self.weight += weight - self._held.pop(key, (None, 0))[1]
            self._held[key] = (value, weight)
            while self.weight > self._limit:
                self.weight -= self._held.popitem(last=False)[1][1]
