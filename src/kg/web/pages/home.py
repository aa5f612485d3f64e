"""The first page: what this is, what is in it, where to begin."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kg.errors import BadArgument
from kg.namespaces import GRAPH, RF
from kg.query.citation_texts import release_text
from kg.query.questions import Question, questions_of
from kg.query.views.home import Area, Home, home
from kg.query.views.look import Look
from kg.store.base import Release
from kg.web.exchange import Exchange
from kg.web.links import base_url
from kg.web.pages.keeping import Kept
from kg.web.pages.linking import href, shorten
from kg.web.pages.site import Site

_LISTED: Final = 15
"""Areas in the table; the page of areas has all."""
_LABEL: Final = 80
_QUESTIONS: Final = 5
_FOREMOST: Final = (
    "sources-that-differ",
    "hedged-figures",
    "who-said-it",
    "many-articles-one-document",
    "what-is-unknown",
)
"""Questions that show what other datasets cannot answer; others stand in for those not there."""


def routes(reads: Blueprint, site: Site) -> None:
    """Register `/`."""
    kept = Kept[Home](site.settings.deadline)

    @reads.get("/", endpoint="home")
    def first() -> Response:
        releases, before = len(site.store.history.names()), _before(site)

        def make(look: Look) -> dict[str, Any]:
            key = look.release.name, before is not None
            found = kept.get(key, lambda: home(look, before))
            return {
                "home": found,
                "listed": found.areas[:_LISTED],
                "more_areas": len(found.areas) > _LISTED,
                "map": {"areas": [_on_map(area) for area in found.areas]},
                "questions": _questions(look.release),
                "releases": releases,
                "terms": _terms(look.release),
                "citation": release_text(look.release, found.about, _permalink(look.release)),
            }

        return site.page("home.html", make, state=f"{releases} {before is not None}")


def _before(site: Site) -> Look | None:
    """The release before the one that is looked at, where retention has left it."""
    name = site.release().parent
    if name is None or name not in site.store.history.names():
        return None
    return Look(site.store, site.settings, site.store.release(name), Exchange.of(request).ticket)


def _terms(release: Release) -> dict[str, str]:
    """The classes of claims and of figures, where the release describes them."""
    if any(graph.iri == GRAPH + "ontology" for graph in release.graphs):
        return {"claim": RF + "Claim", "figure": RF + "FigureClaim"}
    return {}


def _questions(release: Release) -> list[Question]:
    known = questions_of(release)
    names = sorted(known, key=lambda name: (name not in _FOREMOST, name))
    foremost = [name for name in _FOREMOST if name in known]
    return [known[name] for name in (*foremost, *names[len(foremost) :])[:_QUESTIONS]]


def _permalink(release: Release) -> str:
    try:
        return f"{base_url(request)}r/{release.name}/"
    except BadArgument:  # a client that names no host (RFC 9112, section 3.2)
        return f"/r/{release.name}/"


def _on_map(area: Area) -> dict[str, Any]:
    return {
        "href": href(area.iri),
        "label": shorten(area.label.text or area.iri, _LABEL),
        "m49": area.m49,
        "figures": area.figures,
        "articles": area.articles,
    }
