"""The page of a resource: `/id/…` in a browser, and `/resource?iri=…`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from pyld import jsonld

from kg.namespaces import BASE, CODE, GRAPH, RF
from kg.query.views.resource import A_PAGE, FIRST
from kg.store.base import Commit, NamedGraph, Owner
from kg.store.embedded import commit
from kg_server import Reply, Server, running

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ARTICLE = "/id/a/0d09b047b72d6408"
HEDGED = f"{ARTICLE}/c/figure-2323-2399"
PERSON = f"{ARTICLE}/person/3220-3238"
CONTINUED = HEDGED
QUOTE = f"{ARTICLE}/q/5235-5493"
MIDDLE = f"{ARTICLE}/c/figure-5238-5271"
OTHER = "/id/a/0001a3299a8c1cd2"
RATE = f"{OTHER}/derived/return-rate-figure-ru-returned-figure-ru-left-current"
THIRD = "/id/a/4bd5c24bfbccd1e4"
EXPLICIT = f"{THIRD}/c/figure-ru-left"
WIKIDATA = "http://www.wikidata.org/entity/Q159"
LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"
HOSTILE = "</script><script>alert(1)</script>\u202eevil" + "x" * 10_000
MANY = 2100
BUSY = 450


class Page(HTMLParser):
    """The links, the text, the scripts and the JSON-LD of a page."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.links: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self.text = ""
        self.data = ""
        self._in_data = False
        self.feed(html.decode())
        self.words = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [given["href"] or ""] if tag == "a" and "href" in given else []
        if tag == "script":
            self.scripts.append(given)
            self._in_data = given.get("type") == "application/ld+json"

    def handle_endtag(self, tag: str) -> None:
        self._in_data = self._in_data and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.data += data
        else:
            self.text += data


@pytest.fixture(scope="module")
def ours(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of our own data."""
    log = tmp_path_factory.mktemp("resource") / "log"
    with running(real_store, log, workers=1, client_rate=10**6) as server:
        yield server


@pytest.fixture(scope="module")
def large_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases: a graph that stays, one that changes, large nodes and a hostile label."""
    folder = tmp_path_factory.mktemp("large") / "store"
    for number in (1, 2):
        commit(folder, _change(number), now=datetime(2024, 1, number, tzinfo=UTC))
    return folder


@pytest.fixture(scope="module")
def large(large_store: Path) -> Iterator[Server]:
    log = large_store.parent / "log"
    with running(large_store, log, workers=1, client_rate=10**6) as server:
        yield server


def _change(number: int) -> Commit:
    about = f"<{RF}about>"
    many = "".join(
        f"<{BASE}one/{each}> {about} <{BASE}hub> .\n<{BASE}hub> {about} <{BASE}one/{each}> .\n"
        for each in range(MANY)
    )
    names = f"<{BASE}hostile> <{LABEL}> {json.dumps(HOSTILE)}@en .\n"
    names += f'<{BASE}hub> <{LABEL}> "A hub"@en .\n'
    changing = f'<{BASE}changing> <{LABEL}> "Edition {number}"@en .\n'
    if number == 1:
        changing += f'<{BASE}withdrawn> <{LABEL}> "A withdrawn one"@en .\n'
    graphs = {"many": many, "names": names, "changing": changing}
    graphs |= {"crowd": _crowd(), "busy": _busy()}
    return Commit(
        graphs=tuple(
            NamedGraph(GRAPH + name, text.encode(), Owner.DATA) for name, text in graphs.items()
        ),
        owners=frozenset({Owner.DATA}),
        who="test",
        message="",
        shapes_digest="",
        files={"context.jsonld": b'{"@context": {"rf": "https://w3id.org/reported-figures/ns/"}}'},
    )


def _crowd() -> str:
    """Many that are no claims, and a few claims, all about one resource."""
    about, kind = f"<{RF}about> <{BASE}crowd>", f"<{RF}kind> <{CODE}figure>"
    quotes = [f"<{BASE}quote/{each}> {about} .\n" for each in range(FIRST + 50)]
    claims = [f"<{BASE}said/{each}> {about} .\n<{BASE}said/{each}> {kind} .\n" for each in range(3)]
    return "".join(quotes + claims)


def _busy() -> str:
    """A claim with more comparisons and findings than are looked at; the last contradicts it."""
    type = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    lines = [f"<{BASE}busy> <{type}> <{RF}Claim> ."]
    lines += [
        f'<{CODE}{verdict}> <{LABEL}> "{verdict}"@en .' for verdict in ("agree", "contradict")
    ]
    for each in range(BUSY):
        node, verdict = (
            f"<{BASE}comparison/{each:03}>",
            "agree" if each < BUSY - 1 else "contradict",
        )
        lines += [
            f"{node} <{RF}concerns> <{BASE}{other}> ." for other in ("busy", f"peer/{each:03}")
        ]
        lines += [f"{node} <{RF}verdict> <{CODE}{verdict}> ."]
        lines += [f"{node} <{RF}cohortRelation> <{CODE}same> ."]
        finding = f"<{BASE}finding/{each}>"
        lines += [f"{finding} <{RF}concerns> <{BASE}busy> ."]
        lines += [f'{finding} <{RF}rule> "W1" .', f'{finding} <{RF}message> "A message" .']
    return "\n".join(lines) + "\n"


def page(server: Server, path: str) -> Page:
    reply = server.send(path, headers=BROWSER)
    assert reply.status == 200, reply.body[:400]
    assert len(reply.body) < 100_000
    return Page(reply.body)


# --- negotiation --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/id/area/RU", f"/resource?iri={quote(BASE + 'area/RU')}"])
def test_a_browser_gets_a_page_and_a_program_gets_data_at_one_address(
    ours: Server, path: str
) -> None:
    html, data = ours.send(path, headers=BROWSER), ours.send(path)
    assert html.headers["content-type"] == "text/html; charset=utf-8"
    assert data.headers["content-type"] == "text/turtle; charset=utf-8"
    assert "Accept" in html.headers["vary"]
    assert "Accept" in data.headers["vary"]


def test_the_parameter_format_may_ask_for_the_page(ours: Server) -> None:
    reply = ours.send("/id/area/RU?format=html", headers={"Accept": "text/turtle"})
    assert reply.headers["content-type"] == "text/html; charset=utf-8"


def test_any_iri_has_the_data_that_it_has_at_its_own_address(ours: Server) -> None:
    own, any_ = "/id/area/RU", f"/resource?iri={quote(BASE + 'area/RU')}"
    nt = {"Accept": "application/n-triples"}
    assert sorted(ours.send(own, headers=nt).body.splitlines()) == sorted(
        ours.send(any_, headers=nt).body.splitlines()
    )


def test_an_iri_of_others_has_a_page_of_what_leads_to_it(ours: Server) -> None:
    found = page(ours, f"/resource?iri={quote(WIKIDATA)}")
    assert "Nothing is stated of it here" in found.words
    assert "/id/area/RU" in found.links


def test_an_iri_may_come_with_a_prefix(ours: Server) -> None:
    assert "Russia" in page(ours, "/resource?iri=area:RU").words


# --- what the page tells ------------------------------------------------------------------


def test_each_statement_has_its_named_graph_and_the_release_since_which_that_holds(
    ours: Server,
) -> None:
    found = page(ours, "/id/area/RU")
    for graph in ("entities", "alignments/wikidata"):
        assert f"/id/graph/{graph}" in found.links
    assert f"/r/{_names(ours)[-1]}/id/area/RU" in found.links


def test_claims_are_grouped_by_measure_with_their_hedges_source_and_date(ours: Server) -> None:
    found = page(ours, "/id/area/RU")
    told = "400 (estimated, “are estimated”), Fox News, undated; on the word of The Soufan Center"
    assert "Count" in found.words
    assert told in found.words


def test_a_source_has_the_claims_on_its_word(ours: Server) -> None:
    assert "What is claimed, and on whose word" in page(ours, "/id/org/soufan-center").words


def test_the_claims_of_a_measure_are_paged(ours: Server) -> None:
    found = page(ours, "/id/area/RU?measure=code:count")
    claims = [link for link in found.links if "/c/" in link]
    assert len(claims) == len(set(claims)) == 14


def test_what_leads_to_it_and_its_values_are_told_as_everywhere_and_not_by_a_key(
    ours: Server,
) -> None:
    words = page(ours, "/id/org/soufan-center").words.partition("What leads to it")[2]
    assert "terminal source composition: Five areas are named as parts of the number; Fox" in words
    assert "speaker A quote, The Soufan Center, in our words: Those who were stopped will " in words
    assert "affiliation A mention of Richard Barrett; SBY News, " in words
    assert not re.search(r"/c/[\w-]+ ", words)
    stated = page(ours, MIDDLE).words.partition("All statements")[2]
    assert "quoted in A quote, speaker left open, perhaps A spokesperson of the FBI" in stated


def test_a_list_of_what_leads_to_it_is_told_so_as_well(ours: Server) -> None:
    words = page(ours, f"{QUOTE}?in=rf:quotedIn").words
    assert "What leads by “quoted in” to A quote, speaker left open, perhaps A spokesp" in words
    assert "United States, foreign fighters who died: approximately 40 (official record)" in words
    assert "/c/figure-5315-5369" not in words


def test_data_can_be_had_in_every_format(ours: Server) -> None:
    formats = [link for link in page(ours, "/id/area/RU").links if "format=" in link]
    assert len(formats) == 6
    assert {ours.send(link, headers=BROWSER).status for link in formats} == {200}


def test_an_article_without_a_title_is_told_by_its_publisher_and_date(ours: Server) -> None:
    """It has no name that could be invented: its IRI says nothing to a reader."""
    words = page(ours, "/id/a/0001a3299a8c1cd2/c/figure-tn-left-2015").words
    assert "A claim of an article of Fox News, 25 October 2017, not a fact" in words
    assert "Articlean article of Fox News, 25 October 2017" in words


def test_a_claim_begins_with_its_words_and_has_chain_hedge_place_and_verdicts(
    ours: Server,
) -> None:
    _title, _, words = page(ours, HEDGED).words.partition("A claim of")
    order = ["“400”", "on the word of The Soufan Center", "The number", "On whose word"]
    order += ["Hedged by the words", "Where it stands", "Beside other claims", "agree"]
    order += ["What the audit says", "Computed from it", "All statements"]
    places = [words.index(each) for each in order]
    assert places == sorted(places)
    assert "undated" in words
    assert re.search(r"the hedge\s*2354.2367\s*[0-9a-f]{64}", words)


def test_a_person_who_is_withheld_is_not_named_and_keeps_the_hedges(ours: Server) -> None:
    words = page(ours, PERSON).words
    assert "A person whose name is withheld" in words
    assert "(alleged, “is suspected”)" in words


def test_a_claim_about_a_withheld_person_says_so_wherever_it_leads_there(ours: Server) -> None:
    words = page(ours, f"{ARTICLE}/c/event-3437-3482").words
    about, statements = words.split("All statements")
    assert "About a person whose name is withheld" in about
    assert statements.count("a person whose name is withheld") == 2


def test_a_property_of_others_has_a_page_of_where_it_is_used(ours: Server) -> None:
    words = page(ours, "/resource?iri=sdmx-measure:obsValue").words
    assert "The first of 122 statements" in words
    assert "The first of more than 1,000 statements" in page(ours, "/resource?iri=rdf:type").words


def test_a_named_graph_has_a_page_that_leads_to_all_of_it(ours: Server) -> None:
    found = page(ours, "/id/graph/entities")
    (download,) = [link for link in found.links if link.startswith("/graphs/")]
    assert ours.send(download).status == 200


def test_every_link_of_a_claim_answers(ours: Server) -> None:
    links = {link for link in page(ours, HEDGED).links if link.startswith("/")}
    broken = {link: ours.send(link, headers=BROWSER).status for link in links}
    assert {link: status for link, status in broken.items() if status != 200} == {}


def test_a_citation_can_be_made_of_what_is_stated(ours: Server) -> None:
    found = page(ours, "/id/area/RU")
    assert f"release {_names(ours)[-1]}" in found.words
    assert any(link.endswith(f"/r/{_names(ours)[-1]}/id/area/RU") for link in found.links)


# --- JSON-LD ------------------------------------------------------------------------------


def _schema_org(url: str, _options: object) -> dict[str, Any]:
    """What the context of schema.org says of the terms that we use."""
    links = {name: {"@type": "@id"} for name in ("sameAs", "url")}
    context = {"@vocab": "https://schema.org/", **links}
    return {"contextUrl": None, "documentUrl": url, "document": {"@context": context}}


@pytest.mark.parametrize(
    ("path", "type"),
    [
        (HEDGED, "Claim"),
        ("/id/area/RU", "Country"),
        ("/id/org/soufan-center", "Organization"),
        ("/id/cohort/ff-departed", "StatisticalPopulation"),
        (PERSON, "Thing"),
    ],
)
def test_a_page_has_json_ld_of_what_the_release_says(ours: Server, path: str, type: str) -> None:
    written = json.loads(page(ours, path).data)
    options = {"documentLoader": _schema_org}
    (node,) = jsonld.expand(written, options)
    assert node["@id"] == BASE + path.removeprefix("/id/")
    assert f"https://schema.org/{type}" in node["@type"]


def test_the_json_ld_of_a_claim_keeps_hedge_source_and_appearance(ours: Server) -> None:
    written = json.loads(page(ours, HEDGED).data)
    assert "estimated" in written["description"]
    assert "on the word of The Soufan Center (continued)" in written["description"]
    assert written["appearance"]["@id"] == BASE + "a/0d09b047b72d6408"
    assert "datePublished" not in written["appearance"]


def test_the_json_ld_names_an_author_only_where_the_words_do(ours: Server) -> None:
    for path in (CONTINUED, MIDDLE, f"{ARTICLE}/c/event-148-212", f"{OTHER}/c/figure-tn-left-2015"):
        assert "author" not in json.loads(page(ours, path).data)
    assert json.loads(page(ours, EXPLICIT).data)["author"]["name"] == "The Soufan Group"


def test_the_json_ld_has_no_name_made_of_an_iri(ours: Server) -> None:
    written = json.loads(page(ours, f"{ARTICLE}/c/event-148-212").data)
    assert written["about"] == {"@id": BASE + "a/0d09b047b72d6408/person/162-173"}
    untitled = json.loads(page(ours, EXPLICIT).data)["appearance"]
    assert untitled.keys() == {"@id", "@type", "datePublished", "publisher"}


def test_the_json_ld_of_a_quote_has_no_words_without_their_speaker(ours: Server) -> None:
    assert json.loads(page(ours, QUOTE).data).keys() == {"@context", "@type", "@id"}


def test_the_json_ld_of_a_withheld_person_is_an_iri_alone(ours: Server) -> None:
    written = json.loads(page(ours, PERSON).data)
    assert written.keys() == {"@context", "@type", "@id"}


# --- whose word it is ---------------------------------------------------------------------


def test_a_step_in_the_middle_that_is_left_open_is_told(ours: Server) -> None:
    told = "by way of A spokesperson of the FBI who is not named (unresolved)"
    assert page(ours, MIDDLE).words.count(told) >= 2


def test_a_quote_begins_with_its_speaker_or_that_it_is_left_open(ours: Server) -> None:
    open_ = "A quote, speaker left open, perhaps A spokesperson of the FBI who is not named, in our"
    title, _, words = page(ours, QUOTE).words.partition("A quote of")
    assert open_ in title
    assert open_ in words.partition("IRI")[0]
    assert "Fox News, undated; on the word of" in words.partition("IRI")[0]


def test_a_computed_figure_says_so_and_has_what_it_is_computed_from(ours: Server) -> None:
    words = page(ours, RATE).words
    assert "A figure computed here A figure computed here, which nobody reported, from: " in words
    assert "nobody reported this number" in words.partition("What is stated of it")[0]
    assert "approximately 3,417, Fox News, 25 October 2017; on the word of The Soufan" in words
    claim = page(ours, f"{OTHER}/c/figure-ru-returned").words.partition("Computed from it")[2]
    assert "from this claim and from Russia, foreign fighters who left: approximately" in claim


def test_a_claim_is_cited_with_its_hedge_its_source_and_its_date(ours: Server) -> None:
    cited = page(ours, HEDGED).words.partition("Cite this")[2]
    told = "400 (estimated, “are estimated”), Fox News, undated; on the word of The Soufan Center"
    assert told in cited
    assert "““" not in cited


def test_which_claim_corrects_which_is_told_on_both_pages(ours: Server) -> None:
    correcting, corrected = (
        f"{THIRD}/c/figure-tn-left-revised",
        f"{THIRD}/c/figure-tn-left-believed",
    )
    one, other = page(ours, correcting).words, page(ours, corrected).words
    assert "It corrects Tunisia, foreign fighters who left: 6,000 (believed" in one
    assert "It is corrected by Tunisia, foreign fighters who left: less than 3,000" in other
    assert "this claim corrects it" in one
    assert "it corrects this claim" in other


def test_independent_sources_are_those_of_one_number(ours: Server) -> None:
    words = page(ours, f"{OTHER}/c/figure-tn-left-2015").words
    assert "that give this number, or one that may be the same, come from 1 independent" in words
    assert "or it is left open who it is, that counts only if there is no other" in words


def test_the_link_to_all_figures_asks_for_that_question_alone(ours: Server) -> None:
    (link,) = [link for link in page(ours, HEDGED).links if link.startswith("/compare?")]
    asked = parse_qs(urlsplit(link).query)
    assert asked.keys() == {"area", "cohort", "measure", "group", "base", "unit"}
    assert (asked["group"], asked["base"]) == (["none"], ["none"])
    assert "400" in page(ours, link).words


# --- large and hostile --------------------------------------------------------------------


def test_a_large_node_shows_the_first_of_each_and_leads_to_the_rest(large: Server) -> None:
    found = page(large, "/id/hub")
    assert found.words.count("and more than 992 more") == 2
    assert "too many statements for all of them to be looked at" in found.words
    assert "A hub" in found.words
    for name in ("of", "in"):
        (link,) = [link for link in found.links if link.startswith(f"/id/hub?{name}=")]
        pages = [page(large, f"{link}&page={number}") for number in range(1, MANY // A_PAGE + 1)]
        shown = {each for one in pages for each in one.links if each.startswith("/id/one/")}
        assert len(shown) == MANY


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/id/hub?of=rf:about&page=99", 400),
        ("/id/hub?of=rf:about&page=0", 400),
        ("/id/hub?of=nothing", 400),
        ("/id/hub?of=rf:about&in=rf:about", 400),
        ("/id/hub?of=rf:cohort", 404),
        ("/resource", 400),
        ("/resource?iri=nothing", 400),
        ("/resource?iri=http://example.org/a%3E%20?p", 400),
        ("/id/a%3E%20?p%20?o%20%7D", 404),
        ("/id/nobody", 404),
    ],
)
def test_what_cannot_be_shown_is_an_error_that_says_what_to_do(
    large: Server, path: str, status: int
) -> None:
    reply = large.send(path, headers=BROWSER)
    assert (reply.status, reply.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "What may help" in Page(reply.body).words


def test_a_hostile_label_stays_text(large: Server) -> None:
    found = page(large, "/id/hostile")
    kinds = [script.get("type") for script in found.scripts]
    assert kinds.count("application/ld+json") == 1
    assert set(kinds) <= {"application/ld+json", "module"}
    assert json.loads(found.data)["name"]["@value"].startswith("</script><script>")


def test_what_the_page_has_no_room_for_is_counted_and_a_contradiction_is_shown(
    large: Server,
) -> None:
    words = page(large, "/id/busy").words
    assert f"The first 24 of {BUSY} comparisons" in words
    assert f"The first 12 of {BUSY}." in words
    assert "contradict" in words.partition("Beside other claims")[2]


def test_what_is_no_claim_takes_no_place_from_the_claims(large: Server) -> None:
    found = page(large, "/id/crowd")
    section = found.words.partition("What is claimed, and on whose word")[2]
    assert {f"/id/said/{each}" for each in range(3)} <= set(found.links)
    assert "More leads here than is looked at" not in section


def test_where_more_leads_to_it_than_is_looked_at_the_page_says_so(large: Server) -> None:
    section = page(large, "/id/hub").words.partition("What is claimed, and on whose word")[2]
    assert "none of the first 2,000 is a claim, but there may be further groups" in section


# --- versions -----------------------------------------------------------------------------


def test_versions_are_the_releases_in_which_its_graphs_changed(large: Server) -> None:
    first, second = _names(large)
    links = page(large, "/id/changing").links
    assert [f"/r/{name}/id/changing" in links for name in (first, second)] == [True, True]
    assert any("from=" in link and "to=" in link for link in links)
    assert f"/r/{second}/id/hostile" not in page(large, "/id/hostile").links
    assert "Edition 1" in page(large, f"/r/{first}/id/changing").words


def test_what_a_release_no_longer_has_leads_to_the_one_that_has_it(large: Server) -> None:
    first, second = _names(large)
    for path in ("/id/withdrawn", f"/r/{second}/id/withdrawn"):
        reply = large.send(path, headers=BROWSER)
        found = Page(reply.body)
        assert reply.status == 404
        assert f"/r/{first}/id/withdrawn" in found.links
        assert "That is not in this release" in found.words
        assert "Nothing is known of that here" not in found.words
    assert "A withdrawn one" in page(large, f"/r/{first}/id/withdrawn").words


@pytest.mark.parametrize("name", ["1", "full"])
def test_the_newest_release_is_one_link_away_by_whatever_name(large: Server, name: str) -> None:
    at = _names(large)[0] if name == "full" else name
    found = page(large, f"/r/{at}/id/changing?format=html")
    assert "/id/changing?format=html" in found.links


def test_a_page_that_a_client_has_is_not_made_again(large: Server) -> None:
    tag = large.send("/id/changing", headers=BROWSER).headers["etag"]
    reply = large.send("/id/changing", headers={**BROWSER, "If-None-Match": tag})
    assert (reply.status, reply.body) == (304, b"")


def _names(server: Server) -> list[str]:
    reply: Reply = server.send("/releases", headers={"Accept": "application/json"})
    return [each["name"] for each in json.loads(reply.body)["releases"]]
