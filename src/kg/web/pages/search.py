"""Search: what labels, paraphrases, first words and wordings say, as a page and as JSON."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kg.errors import BadArgument, NoSearchIndex
from kg.media import HTML, RECORD
from kg.query.views.look import Look
from kg.query.views.search import KIND_NAMES, Place, Result, Searched, searched
from kg.web.negotiation import chooser, prefers_html
from kg.web.pages.asking import asked_number, asked_page, asked_values
from kg.web.pages.linking import href
from kg.web.pages.site import Site

MOST: Final = 50
_USUAL: Final = 20
_LAST: Final = 500
"""Parts of a list that are given; who needs more asks for it by SPARQL."""
_LONGEST: Final = 2000


def routes(reads: Blueprint, site: Site) -> None:
    """Register `/search`."""

    @reads.get("/search", endpoint="search")
    def found() -> Response:
        asked, kinds = asked_words(), asked_values("kind")
        number, limit = asked_page(_LAST), asked_number("limit", _USUAL, MOST)

        def look_up(look: Look) -> Searched:
            return searched(look, asked, kinds, limit=limit, offset=(number - 1) * limit)

        if not _wants_page():
            return site.data(lambda look: _written(look_up(look)))

        def make(look: Look) -> dict[str, Any]:
            shown: dict[str, Any] = {
                "asked": asked,
                "chosen": kinds,
                "number": number,
                "limit": limit if limit != _USUAL else None,
                "kind_names": KIND_NAMES,
                "found": None,
                "problem": None,
                "last": _LAST,
            }
            try:
                return shown | {"found": look_up(look)}
            except NoSearchIndex as error:
                return shown | {"problem": error}

        return site.page("search.html", make)


def asked_words() -> str:
    """The words that are looked for; raises BadArgument for far too many to be said again."""
    words = request.args.get("q", "").strip()
    if len(words) > _LONGEST:
        raise BadArgument(
            f"the search has {len(words)} characters", remedy="Look for fewer words: 300 at most."
        )
    return words


def _wants_page() -> bool:
    """Whether a person asks; a program that does not say gets JSON."""
    accept, name = request.headers.get("Accept"), request.args.get("format")
    offered = (HTML, RECORD) if prefers_html(request) else (RECORD, HTML)
    return chooser(accept, name)(offered) == HTML


def _written(found: Searched) -> dict[str, Any]:
    return {
        "results": [_result(result) for result in found.results],
        "more": found.more,
        "total": found.total,
        "complete": found.complete,
        "kinds": dict(found.kinds),
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "iri": result.iri,
        "label": result.label.text,
        "language": result.language,
        "property": result.predicate,
        "text": result.text,
        "kind": result.kind,
        "place": _place(result.place) if result.place else None,
        "href": href(result.iri),
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "article": place.article,
        "block": place.block or None,
        "number": int(place.number) if place.number else None,
        "name": place.told,
        "href": href(place.article),
    }
