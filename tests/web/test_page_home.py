"""The first page: what it counts, what it leads to, what the map is told."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kg.namespaces import BASE, FINDINGS, GRAPH, RF
from kg.store.base import Commit, NamedGraph, Owner
from kg.store.embedded import commit
from kg.store.release_files import carried_files
from kg.store.releases import Releases
from kg_server import Server, running
from web.test_pages import BROWSER, Page

NOW = datetime(2027, 1, 1, tzinfo=UTC)
A = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
FIGURES = """SELECT ?area (COUNT(*) AS ?figures) (COUNT(DISTINCT ?article) AS ?articles) WHERE {
  { SELECT DISTINCT ?claim ?area ?article WHERE {
    ?claim a rf:FigureClaim ; sdmx-dimension:refArea ?area ; prov:wasQuotedFrom ?article } }
} GROUP BY ?area"""


@pytest.fixture(scope="module")
def site(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(real_store, tmp_path_factory.mktemp("home") / "log", workers=1) as server:
        yield server


def get(server: Server, path: str = "/") -> Page:
    reply = server.send(path, headers={"Accept": BROWSER})
    assert (reply.status, len(reply.body) < 100_000) == (200, True)
    return Page(reply.body)


def rows(server: Server, query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(server.query(query, accept="text/csv").body.decode())))


def told_to_the_map(server: Server) -> list[dict[str, Any]]:
    html = server.send("/", headers={"Accept": BROWSER}).body.decode()
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    areas: list[dict[str, Any]] = json.loads(found.group(1))["areas"] if found else []
    return areas


def words(page: Page) -> str:
    return " ".join(page.words.split())


def test_the_counts_are_those_of_the_release(site: Server) -> None:
    for number, name in (
        (rows(site, "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?c a rf:Claim }"), "claims"),
        (rows(site, "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?c a rf:FigureClaim }"), "figures"),
        (
            rows(site, "SELECT (COUNT(DISTINCT ?a) AS ?n) { [] prov:wasQuotedFrom ?a }"),
            "articles",
        ),
    ):
        assert f"{number[0]['n']} {name}" in words(get(site))
    stated = [row for row in rows(site, FIGURES) if not row["area"].endswith("area/unstated")]
    assert f"{len(stated)} areas with figures" in words(get(site))
    assert "1 release " in words(get(site))


def test_what_the_address_repeats_does_not_swell_the_page(site: Server) -> None:
    usual = len(site.send("/", headers={"Accept": BROWSER}).body)
    asked = f"/?{'&' * 30_000}"
    assert len(site.send(asked, headers={"Accept": BROWSER}).body) < usual + 20_000


def test_the_map_is_told_the_figures_of_each_area(site: Server) -> None:
    counted = {row["area"].removeprefix(BASE): row for row in rows(site, FIGURES)}
    told = {area["href"].removeprefix("/id/"): area for area in told_to_the_map(site)}
    assert told.keys() == counted.keys()
    for name, area in told.items():
        expected = (int(counted[name]["figures"]), int(counted[name]["articles"]))
        assert (area["figures"], area["articles"]) == expected
    assert (told["area/US"]["m49"], told["area/US"]["label"]) == ("840", "United States")
    assert told["area/EU"]["m49"] == ""


def test_warnings_come_first_and_each_leads_to_its_evidence(site: Server) -> None:
    query = "SELECT ?f ?m { ?f a rf:Finding ; sh:resultSeverity sh:Warning ; rf:message ?m }"
    warnings = {row["f"].replace(BASE, "/id/"): row["m"] for row in rows(site, query)}
    page = get(site)
    shown = [link for link in page.links if link.startswith("/id/finding/")]
    assert 3 <= len(shown) <= 5
    for link in shown:
        assert " ".join(warnings[link].split()) in words(page)
        assert site.send(link).status == 200


def test_five_questions_lead_to_their_query(site: Server) -> None:
    asked = [link for link in get(site).links if link.startswith("/query?question=")]
    assert len(asked) == len(set(asked)) == 5
    assert {site.send(link, headers={"Accept": BROWSER}).status for link in asked} == {200}


def test_it_says_how_to_cite_the_release(site: Server, real_store: Path) -> None:
    release = Releases.open(real_store).head()
    said = words(get(site))
    assert f"Release {release.name}" in said
    assert f"SHA-256 {release.digest}" in said
    assert f"{site.url}r/{release.name}/" in said


def test_the_page_of_a_release_stays_in_it(site: Server, real_store: Path) -> None:
    name = Releases.open(real_store).head().name
    page = get(site, f"/r/{name}/")
    inner = [link for link in page.links if link.startswith(("/id/", "/query"))]
    assert inner == []
    assert f"/r/{name}/id/ns/Claim" in page.links


def test_a_store_without_claims_has_a_first_page(server: Server) -> None:
    page = get(server)
    assert "0 claims" in words(page)
    assert told_to_the_map(server) == []


def test_findings_that_the_release_before_did_not_have_are_called_new(
    real_store: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(real_store, tmp_path / "store")
    finding = f"<{BASE}finding/W99-new>"
    written = (
        f"{finding} {A} <{RF}Finding> .\n"
        f'{finding} <{RF}rule> "W99" .\n'
        f"{finding} <http://www.w3.org/ns/shacl#resultSeverity>"
        " <http://www.w3.org/ns/shacl#Info> .\n"
        f'{finding} <{RF}message> "Something that nobody had found." .\n'
    )
    _commit(folder, FINDINGS + "W99", written)
    with running(folder, tmp_path / "log", workers=1) as server:
        said = words(get(server))
        first = words(get(server, "/r/1/"))
    assert "New among the findings Info Something that nobody had found." in said
    assert "New among the findings" not in first


def test_labels_stay_text_in_what_the_map_is_told(tmp_path: Path, real_store: Path) -> None:
    """A script block ends at the first `</script`, whatever stands around it."""
    folder = shutil.copytree(real_store, tmp_path / "store")
    hostile = '</script><img src=x onerror="alert(1)"><!--'
    claim, area = f"<{BASE}c/1>", f"<{BASE}area/hostile>"
    written = (
        f"{claim} {A} <{RF}FigureClaim> .\n"
        f"{claim} <http://purl.org/linked-data/sdmx/2009/dimension#refArea> {area} .\n"
        f"{claim} <http://www.w3.org/ns/prov#wasQuotedFrom> <{BASE}a/1> .\n"
        f"{area} <http://www.w3.org/2004/02/skos/core#prefLabel> {json.dumps(hostile)}@en .\n"
    )
    _commit(folder, GRAPH + "claims/hostile", written)
    with running(folder, tmp_path / "log", workers=1) as server:
        labels = [area["label"] for area in told_to_the_map(server)]
        page = get(server)
    assert hostile in labels
    assert "img" not in page.tags


def _commit(folder: Path, graph: str, triples: str) -> None:
    head = Releases.open(folder).head()
    change = Commit(
        graphs=(NamedGraph(graph, triples.encode(), Owner.API),),
        owners=frozenset(),
        names=frozenset({graph}),
        who="test",
        message="",
        shapes_digest=head.shapes_digest,
        files=carried_files(head.folder),
    )
    assert commit(folder, change, now=NOW) is not None
