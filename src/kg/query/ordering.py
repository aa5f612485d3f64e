"""What of a result SPARQL leaves open: its order, where it is cut, what is chosen from a group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kg.query.lexer import lexemes

_CHOICES: Final = frozenset(("SAMPLE", "GROUP_CONCAT"))
_UNORDERED: Final = (
    "The query cuts an unordered result (LIMIT or OFFSET without ORDER BY): another engine may cut"
    " it elsewhere."
)
_TIES: Final = (
    "The query cuts an ordered result (LIMIT or OFFSET): between solutions that are equal in that"
    " order, another engine may cut it elsewhere."
)
_CHOSEN: Final = (
    "The query uses SAMPLE or GROUP_CONCAT: another engine may choose or join values in another"
    " order."
)
_REDUCED: Final = (
    "The query uses SELECT REDUCED: another engine may leave more or fewer duplicates in."
)


@dataclass(frozen=True, slots=True)
class Ordering:
    """`ordered`: the outermost query has ORDER BY. `cut`: there is a LIMIT or OFFSET anywhere.

    `notes` say in sentences what another engine may rightly answer otherwise.
    """

    ordered: bool
    cut: bool
    notes: tuple[str, ...]


def ordering_of(query: str) -> Ordering:
    """What the clauses of a query fix (SPARQL 1.1 Query, sections 15, 11.2 and 18.5.1)."""
    groups = [False]  # whether the group that is open has an ORDER BY, the innermost last
    loose = tied = chosen = reduced = False
    for word in _words_and_braces(query):
        if word == "{":
            groups.append(False)
        elif word == "}" and len(groups) > 1:
            groups.pop()
        elif word.startswith("ORDER"):
            groups[-1] = True
        elif word.startswith(("LIMIT", "OFFSET")):
            tied |= groups[-1]
            loose |= not groups[-1]
        chosen |= word in _CHOICES
        reduced |= word == "REDUCED"
    said = ((loose, _UNORDERED), (tied, _TIES), (chosen, _CHOSEN), (reduced, _REDUCED))
    return Ordering(groups[0], loose or tied, tuple(note for holds, note in said if holds))


def _words_and_braces(query: str) -> Iterator[str]:
    """Keywords in capitals. The engine needs no space after one, so more may be glued to it."""
    for kind, text, _ in lexemes(query):
        if kind == "WORD":
            yield text.upper()
        elif text in ("{", "}"):
            yield text
