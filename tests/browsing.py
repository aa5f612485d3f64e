"""What a page must not do in a browser, and what axe finds on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request

_READY = """() => !document.querySelector('script[type=module]') ||
  [...document.querySelectorAll('[data-island]')].every(
    each => each.dataset.state || each.getBoundingClientRect().top > innerHeight + 200)"""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Watch:
    """What went wrong on a page so far: requests elsewhere, refusals of the policy, errors."""

    page: Page
    url: str
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, page: Page, url: str) -> Watch:
        """Begin to look at all that the page does."""
        watch = cls(page, url)
        page.on("request", watch._requested)
        page.on("console", watch._said)
        page.on("pageerror", lambda error: watch.wrong.append(f"error: {error}"))
        return watch

    def check(self) -> None:
        """Fails where something went wrong."""
        assert self.wrong == [], self.wrong

    def forget(self, part: str) -> None:
        """What has this in it was meant to happen: Chromium reports each answer of 4xx."""
        self.wrong = [each for each in self.wrong if part not in each]

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.wrong.append(f"a request to {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"{message.type}: {message.text}")


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it is now, one line a node."""
    options = {
        "runOnly": {"type": "tag", "values": WCAG},
        "resultTypes": ["violations"],
        # It is off unless it is asked for.
        "rules": {"target-size": {"enabled": True}},
    }
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node.get('failureSummary', '')}"
        for rule in found
        for node in rule["nodes"]
    ]


def settled(page: Page) -> None:
    """Wait for the islands that are about to be seen."""
    page.wait_for_function(_READY)
