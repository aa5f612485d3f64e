"""An article as its blocks, with the claims that hang off each; served at the article's own IRI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from flask import request

from kg.errors import BadArgument, KgError
from kg.publishing.texts import Text, digest
from kg.query.telling import day
from kg.query.views import article as view
from kg.query.views.article import Card, Piece
from kg.query.views.look import Look
from kg.query.views.resource import property_name
from kg.store.restricted import RestrictedStatement
from kg.web.pages.site import Site
from kg.web.uploads import at_most_one

TEMPLATE: Final = "article.html"
SHOWS: Final = ("article", "findings", "comparisons")
_DIGITS: Final = 9
_ABSENT: Final = {
    "https://schema.org/datePublished": "a date of publication",
    "https://schema.org/url": "an address",
    "https://schema.org/author": "an author",
}

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of the article for a reader who may see them, or why they are not shown.

    `problem` is empty where they are; both are empty where nobody supplied the text.
    """

    pieces: Mapping[str, tuple[Piece, ...]]
    problem: str = ""


def is_article(look: Look, iri: str) -> bool:
    """Whether the release has blocks of it, or claims that were quoted from it."""
    return bool(look.rows("article-is", limit=1, article=[iri]))


def make(site: Site, look: Look, iri: str) -> dict[str, Any]:
    """What the template shows besides what it shows of any resource, `labels` among that.

    Raises BadArgument for parameters that it does not take.
    """
    show, number = _show(), _number()
    card, outline = view.card(look, iri), view.spine(look, iri)
    audit = view.audited(look, iri)
    shown = {
        "iri": iri,
        "card": card,
        "outline": outline,
        "show": show,
        "number": number,
        "findings": audit.findings,
        "comparisons": audit.comparisons,
        "absent": [
            _ABSENT.get(term.value, look.compact(term.value)) for term in card.all("rf:absent")
        ],
        "most": view.MOST,
        "day": day,
    }
    if show == "findings":
        found = view.findings(look, iri)
        page = _page(found, number, view.ROWS)
        return shown | {"rows": page, "pages": _pages(found, view.ROWS)}
    if show == "comparisons":
        compared = view.comparisons(look, iri)
        rows = _page(compared, number, view.ROWS)
        told = view.readings(look, {iri for row in rows for iri in (row.claim, row.other)})
        pages = _pages(compared, view.ROWS)
        return shown | {"rows": rows, "pages": pages, "lines": told}
    if number > max(1, len(outline.parts)):
        raise _no_part(number)
    part = view.part(look, outline, number, audit)
    blocks, loose = outline.parts[number - 1] if outline.parts else ((), ())
    return shown | {
        "part": part,
        "blocks": blocks,
        "loose": loose,
        "pages": len(outline.parts),
        "words": _words(site, look, iri, card, blocks),
        "restricted": _restricted(site, look, part.withheld),
    }


def _show() -> str:
    show = at_most_one(request.args, "show") or SHOWS[0]
    if show not in SHOWS:
        raise BadArgument(
            f"the parameter show is {show[:40]!r}", remedy="It takes " + " or ".join(SHOWS) + "."
        )
    return show


def _number() -> int:
    text = at_most_one(request.args, "part") or "1"
    if not (text.isascii() and text.isdecimal() and 0 < len(text) <= _DIGITS and int(text)):
        raise BadArgument(
            f"the parameter part is {text[:40]!r}", remedy="It takes a whole number from 1 on."
        )
    return int(text)


def _no_part(number: int) -> BadArgument:
    return BadArgument(
        f"there is no part {number} of this list", remedy="Leave out the parameter part."
    )


def _page(items: Sequence[_Item], number: int, size: int) -> Sequence[_Item]:
    if number > _pages(items, size):
        raise _no_part(number)
    return items[(number - 1) * size : number * size]


def _pages(items: Sequence[object], size: int) -> int:
    return max(1, -(-len(items) // size))


# --- what takes the scope -----------------------------------------------------------------


def _words(
    site: Site, look: Look, iri: str, card: Card, blocks: Sequence[view.Block]
) -> Words | None:
    """None for a reader without the scope, who is not even told whether there is a text."""
    if not site.reader().sees_restricted:
        return None
    try:
        text = site.texts.find(card.digest)
    except KgError as error:
        return Words({}, error.message)
    if text is None:
        return Words({})
    known = view.anchors(look, iri)
    problem = _mismatch(text, known, card)
    if problem:
        return Words({}, problem)
    marked = view.marks(look, iri, known)
    return Words(
        {
            block.iri: view.pieces(text.content, block.place, block.entries, marked)
            for block in blocks
        }
    )


def _mismatch(text: Text, known: Sequence[view.Anchor], card: Card) -> str:
    """Why the text cannot be trusted to be the one that was read; empty where it can."""
    if card.length and card.length != len(text.content):
        return (
            f"The text that was supplied has {len(text.content)} code points, and the article's"
            f" {card.length}."
        )
    wrong = [
        anchor
        for anchor in known
        if digest(text.content[anchor.place.start : anchor.place.end]) != anchor.digest
    ]
    if not wrong:
        return ""
    first = wrong[0].place
    return (
        f"The digests of {len(wrong)} of {len(known)} anchors do not fit the text that was"
        f" supplied; the first is at {first.start}-{first.end}."
    )


def _restricted(
    site: Site, look: Look, persons: Sequence[str]
) -> Mapping[str, Sequence[tuple[str, RestrictedStatement]]]:
    """By person what restricted graphs say, each with the name of its property."""
    statements = site.restricted(look.release, *persons) if persons else ()
    names = look.labels({each.property for each in statements})
    found: dict[str, list[tuple[str, RestrictedStatement]]] = {}
    for each in statements:
        name = property_name(each.property, names) or look.compact(each.property)
        found.setdefault(each.subject, []).append((name, each))
    return found
