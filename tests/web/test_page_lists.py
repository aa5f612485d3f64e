"""The lists of sources, people, areas and cohorts as pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest

from kg.namespaces import BASE
from kg_server import Server, running
from store_parts import committed, graph

HTML = {"Accept": "text/html"}
LISTS = ("sources", "people", "areas", "cohorts")
FIGURES = re.compile(r"(\d[\d,]*)")


@pytest.fixture(scope="module")
def site(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of our own data."""
    with running(real_store, tmp_path_factory.mktemp("lists") / "log", workers=1) as server:
        yield server


def page(site: Server, path: str) -> str:
    reply = site.send(path, headers=HTML)
    assert reply.status == 200, reply.body
    assert len(reply.body) < 100_000
    return reply.body.decode()


def heading(site: Server, path: str) -> str:
    found = re.search(r"<h2>(.*?)</h2>", page(site, path))
    assert found
    return found[1]


@pytest.mark.parametrize("name", LISTS)
def test_every_box_leaves_as_many_as_it_says(site: Server, name: str) -> None:
    """No dead ends: each value of each facet is asked for, and gives what its count says."""
    options = re.findall(
        r'<input type="checkbox" name="(\w+)" value="([^"]*)">.*?<span class="count">(\d+)',
        page(site, f"/{name}"),
        re.DOTALL,
    )
    assert len(options) > 10
    for facet, value, count in options[::4]:
        asked = urlencode({facet: unescape(value)})
        assert heading(site, f"/{name}?{asked}").startswith(f"{count} of "), (facet, value)
        assert int(count) > 0


def test_several_values_are_alternatives_and_stay_ticked(site: Server) -> None:
    asked = "?kind=https://schema.org/Country&kind=https://schema.org/City&publisher=org/fox-news"
    words = page(site, f"/areas{asked}")
    ticked = re.findall(r'name="(\w+)" value="([^"]*)" checked', words)
    assert ticked == [
        ("kind", "https://schema.org/Country"),
        ("kind", "https://schema.org/City"),
        ("publisher", "org/fox-news"),
    ]


@pytest.mark.parametrize("value", ["org/fox-news", "organization:fox-news", f"{BASE}org/fox-news"])
def test_a_value_may_be_written_short_and_in_full(site: Server, value: str) -> None:
    assert heading(site, f"/sources?{urlencode({'publisher': value})}").startswith("2 of ")


def test_iris_with_colons_and_dots_are_no_dead_ends(tmp_path: Path) -> None:
    """A colon looks like a prefix, and a browser takes “..” for the folder above."""
    schema, type_ = "https://schema.org", "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
    dotted = f"{BASE}odd/a/../c"
    lines = [
        f"<{dotted}> {type_} <{schema}/NewsArticle>",
        f"<{dotted}> <{schema}/publisher> <{BASE}odd/ISO:x>",
        f'<{dotted}> <http://www.w3.org/2004/02/skos/core#prefLabel> "dotted"',
    ]
    committed(tmp_path / "store", graph("one", *lines))
    with running(tmp_path / "store", tmp_path / "log", workers=1) as server:
        words = page(server, "/sources")
        (value,) = re.findall(r'name="publisher" value="([^"]*)"', words)
        asked = urlencode({"publisher": unescape(value)})
        assert heading(server, f"/sources?{asked}") == "1 of 1 sources"
        (link,) = re.findall(r'href="([^"]*)"[^>]*><bdi>dotted', words)
        assert link == f"/resource?{urlencode({'iri': dotted}, safe='/')}".replace("%3A", ":")
        assert "dotted" in page(server, link)


def test_a_part_that_a_list_has_not_leads_to_the_first_alone(site: Server) -> None:
    words = page(site, "/sources?page=99")
    assert "The list has fewer parts." in words
    assert "Parts of the list" not in words


def test_an_area_tells_its_codes_its_claims_and_its_range_with_attribution(site: Server) -> None:
    words = page(site, "/areas?q=russia")
    for fact in ("RU · 643 · RUS", "13 claims in 6 articles, of 3 cohorts", "Lowest count"):
        assert fact in words
    assert "on the word of The Soufan Group" in words
    assert "not to be compared as they stand" in words


def test_a_source_tells_its_publisher_and_its_date_or_that_it_has_none(site: Server) -> None:
    words = page(site, "/sources")
    assert "Asia-Plus, 27 October 2017" in words
    assert "Fox News</bdi>, undated" in words


def test_a_list_is_sorted_as_asked(site: Server) -> None:
    by_name = re.findall(
        r'class="hit"><a[^>]*><bdi[^>]*>(.*?)</bdi>', page(site, "/areas?sort=name")
    )
    assert by_name == sorted(by_name, key=str.lower)
    assert len(by_name) == 25
    assert by_name != re.findall(r'class="hit"><a[^>]*><bdi[^>]*>(.*?)</bdi>', page(site, "/areas"))


def test_the_second_part_keeps_what_was_asked(site: Server) -> None:
    words = page(site, "/people?sort=name")
    link = re.search(r'rel="next" href="([^"]*)"', words)
    assert link
    second = unescape(link[1])
    assert second == "/people?sort=name&page=2"
    assert "Page 2 of 2" in page(site, second)


def test_nothing_left_leads_back_to_all(site: Server) -> None:
    words = page(site, "/cohorts?q=zzz")
    assert "None has all of these at once" in words
    assert 'href="/cohorts"' in words


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("sort=size", "sort is 'size'"),
        ("page=-1", "“page” is “-1"),
        (f"page={'0' * 8}1{'9' * 30}", "“page” is “000"),
        (f"publisher={'x' * 3000}", "too long"),
        ("&".join(f"publisher={n}" for n in range(60)), "60 values"),
        (f"q={'a' * 30000}", "30000 characters"),
        ("page=000100001", "“page” is “000100001"),
        (f"q={'a' * 400}", "search has"),
    ],
)
def test_a_bad_parameter_is_told_of(site: Server, query: str, told: str) -> None:
    problem = site.send(f"/areas?{query}").problem
    assert (problem["status"], told in problem["detail"], bool(problem["remedy"])) == (
        400,
        True,
        True,
    )


@pytest.mark.parametrize(
    "query", ["kind=nonsense", "publisher=%3Cb%3E", "year='%20OR%201", "area=a:b:c", "cohort=%00"]
)
def test_a_value_that_is_none_gives_an_empty_list(site: Server, query: str) -> None:
    words = page(site, f"/sources?{query}")
    assert "None has all of these at once" in words
    assert "<b>" not in words


def test_restricted_people_are_never_named(site: Server) -> None:
    words = "".join(page(site, f"/people?page={number}") for number in (1, 2))
    for name in ("Abaaoud", "Asmal", "Talha", "Belgian national"):
        assert name not in words


def test_an_old_release_has_its_own_lists(site: Server) -> None:
    name = site.send("/").headers["kg-release"]
    words = page(site, f"/r/{name}/areas")
    assert f'href="/r/{name}/id/area/US"' in words
    assert f'action="/r/{name}/areas"' in words
