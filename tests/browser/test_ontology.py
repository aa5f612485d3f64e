"""The pages of the ontology in a browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browsing import Watch, violations
from kg.namespaces import SHAPES

PARTS = (
    "/ontology",
    "/ontology/properties",
    "/ontology/codes",
    "/ontology/codes?scheme=code:qualifierScheme",
    "/ontology/shapes",
    f"/ontology/shapes?shape={SHAPES}FigureClaim",
)

BOXES = """all => all.map((each) => {
  const { left, right, top, bottom } = each.getBoundingClientRect();
  return { left, right, top, bottom };
})"""


def overlap(one: dict[str, float], two: dict[str, float]) -> bool:
    beside = one["right"] <= two["left"] + 1 or two["right"] <= one["left"] + 1
    above = one["bottom"] <= two["top"] + 3 or two["bottom"] <= one["top"] + 3
    return not (beside or above)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 320])
@pytest.mark.parametrize("path", PARTS)
def test_a_part_is_accessible(page: Page, watch: Watch, path: str, width: int, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(path)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_drawing_scrolls_by_keyboard_on_a_phone(page: Page, watch: Watch) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/ontology")
    drawing = page.get_by_label("Diagram of the classes")
    drawing.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")


def test_no_words_of_the_drawing_lie_on_others(page: Page, watch: Watch) -> None:
    page.goto("/ontology")
    boxes = page.locator(".diagram text").evaluate_all(BOXES)
    pairs = [(one, two) for at, one in enumerate(boxes) for two in boxes[at + 1 :]]
    assert [pair for pair in pairs if overlap(*pair)] == []


def test_an_example_opens_by_keyboard(page: Page, watch: Watch) -> None:
    page.goto(PARTS[-1])
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details[open] pre")).to_contain_text("rf:FigureClaim")
    assert violations(page) == []


def test_a_term_leads_to_its_own_page(page: Page, watch: Watch) -> None:
    page.goto("/ontology")
    page.get_by_role("heading", name="figure claim").get_by_role("link").click()
    page.wait_for_url("**/id/ns/FigureClaim")
    expect(page.get_by_role("heading", level=1)).to_contain_text("figure claim")
