"""The query page in a browser: the editor, its completion, running, cancelling, results."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from browsing import Watch, violations
from hostile_labels import HOSTILE, make_store
from kg.web.assets import STATIC
from kg_server import Server, running

SLOW: Final = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
LARGE: Final = (
    "SELECT ?s ?n ?m { { SELECT ?s { ?s ?p ?o } LIMIT 10000 } VALUES ?n { 1 2 3 4 5 6 7 8 9 10 }"
    " BIND(STR(?n * 7) AS ?m) }"
)
AREA: Final = "SELECT ?area ?name { ?area skos:prefLabel ?name } ORDER BY ?name LIMIT 150"
GZIPPED: Final = 200_000
FRANCE: Final = "https://w3id.org/reported-figures/area/FR"


@pytest.fixture(scope="module")
def impatient(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(real_store, tmp_path_factory.mktemp("slow") / "log", deadline=1.0) as server:
        yield server


@pytest.fixture(scope="module")
def hostile(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hostile")
    with running(make_store(real_store, folder / "store"), folder / "log") as server:
        yield server


def editor(page: Page) -> Locator:
    """The editor, once it is there."""
    expect(page.locator("[data-island=editor]")).to_have_attribute("data-state", "ready")
    return page.get_by_role("textbox", name=re.compile("Query|The same in SPARQL"))


def write(page: Page, query: str) -> None:
    """Put this into the editor in place of what it has; what is pasted is not completed."""
    editor(page).click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(query)


def run(page: Page, query: str) -> None:
    write(page, query)
    page.keyboard.press("Control+Enter")


def body(page: Page) -> Locator:
    return page.get_by_role("tabpanel", name="Table").locator("tbody tr")


# --- to an answer -------------------------------------------------------------------------


def test_the_keyboard_alone_leads_to_an_answer(page: Page, watch: Watch) -> None:
    page.goto("/query")
    editor(page)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "code":
            break
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("SELECT ?wording { ?c rf:reportedText ?wording } LIMIT 3")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Run")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Answer")).to_be_visible()
    expect(body(page)).to_have_count(3)
    expect(page.get_by_role("status").filter(has_text="3 rows, from release")).to_be_attached()


def test_the_editor_is_left_by_tab_and_by_shift_and_tab(page: Page, watch: Watch) -> None:
    page.goto("/query")
    editor(page).focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Run")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(editor(page)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="the questions below")).to_be_focused()


def test_the_address_becomes_the_permalink_and_opens_the_same(page: Page, watch: Watch) -> None:
    page.goto("/query")
    query = "SELECT ?wording { ?c rf:reportedText ?wording } ORDER BY ?wording LIMIT 7"
    run(page, query)
    expect(body(page)).to_have_count(7)
    address, rows = urlsplit(page.url), body(page).all_inner_texts()
    assert re.fullmatch(r"/r/1-[0-9a-f]{12}/query", address.path)
    assert parse_qs(address.query)["query"] == [query]
    page.reload()
    editor(page)
    expect(page.get_by_role("tab", name="Table")).to_be_visible()
    assert body(page).all_inner_texts() == rows
    page.go_back()
    expect(page).to_have_url(re.compile("/query$"))
    expect(page.get_by_role("heading", name="Questions to begin with")).to_be_visible()


def test_a_question_is_opened_and_changed(page: Page, watch: Watch) -> None:
    page.goto("/query")
    page.get_by_role("link", name="Figures of one area", exact=True).click()
    page.get_by_label(re.compile("The area")).fill("area:FR")
    page.get_by_role("button", name="Ask").click()
    expect(page).to_have_url(re.compile("question=figures-of-area&area=area%3AFR"))
    expect(page.get_by_role("tab", name="Table")).to_be_visible()
    expect(body(page).first).to_be_visible()
    expect(editor(page)).to_contain_text("area/FR>")


# --- completion ---------------------------------------------------------------------------


def test_a_property_is_completed_from_what_the_data_use(page: Page, watch: Watch) -> None:
    page.goto("/query")
    write(page, "SELECT * { ?claim ")
    page.keyboard.type("rf:reportedT")
    option = page.get_by_role("option", name=re.compile("rf:reportedText"))
    expect(option).to_be_visible()
    expect(option).to_contain_text("·")
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(editor(page)).to_have_text("SELECT * { ?claim rf:reportedText")


def test_a_resource_is_completed_by_its_iri(page: Page, watch: Watch) -> None:
    """Its label, “foreign fighters who left”, has nothing of it."""
    page.goto("/query")
    write(page, "SELECT * { ?claim rf:cohort ")
    page.keyboard.type("cohort:ff-dep")
    option = page.get_by_role("option", name=re.compile("cohort:ff-departed"))
    expect(option).to_contain_text("foreign fighters who left")


def test_after_a_only_classes_are_offered(page: Page, watch: Watch) -> None:
    page.goto("/query")
    write(page, "SELECT * { ?claim a ")
    page.keyboard.type("rf:")
    expect(page.get_by_role("option", name=re.compile("rf:FigureClaim"))).to_be_visible()
    assert page.get_by_role("option", name=re.compile("rf:reportedText")).count() == 0


def test_words_variables_and_prefixes_are_completed(page: Page, watch: Watch) -> None:
    page.goto("/query")
    write(page, "SELECT ?cohort { ?claim rf:cohort ")
    page.keyboard.type("?coh")
    expect(page.get_by_role("option", name="?cohort")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type(" } GRO")
    expect(page.get_by_role("option", name="GROUP", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.type(" sko")
    expect(page.get_by_role("option", name=re.compile("skos:"))).to_be_visible()


def test_a_name_of_the_data_becomes_its_iri(page: Page, watch: Watch) -> None:
    page.goto("/query")
    write(page, "SELECT * { ?claim ?p ")
    page.keyboard.type("franc")
    option = page.get_by_role("option", name=re.compile("area:FR"))
    expect(option).to_contain_text("France")
    option.click()
    expect(editor(page)).to_have_text("SELECT * { ?claim ?p area:FR")


def test_a_prefix_that_the_query_declares_wins(page: Page, watch: Watch) -> None:
    page.goto("/query")
    write(page, "PREFIX w: <https://w3id.org/reported-figures/ns/> SELECT * { ?c ")
    page.keyboard.type("w:reportedT")
    expect(page.get_by_role("option", name=re.compile("w:reportedText"))).to_be_visible()


def test_nothing_is_offered_within_strings_and_comments(page: Page, watch: Watch) -> None:
    page.goto("/query")
    for text in ('SELECT * { ?s ?p "', "SELECT * # "):
        write(page, text)
        page.keyboard.type("SEL")
        page.wait_for_timeout(400)
        assert page.get_by_role("option").count() == 0


# --- what goes wrong ----------------------------------------------------------------------


def test_an_error_is_underlined_where_the_server_says(page: Page, watch: Watch) -> None:
    page.goto("/query")
    run(page, 'SELECT * {\n  # 😀 é\n  ?s rdfs:label "😀" . ?s zz:é ?o }')
    expect(page.get_by_role("heading", name="No answer")).to_be_visible()
    expect(page.locator(".code .wrong")).to_have_text("zz:é")
    expect(editor(page)).to_have_attribute("aria-invalid", "true")
    told = page.get_by_role("status").filter(has_text="No answer.")
    expect(told).to_contain_text("at line 3, column 26: the prefix zz: is not declared")
    assert violations(page) == []
    editor(page).press("End")
    page.keyboard.type(" ")
    expect(page.locator(".code .wrong")).to_have_count(0)
    watch.forget("400 (Bad Request)")


def test_an_error_of_the_page_is_underlined_too(page: Page, watch: Watch) -> None:
    page.goto("/query?" + urlencode({"query": "SELECT * {\n ?s zz:p ?o }"}))
    editor(page)
    expect(page.locator(".code .wrong")).to_have_text("zz:p")
    watch.forget("400 (Bad Request)")


def test_an_error_can_be_gone_to(page: Page, watch: Watch) -> None:
    page.goto("/query")
    run(page, "SELECT * {\n ?s zz:p ?o }")
    page.get_by_role("button", name="Go to line 2").click()
    expect(editor(page)).to_be_focused()
    page.keyboard.insert_text("!")
    expect(page.locator(".code .cm-line").nth(1)).to_have_text(" ?s !zz:p ?o }")
    watch.forget("400 (Bad Request)")


def test_a_query_that_takes_too_long_says_so_and_what_to_do(page: Page, impatient: Server) -> None:
    watch = Watch.of(page, impatient.url)
    page.goto(f"{impatient.url}query")
    run(page, SLOW)
    expect(page.get_by_text(re.compile("s of at most 1 s; at most"))).to_be_visible()
    expect(page.locator(".error")).to_contain_text("The query was ended after 1 s, its deadline.")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    assert violations(page) == []
    watch.forget("503 (Service Unavailable)")
    watch.check()


def test_an_old_answer_does_not_stand_for_that_of_a_query_that_runs(
    page: Page, watch: Watch
) -> None:
    page.goto("/query")
    run(page, "SELECT * { ?s zz:p ?o }")
    expect(page.locator(".error")).to_be_visible()
    run(page, SLOW)
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(page.locator(".error")).to_have_count(0)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".error")).to_contain_text("The query was cancelled.")
    watch.forget("400 (Bad Request)")
    watch.forget("503 (Service Unavailable)")


def test_an_answer_without_rows_is_told_in_words_alone(page: Page, watch: Watch) -> None:
    page.goto("/query")
    run(page, "SELECT * { area:TN rf:nothing ?o }")
    expect(page.locator(".answer")).to_contain_text("as the query asks")
    expect(page.locator(".answer pre", has_text="bindings")).to_have_count(0)


def test_a_query_that_runs_is_cancelled_on_the_server(
    page: Page, watch: Watch, site: Server
) -> None:
    page.goto("/query")
    run(page, SLOW)
    with page.expect_response(lambda it: it.request.method == "DELETE") as ended:
        page.get_by_role("button", name="Cancel").click()
    assert ended.value.status == 204
    expect(page.locator(".error")).to_contain_text("The query was cancelled.")
    expect(page.get_by_role("button", name="Run")).to_be_focused()
    run(page, "ASK {}")
    expect(page.locator(".answer")).to_contain_text("Yes. Release")
    watch.forget("503 (Service Unavailable)")


def test_a_server_that_is_gone_is_told(page: Page, watch: Watch) -> None:
    page.goto("/query")
    editor(page)
    page.context.set_offline(True)
    run(page, "ASK {}")
    expect(page.locator(".error")).to_contain_text("The server could not be reached")
    page.context.set_offline(False)
    watch.forget("ERR_INTERNET_DISCONNECTED")


# --- results ------------------------------------------------------------------------------


def test_a_result_of_100_000_rows_stays_usable(page: Page, watch: Watch) -> None:
    page.goto("/query")
    run(page, LARGE)
    count = page.get_by_role("status").filter(has_text=re.compile("^Rows"))
    expect(count).to_have_text("Rows 1\u2013100 of 100\u202f000.", timeout=30_000)
    expect(body(page)).to_have_count(100)
    page.get_by_role("button", name="n", exact=True).click()
    page.get_by_role("button", name="n", exact=True).click()
    expect(body(page).first.locator("td").nth(1)).to_have_text("10")
    page.get_by_label("Only rows with").fill("70")
    expect(count).to_contain_text("that match, of 100\u202f000", timeout=10_000)
    page.get_by_label("Only rows with").fill("")
    expect(count).to_have_text("Rows 1\u2013100 of 100\u202f000.")
    page.get_by_role("button", name="Next rows").click()
    expect(count).to_have_text("Rows 101\u2013200 of 100\u202f000.")
    assert page.evaluate("document.querySelectorAll('*').length") < 3000
    page.get_by_role("tab", name="Raw").click()
    expect(page.get_by_text(re.compile("The first 50\u202f000 of"))).to_be_visible()


def test_rows_are_sorted_as_numbers_and_by_names(page: Page, watch: Watch) -> None:
    page.goto("/query")
    run(page, "SELECT ?n ?area { VALUES (?n ?area) { (10 area:UZ) (9 area:BE) (UNDEF area:FR) } }")
    page.get_by_role("button", name="n", exact=True).click()
    assert body(page).locator("td:first-child").all_inner_texts() == ["9", "10", "\u2013"]
    expect(page.get_by_role("columnheader", name="n", exact=False).first).to_have_attribute(
        "aria-sort", "ascending"
    )
    expect(page.get_by_role("button", name="n", exact=True)).to_be_focused()
    page.get_by_role("button", name="area", exact=True).click()
    expect(body(page).locator("td:last-child")).to_have_text(["Belgium", "France", "Uzbekistan"])


def test_names_are_shown_and_iris_on_demand(page: Page, watch: Watch) -> None:
    page.goto("/query")
    run(page, "SELECT ?area { VALUES ?area { area:FR area:BE } }")
    link = page.get_by_role("link", name="France", exact=True)
    expect(link).to_have_attribute("title", FRANCE)
    expect(link).to_have_attribute("href", "/id/area/FR")
    page.get_by_label("Show IRIs").check()
    expect(page.get_by_role("link", name=FRANCE, exact=True)).to_be_visible()


def test_tabs_are_moved_by_the_arrow_keys(page: Page, watch: Watch) -> None:
    page.goto("/query")
    run(page, "SELECT ?area (1 AS ?n) { VALUES ?area { area:FR area:BE } }")
    page.get_by_role("tab", name="Table").focus()
    for name in ("Chart", "Map", "Raw", "Table"):
        page.keyboard.press("ArrowRight")
        tab = page.get_by_role("tab", name=name)
        expect(tab).to_be_focused()
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tabpanel", name=name)).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert violations(page) == []


def test_a_download_is_the_servers_own_bytes(page: Page, watch: Watch, site: Server) -> None:
    page.goto("/query")
    run(page, AREA)
    link = page.get_by_role("link", name="CSV").get_attribute("href")
    assert link is not None
    assert site.send(link).body == site.query(AREA, accept="text/csv").body


def test_an_answer_is_cited(page: Page, watch: Watch) -> None:
    page.goto("/query")
    run(page, AREA)
    page.get_by_role("button", name="Cite it").click()
    expect(page.get_by_role("heading", name="Cite it")).to_be_visible()
    expect(page.locator("pre").first).to_have_text(AREA)


def test_the_commands_are_copied(page: Page, watch: Watch, site: Server) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    page.goto("/query")
    run(page, "ASK { ?it ?is 'it''s' }")
    run(page, 'SELECT ("it\'s \\"é\\" \\\\" AS ?x) {}')
    details = page.locator("details", has_text="As a program in Python")
    details.locator("summary").click()
    details.get_by_role("button", name="Copy").click()
    expect(details.get_by_role("status")).to_have_text(" Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    answered: list[str] = []
    exec(copied, {"print": answered.append})  # noqa: S102 - our own program
    assert json.loads(answered[0])["results"]["bindings"][0]["x"]["value"] == 'it\'s "é" \\'
    watch.forget("400 (Bad Request)")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("ASK { area:FR ?p ?o }", "Yes. Release"),
        ("SELECT * { <urn:nothing> ?p ?o }", "Nothing in release"),
        ("CONSTRUCT { <urn:a> <urn:b> 1 } {}", "<urn:a> <urn:b> 1 ."),
        ("SELECT (<<( <urn:a> <urn:b> 1 )>> AS ?t) {}", '<<( <urn:a> <urn:b> "1" )>>'),
    ],
)
def test_each_form_is_shown_in_its_way(page: Page, watch: Watch, query: str, told: str) -> None:
    page.goto("/query")
    run(page, query)
    expect(page.locator(".answer")).to_contain_text(told)
    assert violations(page) == []


def test_hostile_names_are_text(page: Page, hostile: Server) -> None:
    watch = Watch.of(page, hostile.url)
    query = "SELECT ?it ?name { ?it skos:prefLabel ?name } LIMIT 300"
    page.goto(f"{hostile.url}query?{urlencode({'query': query})}")
    editor(page)
    expect(page.get_by_role("tab", name="Table")).to_be_visible()
    expect(body(page)).to_have_count(100)
    expect(page.get_by_text(HOSTILE[0]).first).to_be_visible()
    assert page.evaluate("window.hacked") is None
    widest = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert widest <= 0
    assert violations(page) == []
    page.get_by_role("button", name="it", exact=True).click()
    write(page, "SELECT * { ?c a ")
    page.keyboard.type("rf:")
    expect(page.get_by_role("option").first).to_be_visible()
    assert page.evaluate("window.hacked") is None
    watch.check()


# --- without, slowly, and how much ---------------------------------------------------------


def test_the_page_works_without_scripts(browser: Browser, site: Server) -> None:
    with browser.new_context(java_script_enabled=False, base_url=site.url) as context:
        page = context.new_page()
        page.goto("/query")
        page.get_by_label("Query").fill(AREA)
        page.get_by_role("button", name="Run").click()
        expect(page.get_by_text("Rows 1\u2013100 of 150")).to_be_visible()
        page.get_by_role("link", name="Next rows").click()
        expect(page.get_by_text("Rows 101\u2013150 of 150")).to_be_visible()
        page.get_by_role("button", name="Cite it").click()
        expect(page.get_by_role("heading", name="Cite it")).to_be_visible()


def test_on_a_slow_network_the_text_area_works_until_the_editor_is_there(
    page: Page, watch: Watch
) -> None:
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"latency": 300, "downloadThroughput": 30_000, "uploadThroughput": 30_000}
    network.send("Network.emulateNetworkConditions", {"offline": False, **slow})
    page.goto("/query", wait_until="commit")
    area = page.get_by_label("Query")
    expect(area).to_be_visible()
    area.fill("ASK {}")
    expect(page.locator("[data-state=ready]")).to_be_attached(timeout=30_000)
    expect(editor(page)).to_have_text("ASK {}")
    editor(page).press("Control+Enter")
    expect(page.locator(".answer")).to_contain_text("Yes. Release", timeout=30_000)


def test_what_the_page_loads_is_small(page: Page, watch: Watch) -> None:
    """All that any tab may load counts, packed as a server packs it at its best."""
    loaded: set[str] = set()
    page.on("response", lambda response: loaded.add(urlsplit(response.url).path))
    page.goto("/query")
    run(page, "SELECT ?area (1 AS ?n) { VALUES ?area { area:FR area:BE } }")
    for name in ("Chart", "Map", "Raw"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_load_state("networkidle")
    files = [STATIC / path.removeprefix("/static/") for path in loaded if "/static/ui/" in path]
    assert {"editor", "chart", "map"} <= {file.name.partition("-")[0] for file in files}
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) < GZIPPED


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_in_each_scheme(page: Page, watch: Watch, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path in ("/query", "/query?question=figures-of-area", f"/query?query={quote(LARGE)}"):
        page.goto(path)
        editor(page)
        page.wait_for_load_state("networkidle")
        assert violations(page) == []


def test_a_phone_shows_the_page_without_scrolling_sideways(page: Page, watch: Watch) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto("/query?question=figures-of-area")
    expect(page.get_by_role("tab", name="Table")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []
