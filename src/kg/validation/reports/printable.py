"""Text of others made safe to look at: on a terminal, in XML, in a page."""

from __future__ import annotations

import unicodedata
from typing import Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories that move the cursor, change the direction, or show nothing."""


def printable(text: str, most: int = 300) -> str:
    """The text with what does not print written as `\\u{…}`, cut after `most` characters.

    So nothing in it can colour a terminal, turn the direction of a line, or be no XML.
    """
    cut = f"… ({len(text):,} characters)" if len(text) > most else ""
    if text.isascii() and text.isprintable():
        return text[:most] + cut
    return "".join(map(_shown, text[:most])) + cut


def _shown(character: str) -> str:
    if character == "\t":
        return " "
    hidden = unicodedata.category(character) in _HIDDEN
    return f"\\u{{{ord(character):x}}}" if hidden else character
