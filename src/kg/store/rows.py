"""Results as the engine writes them, counted by solutions or cut after the first ones.

The engine has no way to stop after so many solutions, and a loop over them in Python is slow. So
its bytes are looked at while it writes them: JSON, XML, CSV and TSV (SPARQL 1.1 Query Results).
"""

from __future__ import annotations

import copy
import io
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol

from kg.media import CSV, JSON, TSV, XML, Format
from kg.store.output import Output

_HELD: Final = len(b"<result>")
_ENDINGS: Final = {JSON: b"]}}", XML: b"</results></sparql>", CSV: b"", TSV: b""}
_LEAST: Final = {JSON: 3, XML: 17, CSV: 2, TSV: 1}
"""Bytes that each solution adds to a document, if only what parts it from the next."""
_MARKS: Final = {JSON: b"},{", XML: b"<result>", CSV: b"\n", TSV: b"\n"}
"""What occurs, wherever, at least as often as solutions begin after the first."""


class TooMany(Exception):
    """There are more solutions than there may be."""


class _Enough(Exception):
    """All solutions that were wanted are written."""


@contextmanager
def first_rows(output: Output, format: Format, most: int) -> Iterator[FirstRows]:
    """Write results there in the block, which ends early: `output` gets a whole document."""
    rows = FirstRows(output, format, most)
    with suppress(_Enough):
        yield rows
        rows.finish()


class FirstRows(io.BufferedIOBase):
    """Passes on results up to `most` solutions; `cut` tells whether there were more."""

    def __init__(self, output: Output, format: Format, most: int) -> None:
        self.cut = False
        self._output = output
        self._format = format
        self._most = most
        self._scan = _SCANS[format]()
        self._held = b""

    def write(self, data: Any, /) -> int:
        """Take these bytes; raises _Enough where one more solution begins."""
        if self.cut:  # the engine tries again what was refused
            raise _Enough
        if self._full(len(data), data):
            self._end(data)
        # The first bytes of a solution may come apart, and are not to be written if it is not.
        content = self._held + data
        self._output.write(content[:-_HELD])
        self._held = content[-_HELD:]
        self._scan.feed(data)
        return len(data)

    def finish(self) -> None:
        """Write what was held back, once the engine has written all."""
        self._output.write(self._held)

    def _full(self, size: int, data: bytes) -> bool:
        scan = copy.copy(self._scan)
        scan.feed(data[:size])
        return scan.begun > self._most

    def _end(self, data: bytes) -> None:
        first = bisect_left(range(len(data)), True, key=lambda size: self._full(size, data))
        end = len(self._held) + first - self._scan.lead(self._most)
        self._output.write((self._held + data)[:end] + _ENDINGS[self._format])
        self.cut = True
        raise _Enough


class CountedRows(io.BufferedIOBase):
    """Passes on results, and raises TooMany where they have more than `most` solutions.

    Counting exactly costs up to half as much as writing. So it begins only where the size, and
    then a mark that may also stand within a string, leave it possible that there are too many.
    """

    def __init__(self, output: Output, format: Format, most: int) -> None:
        self._output = output
        self._most = most
        self._scan: Scan = _SizeScan(_LEAST[format])
        self._better: list[Scan] = [_SCANS[format](), _MarkScan(_MARKS[format])]

    def write(self, data: Any, /) -> int:
        """Take these bytes; raises TooMany."""
        self._output.write(data)
        self._scan.feed(data)
        while self._scan.begun > self._most:
            if not self._better:
                raise TooMany
            self._scan = self._better.pop()
            for chunk in self._output.chunks():
                self._scan.feed(chunk)
        return len(data)


# --- scans --------------------------------------------------------------------------------


class Scan(Protocol):
    """Counts the solutions that have begun in what was fed to it, in pieces of any size."""

    begun: int

    def feed(self, data: bytes) -> None:
        """Go on with these bytes."""
        ...


class _ExactScan(Scan, Protocol):
    def lead(self, most: int) -> int:
        """How many bytes of the next solution, with what parts it from `most`, make it count."""
        ...


class _SizeScan:
    """At most as many solutions as the size has room for."""

    def __init__(self, least: int) -> None:
        self.begun = 0
        self._least = least
        self._size = 0

    def feed(self, data: bytes) -> None:
        self._size += len(data)
        self.begun = self._size // self._least + 1


class _MarkScan:
    """At most as many solutions as there are marks, and one."""

    def __init__(self, mark: bytes) -> None:
        self.begun = 1
        self._mark = mark
        self._last = b""

    def feed(self, data: bytes) -> None:
        data = self._last + data
        self.begun += data.count(self._mark)
        self._last = (
            data[len(data) - len(self._mark) + 1 :] if len(data) >= len(self._mark) else data
        )


class _JsonScan:
    """`[{` and `},{` outside of strings: between bindings and in triple terms stands a name."""

    def __init__(self) -> None:
        self.begun = 0
        self._in_string = False
        self._escape = b""
        self._last = b""

    def feed(self, data: bytes) -> None:
        data = self._escape + data
        self._escape = b""
        if b"\\" in data:
            data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
            if data.endswith(b"\\"):
                data, self._escape = data[:-1], b"\\"
        parts = data.split(b'"')
        outside = self._last + b"".join(parts[self._in_string :: 2])
        self._in_string ^= len(parts) % 2 == 0
        self.begun += outside.count(b"},{") + outside.count(b"[{", max(len(self._last) - 1, 0))
        self._last = outside[-2:]

    def lead(self, most: int) -> int:
        return len(b",{") if most else len(b"{")


class _XmlScan:
    """`<result>`: every other less-than sign of a document is escaped or in another tag."""

    def __init__(self) -> None:
        self.begun = 0
        self._last = b""

    def feed(self, data: bytes) -> None:
        data = self._last + data
        self.begun += data.count(b"<result>")
        self._last = data[-_HELD + 1 :]

    def lead(self, most: int) -> int:
        return len(b"<result>")


class _LineScan:
    """A byte after a line: the first line is the header, and tabs and line feeds are escaped."""

    def __init__(self) -> None:
        self.begun = 0
        self._at_end = False

    def feed(self, data: bytes) -> None:
        if data:
            self._lines(data, ended=data.endswith(b"\n"))

    def _lines(self, data: bytes, *, ended: bool) -> None:
        self.begun += self._at_end + data.count(b"\n") - ended
        self._at_end = ended

    def lead(self, most: int) -> int:
        return 1


class _CsvScan(_LineScan):
    """The same outside of quotes; a quote within is doubled (RFC 4180, section 2)."""

    def __init__(self) -> None:
        super().__init__()
        self._in_quotes = False

    def feed(self, data: bytes) -> None:
        if data:
            parts = data.split(b'"')
            outside = b"".join(parts[self._in_quotes :: 2])
            self._in_quotes ^= len(parts) % 2 == 0
            self._lines(outside, ended=data.endswith(b"\n") and not self._in_quotes)


_SCANS: Final[dict[Format, type[_ExactScan]]] = {
    JSON: _JsonScan,
    XML: _XmlScan,
    CSV: _CsvScan,
    TSV: _LineScan,
}
