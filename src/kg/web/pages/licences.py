"""Under which licences everything here stands: the data, kg, and what its pages bundle."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Final

from flask import Blueprint
from werkzeug.wrappers import Response

from kg.store.catalog import read_catalog
from kg.web.pages.site import Site

_MOST_TEXT: Final = 50_000
"""Characters of licences' texts on the page; the file of the build has all."""


def routes(reads: Blueprint, site: Site) -> None:
    """Register `/licences`."""

    @reads.get("/licences", endpoint="licences")
    def licences() -> Response:
        return site.page(
            "licences.html",
            lambda look: {
                "dataset": read_catalog(look.release.folder),
                "own": own_licence(),
                "packages": site.assets.licences,
                "with_text": _with_text(site),
            },
        )


@cache
def own_licence() -> str:
    """The text of the licence that kg's code is under; empty where it was not installed."""
    try:
        return distribution("kg").read_text("licenses/LICENSE") or ""
    except PackageNotFoundError:
        return ""


def _with_text(site: Site) -> frozenset[str]:
    """The packages whose texts fit on the page."""
    names, left = set(), _MOST_TEXT
    for package in site.assets.licences:
        left -= len(package.text)
        if left < 0:
            break
        names.add(package.name)
    return frozenset(names)
