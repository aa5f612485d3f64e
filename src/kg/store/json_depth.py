"""How deep the objects and arrays of a JSON-LD document nest, looked at before the engine reads it.

The engine's time and memory grow with the square of the depth: 200 MiB for 1,000 levels, and from
some thousands on its stack may overflow, which ends the process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import Final

from kg.errors import MalformedData
from kg.media import JSON_LD

_DEEPEST: Final = 200

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_STRING_OR_BRACKET: Final = re.compile(_STRING.pattern + rb"|([][{}])", re.DOTALL)
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""A level deeper, or back, as a signed byte."""
_NO_BRACKET: Final = bytes(set(range(256)) - set(b"[]{}"))


def check_depth(document: bytes) -> None:
    """Raise MalformedData, with line and column, where brackets nest deeper than they may.

    Those in strings do not count (RFC 8259, section 7).
    """
    deepest = max(_depths(document), default=0)
    if deepest > _DEEPEST:
        raise MalformedData(
            JSON_LD.name,
            f"its objects and arrays nest {deepest} levels deep, and may nest {_DEEPEST}",
            *_too_deep(document),
            remedy="Give the inner nodes an @id, list them side by side, and refer to them by it.",
        )


def _depths(document: bytes) -> Iterator[int]:
    """The depth after each bracket."""
    steps = _STRING.sub(b"", document).translate(_STEPS, _NO_BRACKET)
    return accumulate(memoryview(steps).cast("b"))


def _too_deep(document: bytes) -> tuple[int, int]:
    """Line and column of the first bracket that is too deep."""
    number = next(n for n, depth in enumerate(_depths(document)) if depth > _DEEPEST)
    brackets = (found for found in _STRING_OR_BRACKET.finditer(document) if found[1])
    before = document[: next(islice(brackets, number, None)).start()]
    line = before.rpartition(b"\n")[2].decode(errors="replace")
    return before.count(b"\n") + 1, len(line) + 1
