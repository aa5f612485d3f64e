"""The islands of the chart and of the map, given results of queries on a page of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browsing import Watch, violations
from kg.web.assets import STATIC

XSD = "http://www.w3.org/2001/XMLSchema#"
AREA = "https://w3id.org/reported-figures/area/"
DRAW = """async ([file, name, results]) => {
  const { [name]: draw } = await import(file);
  const place = document.createElement("section");
  place.id = "drawn";
  place.setAttribute("aria-label", "drawn");
  document.querySelector("main").replaceChildren(document.querySelector("h1"), place);
  await draw(place, results);
}"""

Cell = dict[str, str]


def number(value: float) -> Cell:
    return {"type": "literal", "value": str(value), "datatype": f"{XSD}decimal"}


def text(value: str) -> Cell:
    return {"type": "literal", "value": value}


def iri(value: str) -> Cell:
    return {"type": "uri", "value": value}


def of(*rows: dict[str, Cell]) -> dict[str, Any]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {"head": {"vars": names}, "results": {"bindings": list(rows)}}


def draw(page: Page, results: dict[str, Any], island: str = "chart") -> Page:
    chunks = json.loads((STATIC / "ui" / ".vite" / "manifest.json").read_text())
    file = chunks[f"src/{island}.ts"]["file"]
    page.goto("/")
    name = {"chart": "drawChart", "map": "drawMap"}[island]
    page.evaluate(DRAW, [f"/static/ui/{file}", name, results])
    return page


def told(page: Page) -> list[str]:
    return page.locator("#drawn .mark > title").all_text_contents()


def test_names_and_numbers_are_bars(page: Page, watch: Watch) -> None:
    draw(page, of(*({"name": text(f"row {n}"), "n": number(n * 1000)} for n in range(1, 4))))
    page.locator("#drawn svg").wait_for()
    assert told(page) == ["row 1: 1\u202f000", "row 2: 2\u202f000", "row 3: 3\u202f000"]
    widths = page.locator("#drawn rect.data").evaluate_all(
        "all => all.map(each => each.width.baseVal.value)"
    )
    assert [round(width / widths[0], 1) for width in widths] == [1, 2, 3]
    assert violations(page) == []


def test_bounds_are_intervals_and_one_that_is_not_known_is_an_arrow(
    page: Page, watch: Watch
) -> None:
    draw(
        page,
        of(
            {"name": text("range"), "lower": number(10), "upper": number(20)},
            {"name": text("more than"), "value": number(5), "lower": number(5)},
            {"name": text("bare"), "value": number(7), "lower": number(7), "upper": number(7)},
            {"name": text("about"), "value": number(8)},
        ),
    )
    page.locator("#drawn svg").wait_for()
    assert told(page) == [
        "range: between 10 and 20",
        "more than: lower bound 5",
        "bare: 7",
        "about: 8, no bounds given",
    ]
    marks = page.locator("#drawn .mark")
    assert marks.nth(1).locator("path").count() == 1
    assert marks.nth(0).locator("path").count() == 0
    assert marks.nth(3).locator("line").count() == 0
    # What is a bound alone is no dot, and one that may be "about" is no full one.
    assert [marks.nth(n).locator("circle.data").count() for n in range(4)] == [0, 0, 1, 0]
    assert [marks.nth(n).locator("circle.ring").count() for n in range(4)] == [0, 0, 0, 1]


def test_an_open_end_is_neither_told_nor_drawn_as_a_closed_one(page: Page, watch: Watch) -> None:
    flag = {"type": "literal", "value": "true", "datatype": f"{XSD}boolean"}
    draw(
        page,
        of(
            {"w": text("a"), "value": number(30), "upper": number(30), "upperOpen": flag},
            {"w": text("b"), "value": number(40), "lower": number(40), "lowerOpen": flag},
            {"w": text("c"), "value": number(50), "lower": number(50)},
            {"w": text("d"), "lower": number(1), "upper": number(2), "upperOpen": flag},
        ),
    )
    page.locator("#drawn svg").wait_for()
    assert told(page) == [
        "a: less than 30",
        "b: more than 40",
        "c: 50 or more",
        "d: 1 or more, less than 2",
    ]
    marks = page.locator("#drawn .mark")
    assert page.locator("#drawn circle.data").count() == 0
    assert [marks.nth(n).locator("circle.ring").count() for n in range(4)] == [1, 1, 0, 1]
    # The line itself, and a bar at an end that is closed.
    assert [marks.nth(n).locator("line").count() for n in range(4)] == [1, 1, 2, 2]
    assert violations(page) == []


def test_dates_are_a_line_that_is_named_at_its_end(page: Page, watch: Watch) -> None:
    date = {"datatype": f"{XSD}gYear", "type": "literal"}
    rows = [{"when": {**date, "value": str(2010 + n)}, "n": number(n)} for n in range(5)]
    draw(page, of(*rows))
    page.locator("#drawn path.data-line").wait_for()
    assert told(page)[0] == "2010: 0"
    assert page.locator("#drawn circle").count() == 5
    assert violations(page) == []


def test_what_is_on_which_axis_is_chosen_by_keyboard(page: Page, watch: Watch) -> None:
    draw(page, of({"a": text("x"), "n": number(1), "m": number(2)}))
    page.get_by_label("Number", exact=True).focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#drawn .axis-name")).to_have_text("?m")
    assert page.evaluate("document.activeElement.tagName") == "SELECT"
    assert told(page) == ["x: 2"]


def test_every_mark_is_read_with_the_arrow_keys(page: Page, watch: Watch) -> None:
    draw(page, of(*({"a": text(f"row {n}"), "n": number(n)} for n in range(3))))
    slider = page.get_by_label("Read row by row")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#drawn output")).to_have_text("row 1: 1")
    assert slider.get_attribute("aria-valuetext") == "row 1: 1"
    assert page.locator("#drawn .mark.chosen > title").text_content() == "row 1: 1"


def test_more_rows_than_can_be_read_are_cut_and_counted(page: Page, watch: Watch) -> None:
    draw(page, of(*({"a": text(f"row {n}"), "n": number(n)} for n in range(1000))))
    expect(page.locator("#drawn .note")).to_contain_text(
        "Only the first 200 of 1\u202f000 rows are drawn"
    )
    assert page.locator("#drawn .mark").count() == 200


def test_rows_without_a_number_are_counted(page: Page, watch: Watch) -> None:
    draw(page, of({"a": text("x"), "n": number(1)}, {"a": text("vague")}))
    expect(page.locator("#drawn .note")).to_contain_text("1 of 2 rows have nothing to draw")


def test_a_result_without_numbers_says_what_a_chart_needs(page: Page, watch: Watch) -> None:
    draw(page, of({"a": text("x")}))
    expect(page.locator("#drawn")).to_contain_text("a chart needs one")
    assert violations(page) == []


def test_resources_are_named_by_their_labels(page: Page, watch: Watch) -> None:
    draw(page, of({"area": iri(f"{AREA}TN"), "n": number(3)}))
    page.locator("#drawn svg").wait_for()
    assert told(page) == ["Tunisia: 3"]


def test_many_resources_without_names_crowd_out_none_that_has_one(page: Page, watch: Watch) -> None:
    rows = [
        {"key": iri(f"http://nowhere/{n}"), "more": iri(f"http://nowhere/{n}/more"), "n": number(n)}
        for n in range(400)
    ]
    draw(page, of(*({**row, "area": iri(f"{AREA}TN")} for row in rows)))
    page.locator("#drawn svg").wait_for()
    page.get_by_label("Names", exact=True).select_option("area")
    expect(page.locator("#drawn .mark > title").first).to_have_text("Tunisia: 0")


def test_words_name_the_rows_where_resources_have_no_names(page: Page, watch: Watch) -> None:
    row = {"it": iri("http://nowhere/key"), "who": text("Fox News"), "n": number(1)}
    draw(page, of(row)).locator("#drawn svg").wait_for()
    assert told(page) == ["Fox News: 1"]


@pytest.mark.parametrize("island", ["chart", "map"])
def test_hostile_words_stay_words(page: Page, watch: Watch, island: str) -> None:
    hostile = "<img src=x onerror=alert(1)>\u202e" + "x" * 10_000
    rows = {"area": iri(f"{AREA}TN"), hostile: number(3), "name": text(hostile)}
    draw(page, of(rows), island)
    page.locator("#drawn svg").wait_for()
    assert page.locator("#drawn img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []


def test_the_map_finds_the_areas_of_a_result(page: Page, watch: Watch) -> None:
    codes = ("TN", "US", "EU")
    draw(page, of(*({"x": text("no"), "area": iri(AREA + each)} for each in codes)), "map")
    labels = page.locator("#drawn a.spot").evaluate_all(
        "all => all.map(each => each.getAttribute('aria-label'))"
    )
    assert sorted(labels) == ["Tunisia: 1 row", "United States: 1 row"]
    expect(page.locator("#drawn .counts-beside")).to_have_text("European Union 1 row")
    assert violations(page) == []


@pytest.mark.parametrize("written", ["788", "TN", "TUN"])
def test_the_map_knows_the_codes_of_countries(page: Page, watch: Watch, written: str) -> None:
    draw(page, of({"code": text(written), "n": number(5)}), "map")
    expect(page.locator("#drawn a.spot")).to_have_attribute("aria-label", f"{written}: ?n 5")


def test_numbers_are_no_codes_of_countries(page: Page, watch: Watch) -> None:
    draw(page, of({"n": number(850), "area": iri(f"{AREA}TN")}), "map")
    expect(page.locator("#drawn a.spot")).to_have_attribute("aria-label", "Tunisia: ?n 850")
    draw(page, of({"n": number(850)}), "map")
    expect(page.locator("#drawn")).to_contain_text("It needs one with areas")


def test_numbers_of_one_area_are_not_added_up(page: Page, watch: Watch) -> None:
    draw(page, of(*({"area": iri(f"{AREA}TN"), "n": number(n)} for n in (5, 800))), "map")
    spot = page.locator("#drawn a.spot")
    expect(spot).to_have_attribute("aria-label", "Tunisia: 2 rows")
    page.get_by_label("Size of the circles").select_option("n")
    expect(spot).to_have_attribute("aria-label", "Tunisia: ?n 800 (the greatest of 2 rows)")


def test_a_result_without_areas_says_what_a_map_needs(page: Page, watch: Watch) -> None:
    draw(page, of({"a": text("no such place"), "n": number(1)}), "map")
    expect(page.locator("#drawn")).to_contain_text("It needs one with areas")
