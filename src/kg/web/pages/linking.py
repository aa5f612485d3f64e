"""Addresses within the pages: of a resource, of a page, in the release that is looked at."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from flask import Flask, current_app, g, request, url_for

from kg.namespaces import BASE, USUAL_PREFIXES
from kg.validation.report import compact
from kg.web.assets import STATIC, Assets

LONGEST: Final = 300
"""Characters of a label or a literal that a page shows; its resource's page shows all."""

PLACES: Final = (
    ("query", "Ask"),
    ("compare", "Compare"),
    ("sources", "Sources"),
    ("areas", "Areas"),
    ("cohorts", "Cohorts"),
    ("people", "People"),
    ("findings", "Findings"),
    ("ontology", "Ontology"),
    ("releases", "Releases"),
)
"""The pages that every page leads to, by endpoint, in their order."""


def register(app: Flask, assets: Assets) -> None:
    """Give templates these functions."""
    app.jinja_env.globals.update(
        place=place,
        href=href,
        static=static,
        entry=assets.entries.get,
        shorten=shorten,
        places=lambda: [each for each in PLACES if has(each[0])],
        has=has,
        here=here,
        newest=newest,
        compact=compacted,
    )
    app.jinja_env.filters["number"] = number
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def place(endpoint: str, **values: Any) -> str:
    """The address of a page, in the release that is looked at; None leaves a parameter out."""
    kept = {name: value for name, value in values.items() if value is not None}
    at = g.get("at")
    if at is None:
        return url_for(f"head.{endpoint}", **kept)
    return url_for(f"release.{endpoint}", at=at, **kept)


def has(endpoint: str) -> bool:
    """Whether this server has a page of that name."""
    return f"head.{endpoint}" in current_app.view_functions


def here(endpoint: str) -> bool:
    """Whether this is that page."""
    return (request.endpoint or "").rpartition(".")[2] == endpoint


def newest() -> str:
    """This address, of HEAD."""
    path = request.full_path.removeprefix(f"/r/{g.at}") or "/"
    return f"{request.script_root}{path.rstrip('?')}"


def href(iri: str) -> str:
    """Where a resource is described here: `/id/…` for our IRIs, `/resource?iri=…` for others."""
    if iri.startswith(BASE) and not (set(iri) & set("?#")):
        root = request.script_root + (f"/r/{g.at}" if g.get("at") else "")
        return f"{root}/id/{quote(iri.removeprefix(BASE), safe='/-._~:@!$&()*+,;=')}"
    return place("resource", iri=iri)


def compacted(iri: str) -> str:
    """The IRI with a prefix of the release that is looked at, where one fits."""
    return compact(iri, g.get("prefixes", USUAL_PREFIXES))


def static(path: str) -> str:
    """The address of a file below `static/`, with a mark that changes with it."""
    if path.startswith("ui/"):  # its name has one already
        return url_for("static", filename=path)
    return url_for("static", filename=path, v=int((STATIC / path).stat().st_mtime))


def shorten(text: str, most: int = LONGEST) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def number(value: float | str) -> str:
    """A number with thin spaces between thousands; what is no number as it is."""
    try:
        return f"{int(value):,}".replace(",", "\u202f")
    except ValueError:
        return str(value)
