"""docs/pages.md names every page, and its links and pictures are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from every_page import pages_of

DOCS: Final = Path(__file__).parents[1] / "docs"
TEXT: Final = (DOCS / "pages.md").read_text()


def test_every_page_is_named(built: Path) -> None:
    named = set(re.findall(r"`(/[^`]*)`", TEXT))
    paths = {name.partition("?")[0].partition("…")[0].rstrip("/") or "/" for name in named}
    pages = pages_of(built) - {"/sparql"}  # the form of /query, by another name
    missing = {page for page in pages if (page.rstrip("/") or "/") not in paths}
    assert missing == set()


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    files = [link.partition("#")[0] for link in links if not link.startswith(("#", "http"))]
    assert len(files) > 10
    assert [file for file in files if not (DOCS / file).is_file()] == []


def test_every_section_that_is_linked_is_there() -> None:
    sections = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= sections
