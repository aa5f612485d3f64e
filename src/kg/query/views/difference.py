"""How two releases differ, as a page shows it: claim by claim, filtered, a part at a time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from kg.namespaces import RF
from kg.query.changes import Change, ChangedClaim, Difference
from kg.query.claims import Claim, Source
from kg.query.telling import day, plain, reading, unmoved, unstacked

A_PAGE: Final = 20
"""Claims on one page."""
HOWS: Final = ("changed", "added", "withdrawn")
_LONGEST: Final = 600
"""Characters of a reading that are shown."""
_MOST_CHANGES: Final = 12
"""Properties of a claim that are shown; the JSON has all."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a reading, and whether the other reading has them too."""

    text: str
    same: bool


@dataclass(frozen=True, slots=True)
class Told:
    """One claim that differs; `was` or `now` is empty where it was not there, or is no more."""

    how: str
    claim: Claim
    was: tuple[Piece, ...]
    now: tuple[Piece, ...]
    changes: tuple[Change, ...] = ()
    left_out: int = 0
    """Changed properties that are not among `changes`."""
    unmoved: str = ""
    """The number, where only its wording is another."""

    @property
    def text(self) -> str:
        """The claim as it reads now, or read last."""
        return "".join(piece.text for piece in self.now or self.was)

    @property
    def article(self) -> str:
        """The article it stands in, by IRI; empty where that is not said."""
        return self.claim.source.article

    @property
    def kind(self) -> str:
        """What kind of claim it is, in a word."""
        return _kind(self.claim)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter: how many claims it would leave, and whether it is chosen."""

    value: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Part:
    """The claims of one page, by article, out of `total` that the filters leave."""

    articles: tuple[tuple[Source, tuple[Told, ...]], ...]
    total: int
    page: int
    pages: int
    hows: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    sources: tuple[Choice, ...]
    names: Mapping[str, str]
    """What an article is called that has no title, by its IRI."""

    @property
    def more(self) -> bool:
        """Whether there are further ones."""
        return self.page < self.pages


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader chose: of a filter without a value, all."""

    hows: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    articles: frozenset[str] = frozenset()
    page: int = 1


def part(difference: Difference, wanted: Wanted) -> Part:
    """The claims of `difference` that are wanted, and how many each filter would leave."""
    listed = sorted(_listed(difference), key=lambda each: each.article)
    left = [each for each in listed if _passes(each, wanted)]
    start = (wanted.page - 1) * A_PAGE
    return Part(
        articles=tuple(_by_article([_told(each) for each in left[start : start + A_PAGE]])),
        total=len(left),
        page=wanted.page,
        pages=max(-(-len(left) // A_PAGE), 1),
        hows=_choices(listed, wanted, "how", wanted.hows),
        kinds=_choices(listed, wanted, "kind", wanted.kinds),
        sources=_choices(listed, wanted, "article", wanted.articles),
        names={each.article: _name(each.claim.source) for each in listed},
    )


def _name(source: Source) -> str:
    if not source.article:
        return "no article"
    by = f"An article of {source.publisher}" if source.publisher else "An article"
    return f"{by}, {day(source.published) or 'undated'}"


@dataclass(frozen=True, slots=True)
class _Listed:
    """One claim that differs, before its words are compared: only those of a page are."""

    how: str
    claim: Claim
    article: str
    kind: str
    changed: ChangedClaim | None = None


def _listed(difference: Difference) -> Iterator[_Listed]:
    for changed in difference.changed:
        yield _one("changed", changed.after, changed)
    for claim in difference.added:
        yield _one("added", claim)
    for claim in difference.withdrawn:
        yield _one("withdrawn", claim)


def _one(how: str, claim: Claim, changed: ChangedClaim | None = None) -> _Listed:
    return _Listed(how, claim, claim.source.article, _kind(claim), changed)


def _kind(claim: Claim) -> str:
    return claim.text(RF + "kind") or "claim"


def _told(listed: _Listed) -> Told:
    if listed.changed:
        return _changed(listed.changed)
    whole = (Piece(_reading(listed.claim), True),)
    was, now = (whole, ()) if listed.how == "withdrawn" else ((), whole)
    return Told(listed.how, listed.claim, was, now)


def _changed(changed: ChangedClaim) -> Told:
    shown = sorted(changed.changes, key=lambda change: change.follows)
    was, now = _pieces(_reading(changed.before), _reading(changed.after))
    return Told(
        "changed",
        changed.after,
        was=was,
        now=now,
        changes=tuple(shown[:_MOST_CHANGES]),
        left_out=len(shown[_MOST_CHANGES:]),
        unmoved=unmoved(changed),
    )


def _pieces(was: str, now: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Two readings, word by word: which words both have in the same order."""
    old, new = _words(was), _words(now)
    sides: tuple[list[Piece], list[Piece]] = ([], [])
    for what, *bounds in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for side, words, at in ((sides[0], old, 0), (sides[1], new, 2)):
            if text := "".join(words[bounds[at] : bounds[at + 1]]):
                side.append(Piece(text, what == "equal"))
    return tuple(sides[0]), tuple(sides[1])


def _words(text: str) -> list[str]:
    """Numbers stay whole, whatever separates their thousands."""
    return re.findall(r"\d(?:[\d.,]*\d)?|[^\W_]+|.", text, re.DOTALL)


def _reading(claim: Claim) -> str:
    return _shortened(unstacked(plain(reading(claim))))


def _shortened(text: str) -> str:
    """The text, or as much of it as is shown."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _passes(listed: _Listed, wanted: Wanted, *, but: str = "") -> bool:
    filters = (("how", wanted.hows), ("kind", wanted.kinds), ("article", wanted.articles))
    return all(
        not chosen or name == but or getattr(listed, name) in chosen for name, chosen in filters
    )


def _choices(
    listed: Sequence[_Listed], wanted: Wanted, name: str, chosen: frozenset[str]
) -> tuple[Choice, ...]:
    """Values of one filter, each counted with what the other filters leave."""
    counts = Counter(getattr(each, name) for each in listed if _passes(each, wanted, but=name))
    return tuple(
        Choice(value, counts[value], value in chosen)
        for value in sorted({getattr(each, name) for each in listed})
        if counts[value] or value in chosen
    )


def _by_article(told: Sequence[Told]) -> Iterator[tuple[Source, tuple[Told, ...]]]:
    sources = {each.article: each.claim.source for each in told}
    for article, source in sources.items():
        yield source, tuple(each for each in told if each.article == article)
