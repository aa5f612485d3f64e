"""The text of an article, where an operator supplies it: code points and digests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from kg.errors import MissingFile, Place, UnsuitableText


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
        start, _, end = text.partition("-")
        if not (start.isdecimal() and end.isdecimal()):
            raise ValueError(text)
        return cls(int(start), int(end))


@dataclass(frozen=True, slots=True)
class Text:
    """The text of an article, as it was when it was annotated."""

    file: Path
    content: str

    @classmethod
    def read(cls, file: Path) -> Text:
        """The text in this file. Raises MissingFile, UnsuitableText."""
        try:
            data = file.read_bytes()
        except (FileNotFoundError, IsADirectoryError) as error:
            raise MissingFile(file, "it was named as an article's text") from error
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
