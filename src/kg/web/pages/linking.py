"""Addresses within the pages: of a resource, of a page, in the release that is looked at."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote

from flask import Flask, current_app, g, request, url_for

from kg.namespaces import BASE, USUAL_PREFIXES
from kg.query.telling import day, moment, unstacked
from kg.validation.report import compact
from kg.web.assets import Assets, mark

_RELEASE: Final = re.compile(r"^/r/[^/?]+")
_MARKS: Final = 8
"""Characters that are looked at for each that is shown, as marks are left out."""
_LONGEST_ADDRESS: Final = 4_000
"""Characters of its own address that a page repeats."""
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
        this_address=this_address,
        compact=compacted,
    )
    app.jinja_env.filters.update(number=number, day=day, moment=moment)
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


def this_address() -> str:
    """That of this page; without what it asks for where that is too long to be repeated."""
    path = request.full_path.rstrip("?")
    return request.script_root + (path if len(path) <= _LONGEST_ADDRESS else request.path)


def newest() -> str:
    """This address, of HEAD, by whatever name it has the release."""
    path = _RELEASE.sub("", this_address().removeprefix(request.script_root))
    return f"{request.script_root}/{path.lstrip('/')}"


def href(iri: str, at: str | None = None) -> str:
    """Where a resource is described here: `/id/…` for our IRIs, `/resource?iri=…` for others.

    That is in the release that is looked at, unless `at` names another.
    """
    at = at or g.get("at")
    # A browser would take “..” in a path for the folder above (RFC 3986, section 5.2.4).
    if iri.startswith(BASE) and not (set(iri) & set("?#") or {".", ".."} & set(iri.split("/"))):
        root = request.script_root + (f"/r/{at}" if at else "")
        return f"{root}/id/{quote(iri.removeprefix(BASE), safe='/-._~:@!$&()*+,;=')}"
    return url_for("release.resource", at=at, iri=iri) if at else place("resource", iri=iri)


def compacted(iri: str) -> str:
    """The IRI with a prefix of the release that is looked at, where one fits."""
    return compact(iri, g.get("prefixes", USUAL_PREFIXES))


def static(path: str) -> str:
    """The address of a file below `static/`, with a mark that changes with it."""
    if path.startswith("ui/"):  # its name has one already
        return url_for("static", filename=path)
    return url_for("static", filename=path, v=mark(path))


def shorten(text: str, most: int = LONGEST) -> str:
    """The text, or its beginning and an ellipsis; marks are not piled up."""
    beginning = text[: most * _MARKS]
    shown = unstacked(beginning)
    if len(shown) <= most and len(beginning) == len(text):
        return shown
    return shown[: most - 1] + "…"


def number(value: float | str) -> str:
    """A number with thin spaces between thousands; what is no number as it is."""
    try:
        return f"{int(value):,}".replace(",", "\u202f")
    except ValueError:
        return str(value)
