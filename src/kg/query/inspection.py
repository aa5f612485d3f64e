r"""The look at a query before it runs: its form, how deep it nests, whom it would call.

The engine dials whatever SERVICE and LOAD name, so a text that would make it dial must not pass,
also where the engine reads it otherwise than the grammar does. `_Reading` holds for these:

- Keywords need no word boundary: `SERVICESILENT<x>{}`, `SERVICEex:a{}`, `?s ?p 1SERVICE<x>{}`.
- A name that gives no IRI is taken apart: `ex:SERVICE<x>{}`, where `ex:` is `<http://e:>`, and
  so is one with two dots: `ex:a.b.SERVICE<x>{}`. (Prefixes that the server declares, and the
  text does not, are taken to end in a path.)
- A `<` is less-than wherever that makes sense: `FILTER(?a<?b).SERVICE?x#>` is no IRI, and a `#`,
  a quote or a bracket in such a text changes what all that follows means.
- A string whose escapes are not valid is none, and its text is code; that is an UNKNOWN token.

SPARQL 1.1 (section 19.2) replaces codepoint escapes before it parses, 1.2 and the engine do not:
a call under either reading counts.

Harmless texts that are refused, each with a test:

- a string with an escaped quote, if without the escape there would be a call, or no more tokens
  before a `service`: `"\u0022 SERVICE <x> {} #"`, `"\u0022", "service"`;
- an empty string glued to the next one: `VALUES ?x {'''a'}`;
- an IRI that holds `#`, `'` or a round or square bracket, and no `//` before it, in round brackets
  right after another term, if `service` is written anywhere after it: `(<urn:a> <urn:b#c>)`;
- a name whose prefix begins with `service`, right before a brace, unless after GRAPH;
- in a text that declares a relative namespace or one without a path, and in names with two dots or
  with letters beyond ASCII: `ex:…service`, then a term, then a brace, no full stop between.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kg.errors import QuerySyntax, QueryTooDeep, QueryTooLarge, RemoteRefused, UpdateRefused
from kg.media import Form
from kg.query.lexer import Kind, lexemes, place


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is known of a query that may run; `depth` is how many brackets nest at most."""

    form: Form
    depth: int


@dataclass(frozen=True, slots=True)
class Remote:
    """A call of another server: SERVICE or LOAD, the target as written, the offset in the text."""

    keyword: str
    target: str
    start: int


def inspect(query: str, *, query_bytes: int, nesting: int) -> Inspection:
    """The form and depth of a query that may run, in time linear in its length.

    Raises QueryTooLarge, QueryTooDeep, RemoteRefused, UpdateRefused, and QuerySyntax where there is
    no form or where a string, an IRI or a character belongs to no token. Whatever else is wrong
    with the text is left to the engine.
    """
    _check_size(query, query_bytes)
    form = _form(query)
    reading = _Reading(query, _SERVICE, nesting=nesting)
    remote = next(_of_both_readings(reading), None)
    if remote:
        raise RemoteRefused(remote.keyword, remote.target, *place(query, remote.start))
    return Inspection(form=form, depth=reading.depth)


def inspect_update(update: str, *, query_bytes: int, nesting: int) -> None:
    """Refuses an update that may not run, in time linear in its length.

    Raises QueryTooLarge, QueryTooDeep, RemoteRefused, and QuerySyntax where a string, an IRI or a
    character belongs to no token, or where readers may differ on where a bracket closes. Whatever
    else is wrong with the text is left to others.
    """
    _check_size(update, query_bytes)
    reading = _Reading(update, _SERVICE_OR_LOAD, nesting=nesting, every_angle=True)
    remote = next(_of_both_readings(reading), None)
    if remote:
        raise RemoteRefused(remote.keyword, remote.target, *place(update, remote.start))


def remotes(text: str) -> tuple[Remote, ...]:
    """Every call that a query or an update would make, in order.

    Raises QuerySyntax where a text is not made of tokens, or where it depends on the reader
    whether there is a call.
    """
    return tuple(_of_both_readings(_Reading(text, _SERVICE_OR_LOAD)))


# --- size and form ------------------------------------------------------------------------

_UPDATES: Final = frozenset(
    ("INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH")
)
_PROLOGUE_WORDS: Final = frozenset(("BASE", "PREFIX", "VERSION"))
_PROLOGUE_KINDS: Final = frozenset((Kind.IRIREF, Kind.PREFIXED_NAME, Kind.STRING, Kind.COMMENT))


def _check_size(query: str, limit: int) -> None:
    try:
        size = len(query.encode())
    except UnicodeEncodeError as error:
        surrogate = place(query, error.start)
        raise QuerySyntax("a lone surrogate is not a character", *surrogate) from error
    if size > limit:
        raise QueryTooLarge(size, limit)


def _form(query: str) -> Form:
    """The first word after the prologue (productions Prologue, Query and Update)."""
    for kind, text, start in lexemes(query):
        word = text.upper()
        if kind == Kind.WORD and word in Form.__members__:
            return Form[word]
        if kind == Kind.WORD and word in _UPDATES:
            raise UpdateRefused(word)
        if kind == Kind.UNKNOWN:
            raise _no_token(query, start)
        if kind not in _PROLOGUE_KINDS and word not in _PROLOGUE_WORDS:
            raise QuerySyntax(f"{_FORMS} must come before “{text[:40]}”", *place(query, start))
    raise QuerySyntax(f"it has none of {_FORMS}", *place(query, len(query)))


_FORMS: Final = "SELECT, ASK, CONSTRUCT and DESCRIBE"


def _no_token(text: str, start: int) -> QuerySyntax:
    met = text[start]
    what = "this string has no end or a wrong escape" if met in "'\"" else f"“{met}” means nothing"
    return QuerySyntax(f"{what} here", *place(text, start))


# --- nesting and calls --------------------------------------------------------------------

_SERVICE: Final = re.compile("service", re.IGNORECASE | re.ASCII)
_SERVICE_OR_LOAD: Final = re.compile("service|load", re.IGNORECASE | re.ASCII)
_ENDS_IN_SERVICE: Final = re.compile("service(?:silent)?$", re.IGNORECASE | re.ASCII)

_OPENING: Final = frozenset(("{", "(", "[", "<<", "<<(", "{|"))
_CLOSING: Final = frozenset(("}", ")", "]", ">>", ")>>", "|}"))
_BRACKETS: Final = _OPENING | _CLOSING
_TARGETS: Final = frozenset((Kind.VAR, Kind.IRIREF, Kind.PREFIXED_NAME))
_NAMES: Final = frozenset((Kind.PREFIXED_NAME, Kind.BLANK_NODE_LABEL, Kind.LANG_DIR))
_NOTABLE: Final = _NAMES | {Kind.WORD, Kind.IRIREF}
_ANGLES: Final = frozenset(("<<", "<<("))
_CHANGES_WHAT_FOLLOWS: Final = re.compile(r"[#'()\[\]]")
# A namespace to which any local name can be added and gives an IRI (RFC 3987, section 2.2).
_FULL_NAMESPACE: Final = re.compile(
    r"<[A-Za-z][A-Za-z0-9+.\-]*:(?!//)[^\\]*>|<[A-Za-z][A-Za-z0-9+.\-]*://[^/?#\\]*[/?#][^\\]*>"
)
# As an expression this fails before any string or comment: two slashes, or a backslash.
_ONLY_AN_IRI: Final = re.compile(r"<[^#']*?(?://|\\)")


@dataclass(slots=True)
class _Call:
    """What may become a Remote: SERVICE was met, and a target, then a brace, may follow."""

    keyword: str
    start: int
    target: str
    certain: bool


class _Reading:
    """One pass over the tokens of a text, looking for the calls that `calls` matches.

    A `<` that readers may read in two ways is refused where a call may follow, or with
    `every_angle` anywhere.
    """

    def __init__(
        self,
        text: str,
        calls: re.Pattern[str],
        *,
        nesting: int = sys.maxsize,
        every_angle: bool = False,
    ) -> None:
        self.text = text
        self.calls = calls
        self.depth = 0
        self.read = 0
        """Where the last token read begins."""
        self.last_call = max((call.start() for call in calls.finditer(text)), default=-1)
        """Where the last word begins that could be a call; after it, nothing can."""
        self._last_look = len(text) if every_angle else self.last_call
        self._nesting = nesting
        self._open: list[str] = []
        self._before = ("", "")
        self._begun: list[_Call] = []
        self._prefixes: set[str] = set()
        self._odd_namespace = False

    def remotes(self) -> Iterator[Remote]:
        """The calls; `depth` is complete after the last. Raises QuerySyntax and QueryTooDeep."""
        for kind, text, start in lexemes(self.text):
            if kind == "COMMENT":
                continue
            self.read = start
            if kind == "UNKNOWN":
                raise _no_token(self.text, start)
            if self._begun or (start <= self._last_look and (kind in _NOTABLE or text in _ANGLES)):
                yield from self._look(kind, text, start)
            self._before = (kind, text)
            if text in _BRACKETS:
                self._nest(text, start)
        yield from self._unfinished()

    def _nest(self, mark: str, start: int) -> None:
        if mark in _OPENING:
            self._open.append(mark)
            if len(self._open) > self._nesting:
                raise QueryTooDeep(self._nesting, *place(self.text, start))
            self.depth = max(self.depth, len(self._open))
        elif self._open:
            self._open.pop()

    def _look(self, kind: str, text: str, start: int) -> Iterator[Remote]:
        if start <= self._last_look and self._may_be_less_than(kind, text, start):
            raise QuerySyntax(
                "“<” can mean less-than here or begin an IRI, and it depends on that what all that"
                " follows means; put a space after it, or write the IRI with a prefix",
                *place(self.text, start),
            )
        self._declared(kind, text)
        yield from self._went_on(kind, text)
        self._begun += self._begins(kind, text, start)

    def _may_be_less_than(self, kind: str, text: str, start: int) -> bool:
        """Whether the engine may read `<` as an operator, and what follows otherwise than here."""
        before_kind, before = self._before
        after_term = before in _CLOSING if before_kind == Kind.MARK else True
        if not (after_term and self._open and self._open[-1] == "("):
            return False
        if kind == Kind.IRIREF:
            changes = _CHANGES_WHAT_FOLLOWS.search(text) or self.calls.search(text)
            return bool(changes) and not _ONLY_AN_IRI.match(text)
        if text in _ANGLES:
            return next(lexemes(self.text, start + 1))[0] == Kind.IRIREF
        return False

    def _went_on(self, kind: str, text: str) -> Iterator[Remote]:
        """The calls begun that this token completes; those that it rules out are dropped."""
        begun, self._begun = self._begun, []
        for call in begun:
            if not call.target and kind == Kind.WORD and text.upper() == "SILENT":
                self._begun.append(call)
            elif call.certain or (call.target and text == "{"):
                yield Remote(call.keyword, call.target or text, call.start)
            elif not call.target and kind in _TARGETS:
                self._begun.append(_Call(call.keyword, call.start, text, certain=False))

    def _unfinished(self) -> Iterator[Remote]:
        return (
            Remote(call.keyword, call.target, call.start) for call in self._begun if call.certain
        )

    def _begins(self, kind: str, text: str, start: int) -> Iterator[_Call]:
        """The calls that this token may begin: a word does, a name only if a call follows."""
        if self._loads(kind, text):
            target = text if kind == Kind.PREFIXED_NAME else ""
            yield _Call("LOAD", start, target, certain=True)
        service = _SERVICE.search(text)
        if service and kind == Kind.WORD:
            yield _Call("SERVICE", start, "", certain=True)
        elif service and kind in _NAMES and self._comes_apart(text):
            if ":" in text[service.end() :]:
                yield _Call("SERVICE", start, text, certain=False)
            if _ENDS_IN_SERVICE.search(text):
                yield _Call("SERVICE", start, "", certain=False)

    def _comes_apart(self, name: str) -> bool:
        """Whether the engine may not read a name as one, so that SERVICE in it is a keyword."""
        if not self._open or self._before[1].upper() == "GRAPH":
            return False
        prefix = name.partition(":")[0]
        return (
            _SERVICE.match(name) is not None
            or (_SERVICE.search(prefix) is not None and prefix not in self._prefixes)
            or self._odd_namespace
            or name.count(".") > 1
            or not name.isascii()
        )

    def _declared(self, kind: str, text: str) -> None:
        """Take note of a prefix declaration: outside of brackets, an IRI right after a name."""
        before_kind, before = self._before
        if kind == Kind.IRIREF and before_kind == Kind.PREFIXED_NAME and not self._open:
            self._prefixes.add(before.removesuffix(":"))
            self._odd_namespace |= not _FULL_NAMESPACE.match(text)

    def _loads(self, kind: str, text: str) -> bool:
        """LOAD as an operation: outside of braces, after the prologue or a semicolon."""
        return (
            self.calls is _SERVICE_OR_LOAD
            and text[:4].upper() == "LOAD"
            and kind in (Kind.WORD, Kind.PREFIXED_NAME)
            and self._before[0] != Kind.WORD
            and not self._open
        )


# --- codepoint escapes --------------------------------------------------------------------

_CODEPOINT: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")


def _of_both_readings(reading: _Reading) -> Iterator[Remote]:
    yield from reading.remotes()
    escape = _CODEPOINT.search(reading.text)
    if escape:
        yield from _if_unescaped(reading, escape.start())


def _if_unescaped(reading: _Reading, escape: int) -> Iterator[Remote]:
    """The calls once codepoint escapes are replaced, all placed at the first escape."""
    unescaped = _Reading(_CODEPOINT.sub(_character, reading.text), reading.calls)
    try:
        for remote in unescaped.remotes():
            yield Remote(remote.keyword, remote.target, escape)
    except QuerySyntax:
        # Nobody who reads it so would run it, if only the rest were sure to be no token either.
        if unescaped.read <= unescaped.last_call:
            yield Remote("SERVICE", "behind a codepoint escape", escape)


def _character(escape: re.Match[str]) -> str:
    number = int(escape[1] or escape[2], 16)
    return chr(number) if number <= sys.maxunicode else escape[0]
