"""Texts: what they must be like, and that places count code points."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.errors import MissingFile, UnsuitableText
from kg.publishing.texts import Span, Text


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xef\xbb\xbfLamps\n", "begins with a byte-order mark"),
        (b"Lamps\r\nout\r\n", "has CR line ends"),
        (b"Lamps\nout \xff\n", "is not UTF-8"),
    ],
)
def test_a_text_with_another_encoding_is_refused(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(content)
    with pytest.raises(UnsuitableText, match=problem):
        Text.read(file)


def test_a_missing_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"no\.txt is not there"):
        Text.read(tmp_path / "no.txt")


def test_positions_count_code_points_not_bytes(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("“é” 40")
    assert Text.read(file).slice(Span(4, 6)) == "40"


@pytest.mark.parametrize("text", ["", "5", "5-", "-5", "a-b", "1-2-3", "1 -2", "²-3"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Span.parse(text)
