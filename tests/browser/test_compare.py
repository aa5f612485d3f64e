"""Figures side by side in a browser: choosing without scripts, reading the drawing at any width."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from browsing import Watch, violations
from kg_server import Server

TUNISIA: Final = "/compare?area=area:TN&cohort=cohort:ff-departed"
PHONE: Final = {"width": 320, "height": 640}


def test_a_reader_chooses_an_area_and_a_cohort_by_keyboard(page: Page, watch: Watch) -> None:
    page.goto("/compare")
    page.get_by_label("Area", exact=True).focus()
    page.keyboard.type("Tunisia")
    page.get_by_label("Who is counted", exact=True).focus()
    page.keyboard.type("foreign fighters who left")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("foreign fighters who left, Tunisia")
    expect(page.locator("tr[id^=figure-]")).to_have_count(8)


def test_without_scripts_it_is_the_same(browser: Browser, site: Server) -> None:
    with browser.new_context(java_script_enabled=False, base_url=site.url) as context:
        page = context.new_page()
        page.goto("/compare")
        page.get_by_label("Area", exact=True).select_option("area:TN")
        page.get_by_label("Who is counted", exact=True).select_option("cohort:ff-departed")
        page.get_by_role("button", name="Compare").click()
        expect(page.locator("tr[id^=figure-]")).to_have_count(8)
        expect(page.locator("svg[role=img]")).to_have_count(9)  # the scale, and one a figure


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_drawing_is_accessible(browser: Browser, site: Server, colours: str) -> None:
    with browser.new_context(color_scheme=colours, base_url=site.url) as context:  # type: ignore[arg-type]
        page = context.new_page()
        watch = Watch.of(page, site.url)
        page.goto(TUNISIA + "&readings=yes")
        page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
        assert violations(page) == []
        watch.check()


def test_each_sign_is_named_by_what_it_says(page: Page, watch: Watch) -> None:
    page.goto(TUNISIA)
    expect(page.get_by_role("img", name="Figure 8: less than 3\u202f000")).to_be_visible()
    expect(page.get_by_role("img", name="Scale from 0 to 6\u202f000, from zero")).to_be_visible()


def test_on_a_phone_the_drawing_fits_and_its_numbers_can_be_read(
    browser: Browser, site: Server
) -> None:
    with browser.new_context(viewport=PHONE, base_url=site.url) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(TUNISIA)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        sizes = "all => all.map(each => each.getBoundingClientRect().height)"
        assert min(page.locator("svg.strip text").evaluate_all(sizes)) >= 11
        rights = "all => Math.max(...all.map(each => each.getBoundingClientRect().right))"
        assert page.locator("svg.strip circle").evaluate_all(rights) <= PHONE["width"]


def test_marks_stand_where_their_numbers_are(page: Page, watch: Watch) -> None:
    """From zero, 2,926 of 6,000: the middles of the marks, between those of the grid."""
    page.goto(TUNISIA)
    middle = "it => { const b = it.getBoundingClientRect(); return b.left + b.width / 2 }"
    zero, *_, most = (
        line.evaluate(middle) for line in page.locator("li.row").first.locator(".grid").all()
    )
    at = page.locator("li.row").first.locator("circle.closed").evaluate(middle)
    assert abs((at - zero) / (most - zero) - 2926 / 6000) < 0.01


def test_a_link_to_a_verdict_opens_its_reason(page: Page, watch: Watch) -> None:
    page.goto(TUNISIA)
    reason = page.get_by_text("The claims count different groups of people.")
    expect(reason).not_to_be_visible()
    page.get_by_role("link", name="not comparable, another cohort").click()
    expect(reason).to_be_visible()


def test_the_query_page_takes_the_query(page: Page, watch: Watch) -> None:
    page.goto(TUNISIA)
    page.get_by_role("link", name="The query that gives them").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("derivedUpper").first).to_be_attached()
