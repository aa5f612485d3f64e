"""The pages that are served, each by the function that registers its addresses."""

from typing import Final

from kg.web.pages import home
from kg.web.pages.site import Routes

PAGES: Final[tuple[Routes, ...]] = (home.routes,)
"""In the order of the module names; each gets the blueprint of all that reads."""
