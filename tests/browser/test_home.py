"""The first page in a browser, and its map."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browsing import Watch, violations
from kg_server import Server

PLACES = "#main a.spot"


def with_map(page: Page, path: str = "/") -> Page:
    page.goto(path)
    page.locator("[data-island=map]").scroll_into_view_if_needed()
    expect(page.locator("[data-island=map]")).to_have_attribute("data-state", "ready")
    page.locator(PLACES).first.wait_for()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_home_is_accessible(page: Page, watch: Watch, scheme: Any, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 740})
    with_map(page)
    assert page.title() != ""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_each_circle_is_a_country_of_the_table_and_leads_to_it(page: Page, watch: Watch) -> None:
    with_map(page)
    names = page.locator(PLACES).evaluate_all(
        "all => all.map(each => each.getAttribute('aria-label'))"
    )
    assert "Russia: 13 figures from 6 articles" in names
    assert len(names) == 13
    page.get_by_label("Tunisia: 12 figures from 5 articles").focus()
    expect(page.locator(".map-told")).to_have_text("Tunisia: 12 figures from 5 articles")
    page.keyboard.press("Enter")
    page.wait_for_url("**/id/area/TN")


def test_what_is_no_country_is_listed_beside_the_map(page: Page, watch: Watch) -> None:
    with_map(page)
    beside = page.locator(".counts-beside li").all_inner_texts()
    assert "Central Asia 5 figures from 2 articles" in beside
    assert "European Union 5 figures from 2 articles" in beside
    assert len(beside) == 8


@pytest.mark.parametrize("width", [1200, 360])
def test_circles_do_not_hide_each_other(page: Page, watch: Watch, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    with_map(page)
    middles = page.locator(f"{PLACES} .touch").evaluate_all(
        "all => all.map(each => [each.cx.baseVal.value, each.cy.baseVal.value])"
    )
    pairs = [(one, two) for at, one in enumerate(middles) for two in middles[at + 1 :]]
    assert min((a - c) ** 2 + (b - d) ** 2 for (a, b), (c, d) in pairs) >= 24**2


def test_a_tab_goes_from_circle_to_circle_with_the_focus_seen(page: Page, watch: Watch) -> None:
    with_map(page)
    page.locator(PLACES).first.focus()
    page.keyboard.press("Tab")
    seen = page.evaluate(
        "getComputedStyle(document.activeElement.querySelector('circle:not(.touch)')).strokeWidth"
    )
    assert page.evaluate("document.activeElement.getAttribute('class')") == "spot"
    assert seen == "3px"


def test_the_map_of_a_release_leads_within_it(page: Page, watch: Watch, site: Server) -> None:
    name = site.send("/").headers["kg-release"]
    with_map(page, f"/r/{name}/")
    links = page.locator(PLACES).evaluate_all("all => all.map(each => each.getAttribute('href'))")
    outside = [link for link in links if not link.startswith(f"/r/{name}/id/area/")]
    assert (len(links) > 5, outside) == (True, [])


def test_the_map_is_drawn_anew_for_another_width(page: Page, watch: Watch) -> None:
    with_map(page)
    page.set_viewport_size({"width": 420, "height": 740})
    page.wait_for_function("document.querySelector('.map-canvas svg').clientWidth < 420")
    assert page.evaluate("document.querySelector('.map-canvas').clientWidth") > 350


def test_home_says_the_same_without_scripts(browser: Browser, site: Server) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=site.url)
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Russia").inner_text().split()
    assert row == ["Russia", "13", "6"]
    assert page.get_by_role("link", name="See the evidence").count() == 4
    context.close()


def test_the_outlines_that_do_not_come_leave_the_table(page: Page) -> None:
    """The watch is not asked: Chromium reports the request that fails."""
    page.route("**/countries-*.json", lambda route: route.abort())
    page.goto("/")
    page.locator("[data-island=map]").scroll_into_view_if_needed()
    expect(page.locator("[data-island=map]")).to_have_attribute("data-state", "failed")
    expect(page.get_by_role("row").filter(has_text="Russia")).to_be_visible()
