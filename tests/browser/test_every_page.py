"""Every page in a browser: with and without scripts, in the dark, small, printed, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

import hostile_labels
from browsing import Watch, settled, violations
from every_page import ADDRESSES, STATUSES, addresses, make_store
from kg_server import Server, running
from two_releases import make_store as make_two

PHONE: Final[ViewportSize] = {"width": 320, "height": 640}
"""WCAG 1.4.10: what a window of 1,280 pixels has at 400 %."""
_MOST_STOPS: Final = 60
"""Stops of the keyboard that are looked at on one page."""
_SLOW: Final = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 50_000,
    "uploadThroughput": 50_000,
}
"""Far from the mast: milliseconds, and bytes a second."""
_MOST_SHIFT: Final = 0.1
"""A page that moves less is called stable (https://web.dev/articles/cls)."""
_WATCH_SHIFTS: Final = """window.shifts = [];
new PerformanceObserver(seen => window.shifts.push(...seen.getEntries()))
  .observe({type: 'layout-shift', buffered: true});"""
_SHIFTS: Final = """() => new Promise(done => {
  const told = each => ({by: each.value, what: each.sources.map(it => it.node?.outerHTML)});
  const tell = () => done(window.shifts.map(told));
  requestAnimationFrame(() => requestAnimationFrame(tell));
})"""
"""After two frames, when the last shift is known."""
_PAINTED: Final = "() => performance.getEntriesByName('first-contentful-paint').length === 1"
_SHOWN: Final = """() => [...document.querySelectorAll(
    'main h1, main h2, main h3, main p, main dd, main th, main td, main li, main caption')]
  .filter(each => !each.closest('[data-island]') && !each.closest('[role=status]'))
  .map(each => each.textContent.replace(/\\s+/g, ' ').trim())"""
_STOP: Final = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  if (!at || at === document.body || at === document.documentElement) return null;
  window.stops ??= new Map();
  if (!window.stops.has(at)) window.stops.set(at, window.stops.size);
  const visible = (each) => {
    const style = getComputedStyle(each);
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const box = each.getBoundingClientRect();
    return outlined && box.width > 0 && box.height > 0;
  };
  // A place on the map: its circle gets an edge that is twice as wide as that of the others.
  let seen = [...at.querySelectorAll('circle')].map(each => getComputedStyle(each))
    .some(each => each.stroke !== 'none' && parseFloat(each.strokeWidth) >= 3);
  for (let each = at; each && !seen; each = each.parentElement ?? each.getRootNode().host) {
    if (each === document.body) break;
    seen = visible(each) && each.tagName !== 'MAIN';
  }
  return [window.stops.get(at), seen, at.outerHTML.slice(0, 160)];
}"""


@pytest.fixture(scope="module")
def ours(
    real_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Mapping[str, str]]]:
    store, before = make_store(real_store, tmp_path_factory.mktemp("pages") / "store")
    with running(store, store.parent / "log") as server:
        yield server, addresses(server, before)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Mapping[str, str]]]:
    folder = tmp_path_factory.mktemp("hostile")
    store, before = make_store(make_two(folder), folder / "before")
    store = hostile_labels.make_store(store, folder / "after")
    with running(store, folder / "log") as server:
        yield server, addresses(server, before)


@contextmanager
def opened(
    browser: Browser, site: tuple[Server, Mapping[str, str]], name: str, **options: Any
) -> Iterator[Page]:
    """The page in a window of its own, where nothing may go wrong on the way."""
    server, at = site
    context = browser.new_context(base_url=server.url, **options)
    page = context.new_page()
    watch = Watch.of(page, server.url)
    page.goto(at[name])
    if options.get("java_script_enabled", True):
        settled(page)
    try:
        yield page
        if name in STATUSES:
            watch.forget("Failed to load resource")
        watch.check()
    finally:
        context.close()


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_is_accessible_in_light_and_dark_and_fits_the_smallest_window(
    browser: Browser, ours: tuple[Server, Mapping[str, str]], name: str
) -> None:
    with opened(browser, ours, name, color_scheme="light", reduced_motion="reduce") as page:
        found = {"light": violations(page)}
        page.emulate_media(color_scheme="dark")
        found["dark"] = violations(page)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)
        found["phone"] = violations(page)
        assert found == {"light": [], "dark": [], "phone": []}
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_says_the_same_without_scripts(
    browser: Browser, ours: tuple[Server, Mapping[str, str]], name: str
) -> None:
    with opened(browser, ours, name) as page:
        with_scripts = page.evaluate(_SHOWN)
        title = page.title()
    # Playwright itself needs scripts to look at a page: what is not run is what the page brings.
    with opened(browser, ours, name, java_script_enabled=False) as page:
        assert page.title() == title != ""
        expect(page.locator("h1")).to_be_visible()
        shown = page.evaluate(_SHOWN)
        assert [text for text in with_scripts if text not in shown] == []
        page.emulate_media(media="print")
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("nav[aria-label=Pages]")).to_be_hidden()
        assert page.evaluate("getComputedStyle(document.body).colorScheme") == "light"


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_is_used_by_keyboard_alone(
    browser: Browser, ours: tuple[Server, Mapping[str, str]], name: str
) -> None:
    with opened(browser, ours, name) as page:
        page.keyboard.press("Tab")
        expect(page.locator("a.skip")).to_be_focused()
        expect(page.locator("a.skip")).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.reload()
        settled(page)
        stops = list(_stops(page))
        assert [html for _, visible, html in stops if not visible] == []
        numbers = [number for number, *_ in stops]
        assert numbers == list(range(len(numbers))), "the keyboard is caught"


def _stops(page: Page) -> Iterator[tuple[int, bool, str]]:
    """Each place that the keyboard comes to, until it leaves the page, or so many."""
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(_STOP)
        if stop is None:
            return
        if not stop[1]:  # CodeMirror shows it a moment later
            page.wait_for_timeout(100)
            stop = page.evaluate(_STOP)
        yield stop


@pytest.mark.parametrize("name", ADDRESSES)
def test_hostile_labels_run_nothing_and_widen_no_page(
    browser: Browser, hostile: tuple[Server, Mapping[str, str]], name: str
) -> None:
    with opened(browser, hostile, name, viewport=PHONE) as page:
        assert page.evaluate("typeof window.hacked") == "undefined"
        assert page.locator("main img").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        expect(page.locator("footer")).to_be_attached()


@pytest.fixture(scope="module")
def slow(browser: Browser, ours: tuple[Server, Mapping[str, str]]) -> Iterator[BrowserContext]:
    """A telephone whose pages tell how far what they show has moved; it keeps what it got."""
    server, _ = ours
    with browser.new_context(base_url=server.url, viewport=PHONE) as context:
        context.add_init_script(_WATCH_SHIFTS)
        yield context


@pytest.mark.parametrize("name", ADDRESSES)
def test_on_a_slow_network_a_page_is_there_before_its_scripts_and_keeps_its_place(
    slow: BrowserContext, ours: tuple[Server, Mapping[str, str]], name: str
) -> None:
    server, at = ours
    with slow.new_page() as page:
        watch, network = Watch.of(page, server.url), slow.new_cdp_session(page)
        network.send("Network.enable")
        network.send("Network.emulateNetworkConditions", _SLOW)
        network.send("Fetch.enable", {"patterns": [{"urlPattern": "*.js"}]})
        held: list[Any] = []
        network.on("Fetch.requestPaused", lambda request: held.append(request))
        page.goto(at[name], wait_until="commit")
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("footer")).to_be_visible()
        page.wait_for_function(_PAINTED)
        assert held, "no script was asked for"
        network.send("Fetch.disable")
        page.wait_for_load_state()
        for island in page.locator("[data-island]").all():
            island.scroll_into_view_if_needed()
            expect(island).to_have_attribute("data-state", "ready", timeout=30_000)
            page.wait_for_load_state("networkidle")
        moved = page.evaluate(_SHIFTS)
        assert sum(each["by"] for each in moved) < _MOST_SHIFT, moved
        if name in STATUSES:
            watch.forget("Failed to load resource")
        watch.check()
