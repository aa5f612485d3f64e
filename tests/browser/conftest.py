"""The pages in a real Chromium, Debian's, which asks no other address than this machine's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from browsing import Watch
from kg_server import Server, running

CHROMIUM = shutil.which("chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These come last: Playwright leaves a running event loop in the thread of the tests.

    A user's machine need not have Chromium: there they are skipped, for all to see. CI installs it,
    and a skip is a failure there.
    """
    here = Path(__file__).parent
    items.sort(key=lambda item: here in item.path.parents)
    reason = "needs Debian's chromium: apt install chromium"
    for item in items:
        if CHROMIUM is None and here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """What pytest-playwright starts: no sandbox for root, nothing in the background."""
    quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking"]
    quiet += ["--disable-component-update", "--disable-sync", "--disable-gpu"]
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": CHROMIUM, "args": [*quiet, *sandbox]}


@pytest.fixture(scope="session")
def site(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server of our own data."""
    log = tmp_path_factory.mktemp("browser") / "server.log"
    with running(real_store, log) as server:
        yield server


@pytest.fixture(scope="session")
def base_url(site: Server) -> str:
    """What `page.goto` takes paths of."""
    return site.url


@pytest.fixture
def watch(page: Page, site: Server) -> Iterator[Watch]:
    """Fails the test for a third-party request, a refused script or style, or an error."""
    watching = Watch.of(page, site.url)
    yield watching
    watching.check()
