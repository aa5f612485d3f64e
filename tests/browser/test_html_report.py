"""The report of a check as a page, opened as a file: its filter, its policy, its accessibility."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from browsing import violations
from kg.cli import main
from kg.errors import Place
from kg.validation.report import Finding
from kg.validation.reports.html import html
from kg.validation.reports.report import Report, Unit

HOSTILE: Final = '<script>document.title = "taken"</script>\u202e"'
BROKEN: Final = Finding(
    severity="Violation",
    focus_node="https://example.org/a/c/1",
    path="https://example.org/cohort",
    component="MinCount",
    message="A figure has a cohort (cohort).",
    place=Place(Path("/here/data/articles/harbour/article.yaml"), 12, 3, "cohort"),
    shape="https://example.org/shapes/FigureClaim-cohort",
)
DOUBTED: Final = replace(
    BROKEN,
    severity="Warning",
    focus_node="https://example.org/b/c/2",
    message="A quote has a speaker.",
    place=Place(Path("/here/data/articles/market/article.yaml"), 4, 1, "speaker"),
    shape="https://example.org/shapes/Quote-speaker",
)
TOLD: Final = replace(DOUBTED, severity="Info", message=HOSTILE, focus_node=HOSTILE)
REPORT: Final = Report(
    findings=(BROKEN, DOUBTED, TOLD),
    root=Path("/here"),
    checked=(Unit("articles", "data/articles/harbour"), Unit("articles", "data/articles/market")),
)


@pytest.fixture
def report(tmp_path: Path, page: Page) -> Iterator[Page]:
    """The page, of which the console must have no error."""
    wrong: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            wrong.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    file = tmp_path / "report.html"
    file.write_text(html(REPORT), "utf-8")
    page.goto(file.as_uri())
    yield page
    assert wrong == []


def shown(page: Page) -> list[str]:
    """The severities of the findings that can be seen among the articles."""
    visible = page.locator("li[id]:visible")
    return [str(each.get_attribute("data-severity")) for each in visible.all()]


def test_all_findings_are_shown_first(report: Page) -> None:
    assert shown(report) == ["Violation", "Warning", "Info"]
    expect(report.locator("output")).to_have_text("3 shown")


def test_a_severity_that_is_unticked_is_hidden(report: Page) -> None:
    report.get_by_label("Warning").uncheck()
    assert shown(report) == ["Violation", "Info"]
    expect(report.locator("output")).to_have_text("2 shown")
    report.get_by_label("Warning").check()
    assert shown(report) == ["Violation", "Warning", "Info"]


@pytest.mark.parametrize("words", ["harbour", "FigureClaim-cohort", "figure COHORT", "MinCount 12"])
def test_words_of_article_shape_or_message_filter(report: Page, words: str) -> None:
    report.get_by_role("searchbox", name="Filter").fill(words)
    if words == "MinCount 12":
        assert shown(report)[0] == "Violation"
    else:
        assert shown(report) == ["Violation"]


def test_a_group_without_a_match_is_hidden(report: Page) -> None:
    report.get_by_role("searchbox", name="Filter").fill("harbour")
    groups = report.locator("main > section").first.locator("details")
    assert [each.is_visible() for each in groups.all()].count(True) == 1


def test_what_nothing_has_is_told(report: Page) -> None:
    report.get_by_role("searchbox", name="Filter").fill("no such word")
    expect(report.locator("output")).to_have_text("0 shown")
    assert shown(report) == []


def test_the_filter_works_by_keyboard_alone(report: Page) -> None:
    report.keyboard.press("Tab")
    report.keyboard.type("harbour")
    expect(report.locator("output")).to_have_text("1 shown")
    report.keyboard.press("Enter")  # sends nothing
    expect(report.locator("output")).to_have_text("1 shown")
    report.keyboard.press("Tab")
    report.keyboard.press("Space")
    expect(report.locator("output")).to_have_text("0 shown")


def test_a_finding_among_the_shapes_leads_to_its_place(report: Page) -> None:
    report.locator("summary", has_text="FigureClaim-cohort").click()
    report.locator("main > section").last.get_by_role("link").first.click()
    assert report.url.endswith("#f1")
    expect(report.locator("#f1")).to_be_in_viewport()


def test_what_others_wrote_stays_text(report: Page) -> None:
    assert report.title() != "taken"
    expect(report.get_by_text("document.title").first).to_be_visible()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_is_accessible(report: Page, colours: str) -> None:
    report.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    report.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    assert violations(report) == []


def test_on_a_phone_nothing_is_wider_than_the_window(report: Page) -> None:
    report.set_viewport_size({"width": 320, "height": 640})
    assert report.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_everything_is_shown(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(html(REPORT), "utf-8")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        assert shown(page) == ["Violation", "Warning", "Info"]
        expect(page.locator("form")).to_be_hidden()


def test_the_audit_of_our_own_data_can_be_filtered(
    page: Page, real_store: Path, tmp_path: Path
) -> None:
    command = ["audit", "--store", str(real_store), "--format", "html"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    file = tmp_path / "audit.html"
    file.write_text(result.stdout, "utf-8")
    page.goto(file.as_uri())
    expect(page.locator("output")).to_have_text("77 shown")
    page.get_by_label("Info").uncheck()
    expect(page.locator("output")).to_have_text("20 shown")
    page.get_by_role("searchbox", name="Filter").fill("W17 Tunisia")
    expect(page.locator("output")).to_have_text("1 shown")
    assert violations(page) == []
