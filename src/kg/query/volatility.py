"""Whether a query asks for what is new each time: the time, a random number, a fresh identifier."""

from __future__ import annotations

import re
from typing import Final

from kg.query.lexer import lexemes

_FUNCTIONS: Final = ("NOW", "RAND", "UUID", "STRUUID", "BNODE")
_MAY_BE: Final = re.compile("now|rand|uuid|bnode|service", re.IGNORECASE | re.ASCII)
_NO_CALL: Final = frozenset(("STRING", "IRIREF", "VAR", "COMMENT"))


def is_volatile(query: str) -> bool:
    """Whether two evaluations on one release may differ (SPARQL 1.1 Query, 17.4.2 and 17.4.5).

    These are the calls of NOW, RAND, UUID, STRUUID and BNODE, and SERVICE. A text that is not made
    of tokens counts as volatile, so that its answer is never kept.
    """
    return _MAY_BE.search(query) is not None and _calls(query)


def _calls(query: str) -> bool:
    called = False
    for kind, text, _ in lexemes(query):
        if kind == "COMMENT":
            continue
        if kind == "UNKNOWN" or (called and text.startswith("(")):
            return True
        word = "" if kind in _NO_CALL else text.upper()
        if kind == "WORD" and "SERVICE" in word:
            return True
        # The engine needs no space before a keyword, so that a longer word may end in a call.
        called = word.endswith(_FUNCTIONS)
    return False
