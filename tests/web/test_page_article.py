"""The page of an article: its blocks, its claims in words, and its words for who may see them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from shutil import copy

import pytest
from pyoxigraph import Literal, NamedNode, Store

from conftest import FIXTURES
from kg.namespaces import BASE, RF
from kg.publishing.texts import Text, digest
from kg.query.views.article import ROWS, Anchor, Card, Place
from kg.query.views.look import Term
from kg.store.tokens import Scope
from kg.web.pages.article import _mismatch
from web.reading import Reading, readers_of

HARBOUR = "/id/a/d826bc1f151f0c3d"
FOX = "/id/a/0d09b047b72d6408"
NOT_HELD = "/id/a/7da3e50bf1d9abe6"
FIRST = "at least 40 lamplighters left Northland"


@pytest.fixture(scope="module")
def harbour(_built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """The miniature, whose text the operator supplied."""
    folder = tmp_path_factory.mktemp("harbour")
    (folder / "texts").mkdir()
    copy(FIXTURES / "harbour.txt", folder / "texts" / "some name.txt")
    with readers_of(_built_once, folder, texts=str(folder / "texts")) as reading:
        yield reading


@pytest.fixture(scope="module")
def real(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """Our own data, without a text."""
    with readers_of(real_store, tmp_path_factory.mktemp("real")) as reading:
        yield reading


def words(html: bytes) -> str:
    """The text of a page, its tags left out."""
    text = unescape(re.sub(r"<[^>]+>", "", html.decode()))
    return re.sub(r"\s+", " ", text)


def test_a_claim_is_told_with_its_wording_hedge_chain_and_place(harbour: Reading) -> None:
    page = words(harbour.page(HARBOUR).body)
    assert "“about 12” reported “are said” on the word of" in page
    assert "at 112\u2013140" in page
    assert "Harbour News" in page and "29 February 2020" in page


def test_coverage_is_the_code_points_under_anchors(harbour: Reading) -> None:
    # 39-184 has 145 code points; 67-106, 112-140 and 142-160 are 39 + 28 + 18 of them.
    page = words(harbour.page(HARBOUR).body)
    assert "paragraph 39\u2013184, 59 % covered" in page
    assert "3 claims, 0 quotes, in 1 blocks; they cover 59 % of the text" in page


def test_an_undated_article_says_so_and_what_it_does_not_give(real: Reading) -> None:
    page = words(real.page(FOX).body)
    assert "Fox News, undated; by Hollie McKay" in page
    assert "The source does not givea date of publication, an address" in page.replace(
        "give a", "givea"
    )


def test_an_article_whose_text_is_not_held_lists_its_claims(real: Reading) -> None:
    page = words(real.page(NOT_HELD).body)
    assert "is not held: its claims have keys and no places" in page
    assert "Central Asia, foreign fighters who left: “more than 4,200”" in page


def test_every_claim_and_quote_is_on_one_of_the_parts(real: Reading) -> None:
    pages = [real.page(FOX + part).body.decode() for part in ("", "?part=2")]
    numbers = [int(n) for page in pages for n in re.findall(r'<li id="n(\d+)"', page)]
    assert numbers == list(range(1, 129))
    assert all(len(page.encode()) < 100_000 for page in pages)


def test_a_quote_has_its_speaker_role_position_first_words_and_our_paraphrase(
    real: Reading,
) -> None:
    page = words(real.page(FOX + "?part=2").body)
    assert "“While this number is lower …”" in page
    assert "In our words: The number is low by comparison" in page
    assert "speaker: coreference · full quote · at 4878\u20135113" in page


@pytest.mark.parametrize("show", ["findings", "comparisons"])
def test_what_others_say_of_it_has_a_page(real: Reading, show: str) -> None:
    reply = real.page(f"{FOX}?show={show}")
    page = words(reply.body)
    assert reply.status == 200 and len(reply.body) < 100_000
    assert {"findings": "Rule W1", "comparisons": "Tunisia, foreign fighters who left: 2,926"}[
        show
    ] in page


def test_each_claim_tells_its_verdicts_and_the_rules_that_found_something(real: Reading) -> None:
    page = words(real.page(FOX).body)
    # The numbers of Tunisia: 3,000 of those who left are in Syria and Iraq, and 2,926 left (W3).
    line = page[page.index("at 2446\u20132461") :].partition("all about it")[0]
    assert "3 agree · 1 contradict · 3 undecidable · audit W3, W9" in line


def test_as_many_findings_and_comparisons_are_counted_as_are_listed(real: Reading) -> None:
    page = words(real.page(FOX).body)
    for show, item in (("findings", r'<article class="card">'), ("comparisons", "<tr><td>")):
        told = int(re.search(rf"{show.capitalize()} \((\d+)\)", page)[1])  # type: ignore[index]
        parts = range(1, -(-told // ROWS) + 1)
        bodies = [real.page(f"{FOX}?show={show}&part={part}").body.decode() for part in parts]
        assert told == sum(len(re.findall(item, body)) for body in bodies) > 20


@pytest.mark.parametrize("query", ["part=0", "part=x", "part=99", "show=all", "part=1&part=2"])
def test_a_parameter_that_is_none_is_told(real: Reading, query: str) -> None:
    assert real.page(f"{FOX}?{query}").status == 400


def test_its_page_carries_its_description_for_search_engines(real: Reading) -> None:
    page = real.page(FOX).body
    assert b'<script type="application/ld+json">' in page
    assert b'"NewsArticle"' in page


# --- what takes the scope -----------------------------------------------------------------


def test_the_words_are_shown_to_a_reader_with_the_scope(harbour: Reading) -> None:
    page = harbour.by(Scope.RESTRICTED, HARBOUR)
    assert FIRST in words(page.body)
    assert (
        '<a class="ref" id="w1" href="#n1" title="Number 1">1</a>'
        f'<span class="held">{FIRST}</span>, and '
    ) in page.body.decode()
    assert '<span class="held hedge">are said</span>' in page.body.decode()
    assert '<span class="cue">The harbour guild says</span>' in page.body.decode()
    assert '<a class="nr" href="#w1"' in page.body.decode()


@pytest.mark.parametrize("scope", [None, Scope.WRITE, Scope.ADMIN])
def test_without_the_scope_no_words_and_no_word_that_there_are_some(
    harbour: Reading, scope: Scope | None
) -> None:
    reply = harbour.by(scope, HARBOUR) if scope else harbour.page(HARBOUR)
    assert reply.status == 200
    assert FIRST not in words(reply.body) and "supplied" not in words(reply.body)


def test_a_page_with_words_is_kept_nowhere(harbour: Reading) -> None:
    reply = harbour.by(Scope.RESTRICTED, HARBOUR)
    assert reply.headers["cache-control"] == "private, no-store"
    assert "etag" not in reply.headers
    log = (harbour.folder.parent / "server.log").read_text()
    assert "lamplighters left" not in log and harbour.secrets[Scope.RESTRICTED] not in log


def test_the_words_never_enter_the_store(harbour: Reading) -> None:
    harbour.by(Scope.RESTRICTED, HARBOUR)
    held = [file for file in harbour.folder.rglob("*") if file.is_file()]
    assert len(held) > 10
    assert not [file for file in held if FIRST.encode() in file.read_bytes()]


def test_a_text_with_another_digest_is_not_taken(_built_once: Path, tmp_path: Path) -> None:
    text = (FIXTURES / "harbour.txt").read_text().replace("40", "41")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "harbour.txt").write_text(text)
    with readers_of(_built_once, tmp_path, texts=str(tmp_path / "texts")) as reading:
        page = words(reading.by(Scope.RESTRICTED, HARBOUR).body)
        assert "the operator has not supplied this text" in page
        assert "lamplighters left" not in page


@pytest.mark.parametrize(
    ("anchor", "length", "problem"),
    [
        (Anchor("http://x/t", Place(39, 61), digest("The harbour guild says")), 258, ""),
        (Anchor("http://x/t", Place(39, 61), "0" * 64), 258, "the first is at 39-61"),
        (Anchor("http://x/t", Place(40, 61), digest("The harbour guild says")), 258, "1 of 1"),
        (Anchor("http://x/t", Place(39, 61), digest("The harbour guild says")), 257, "257"),
    ],
)
def test_no_word_is_shown_where_a_digest_does_not_fit(
    text: Text, anchor: Anchor, length: int, problem: str
) -> None:
    count = Term("literal", str(length))
    card = Card("http://x/a", {RF + "textLength": (count,)})
    found = _mismatch(text, [anchor], card)
    assert problem in found and bool(found) == bool(problem)


def test_a_withheld_person_is_named_to_a_reader_with_the_scope_alone(real: Reading) -> None:
    name = "Abdelhamid Abaaoud"
    with_scope = words(real.by(Scope.RESTRICTED, FOX).body)
    without = words(real.page(FOX).body)
    assert "Restricted. Shown because of your token" in with_scope and name in with_scope
    assert "a person whose name is withheld" in without
    assert "a person whose name is withheld from the public" in with_scope
    person = words(real.by(Scope.RESTRICTED, f"{FOX}/person/162-173").body)
    assert "you see it below because your token lets you" in person
    assert "skos:prefLabel" not in person
    assert name not in without and "Restricted" not in without


def test_no_page_shows_what_is_withheld(real: Reading) -> None:
    """A crawl without the scope: names, ages and whatever else is said of these persons."""
    folder = next((real.folder / "releases").glob("1-*")) / "restricted"
    quads = list(Store.read_only(str(folder)))
    secrets = {q.object.value for q in quads if isinstance(q.object, Literal)}
    persons = {q.subject.value for q in quads if isinstance(q.subject, NamedNode)}
    assert len(secrets) > 8 and len(persons) == 3
    doors = [f"/id/{iri.removeprefix(BASE)}" for iri in sorted(persons)]
    doors += [f"{FOX}?show=findings", f"{FOX}?show=comparisons", f"{FOX}?part=2", FOX]
    doors += ["/search?q=Abaaou*", "/search?q=widow", "/people?q=Tal*", "/status", "/sign-in"]
    pages = crawled(real, [*doors, "/"], most=150)
    assert len(pages) == 150 and pages[FOX]
    shown = {(path, it) for path, page in pages.items() for it in secrets if it in page}
    assert shown == set()


def crawled(reading: Reading, doors: list[str], most: int) -> dict[str, str]:
    """The texts of pages by address: the doors, then what they lead to, one query a path."""
    found: dict[str, str] = {}
    waiting, seen = deque(doors), set(doors)
    while waiting and len(found) < most:
        path = waiting.popleft()
        page = reading.page(path).body.decode()
        found[path] = unescape(page)
        for link in re.findall(r'href="(/[^"#]*)', page):
            link = unescape(link)
            if link.partition("?")[0] not in seen and not link.startswith(("/static", "/dump")):
                seen.add(link.partition("?")[0])
                waiting.append(link)
    return found
