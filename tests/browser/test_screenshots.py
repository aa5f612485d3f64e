"""The pictures of the documentation: made where KG_SCREENSHOTS says so, and looked at always."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, ViewportSize

from browsing import settled
from conftest import REPOSITORY
from every_page import addresses, make_store
from kg_server import Server, running
from pictures import chunks_of, with_palette

FOLDER: Final = REPOSITORY / "docs" / "screenshots"
SIZE: Final[ViewportSize] = {"width": 1200, "height": 800}
LARGEST: Final = 150_000
COMPARED: Final = "/compare?area=area:RU&cohort=cohort:ff-departed&measure=code:count"
SHOWN: Final[Mapping[str, str]] = {
    "home": "home",
    "query": "query with a table",
    "area": "area",
    "article": "article by key",
    "compare": COMPARED,
    "areas": "areas",
    "findings": "findings",
    "ontology": "ontology",
    "diff": "diff chosen",
}
"""The pictures, by the name of the page or its address."""
MAKING: Final = bool(os.environ.get("KG_SCREENSHOTS"))  # before a test takes such variables away


@pytest.fixture(scope="module")
def ours(
    real_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Mapping[str, str]]]:
    store, before = make_store(real_store, tmp_path_factory.mktemp("pictures") / "store")
    with running(store, store.parent / "log") as server:
        yield server, addresses(server, before)


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_can_be_made_of_the_page(
    browser: Browser, ours: tuple[Server, Mapping[str, str]], name: str
) -> None:
    server, at = ours
    context = browser.new_context(base_url=server.url, viewport=SIZE, color_scheme="light")
    page = context.new_page()
    answer = page.goto(at.get(SHOWN[name], SHOWN[name]))
    assert answer is not None
    assert answer.status == 200
    settled(page)
    picture = page.screenshot()
    context.close()
    assert size_of(picture) == (SIZE["width"], SIZE["height"])
    if MAKING:
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.png").write_bytes(with_palette(picture))


def test_the_pictures_of_the_documentation_are_there_and_small() -> None:
    named = set(re.findall(r"\(screenshots/(\w+)\.png\)", (FOLDER.parent / "pages.md").read_text()))
    files = {file.stem: file.stat().st_size for file in FOLDER.glob("*.png")}
    assert named == files.keys() == SHOWN.keys()
    assert [name for name, size in files.items() if size > LARGEST] == []
    pictures = {size_of(file.read_bytes()) for file in FOLDER.glob("*.png")}
    assert pictures == {(SIZE["width"], SIZE["height"])}


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height (PNG, section 11.2.1)."""
    name, content = next(chunks_of(picture))
    assert name == b"IHDR"
    width, height = struct.unpack(">II", content[:8])
    return width, height
