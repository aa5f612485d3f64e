"""The place in a query where it could not be read further, to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_AROUND: Final = 60
"""Characters of its line that are shown before it and after it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A character of a line, what stands before it and after it; it is empty after the last."""

    line: int
    column: int
    before: str
    at: str
    after: str


def spot_in(query: str, line: int | None, column: int | None) -> Spot | None:
    """The character at this line and column, both from 1; None where there is no such line.

    A line ends where it does for the parser of queries, at a line feed alone.
    """
    lines = query.split("\n")
    if line is None or column is None or not 0 < line <= len(lines):
        return None
    text, at = lines[line - 1].rstrip("\r"), column - 1
    before, after = text[:at], text[at + 1 :]
    return Spot(
        line=line,
        column=column,
        before=before if len(before) <= _AROUND else f"…{before[-_AROUND:]}",
        at=text[at : at + 1],
        after=after if len(after) <= _AROUND else f"{after[:_AROUND]}…",
    )
