"""The findings in a browser: filtered by keyboard, without scripts, and read on a phone."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from browsing import Watch, violations
from kg_server import Server

FINDINGS = "article.finding"


def test_the_filter_works_by_keyboard(page: Page, watch: Watch) -> None:
    page.goto("/findings")
    page.get_by_label("contradict").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#list")).to_have_text("2 findings of 77, 2 of them warnings")
    expect(page.locator(FINDINGS)).to_have_count(2)
    expect(page.get_by_label("contradict")).to_be_checked()


def test_without_scripts_the_filter_works(browser: Browser, site: Server) -> None:
    with browser.new_context(java_script_enabled=False, base_url=site.url) as context:
        page = context.new_page()
        page.goto("/findings")
        page.locator("summary", has_text=re.compile("^Area$")).click()
        page.get_by_label("Tunisia").check()
        page.get_by_role("button", name="Show these").click()
        expect(page.locator(FINDINGS)).to_have_count(20)
        expect(page.get_by_label("Tunisia")).to_be_visible()


def test_with_all_that_folds_unfolded_it_is_accessible(page: Page, watch: Watch) -> None:
    page.goto("/findings")
    page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    assert violations(page) == []


def test_a_finding_leads_to_a_claim_and_the_claim_can_be_read(page: Page, watch: Watch) -> None:
    page.goto("/findings?rule=W17&verdict=code:contradict")
    page.locator(FINDINGS).get_by_role("link", name="2,920").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert "/id/a/" in page.url


def test_on_a_phone_nothing_is_wider_than_the_window(browser: Browser, site: Server) -> None:
    with browser.new_context(viewport={"width": 320, "height": 640}, base_url=site.url) as context:
        page = context.new_page()
        page.goto("/findings")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
