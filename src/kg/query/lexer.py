r"""The tokens of a SPARQL 1.2 query or update.

Terminals are those of https://www.w3.org/TR/sparql12-query/#sparqlGrammar and keep its names; the
longest match wins. One pass, no recursion, and no pattern that goes back over what it has read:
the time is linear in the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a token is: terminals of the grammar, where one rule of it joins several, that rule."""

    IRIREF = "IRIREF"
    PREFIXED_NAME = "PREFIXED_NAME"
    BLANK_NODE_LABEL = "BLANK_NODE_LABEL"
    VAR = "VAR"
    LANG_DIR = "LANG_DIR"
    NUMERIC_LITERAL = "NUMERIC_LITERAL"
    STRING = "STRING"
    NIL = "NIL"
    ANON = "ANON"
    WORD = "WORD"
    """A keyword, the name of a function, `a`, `true` or `false`."""
    MARK = "MARK"
    """Brackets, separators and operators."""
    COMMENT = "COMMENT"
    UNKNOWN = "UNKNOWN"
    """The rest of the text from the first place where no terminal matches."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `start` counts code points from 0, `line` and `column` from 1."""

    kind: Kind
    text: str
    start: int
    line: int
    column: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of `text` in order, comments included, white space not; raises nothing.

    Text that no terminal matches, such as a string without an end, is one last UNKNOWN token.
    """
    line, line_start, read = 1, 0, 0
    for kind, value, start in lexemes(text):
        line += text.count("\n", read, start)
        line_start = text.rfind("\n", read, start) + 1 or line_start
        read = start
        yield Token(Kind(kind), value, start, line, start - line_start + 1)


def lexemes(text: str, start: int = 0) -> Iterator[tuple[str, str, int]]:
    """The kind, text and start of each token from `start` on: what `tokens` gives, but faster."""
    position, run_end = start, start
    any_token, in_run = _TERMINALS.match, _IN_RUN.match
    while found := (in_run if position < run_end else any_token)(text, position):
        kind, group = found.lastgroup or "", found.lastindex or 0
        if kind == "RUN":
            run_end = found.end()
            continue
        yield kind, found[group], found.start(group)
        position = found.end()


def place(text: str, offset: int) -> tuple[int, int]:
    """The line and column, both from 1, of the code point at `offset`."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


# --- terminals: each names its production, https://www.w3.org/TR/sparql12-query/#r<NAME> --------

_HEX: Final = "[0-9A-Fa-f]"
_PN_CHARS_BASE: Final = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PN_CHARS_U: Final = _PN_CHARS_BASE + "_"
_VARNAME: Final = _PN_CHARS_U + "0-9\u00b7\u0300-\u036f\u203f\u2040"
_PN_CHARS: Final = _VARNAME + r"\-"

# UCHAR of a surrogate or beyond U+10FFFF is none (section 19.2): the engine takes a string that
# holds one for no string, and then reads its text as code.
_UCHAR: Final = (
    rf"\\(?:u(?![Dd][89A-Fa-f]){_HEX}{{4}}"
    rf"|U(?!0000[Dd][89A-Fa-f])00(?:0{_HEX}|10){_HEX}{{4}})"
)
_ESCAPE: Final = rf"(?:\\[tbnrf\"'\\]|{_UCHAR})"  # ECHAR, UCHAR
_PLX: Final = rf"(?:%{_HEX}{{2}}|\\[_~.\-!$&'()*+,;=/?\#@%])"  # PERCENT, PN_LOCAL_ESC

_IRI_CHARS: Final = r'[^<>"{}|^`\\\x00-\x20]'
_PN_PREFIX: Final = rf"[{_PN_CHARS_BASE}][{_PN_CHARS}]*+(?:\.++[{_PN_CHARS}]++)*+"
_PN_LOCAL: Final = rf"(?:[{_PN_CHARS_U}:0-9]|{_PLX})(?:\.*+(?:[{_PN_CHARS}:]++|{_PLX}))*+"


def _long(quote: str) -> str:
    """STRING_LITERAL_LONG1 and 2: inside, at most two quotes in a row."""
    plain = rf"[^{quote}\\]*+"
    return rf"{quote * 3}{plain}(?:(?:{_ESCAPE}|{quote}(?!{quote * 2})){plain})*+{quote * 3}"


def _short(quote: str) -> str:
    """STRING_LITERAL1 and 2: on one line."""
    plain = rf"[^{quote}\\\r\n]*+"
    return rf"{quote}(?!{quote * 2}){plain}(?:{_ESCAPE}{plain})*+{quote}"


# In the order of trial, marks after what may begin like one, names last: their sets are slow.
_UNAMBIGUOUS: Final = (
    rf"(?P<IRIREF><{_IRI_CHARS}*+(?:{_UCHAR}{_IRI_CHARS}*+)*+>)",
    r"(?P<NIL>\([ \t\r\n]*+\))",
    r"(?P<ANON>\[[ \t\r\n]*+\])",
    rf"(?P<VAR>[?$][{_PN_CHARS_U}0-9][{_VARNAME}]*+)",  # VAR1, VAR2
    # INTEGER, DECIMAL, DOUBLE, each also POSITIVE or NEGATIVE
    r"(?P<NUMERIC_LITERAL>[+-]?"
    r"(?:(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)[eE][+-]?[0-9]++|[0-9]*+\.[0-9]++|[0-9]++))",
    r"(?P<MARK><<\(|\)>>|<<|>>|\{\||\|\}|\|\||&&|\^\^|<=|>=|!=|[{}\[\]();,.+\-*/<>=!^|~?])",
    r"(?P<COMMENT>#[^\r\n]*+)",
    rf"""(?P<STRING>{_long("'")}|{_long('"')}|{_short("'")}|{_short('"')})""",
    r"(?P<LANG_DIR>@[A-Za-z]++(?:-[A-Za-z0-9]++)*+(?:--[A-Za-z]++)?+)",
    rf"(?P<BLANK_NODE_LABEL>_:[{_PN_CHARS_U}0-9][{_PN_CHARS}]*+(?:\.++[{_PN_CHARS}]++)*+)",
)
_WORD: Final = "[A-Za-z][A-Za-z0-9_]*+"
_NAMES: Final = (
    rf"(?P<PREFIXED_NAME>(?:{_PN_PREFIX})?+:(?:{_PN_LOCAL})?+)",  # PNAME_NS, PNAME_LN
    rf"(?P<WORD>{_WORD}(?!\.*+[{_PN_CHARS}]))",
    # What could be a prefix and has no colon, such as `true.FILTER`. It is read again without
    # names: else each word of a long run would look for the colon anew.
    rf"(?P<RUN>{_PN_PREFIX})",
)


def _one_of(*terminals: str) -> re.Pattern[str]:
    """White space (WS), then the first of these that matches, else the rest as UNKNOWN."""
    return re.compile(rf"[ \t\r\n]*+(?:{'|'.join(terminals)}|(?P<UNKNOWN>[\s\S]++))")


_TERMINALS: Final = _one_of(*_UNAMBIGUOUS, *_NAMES)
_IN_RUN: Final = _one_of(*_UNAMBIGUOUS, rf"(?P<WORD>{_WORD})")
