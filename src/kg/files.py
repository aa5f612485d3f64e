"""Reading files: one that cannot be read is an error that names it."""

from __future__ import annotations

from pathlib import Path

from kg.errors import MalformedFile, MissingFile, Place


def read_text(file: Path, why: str) -> str:
    """The text of a file in UTF-8; `why` says what it is needed for.

    Raises MissingFile, and MalformedFile for what is no file, may not be read or is not UTF-8.
    """
    return decoded(read_bytes(file, why), file)


def read_bytes(file: Path, why: str) -> bytes:
    """The bytes of a file. Raises MissingFile, and MalformedFile where it may not be read."""
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise MissingFile(file, why) from error
    except OSError as error:
        problem = error.strerror or str(error)
        raise MalformedFile(Place(file), "a file that can be read", problem) from error


def decoded(content: bytes, file: Path) -> str:
    """The bytes as text. Raises MalformedFile with the line where they are not UTF-8."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problem = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise MalformedFile(Place(file, line), "text", problem) from error
