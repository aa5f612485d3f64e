"""The pages of a resource, of a claim and of an error in a browser."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Page, expect

from browsing import Watch, violations
from kg_server import Server

ARTICLE = "/id/a/0d09b047b72d6408"
PAGES = {
    "area": "/id/area/RU",
    "cohort": "/id/cohort/ff-departed",
    "organisation": "/id/org/soufan-center",
    "claim": f"{ARTICLE}/c/figure-2323-2399",
    "withheld person": f"{ARTICLE}/person/3220-3238",
    "graph": "/id/graph/entities",
    "property": "/resource?iri=rdf:type",
    "list": "/id/ns/FigureClaim?in=rdf:type",
}


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_resource_is_accessible_in_light_and_dark(page: Page, watch: Watch, path: str) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(path)
        assert violations(page) == []


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_resource_fits_a_phone(page: Page, watch: Watch, path: str) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(path)
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert page.evaluate(wider) is False


def test_a_claim_reads_the_same_without_scripts(browser: Browser, site: Server) -> None:
    texts = []
    for scripts in (True, False):
        context = browser.new_context(base_url=site.url, java_script_enabled=scripts)
        page = context.new_page()
        page.goto(PAGES["claim"])
        texts.append(page.locator("main").inner_text())
        context.close()
    assert texts[0] == texts[1]
    assert "400 (estimated, “are estimated”)" in texts[0]


def test_from_an_area_to_a_claim_and_back_by_links(page: Page, watch: Watch) -> None:
    page.goto(PAGES["area"])
    page.get_by_role("link", name="400 (estimated").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("“400”")
    page.get_by_role("link", name="Russia", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Russia")


def test_the_json_ld_is_not_taken_for_a_script(page: Page, watch: Watch) -> None:
    page.goto(PAGES["claim"])
    text = page.locator("script[type='application/ld+json']").text_content()
    assert json.loads(text or "")["@type"] == "Claim"


def test_a_citation_is_made_from_a_resource(page: Page, watch: Watch) -> None:
    page.goto(PAGES["area"])
    page.get_by_role("button", name="Make a citation").click()
    expect(page.get_by_role("heading", name="What was asked")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Russia")
    expect(page.locator("main")).to_contain_text("SHA-256")


ERRORS = {
    "unknown": ("/id/area/nowhere", 404),
    "query": ("/sparql?query=SELECT%20*%0AWHERE%20%7B%20%3Fs%20%3Fp%20%7D", 400),
    "release": ("/r/99/id/area/RU", 404),
    "format": ("/id/area/RU?format=png", 406),
}


@pytest.mark.parametrize(("path", "status"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_an_accessible_page_that_leads_on(
    page: Page, watch: Watch, path: str, status: int
) -> None:
    answer = page.goto(path)
    watch.forget(f"status of {status}")
    assert answer is not None
    assert answer.status == status
    assert violations(page) == []
    page.locator("main a").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    watch.forget("status of 4")
