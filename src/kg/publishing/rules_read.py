"""What rules can read, told from their text: a statement of nothing that they name cannot matter.

A pattern whose predicate is an IRI matches statements with that predicate alone. Where a text may
have another kind of pattern, its rule is taken to read everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rdflib import RDF

from kg.query.lexer import Kind, lexemes

_TYPE: Final = f"<{RDF.type}>".encode()
_TERMS: Final = (
    Kind.IRIREF,
    Kind.PREFIXED_NAME,
    Kind.BLANK_NODE_LABEL,
    Kind.VAR,
    Kind.STRING,
    Kind.NUMERIC_LITERAL,
    Kind.LANG_DIR,
    Kind.ANON,
    Kind.NIL,
)
_NAMES: Final = (Kind.IRIREF, Kind.PREFIXED_NAME)
_BEYOND_US: Final = ("GRAPH", "BASE", "DESCRIBE")
"""Words of patterns that depend on more than triples, or change what names mean."""

Lexeme = tuple[str, str]
_END: Final[Lexeme] = ("", "")


@dataclass(frozen=True, slots=True)
class Read:
    """The IRIs that rules write, in angle brackets; whether they may read anything else as well.

    With `types` every statement of a type matters.
    """

    names: frozenset[bytes]
    everything: bool
    types: bool

    @classmethod
    def by(cls, queries: Iterable[str], prefixes: Mapping[str, str]) -> Read:
        """What these queries read."""
        return _read_by(tuple(queries), tuple(sorted(prefixes.items())))

    def any_of(self, lines: Iterable[bytes]) -> bool:
        """Whether any of these lines of N-Triples may matter."""
        return any(self._matters(line) for line in lines)

    def _matters(self, line: bytes) -> bool:
        if self.everything or line.startswith(b"<<"):
            return True
        _, predicate, rest = line.split(b" ", 2)
        if predicate == _TYPE and not self.types:
            return rest.removesuffix(b" .") in self.names
        return predicate == _TYPE or predicate in self.names


@lru_cache(maxsize=4)
def _read_by(queries: tuple[str, ...], prefixes: tuple[tuple[str, str], ...]) -> Read:
    names, everything, types = set[bytes](), False, False
    for query in queries:
        found = [(kind, text) for kind, text, _ in lexemes(query) if kind != Kind.COMMENT]
        names |= _names(found, dict(prefixes))
        everything = everything or _is_beyond_us(found) or _has_open_predicate(found)
        types = types or _has_open_type(found)
    return Read(frozenset(names), everything, types or _TYPE in names)


def _names(found: Sequence[Lexeme], prefixes: dict[str, str]) -> set[bytes]:
    for (_, word), (_, name), (kind, iri) in zip(found, found[1:], found[2:], strict=False):
        if word.upper() == "PREFIX" and kind == Kind.IRIREF:
            prefixes[name.removesuffix(":")] = iri[1:-1]
    names = {text.encode() for kind, text in found if kind == Kind.IRIREF}
    for kind, text in found:
        if kind == Kind.PREFIXED_NAME:
            prefix, _, local = text.partition(":")
            names.add(f"<{prefixes.get(prefix, '')}{local}>".encode())
    return names


def _is_beyond_us(found: Iterable[Lexeme]) -> bool:
    return any(
        kind == Kind.UNKNOWN
        or (kind in _NAMES and "\\" in text)
        or (kind == Kind.WORD and text.upper() in _BEYOND_US)
        or "<<" in text
        for kind, text in found
    )


def _has_open_predicate(found: Sequence[Lexeme]) -> bool:
    """Whether a predicate may be any: a variable, one that is excluded, or no step at all."""
    for before, here, after, later in _windows(_without_lists(found)):
        if here[0] == Kind.VAR and _is_term(after):
            if _is_term(before) or before[1] in (";", "]"):
                return True
            if before[1] == ")" and not _is_term(later) and later[1] not in ("/", "|", "*", "+"):
                return True  # a list as the subject
        if here[1] == "!" and (_is_step(after) or (after[1] == "(" and _is_step(later))):
            return True
        repeats = here[1] in ("*", "?") and (_is_step(before) or before[1] == ")")
        if repeats and after[0] != Kind.NUMERIC_LITERAL:  # else a product
            return True
    return False


def _has_open_type(found: Sequence[Lexeme]) -> bool:
    """Whether `a` stands anywhere but before one name and after a subject."""
    return any(
        here == (Kind.WORD, "a")
        and not (
            (before[0] in (*_NAMES, Kind.VAR) or before[1] == ";")
            and after[0] in _NAMES
            and later[1] in (".", ";", "}")
        )
        for before, here, after, later in _windows(found)
    )


def _is_term(lexeme: Lexeme) -> bool:
    kind, text = lexeme
    return kind in _TERMS or text in ("[", "a", "true", "false")


def _is_step(lexeme: Lexeme) -> bool:
    return lexeme[0] in _NAMES or lexeme[1] in ("a", "^")


def _windows(found: Sequence[Lexeme]) -> Iterator[tuple[Lexeme, Lexeme, Lexeme, Lexeme]]:
    padded = [_END, *found, _END, _END]
    return zip(padded, padded[1:], padded[2:], padded[3:], strict=False)


def _without_lists(found: Iterable[Lexeme]) -> list[Lexeme]:
    """The lexemes but for the variables behind SELECT and BY, which are no patterns."""
    kept, listing = list[Lexeme](), False
    for kind, text in found:
        if kind == Kind.WORD and text.upper() in ("SELECT", "BY"):
            listing = True
        elif text in ("{", "}"):
            listing = False
        if not (listing and kind == Kind.VAR):
            kept.append((kind, text))
    return kept
