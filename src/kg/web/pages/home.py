"""The first page: what this is, what is in it, where to begin."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from kg.web.pages.site import Site


def routes(reads: Blueprint, site: Site) -> None:
    """Register `/`."""

    @reads.get("/")
    def home() -> Response:
        return site.page("home.html", lambda look: {})
