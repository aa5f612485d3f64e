"""The page of licences."""

from __future__ import annotations

from kg.web.assets import Assets
from kg_server import Server
from web.test_pages import BROWSER, Page


def test_the_page_names_every_bundled_package_and_its_licence(server: Server) -> None:
    page = Page(server.send("/licences", headers={"Accept": BROWSER}).body)
    packages = Assets.read().licences
    assert {"@codemirror/view", "d3-geo", "d3-scale"} <= {each.name for each in packages}
    assert [each.name for each in packages if each.name not in page.words] == []
    assert all(each.text in page.words for each in packages)
    assert "Apache License" in page.words
    assert "Natural Earth" in page.words


def test_every_bundled_package_has_a_licence_that_allows_it(server: Server) -> None:
    """ISC, MIT and the like ask that their text travels, which it does."""
    packages = Assets.read().licences
    assert {each.licence for each in packages} <= {"MIT", "ISC", "BSD-3-Clause", "Apache-2.0"}
    assert [each.name for each in packages if not each.text.strip()] == []
