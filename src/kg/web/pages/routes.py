"""The pages that are served, each by the function that registers its addresses."""

from typing import Final

from kg.web.pages import (
    compare,
    findings,
    home,
    licences,
    lists,
    ontology,
    query,
    releases,
    search,
    sign_in,
)
from kg.web.pages.site import Routes

PAGES: Final[tuple[Routes, ...]] = (
    compare.routes,
    findings.routes,
    home.routes,
    licences.routes,
    lists.routes,
    ontology.routes,
    query.routes,
    releases.routes,
    search.routes,
    sign_in.routes,
)
"""In the order of the module names; each gets the blueprint of all that reads."""
