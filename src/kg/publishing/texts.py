"""The text of an article, where an operator supplies it: code points and digests."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.errors import Place, UnsuitableText
from kg.files import read_bytes

_SPAN: Final = re.compile(r"(0|[1-9][0-9]{0,15})-(0|[1-9][0-9]{0,15})")
"""The one way to write a span: what is written otherwise would be minted another IRI."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points of a text."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.start}-{self.end}"

    @classmethod
    def parse(cls, text: str) -> Span:
        """The span written as `START-END`. Raises ValueError for anything else."""
        match = _SPAN.fullmatch(text)
        if not match:
            raise ValueError(text)
        return cls(int(match[1]), int(match[2]))


def is_span(text: str) -> bool:
    """Whether the text is a span as it is written: two canonical numbers, with a hyphen between."""
    return _SPAN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Text:
    """The text of an article, as it was when it was annotated."""

    file: Path
    content: str

    @classmethod
    def read(cls, file: Path) -> Text:
        """The text in this file. Raises MissingFile, MalformedFile, UnsuitableText."""
        data = read_bytes(file, "it was named as an article's text")
        if data.startswith(b"\xef\xbb\xbf"):
            raise UnsuitableText(Place(file, 1, 1), "the text begins with a byte-order mark")
        if b"\r" in data:
            line = data[: data.index(b"\r")].count(b"\n") + 1
            raise UnsuitableText(Place(file, line), "the text has CR line ends")
        try:
            return cls(file, data.decode("utf-8"))
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise UnsuitableText(Place(file, line), "the text is not UTF-8") from error

    @property
    def digest(self) -> str:
        """SHA-256 of the text in UTF-8, as 64 hexadecimal digits."""
        return digest(self.content)

    def slice(self, span: Span) -> str:
        """The words at this span."""
        return self.content[span.start : span.end]


def digest(text: str) -> str:
    """SHA-256 of `text` in UTF-8, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
