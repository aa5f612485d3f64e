"""`/findings`: what the audit found, filtered, with its evidence; and what was checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint
from werkzeug.wrappers import Response

from kg.query.views.findings import FACETS, Entry, Wanted, checked, entries, found, rules
from kg.query.views.look import Look
from kg.web.pages.asking import asked_iri, asked_iris, asked_page, asked_values
from kg.web.pages.keeping import Kept
from kg.web.pages.linking import place
from kg.web.pages.site import Site

_IRIS: Final = ("verdict", "area", "article")


def routes(reads: Blueprint, site: Site) -> None:
    """Register `/findings`."""
    kept = Kept[Sequence[Entry]](site.settings.deadline)

    def known(look: Look) -> Sequence[Entry]:
        return kept.get(look.release.name, lambda: entries(look))

    @reads.get("/findings")
    def findings() -> Response:
        return site.page("findings.html", lambda look: _made(look, known(look)))


def _made(look: Look, known: Sequence[Entry]) -> dict[str, Any]:
    wanted, page = _wanted(look), asked_page()
    about = wanted.about
    return {
        "found": found(look, known, wanted, page),
        "wanted": wanted,
        "about": about,
        "labels": look.labels([about]) if about else {},
        "rules": rules(look.release),
        "titles": {rule.name: rule.ways[0][0] for rule in rules(look.release)},
        "checked": checked(look.release),
        "page": page,
        "link": _link,
    }


def _wanted(look: Look) -> Wanted:
    values = {
        name: frozenset(asked_iris(name, look.prefixes) if name in _IRIS else asked_values(name))
        for name in FACETS
    }
    return Wanted(values, asked_iri("about", look.prefixes))


def _link(page: int) -> str:
    """The same findings, another part of them."""
    kept = {name: asked_values(name) for name in (*FACETS, "about")}
    given = {name: values for name, values in kept.items() if values}
    return place("findings", **given, page=page if page > 1 else None)
