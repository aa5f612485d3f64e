"""The article page, signing in and the status page in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest
from playwright.sync_api import Browser, Page, expect

from browsing import Watch, violations
from conftest import FIXTURES
from kg.store.tokens import Scope
from web.reading import Reading, readers_of

FOX = "/id/a/0d09b047b72d6408"
HARBOUR = "/id/a/d826bc1f151f0c3d"
WAYS = [("light", 1280), ("dark", 1280), ("light", 390)]


@pytest.fixture(scope="module")
def harbour(_built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """The miniature, whose text the operator supplied."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "texts").mkdir()
    copy(FIXTURES / "harbour.txt", folder / "texts")
    with readers_of(_built_once, folder, texts=str(folder / "texts")) as reading:
        yield reading


@pytest.fixture
def own(page: Page, harbour: Reading) -> Iterator[Watch]:
    """What goes wrong on pages of that server."""
    watching = Watch.of(page, harbour.server.url)
    yield watching
    watching.check()


def sign_in(page: Page, harbour: Reading, scope: Scope, to: str = "") -> None:
    page.goto(f"{harbour.server.url}sign-in?to={to}")
    page.get_by_label("Your token").fill(harbour.secrets[scope])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)


@pytest.mark.parametrize(("scheme", "width"), WAYS)
@pytest.mark.parametrize("query", ["", "?show=findings", "?show=comparisons"])
def test_axe_finds_nothing_on_an_article(
    page: Page, watch: Watch, query: str, scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(FOX + query)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_article_needs_no_script(browser: Browser, base_url: str) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    page = context.new_page()
    page.goto(FOX)
    expect(page.locator("#n1")).to_contain_text("unattributed")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#n128")).to_be_visible()
    context.close()


def test_a_claim_leads_to_its_chain_by_keyboard(page: Page, watch: Watch) -> None:
    page.goto(FOX)
    page.locator("#n26").get_by_role("link", name="on the word of").focus()
    page.keyboard.press("Enter")
    expect(page.locator("li:target")).to_contain_text("The Soufan Center")


@pytest.mark.parametrize(("scheme", "width"), WAYS)
def test_the_words_and_their_claims_lead_to_one_another(
    page: Page, own: Watch, harbour: Reading, scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, harbour, Scope.RESTRICTED, HARBOUR)
    assert page.url.endswith(HARBOUR)
    expect(page.locator(".words")).to_contain_text("at least 40 lamplighters left Northland")
    page.locator("#w2").click()
    expect(page.locator("li:target")).to_contain_text("“about 12”")
    page.locator("#n2 a.nr").click()
    expect(page.locator(".ref:target")).to_have_text("2")
    assert violations(page) == []


def test_marks_differ_by_more_than_colour(page: Page, own: Watch, harbour: Reading) -> None:
    sign_in(page, harbour, Scope.RESTRICTED, HARBOUR)
    looks = page.evaluate(
        """() => [...document.querySelectorAll('.legend span')].map((it) => {
          const s = getComputedStyle(it);
          const shadow = s.boxShadow.replace(/\\w+\\(.*?\\)/g, '');
          return [s.textDecorationStyle, s.textDecorationLine, s.fontWeight, s.fontStyle,
                  s.borderTopStyle, shadow].join();
        })"""
    )
    assert len(looks) == len(set(looks)) == 6


def test_signing_out_takes_the_words_away(page: Page, own: Watch, harbour: Reading) -> None:
    sign_in(page, harbour, Scope.RESTRICTED, HARBOUR)
    page.get_by_role("button", name="Sign out").click()
    page.goto(harbour.server.url.rstrip("/") + HARBOUR)
    expect(page.locator(".words")).to_have_count(0)
    page.go_back()
    page.go_back()
    expect(page.locator(".words")).to_have_count(0)


@pytest.mark.parametrize(("scheme", "width"), WAYS)
def test_an_operator_is_led_to_the_status(
    page: Page, own: Watch, harbour: Reading, scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{harbour.server.url}status")
    own.forget("401")
    assert violations(page) == []
    page.get_by_label("Your token").fill("kg_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not known here")
    own.forget("401")
    assert violations(page) == []
    page.get_by_label("Your token").fill(harbour.secrets[Scope.ADMIN])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Running queries")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_cookie_is_not_sent_from_another_site(page: Page, own: Watch, harbour: Reading) -> None:
    """A page elsewhere posts a form here: the browser leaves the cookie out, and it is refused."""
    sign_in(page, harbour, Scope.ADMIN)
    other = harbour.server.url.replace("127.0.0.1", "localhost")
    action = f"{harbour.server.url}status/cancel"
    form = f'<form method="post" action="{action}"><button>x</button></form>'
    page.route(f"{other}**", lambda route: route.fulfill(body=form, content_type="text/html"))
    own.url = "http://"
    page.goto(other)
    with page.expect_response("**/status/cancel") as caught:
        page.get_by_role("button").click()
    assert caught.value.status == 403
    assert "cookie" not in caught.value.request.all_headers()
    own.forget("403")
    own.forget("favicon")
