"""The page that lays figures side by side: what it offers, what it shows, what it says of pairs."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from kg.namespaces import BASE, CODE, RF
from kg.query.claims import Value
from kg.query.views.compare import PAIRS, SIZE, _step
from kg_server import Reply, Server, running
from store_parts import committed, graph
from web.test_pages import BROWSER, Page

DOCUMENT: Final = "Beyond the Caliphate: Foreign Fighters and the Threat of Returnees"
TUNISIA: Final = "/compare?area=area:TN&cohort=cohort:ff-departed"
PROV: Final = "http://www.w3.org/ns/prov#"
SDMX: Final = "http://purl.org/linked-data/sdmx/2009/"
HOSTILE: Final = '"<script>alert(1)</script> \\u202E' + "x" * 10_000 + '"'
MOST: Final = 100_000
"""Bytes of a page."""


class _Options(HTMLParser):
    """The values of each select, and how many figures each is said to lead to."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.options: dict[str, dict[str, int]] = {}
        self._select = self._value = ""
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "select":
            self._select = given["name"] or ""
        if tag == "option":
            self._value = given["value"] or ""

    def handle_data(self, data: str) -> None:
        if self._value and (count := re.search(r"\((\d+)\)$", data.strip())):
            self.options.setdefault(self._select, {})[self._value] = int(count[1])


@pytest.fixture(scope="module")
def ours(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(real_store, tmp_path_factory.mktemp("compare") / "log", workers=1) as server:
        yield server


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Of one cohort, whose names are markup: more figures than a page has, all unlike."""
    folder = tmp_path_factory.mktemp("hostile")
    lines = [
        f"<{BASE}{node}> <http://www.w3.org/2004/02/skos/core#prefLabel> {HOSTILE}@en"
        for node in ("area/X", "cohort/x", "org/x", "code/person")
    ]
    for at in range(SIZE * 2 + 1):
        claim = f"<{BASE}a/x/c/{at}>"
        lines += [
            f"{claim} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{RF}FigureClaim>",
            f"{claim} <{SDMX}dimension#refArea> <{BASE}area/X>",
            f"{claim} <{SDMX}attribute#unitMeasure> <{CODE}person>",
            f'{claim} <{SDMX}measure#obsValue> "{at}"^^<http://www.w3.org/2001/XMLSchema#decimal>',
            f"{claim} <{RF}cohort> <{BASE}cohort/x>",
            f"{claim} <{RF}measure> <{CODE}count>",
            f"{claim} <{RF}terminalSource> <{BASE}org/x>",
            f"{claim} <{RF}reportedText> {HOSTILE}",
            f"{claim} <{RF}hedge> {HOSTILE}",
        ]
    committed(folder / "store", graph("claims", *lines))
    with running(folder / "store", folder / "log", workers=1) as server:
        yield server


FIGURES: Final = SIZE + 2
UNDECIDABLE: Final = PAIRS + 2
MANY: Final = "/compare?" + urlencode(
    {"area": BASE + "area/Y", "cohort": BASE + "cohort/y", "group": "none"}
)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Figures on two pages, in the order of their numbers, with verdicts within and across them."""
    folder = tmp_path_factory.mktemp("many")
    lines = [line for at in range(1, FIGURES + 1) for line in _figure(at)]
    lines += [
        *_figure(99, area="Z"),
        *_figure(98),
        f"{_claim(98)} <{RF}populationGroup> <{BASE}group/g>",
    ]
    lines += _step_of(1, 1, "publisher", "publisherVoice")
    lines += _step_of(1, 2, "outlet", "unresolved")
    lines += _step_of(1, 3, "center", "explicit")
    lines += _step_of(FIGURES, 1, "x", "unresolved")
    lines += _compared(1, 2, "contradict")
    lines += _compared(1, FIGURES, "contradict")
    lines += _compared(FIGURES, FIGURES - 1, "superseded")
    lines += [f"{_claim(FIGURES)} <{RF}revises> {_claim(FIGURES - 1)}"]
    lines += _independent(1, "center") + _independent(FIGURES, "x")
    for at in range(3, 3 + UNDECIDABLE):
        lines += _compared(at, 99, "undecidable", "timeUnknown")
    committed(folder / "store", graph("claims", *lines))
    with running(folder / "store", folder / "log", workers=1) as server:
        yield server


def _claim(at: int) -> str:
    return f"<{BASE}a/y/c/{at:02d}>"


def _figure(at: int, area: str = "Y") -> list[str]:
    claim = _claim(at)
    return [
        f"{claim} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{RF}FigureClaim>",
        f"{claim} <{SDMX}dimension#refArea> <{BASE}area/{area}>",
        f"{claim} <{SDMX}attribute#unitMeasure> <{CODE}person>",
        f'{claim} <{SDMX}measure#obsValue> "{at}"^^<http://www.w3.org/2001/XMLSchema#decimal>',
        f"{claim} <{RF}cohort> <{BASE}cohort/y>",
        f"{claim} <{RF}measure> <{CODE}count>",
        f"{claim} <{RF}terminalSource> <{BASE}org/{'x' if at == FIGURES else 'center'}>",
        f'{claim} <{RF}reportedText> "{at}"',
    ]


def _step_of(at: int, number: int, agent: str, basis: str) -> list[str]:
    step = f"<{BASE}a/y/c/{at:02d}/step/{number}>"
    return [
        f"{_claim(at)} <{PROV}qualifiedAttribution> {step}",
        f'{step} <{RF}step> "{number}"^^<http://www.w3.org/2001/XMLSchema#integer>',
        f"{step} <{PROV}agent> <{BASE}org/{agent}>",
        f"{step} <{RF}basis> <{CODE}{basis}>",
    ]


def _independent(at: int, end: str) -> list[str]:
    it = f"<{BASE}independence/{at}>"
    return [
        f"{it} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{RF}Independence>",
        f"{it} <{RF}concerns> {_claim(at)}",
        f'{it} <{RF}independentSources> "1"^^<http://www.w3.org/2001/XMLSchema#integer>',
        f"{it} <{RF}chainEnd> <{BASE}org/{end}>",
    ]


def _compared(one: int, other: int, verdict: str, reason: str = "") -> list[str]:
    it = f"<{BASE}comparison/{one}-{other}>"
    return [
        f"{it} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{RF}Comparison>",
        f"{it} <{RF}concerns> {_claim(one)}",
        f"{it} <{RF}concerns> {_claim(other)}",
        f"{it} <{RF}verdict> <{CODE}{verdict}>",
        f"{it} <{RF}cohortRelation> <{CODE}sameCohort>",
        f"{it} <{RF}intervalRelation> <{CODE}disjoint>",
        f'{it} <{RF}sameEnd> "false"^^<http://www.w3.org/2001/XMLSchema#boolean>',
        *([f"{it} <{RF}reason> <{CODE}{reason}>"] if reason else []),
    ]


def get(server: Server, path: str) -> Reply:
    reply = server.send(path, headers={"Accept": BROWSER})
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert len(reply.body) < MOST
    return reply


def said(reply: Reply) -> str:
    """What the page says, on one line."""
    cells = re.sub(rb"</(td|th|b|dt|dd|li|h2|text|span)>", b" ", reply.body)
    return " ".join(Page(cells).words.split())


def asked(server: Server, query: str) -> list[dict[str, str]]:
    reply = server.send("/sparql?" + urlencode({"query": query, "format": "csv"}))
    assert reply.status == 200, reply.body
    return list(csv.DictReader(io.StringIO(reply.body.decode())))


# --- choosing -----------------------------------------------------------------------------


def test_without_a_choice_what_is_contradicted_comes_first(ours: Server) -> None:
    page = said(get(ours, "/compare"))
    first = page.index("foreign fighters who left, Tunisia")
    assert first < page.index("4 contradictions") < page.index("foreign fighters who left, Russia")
    assert page.count("contradiction") == 1  # no other combination has one


def test_every_combination_that_is_offered_leads_to_its_figures(ours: Server) -> None:
    links = [link for link in Page(get(ours, "/compare").body).links if "cohort=" in link]
    assert len(links) == 24
    for link in links:
        assert get(ours, link).body.count(b'<tr id="figure-') > 0, link


def test_an_option_leads_to_as_many_figures_as_it_says(ours: Server) -> None:
    offered = _Options(get(ours, TUNISIA).body).options
    assert set(offered) == {"area", "cohort", "measure"}
    for cohort, count in offered["cohort"].items():
        page = get(ours, "/compare?" + urlencode({"area": "area:TN", "cohort": cohort}))
        assert page.body.count(b'<tr id="figure-') == count, cohort
    assert len(offered["cohort"]) == 3
    assert len(offered["area"]) > 10
    for area, count in offered["area"].items():
        page = get(ours, "/compare?" + urlencode({"area": area, "cohort": "cohort:ff-departed"}))
        assert page.body.count(b'<tr id="figure-') == count, area


def test_iris_in_full_ask_for_the_same_as_names(ours: Server) -> None:
    full = urlencode({"area": BASE + "area/TN", "cohort": BASE + "cohort/ff-departed"})
    assert said(get(ours, "/compare?" + full)) == said(get(ours, TUNISIA))


def test_where_nothing_is_reported_what_is_near_is_offered(ours: Server) -> None:
    page = get(ours, "/compare?area=area:JO&cohort=cohort:ff-died")
    assert "Nobody reported that; near it there are" in said(page)
    assert [link for link in Page(page.body).links if "area=area:JO" in link and "cohort=" in link]


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ("/compare?area=urn:" + "x" * 5_000, "Give at most 2,000 characters."),
        ("/compare?area=Tunisia", "Give an IRI, in full or with a prefix such as area:US."),
        ("/compare?area=area:TN&area=area:US", "Give it once."),
        (TUNISIA + "&scale=round", "It is one of zero, fit, log."),
        (TUNISIA + "&page=0", "It takes a whole number from 1 to 9,999,999."),
        (TUNISIA + "&page=x", "It takes a whole number from 1 to 9,999,999."),
        (TUNISIA + "&page=999", "There are 1."),
    ],
)
def test_a_wrong_parameter_is_told_with_what_to_do(ours: Server, wrong: str, remedy: str) -> None:
    reply = ours.send(wrong, headers={"Accept": "application/problem+json"})
    assert (reply.status, reply.problem["remedy"]) == (400, remedy)


# --- what is shown ------------------------------------------------------------------------


def test_every_figure_is_drawn_and_stands_in_the_table_with_its_wording(ours: Server) -> None:
    rows = asked(
        ours,
        "SELECT ?claim ?wording { ?claim sdmx-dimension:refArea area:TN ;"
        " rf:cohort cohort:ff-departed ; rf:reportedText ?wording }",
    )
    page = get(ours, TUNISIA).body.decode()
    assert len(rows) == 8
    assert page.count('<title id="mark-') == page.count('<tr id="figure-') == len(rows)
    for row in rows:
        link = row["claim"].removeprefix(BASE)
        assert f'href="/id/{link}">“<bdi>{row["wording"]}</bdi>”' in page


def test_the_csv_has_the_figures_of_the_table(ours: Server) -> None:
    page = Page(get(ours, TUNISIA).body)
    (link,) = (link for link in page.links if "format=csv" in link)
    reply = ours.send(link)
    rows = list(csv.DictReader(io.StringIO(reply.body.decode())))
    assert reply.status == 200
    assert [row["wording"] for row in rows].count("2,926") == 4
    chains = {row["chain"] for row in rows}
    assert "The Washington Times (publisher's voice) <- Government of Tunisia (explicit)" in chains
    assert "The Washington Times (unresolved)" in chains
    assert "Fox News (publisher's voice) <- The Soufan Group (unresolved)" in chains
    assert any(f", in {DOCUMENT} (" in chain for chain in chains)
    assert "stance" in rows[0]
    assert len(rows) == 8


def test_a_hedge_a_chain_and_a_missing_date_are_never_lost(ours: Server) -> None:
    page = said(get(ours, TUNISIA))
    assert "“6,000” believed “believed”" in page
    assert "on the word of Government of Tunisia" in page
    assert "Fox News, undated; on the word of The Soufan Center" in page


def test_figures_are_sorted_by_source_then_by_date(ours: Server) -> None:
    table = get(ours, TUNISIA).body.decode().split("<tbody>")[1].split("</tbody>")[0]
    dates = re.findall(r'<time datetime="([\d-]+)">|(undated)', table)
    assert [one or other for one, other in dates] == [
        *("2017-10-24", "2017-10-25", "2017-10-25", "2017-10-27", "undated"),
        *("2017-10-24", "2017-10-25", "2017-10-24"),
    ]


def test_a_share_is_drawn_in_percent_and_around_is_near(ours: Server) -> None:
    page = said(get(ours, "/compare?area=area:EU&cohort=cohort:ff-returned"))
    assert "in percent 0 % 10 %" in page
    assert "near 30 %; how near is not said" in page


def test_a_derived_reading_is_drawn_when_asked_for_and_called_derived(ours: Server) -> None:
    path = "/compare?area=area:FR&cohort=cohort:ff-departed"
    assert "Derived by us" not in said(get(ours, path))
    assert "Derived by us, reported by nobody" in said(get(ours, path + "&readings=yes"))


def test_the_kind_of_scale_is_said_and_can_be_chosen(ours: Server) -> None:
    assert "The scale is from zero." in said(get(ours, TUNISIA))
    assert "The scale is logarithmic." in said(get(ours, TUNISIA + "&scale=log"))
    assert "not from zero" in said(get(ours, TUNISIA + "&scale=fit"))


# --- pairs --------------------------------------------------------------------------------


def test_verdicts_are_those_of_the_audit(ours: Server) -> None:
    rows = asked(
        ours,
        "SELECT ?verdict (COUNT(DISTINCT ?comparison) AS ?pairs) { ?comparison a rf:Comparison ;"
        " rf:verdict/skos:prefLabel ?verdict ; rf:concerns ?claim . ?claim rf:cohort"
        " cohort:ff-departed ; sdmx-dimension:refArea area:TN } GROUP BY ?verdict",
    )
    page = said(get(ours, TUNISIA))
    assert {row["verdict"] for row in rows} == {
        *("contradict", "superseded", "undecidable", "not comparable", "agree"),
    }
    for row in rows:
        pairs = "pair" if row["pairs"] == "1" else "pairs"
        assert f"{row['verdict']} {row['pairs']} {pairs}" in page


@pytest.mark.parametrize("part", ["", "&page=2"])
def test_verdicts_are_counted_over_all_pages(many: Server, part: str) -> None:
    words = said(get(many, MANY + part))
    for verdict, count in (("contradict", 2), ("superseded", 1), ("undecidable", UNDECIDABLE)):
        assert f"{count} {'pair' if count == 1 else 'pairs'} {CODE}{verdict}" in words
    assert f"Of all {FIGURES} figures, not of this page alone: {UNDECIDABLE + 3} pairs" in words


def test_pairs_that_are_not_shown_are_counted_and_a_query_has_them_all(many: Server) -> None:
    page = get(many, MANY)
    assert "And 2 more pairs: a query has all of them" in said(page)
    assert "None of them has a figure of this page" in said(page)  # the superseded ones
    queries = {query for link in Page(page.body).links for query in _queries(link)}
    (query,) = (query for query in queries if "?corrects" in query)
    rows = asked(many, query)
    pairs = {(row["verdict"], frozenset((row["claim"], row["other"]))) for row in rows}
    assert len(rows) == len(pairs) == UNDECIDABLE + 3
    verdicts = Counter(row["verdict"].removeprefix(CODE) for row in rows)
    assert verdicts == {"contradict": 2, "superseded": 1, "undecidable": UNDECIDABLE}
    (corrected,) = (row for row in rows if row["verdict"] == CODE + "superseded")
    assert corrected["corrects"] == _claim(FIGURES)[1:-1]


def _queries(link: str) -> list[str]:
    return parse_qs(urlsplit(link).query).get("query", [])


def test_which_of_two_corrects_the_other_is_said(many: Server, ours: Server) -> None:
    told = f"Figure {FIGURES} corrects figure {FIGURES - 1}, its source says."
    assert told in said(get(many, MANY + "&page=2"))
    assert "Figure 8 corrects figure 6, its source says." in said(get(ours, TUNISIA))


def test_a_step_that_is_left_open_is_told_beside_the_drawing(many: Server, ours: Server) -> None:
    drawn = said(get(many, MANY)).split("The same as a table")[0]
    assert "; through outlet (unresolved); on the word of center" in drawn
    drawn = said(get(ours, TUNISIA)).split("The same as a table")[0]
    assert "on the word of The Soufan Group (unresolved)" in drawn
    assert re.search(r"The Washington Times, \d+ October 2017; unresolved", drawn)


def test_a_card_counts_the_sources_that_its_page_counts(many: Server, ours: Server) -> None:
    for server, path, count in (
        (many, MANY, "1 independent source"),
        (ours, TUNISIA, "2 independent sources"),
    ):
        assert count in said(get(server, path))
    cards = said(get(many, "/compare"))
    assert f"{FIGURES} figures from 1 independent source" in cards
    assert "8 figures from 2 independent sources" in said(get(ours, "/compare"))


def test_several_that_fit_are_listed_and_none_is_chosen(many: Server) -> None:
    path = "/compare?" + urlencode(
        {"area": BASE + "area/Y", "cohort": BASE + "cohort/y", "measure": CODE + "count"}
    )
    page = get(many, path)
    assert "2 combinations to compare" in said(page)
    assert b'<tr id="figure-' not in page.body
    assert "Reported of the same besides" in said(get(many, MANY))


def test_why_unstated_times_are_one_is_told(ours: Server) -> None:
    """Else “at overlapping times” and “neither says” contradict each other."""
    page = said(get(ours, TUNISIA))
    told = "neither says; both quote one document, so the times are taken to be one"
    assert told in page
    undecidable = page.partition("why are these undecidable?")[2].partition("why are these")[0]
    assert "When they held: neither says" in undecidable
    assert told not in undecidable


def test_a_number_of_sources_says_what_it_counts(many: Server, ours: Server) -> None:
    page = said(get(ours, TUNISIA))
    assert "Independent sources are those that give this number, or one that may be the" in page
    assert "nobody is named, and there is no other" not in page
    assert said(get(many, MANY)).count("1 (nobody is named") == 0
    assert (
        said(get(many, MANY + "&page=2")).count("1 (nobody is named, and there is no other)") == 1
    )


def test_a_link_to_a_release_promises_no_more_than_is_kept(ours: Server) -> None:
    page = said(get(ours, TUNISIA))
    assert "as long as the release is kept" in page
    assert "for ever" not in page


def test_why_two_are_not_comparable_is_told_with_the_other_cohort(ours: Server) -> None:
    page = said(get(ours, TUNISIA))
    assert "why are these not comparable? another cohort" in page
    assert "The claims count different groups of people." in page
    assert "women and children of the group: 3,000" in page


def test_chains_that_end_in_one_document_count_once(ours: Server) -> None:
    page = said(get(ours, TUNISIA))
    assert "2 independent sources" in page
    assert "Beyond the Caliphate: Foreign Fighters and the Threat of Returnees: 5 figures" in page
    assert "The Soufan Group: 1 figure (does not count: nobody is named" in page


def test_cohorts_near_lead_to_their_own_figures(ours: Server) -> None:
    links = Page(get(ours, TUNISIA).body).links
    near = {link for link in links if "area=area:TN" in link and "ff-returned" in link}
    assert len(near) == 1
    assert b'<tr id="figure-3"' in get(ours, near.pop()).body


# --- the address --------------------------------------------------------------------------


def test_the_permalink_is_of_the_release_and_gives_the_same(ours: Server) -> None:
    page = get(ours, TUNISIA)
    links = {link for link in Page(page.body).links if "/r/" in link and "/compare" in link}
    assert len(links) == 1
    again = get(ours, links.pop().removeprefix(ours.url.rstrip("/")))
    assert again.headers["kg-release"] == page.headers["kg-release"]
    assert again.body.count(b'<tr id="figure-') == 8


def test_in_a_release_links_stay_in_it(ours: Server) -> None:
    name = get(ours, TUNISIA).headers["kg-release"]
    links = Page(get(ours, f"/r/{name}{TUNISIA}").body).links
    out = [it for it in links if it.startswith(("/compare", "/id/", "/sparql"))]
    assert [link for link in out if not link.startswith("/compare?area=area:TN")] == []


def test_a_page_that_is_known_is_not_sent_again(ours: Server) -> None:
    tag = get(ours, TUNISIA).headers["etag"]
    reply = ours.send(TUNISIA, headers={"Accept": BROWSER, "If-None-Match": tag})
    assert (reply.status, reply.body) == (304, b"")


# --- strangers ----------------------------------------------------------------------------


def test_more_figures_than_a_page_has_are_paged_and_counted(hostile: Server) -> None:
    path = "/compare?" + urlencode({"area": BASE + "area/X", "cohort": BASE + "cohort/x"})
    first, last = get(hostile, path), get(hostile, path + "&page=3")
    assert first.body.count(b'<tr id="figure-') == SIZE
    assert last.body.count(b'<tr id="figure-') == 1
    assert f"{SIZE * 2 + 1} figures" in said(first) and "Page 1 of 3" in said(first)


def test_names_that_are_markup_stay_text(hostile: Server) -> None:
    path = "/compare?" + urlencode({"area": BASE + "area/X", "cohort": BASE + "cohort/x"})
    for page in (get(hostile, path), get(hostile, "/compare")):
        assert b"<script>alert" not in page.body
        assert b"&lt;script&gt;alert" in page.body


def test_a_person_whose_name_is_restricted_is_not_named() -> None:
    iri = BASE + "a/x/person/12-24"
    step = _step({"http://www.w3.org/ns/prov#agent": (Value(f"<{iri}>", "12-24"),)})
    assert (step.iri, step.name) == (iri, "a person whose name is withheld")
