"""The first page in a browser."""

from __future__ import annotations

from playwright.sync_api import Page

from browsing import Watch, violations


def test_home_is_accessible(page: Page, watch: Watch) -> None:
    page.goto("/")
    assert page.title() != ""
    assert violations(page) == []
