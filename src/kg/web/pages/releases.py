"""The history: the log of releases, and how two of them differ, as pages and as data."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, g, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kg.errors import BadArgument
from kg.media import DIFFERENCE_FORMATS, HTML, RECORD, TEXT
from kg.query.citation_texts import release_text
from kg.query.views.difference import HOWS, Wanted, part
from kg.query.views.look import Look
from kg.query.views.releases import Kept, choices, log
from kg.store.catalog import read_catalog
from kg.web.history import History, Pair, first_missing, pair_of
from kg.web.links import base_url
from kg.web.negotiation import chooser
from kg.web.pages.asking import asked_page
from kg.web.pages.linking import place
from kg.web.pages.site import Site
from kg.web.protocol import asked_format
from kg.web.uploads import pairs_of

_LISTED: Final = (RECORD, TEXT, HTML)
_DIFFERENCE: Final = (*DIFFERENCE_FORMATS, HTML)
_MOST_CHOICES: Final = 100
"""Releases, and tags, that the form offers."""
_MOST_GRAPHS: Final = 50
"""Graphs in which other quads differ that the page lists."""
_MOST_SOURCES: Final = 30
"""Articles that can be chosen from."""


def routes(reads: Blueprint, site: Site) -> None:
    """Register `/releases` and `/diff`; neither is looked at in one release."""
    history = History(site.store, site.settings, site.running)
    releases_of = site.store.history

    @reads.get("/releases", endpoint="releases")
    def releases() -> Response:
        format = chooser(request.headers.get("Accept"), asked_format(request))(_LISTED)
        if format != HTML:
            return history.listing(format)
        g.immutable = False  # the log grows, whichever release is looked at
        found = log(releases_of, asked_page())
        citations = {
            each.release.name: _citation(each) for each in found.entries if isinstance(each, Kept)
        }
        offered = choices(releases_of, _MOST_CHOICES)
        return site.page(
            "releases.html",
            lambda look: {
                "log": found,
                "citations": citations,
                "choices": offered,
                "pages": lambda number: place("releases", page=number),
            },
            state=repr((found, citations, offered)),
        )

    @reads.get("/diff", endpoint="diff")
    def diff() -> Response:
        format = chooser(request.headers.get("Accept"), asked_format(request))(_DIFFERENCE)
        pair = pair_of(request, site.store, g.at)
        if format != HTML:
            if pair is None:
                raise first_missing()
            return history.difference(pair, format)
        g.immutable = pair is not None and pair.immutable
        wanted = _wanted()
        offered = choices(releases_of, _MOST_CHOICES)
        chosen = (pair.before.name, pair.after.name) if pair else ("", g.at or offered[0][0])
        return site.page(
            "diff.html",
            lambda look: {
                "choices": _with(offered, *chosen),
                "chosen": chosen,
                **(_compared(pair, wanted, look, history) if pair else {}),
            },
            state=repr((chosen, offered)),
        )


def _compared(pair: Pair, wanted: Wanted, look: Look, history: History) -> dict[str, Any]:
    look.begin()
    difference = history.compared(pair)
    found = part(difference, wanted)
    articles = {source.article for source, _ in found.articles if source.article}
    ends = {graph.iri for graph in pair.after.graphs}
    articles |= {choice.value for choice in found.sources[:_MOST_SOURCES] if choice.value}
    return {
        "difference": difference,
        "part": found,
        "labels": look.labels(articles),
        "graph_at": lambda iri: (pair.after if iri in ends else pair.before).name,
        "formats": [(each.name, _FORMATS[each.name]) for each in DIFFERENCE_FORMATS],
        "most_graphs": _MOST_GRAPHS,
        "most_sources": _MOST_SOURCES,
        "filtered": bool(wanted.hows or wanted.kinds or wanted.articles),
        "link": lambda number: place("diff", **_parameters(pair, wanted), page=number),
        "download": lambda name: place("diff", **_parameters(pair, Wanted()), format=name),
        "unfiltered": place("diff", **_parameters(pair, Wanted())),
    }


_FORMATS: Final = {
    "claims": "the claims as text",
    "json": "JSON",
    "quads": "N-Quads with signs",
    "patch": "RDF Patch",
}


def _wanted() -> Wanted:
    parameters = MultiDict(pairs_of(request.query_string))
    hows = frozenset(parameters.getlist("how"))
    if not hows <= set(HOWS):
        raise BadArgument(
            "the parameter how has a value that it cannot have",
            remedy=f"Use {', '.join(HOWS)}, or leave it out for all.",
        )
    return Wanted(
        hows=hows,
        kinds=frozenset(parameters.getlist("kind")),
        articles=frozenset(parameters.getlist("article")),
        page=asked_page(),
    )


def _parameters(pair: Pair, wanted: Wanted) -> dict[str, Any]:
    """Those of the address, but the page."""
    return {
        "from": pair.before.name,
        "to": pair.after.name,
        "how": sorted(wanted.hows),
        "kind": sorted(wanted.kinds),
        "article": sorted(wanted.articles),
    }


def _with(offered: list[tuple[str, str]], *names: str) -> list[tuple[str, str]]:
    """What is offered, and these releases where they are older than that."""
    there = {name for name, _ in offered}
    return offered + [(name, name) for name in dict.fromkeys(names) if name and name not in there]


def _citation(kept: Kept) -> str:
    url = f"{base_url(request)}r/{kept.release.name}/"
    return release_text(kept.release, read_catalog(kept.release.folder), url)
