"""The lists of sources, people, areas and cohorts, each with facets and a search of its own."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kg.errors import BadArgument, NoSearchIndex
from kg.query.views.lists import shown
from kg.query.views.look import Look
from kg.store.listing import LISTINGS, Listing, Order
from kg.web.pages.asking import asked_page, asked_values
from kg.web.pages.search import asked_words
from kg.web.pages.site import Site

_ROWS: Final = 25
_LAST: Final = 100_000
_TITLES: Final = {
    "sources": "Sources",
    "people": "People and organizations",
    "areas": "Areas",
    "cohorts": "Cohorts",
}
_NOUNS: Final = {
    "sources": ("source", "sources"),
    "people": ("person or organization", "people and organizations"),
    "areas": ("area", "areas"),
    "cohorts": ("cohort", "cohorts"),
}
_FACETS: Final = {
    "kind": "Kind",
    "publisher": "Publisher",
    "year": "Year",
    "area": "Area",
    "cohort": "Cohort",
    "findings": "Findings of the audit",
    "region": "Part of",
    "measure": "Measure",
    "part": "Part that they have",
}
_ORDERS: Final = {
    Order.NAME: "name",
    Order.CLAIMS: "most claims",
    Order.DATE: "newest",
}


def routes(reads: Blueprint, site: Site) -> None:
    """Register `/sources`, `/people`, `/areas` and `/cohorts`."""
    for name, listing in LISTINGS.items():
        reads.add_url_rule(f"/{name}", name, partial(_page, site, listing))


def _page(site: Site, listing: Listing) -> Response:
    words = asked_words()
    order, number = _order(listing), asked_page(_LAST)
    chosen = {facet.name: sorted(asked_values(facet.name)) for facet in listing.facets}

    def make(look: Look) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "listing": listing,
            "title": _TITLES[listing.name],
            "nouns": _NOUNS[listing.name],
            "facet_names": _FACETS,
            "orders": {each.value: _ORDERS[each] for each in listing.orders},
            "order": order.value,
            "usual_order": listing.orders[0].value,
            "words": words,
            "chosen": {name: values for name, values in chosen.items() if values},
            "number": number,
            "rows": _ROWS,
            "found": None,
            "problem": None,
        }
        try:
            found = shown(
                look,
                listing,
                chosen=chosen,
                words=words,
                order=order,
                limit=_ROWS,
                offset=(number - 1) * _ROWS,
            )
        except NoSearchIndex as error:
            return asked | {"problem": error}
        return asked | {"found": found}

    return site.page("list.html", make)


def _order(listing: Listing) -> Order:
    text = request.args.get("sort", "")
    if not text:
        return listing.orders[0]
    for order in listing.orders:
        if order.value == text:
            return order
    offered = ", ".join(order.value for order in listing.orders)
    raise BadArgument(f"sort is {text[:40]!r}", remedy=f"It takes one of: {offered}.")
