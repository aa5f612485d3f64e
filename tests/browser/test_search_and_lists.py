"""Search and lists in a browser: by keyboard, without scripts, on a phone."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from browsing import Watch, violations
from kg_server import Server

PATHS = ("/search?q=women", "/search", "/areas", "/sources?year=2017", "/people", "/cohorts?q=zzz")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible(
    page: Page, watch: Watch, path: str, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(path)
    assert violations(page) == []


@pytest.mark.parametrize("path", PATHS)
def test_it_fits_a_phone(page: Page, watch: Watch, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert violations(page) == []


def test_a_list_is_narrowed_without_scripts(browser: Browser, site: Server) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=site.url)
    page = context.new_page()
    page.goto("/areas")
    page.get_by_role("checkbox", name=re.compile("vague area")).check()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("6 of 32 areas")
    expect(page.get_by_role("checkbox", name=re.compile("vague area"))).to_be_checked()
    page.get_by_role("link", name="Show all").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("32 areas")
    context.close()


def test_search_is_reached_and_used_by_keyboard_alone(page: Page, watch: Watch) -> None:
    page.goto("/areas")
    page.get_by_role("searchbox", name=re.compile("Search names")).focus()
    page.keyboard.type("soufan cen")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Search")
    first = page.locator(".results a").first
    expect(first).to_have_text("The Soufan Center")
    expect(page.locator(".results mark").first).to_have_text("Soufan")
    first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("The Soufan Center")


def test_kinds_narrow_a_search(page: Page, watch: Watch) -> None:
    page.goto("/search?q=women")
    page.get_by_role("checkbox", name=re.compile("^quotation")).check()
    page.get_by_role("button", name="Show these").click()
    badges = page.locator(".results .badge").all_inner_texts()
    assert badges
    assert set(badges) == {"quotation"}
