"""Whether a query asks for what is new each time: the time, a random number, a fresh identifier."""

from __future__ import annotations

import re
from typing import Final

from kg.query.lexer import lexemes

_FUNCTIONS: Final = ("NOW", "RAND", "UUID", "STRUUID", "BNODE")
_MAY_BE: Final = re.compile("now|rand|uuid|bnode|service", re.IGNORECASE | re.ASCII)
_NO_CALL: Final = frozenset(("STRING", "IRIREF", "VAR"))
# The engine reads `<` as less-than wherever that makes sense (see kg.query.inspection): then
# `<NOW()&&?b>` is no IRI, and what follows `<?b#>` or `<<ex:#>` is not what it seems to be. What
# has two slashes or a backslash, before any comment or string, makes no sense as an expression.
_MAY_BE_CODE: Final = re.compile(r"<(?![^#']*?(?://|\\))[^>]*[#'()]")
_ANGLES: Final = frozenset(("<<", "<<("))


def is_volatile(query: str) -> bool:
    """Whether two evaluations on one release may differ (SPARQL 1.1 Query, 17.4.2 and 17.4.5).

    These are the calls of NOW, RAND, UUID, STRUUID and BNODE, and SERVICE. A text that is not made
    of tokens counts as volatile, as does one that has such a word, and a `<` that may be read in
    two ways: its answer is never kept.
    """
    return _MAY_BE.search(query) is not None and _calls(query)


def _calls(query: str) -> bool:
    called = False
    for kind, text, start in lexemes(query):
        if kind == "COMMENT":
            continue
        if kind == "UNKNOWN" or (called and text.startswith("(")):
            return True
        if _may_be_less_than(kind, text, query, start):
            return True
        word = "" if kind in _NO_CALL else text.upper()
        if kind == "WORD" and "SERVICE" in word:
            return True
        # The engine needs no space before a keyword, so that a longer word may end in a call.
        called = word.endswith(_FUNCTIONS)
    return False


def _may_be_less_than(kind: str, text: str, query: str, start: int) -> bool:
    """Whether an IRI or a double angle may be an operator and more code for the engine."""
    if kind == "IRIREF":
        return _MAY_BE_CODE.match(text) is not None
    return text in _ANGLES and next(lexemes(query, start + 1))[0] == "IRIREF"
