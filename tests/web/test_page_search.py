"""The page and the JSON of a search."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kg.namespaces import BASE, GRAPH, RF
from kg.store.base import Commit, NamedGraph, Owner
from kg.store.commits import commit
from kg.store.index import FILE
from kg.store.release_files import carried_files
from kg.store.releases import Releases
from kg_server import Reply, Server, running
from store_parts import NOW

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def site(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of our own data."""
    with running(real_store, tmp_path_factory.mktemp("search") / "log", workers=1) as server:
        yield server


def page(site: Server, query: str) -> Reply:
    return site.send(f"/search?{query}", headers=HTML)


def data(site: Server, query: str) -> dict[str, Any]:
    reply = site.send(f"/search?{query}", headers={"Accept": "application/json"})
    assert reply.headers["content-type"] == "application/json", reply.body
    members: dict[str, Any] = json.loads(reply.body)
    return members


def test_a_result_has_its_kind_and_its_place(site: Server) -> None:
    found = data(site, "q=some+3417&kind=claim")
    (result,) = found["results"]
    assert result.keys() == {
        "iri", "label", "language", "property", "text", "kind", "place", "href",
    }  # fmt: skip
    assert (result["kind"], result["property"]) == ("claim", RF + "reportedText")
    assert result["text"] == "some 3,417"
    assert result["place"]["name"] == "The Washington Times, 24 October 2017"
    assert (found["more"], found["total"], found["complete"]) == (False, 1, True)


def test_a_text_of_an_article_that_is_held_names_its_block(site: Server) -> None:
    (first, *_) = data(site, "q=return+of+women")["results"]
    place = first["place"]
    assert (place["number"], place["block"]) == (24, f"{BASE}a/0d09b047b72d6408/b/24")
    assert site.send(place["href"], headers=HTML).status == 200


@pytest.mark.parametrize(("words", "wording"), [("tunisia", "2,926"), ("tunisia+2926", "2,926")])
def test_figures_are_found_by_the_name_of_their_area(
    site: Server, words: str, wording: str
) -> None:
    found = data(site, f"q={words}&kind=claim&limit=50")
    figures = [each for each in found["results"] if "/figure-" in each["iri"]]
    assert any(wording in each["text"] for each in figures), found
    assert found["complete"]


def test_a_name_has_no_place(site: Server) -> None:
    (result,) = data(site, "q=tajikistan&kind=area")["results"]
    assert (result["iri"], result["place"]) == (f"{BASE}area/TJ", None)
    assert result["label"] == "Tajikistan"


def test_the_editor_finds_properties_and_classes_by_their_beginning(site: Server) -> None:
    iris = [each["iri"] for each in data(site, "q=terminal+s&kind=property")["results"]]
    assert iris[0] == RF + "terminalSource"
    assert data(site, "q=figure+cl&kind=class")["results"][0]["iri"] == RF + "FigureClaim"


def test_limit_and_page_cut_the_list_and_say_that_there_is_more(site: Server) -> None:
    first, second = (data(site, f"q=a&limit=3&page={number}") for number in (1, 2))
    both = data(site, "q=a&limit=6")
    assert first["more"] is True
    assert first["results"] + second["results"] == both["results"]


def test_a_number_is_shown_with_its_hedges_and_on_whose_word(site: Server) -> None:
    words = page(site, "q=some+3417").body.decode()
    assert "some <mark>3,417</mark>" not in words  # both words were looked for
    assert "<mark>some</mark> <mark>3,417</mark>" in words
    assert "on the word of The Soufan Group" in words
    assert "The Washington Times, 24 October 2017" in words


def test_the_page_counts_kinds_and_narrows_by_them(site: Server) -> None:
    words = page(site, "q=women").body.decode()
    kinds = data(site, "q=women")["kinds"]
    assert kinds["cohort"] > 0
    assert f'<span>cohort</span> <span class="count">{kinds["cohort"]}</span>' in words
    only = data(site, "q=women&kind=cohort&kind=claim")
    assert only["total"] == kinds["cohort"] + kinds["claim"]
    assert {each["kind"] for each in only["results"]} == {"cohort", "claim"}


@pytest.mark.parametrize(
    "asked", ['"', "*", "a\0b", "NEAR(", '" OR text:"', "\u202e", "'; DROP TABLE entry", "<b>"]
)
def test_whatever_is_asked_is_answered(site: Server, asked: str) -> None:
    reply = page(site, f"q={quote(asked)}")
    assert reply.status == 200
    assert b"<b>" not in reply.body


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("q=a&kind=nonsense", "kind is 'nonsense'"),
        ("q=a&page=0", "“page” is “0"),
        ("q=a&page=x", "“page” is “x"),
        ("q=a&limit=51", "“limit” is “51"),
        (f"q={'a' * 301}", "the search has 301 characters"),
        (f"q={'a+' * 20}", "the search has 20 words"),
    ],
)
def test_a_bad_parameter_is_told_of_with_what_to_do(site: Server, query: str, told: str) -> None:
    problem = site.send(f"/search?{query}").problem
    assert problem["status"] == 400
    assert told in problem["detail"]
    assert problem["remedy"]


def test_page_and_data_are_told_apart_by_accept_and_format(site: Server) -> None:
    types = {
        (accept, query): site.send(f"/search?q=a{query}", headers={"Accept": accept}).headers[
            "content-type"
        ]
        for accept in ("text/html", "*/*")
        for query in ("", "&format=json", "&format=html")
    }
    html, record = "text/html; charset=utf-8", "application/json"
    assert types == {
        ("text/html", ""): html,
        ("text/html", "&format=json"): record,
        ("text/html", "&format=html"): html,
        ("*/*", ""): record,
        ("*/*", "&format=json"): record,
        ("*/*", "&format=html"): html,
    }
    tags = {
        site.send("/search?q=a", headers={"Accept": accept}).headers["etag"]
        for accept in ("text/html", "application/json")
    }
    assert len(tags) == 2


def test_without_words_the_page_says_how_to_search(site: Server) -> None:
    assert b"How to search" in page(site, "q=").body
    assert data(site, "q=")["results"] == []


def test_restricted_names_are_not_found(site: Server) -> None:
    for name in ("Abaaoud", "Asmal", "Talha", "Widow"):
        assert data(site, f"q={name}")["total"] == 0


def test_a_release_without_an_index_says_how_to_get_one(real_store: Path, tmp_path: Path) -> None:
    store = shutil.copytree(real_store, tmp_path / "store")
    for file in store.rglob(FILE):
        file.unlink()
    with running(store, tmp_path / "log", workers=1) as server:
        for path in ("/search?q=a", "/areas"):
            reply = server.send(path, headers=HTML)
            assert reply.status == 200
            assert b"has no search index" in reply.body
            assert b"next write" in reply.body
        assert server.send("/search?q=a").problem["status"] == 404


def test_hostile_labels_stay_text(tmp_path: Path, real_store: Path) -> None:
    store = shutil.copytree(real_store, tmp_path / "store")
    head = Releases.open(store).head()
    label = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
    texts = ("<script>alert(1)</script> hostile", "\\u202Ehostile", "hostile " + "x" * 10_000)
    lines = "".join(
        f'<http://ex/{number}> {label} "{text}" .\n'
        f"<http://ex/{number}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
        f" <https://schema.org/Place> .\n"
        for number, text in enumerate(texts)
    )
    commit(
        store,
        Commit(
            graphs=(NamedGraph(GRAPH + "hostile", lines.encode(), Owner.API),),
            owners=frozenset(),
            names=frozenset({GRAPH + "hostile"}),
            who="test",
            message="",
            shapes_digest=head.shapes_digest,
            files=carried_files(head.folder),
        ),
        now=NOW,
    )
    with running(store, tmp_path / "log", workers=1) as server:
        for path in ("/search?q=hostile", "/areas?q=hostile"):
            body = server.send(path, headers=HTML).body
            assert b"<script>alert" not in body
            assert b"&lt;script&gt;" in body
            assert len(body) < 100_000
