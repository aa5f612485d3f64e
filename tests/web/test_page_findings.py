"""The page of findings: all of them, filtered without dead ends, each with its evidence."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from kg.namespaces import BASE
from kg.query.findings import AUDITED, AuditFinding, findings
from kg.query.views.findings import checked, findings_about, findings_about_each, rules
from kg.query.views.look import Look
from kg.settings import Settings
from kg.store.base import Commit, NamedGraph, Owner
from kg.store.embedded import EmbeddedStore, commit
from kg_server import Reply, Server, running
from store_parts import NOW
from web.test_pages import BROWSER, Page

MOST: Final = 100_000
"""Bytes of a page."""
CLAIM: Final = BASE + "a/0d09b047b72d6408/c/figure-406-460"


class _Boxes(HTMLParser):
    """The boxes of the form with the count beside each, by facet and value."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.counts: dict[tuple[str, str], int] = {}
        self.chosen: set[tuple[str, str]] = set()
        self._at: tuple[str, str] | None = None
        self._counting = False
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "checkbox":
            self._at = (given["name"] or "", given["value"] or "")
            if "checked" in given:
                self.chosen.add(self._at)
        self._counting = tag == "span" and given.get("class") == "count"

    def handle_data(self, data: str) -> None:
        if self._counting and self._at:
            self.counts[self._at] = int(data)
            self._at, self._counting = None, False


@pytest.fixture(scope="module")
def ours(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(real_store, tmp_path_factory.mktemp("findings") / "log", workers=1) as server:
        yield server


@pytest.fixture(scope="module")
def look(real_store: Path) -> Iterator[Look]:
    settings = Settings.read(workers=1)
    with EmbeddedStore(real_store, settings) as store:
        yield Look(store, settings, store.release())


@pytest.fixture(scope="module")
def known(real_store: Path) -> list[AuditFinding]:
    settings = Settings.read(workers=1)
    with EmbeddedStore(real_store, settings) as store:
        return findings(store, settings)


def get(server: Server, **asked: Any) -> Reply:
    reply = server.send("/findings?" + urlencode(asked, doseq=True), headers={"Accept": BROWSER})
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert len(reply.body) < MOST
    return reply


def keys(reply: Reply) -> list[str]:
    """The findings that the page shows."""
    return re.findall(r'<article class="finding" id="([^"]+)"', reply.body.decode())


def said(reply: Reply) -> str:
    """What the page says, on one line."""
    cells = re.sub(rb"</(dt|dd|li)>", b" ", reply.body)
    return " ".join(Page(cells).words.split())


def matching(server: Server, **asked: Any) -> int:
    (count,) = re.findall(r'<h2 id="list">(\d+) finding', get(server, **asked).body.decode())
    return int(count)


# --- all of them --------------------------------------------------------------------------


def test_the_pages_show_each_finding_once_warnings_first(
    ours: Server, known: list[AuditFinding]
) -> None:
    shown = [key for page in range(1, 5) for key in keys(get(ours, page=page))]
    assert sorted(shown) == sorted(each.iri.rsplit("/", 1)[-1] for each in known)
    severities = {each.iri.rsplit("/", 1)[-1]: each.severity for each in known}
    assert [severities[key] for key in shown] == ["Warning"] * 20 + ["Info"] * 57


def test_a_finding_has_its_sentence_its_numbers_and_its_evidence(ours: Server) -> None:
    page = said(get(ours, rule="W1", verdict="code:notComparable"))
    assert "if that whole was meant, “at least 5,600”" in page
    assert "Computed: the number that it comes to 0.14" in page
    assert "33 countries, citizens or residents who returned" in page
    assert "Fox News, undated; on the word of The Soufan Center" in page
    assert re.search(r"block \d+, 1066-1113", page)


def test_why_and_how_it_was_read_are_two_things(ours: Server) -> None:
    page = said(get(ours, rule="W16", verdict="code:undecidable"))
    assert "undecidable because of time unknown; read as rounded" in page


def test_evidence_leads_to_the_claims(ours: Server, known: list[AuditFinding]) -> None:
    for finding in (each for each in known if each.rule == "W17"):
        links = Page(get(ours, rule="W17").body).links
        for claim in finding.concerned:
            assert "/id/" + claim.iri.removeprefix(BASE) in links


def test_a_finding_of_many_claims_says_how_many_are_left_out(ours: Server) -> None:
    page = said(get(ours, rule="W11", severity="Info"))
    assert "Evidence: 43 claims" in page
    assert "And 31 more: see all of them" in page


# --- the filter ---------------------------------------------------------------------------


def test_every_option_leads_to_as_many_findings_as_it_says(ours: Server) -> None:
    counts = _Boxes(get(ours).body).counts
    assert {facet for facet, _ in counts} == {"severity", "verdict", "rule", "area", "article"}
    assert len(counts) > 40
    for (facet, value), count in counts.items():
        assert matching(ours, **{facet: value}) == count > 0, (facet, value)


def test_counts_beside_a_choice_are_those_of_the_choice(ours: Server) -> None:
    boxes = _Boxes(get(ours, severity="Warning", area="area:TN").body)
    assert boxes.chosen == {("severity", "Warning"), ("area", "area:TN")}
    for (facet, value), count in boxes.counts.items():
        if facet == "rule":
            chosen = {"severity": "Warning", "area": "area:TN", "rule": value}
            assert matching(ours, **chosen) == count > 0


def test_beside_a_chosen_value_the_others_of_its_facet_are_still_offered(ours: Server) -> None:
    free, chosen = (_Boxes(get(ours, **asked).body).counts for asked in ({}, {"rule": "W1"}))
    for (facet, value), count in free.items():
        if facet == "rule":
            assert chosen["rule", value] == count


def test_several_values_of_a_facet_are_added_up(ours: Server) -> None:
    apart = [matching(ours, rule=rule) for rule in ("W1", "W3")]
    assert matching(ours, rule=["W1", "W3"]) == sum(apart)


def test_a_choice_that_nothing_has_says_how_to_go_on(ours: Server) -> None:
    page = get(ours, rule="W15", severity="Warning")
    assert "No finding has all of these at once." in said(page)
    assert ("rule", "W15") in _Boxes(page.body).chosen
    assert "see all 77" in said(page)


def test_the_filter_stays_from_page_to_page(ours: Server) -> None:
    (link,) = {it for it in Page(get(ours, severity="Info").body).links if "page=2" in it}
    assert "severity=Info" in link


@pytest.mark.parametrize(
    "wrong", [{"page": "0"}, {"page": "99"}, {"area": "Tunisia"}, {"about": "nothing"}]
)
def test_a_wrong_parameter_is_told_with_what_to_do(ours: Server, wrong: dict[str, str]) -> None:
    reply = ours.send(
        "/findings?" + urlencode(wrong), headers={"Accept": "application/problem+json"}
    )
    assert reply.status == 400
    assert reply.problem["remedy"]


# --- from claims and back -----------------------------------------------------------------


def test_a_claim_has_the_findings_that_concern_it(
    ours: Server, look: Look, known: list[AuditFinding]
) -> None:
    concerned = {each.iri for each in known if CLAIM in {it.iri for it in each.concerned}}
    found = findings_about(look, CLAIM)
    assert {each.iri for each in found} == concerned
    assert [each.severity for each in found] == ["Warning", "Info", "Info", "Info"]
    assert set(keys(get(ours, about=CLAIM))) == {iri.rsplit("/", 1)[-1] for iri in concerned}


def test_what_nothing_is_found_about_has_no_findings(look: Look) -> None:
    assert findings_about(look, BASE + "nowhere") == ()
    assert findings_about(look, "no IRI") == ()
    assert findings_about_each(look, []) == {}


# --- what was checked ---------------------------------------------------------------------


def test_the_rules_are_told_in_the_words_that_the_release_carries(ours: Server, look: Look) -> None:
    page = said(get(ours))
    known = rules(look.release)
    assert [rule.name for rule in known] == [f"W{number}" for number in range(1, 18)]
    for rule in known:
        for title, words in rule.ways:
            assert f"{rule.name}: {rule.ways[0][0]}" in page and title in page and words in page


def test_a_release_whose_graphs_were_all_checked_says_so(ours: Server, look: Look) -> None:
    page = said(get(ours))
    assert "None of its 47 graphs was published without being checked." in page
    assert look.release.shapes_digest in page


def test_graphs_that_were_published_with_the_gate_off_are_named(look: Look) -> None:
    first, *others = look.release.graphs
    found = checked(replace(look.release, graphs=(replace(first, checked=False), *others)))
    assert (found.unchecked, found.unchecked_count) == ((first.iri,), 1)
    assert found.conforming == checked(look.release).conforming - 1


def test_findings_of_an_earlier_release_say_so(
    real_store: Path, tmp_path: Path, look: Look
) -> None:
    store = shutil.copytree(real_store, tmp_path / "store")
    version = f'<{BASE}graph/findings/> <https://schema.org/version> "{look.release.name}" .\n'
    mark = NamedGraph(AUDITED, version.encode(), Owner.DERIVED)
    context = {"context.jsonld": (look.release.folder / "context.jsonld").read_bytes()}
    change = Commit((mark,), frozenset(), "test", "", "0" * 64, context, frozenset({AUDITED}))
    assert commit(store, change, now=NOW)
    with running(store, tmp_path / "log", workers=1) as server:
        page = get(server)
        assert f"These are the findings of release {look.release.name}" in said(page)
        assert f"/r/{look.release.name}/findings" in Page(page.body).links
        before = server.send(f"/r/{look.release.name}/findings", headers={"Accept": BROWSER})
        assert "These are the findings of release" not in said(before)


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        ({"rule": [f"W{at}" for at in range(5_000)]}, "Give at most 50 of them."),
        ({"article": ["urn:" + "x" * 5_000]}, "Give at most 2,000 characters."),
        ({"about": ["urn:" + "\u6f22" * 500]}, "Give at most 2,000 characters."),
    ],
)
def test_an_address_that_is_too_long_is_told_with_what_to_do(
    ours: Server, asked: dict[str, list[str]], remedy: str
) -> None:
    path = "/findings?" + urlencode(asked, doseq=True)
    reply = ours.send(path, headers={"Accept": "application/problem+json"})
    assert (reply.status, reply.problem["remedy"]) == (400, remedy)


def test_a_page_stays_small_however_long_the_address_may_be(ours: Server) -> None:
    names = ("severity", "verdict", "rule", "area", "article")
    values = {name: [f"urn:{at:034d}" for at in range(50)] for name in names}
    assert matching(ours, **values) == 0  # `get` looks at the size


def test_a_value_that_is_given_twice_is_asked_for_once(ours: Server) -> None:
    assert get(ours, rule=["W1"] * 200).body.count(b'value="W1" checked') == 1
