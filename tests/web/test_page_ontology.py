"""The pages of the ontology: all that the release says of its terms, codes and shapes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from rdflib import RDF, RDFS, SH, SKOS, Graph
from rdflib.namespace import OWL

from kg.namespaces import BASE, CODE, RF, SHAPES
from kg.project import Project
from kg.publishing.publish import publish
from kg_server import Server, running
from web.test_pages import BROWSER, Page

PROJECT = Project.at(Path(__file__).parents[2])
NOW = datetime(2027, 1, 1, tzinfo=UTC)
RETIRED = f"""
<{RF}old> a <{OWL.Class}> ;
  <{OWL.deprecated}> true ;
  <{SKOS.prefLabel}> "old thing"@en ;
  <{SKOS.definition}> "What was said once."@en ;
  <{SKOS.scopeNote}> "No more."@en ;
  <{RDFS.isDefinedBy}> <{RF}> ;
  <http://purl.org/dc/terms/isReplacedBy> <{RF}Claim> .
"""


@pytest.fixture(scope="module")
def site(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(real_store, tmp_path_factory.mktemp("ontology") / "log", workers=1) as server:
        yield server


@pytest.fixture(scope="module")
def terms() -> Graph:
    graph = Graph()
    for file in PROJECT.terms():
        graph.parse(file)
    return graph


def get(server: Server, path: str) -> Page:
    reply = server.send(path, headers={"Accept": BROWSER})
    assert (reply.status, len(reply.body) < 100_000) == (200, True), path
    return Page(reply.body.replace(b"</dt>", b" </dt>").replace(b"</p>", b" </p>"))


def words(page: Page) -> str:
    return " ".join(page.words.split())


def address(iri: object) -> str:
    return "/id/" + str(iri).removeprefix(BASE)


def test_every_class_is_there_with_its_definition(site: Server, terms: Graph) -> None:
    page = get(site, "/ontology")
    classes = set(terms.subjects(RDF.type, OWL.Class))
    assert {address(each) for each in classes} <= set(page.links)
    for each in classes:
        assert str(terms.value(each, SKOS.definition)) in words(page)


def test_every_property_is_on_one_of_the_pages(site: Server, terms: Graph) -> None:
    pages = [get(site, "/ontology/properties"), get(site, "/ontology/properties?page=2")]
    said, links = " ".join(map(words, pages)), {link for page in pages for link in page.links}
    properties = set(terms.subjects(RDF.type, RDF.Property))
    assert {address(each) for each in properties} <= links
    assert [
        each for each in properties if str(terms.value(each, SKOS.definition)) not in said
    ] == []


def test_each_class_has_a_page_of_its_own(site: Server, terms: Graph) -> None:
    links = [address(each) for each in terms.subjects(RDF.type, OWL.Class)]
    assert {site.send(link, headers={"Accept": BROWSER}).status for link in links} == {200}


def test_the_version_is_told(site: Server, terms: Graph) -> None:
    (ontology,) = terms.subjects(RDF.type, OWL.Ontology)
    said = words(get(site, "/ontology"))
    assert f"Version {terms.value(ontology, OWL.versionInfo)}" in said
    assert str(terms.value(ontology, OWL.versionIRI)) in said


def test_every_concept_is_named_with_its_scheme(site: Server) -> None:
    graph = Graph()
    for file in PROJECT.concepts():
        graph.parse(file)
    links = set(get(site, "/ontology/codes").links)
    assert {address(each) for each in graph.subjects(SKOS.inScheme)} <= links


def test_a_scheme_defines_its_concepts(site: Server) -> None:
    page = get(site, "/ontology/codes?scheme=code:qualifierScheme")
    assert "The wording that stands with a number." in words(page)
    assert f"{CODE}about".replace(BASE, "/id/") in page.links


def test_every_shape_is_listed_with_its_examples(site: Server) -> None:
    page = get(site, "/ontology/shapes")
    for file in PROJECT.shapes():
        for shape in Graph().parse(file).subjects(RDF.type, SH.NodeShape):
            assert f"/ontology/shapes?shape={quote(str(shape), safe=':/')}" in page.links
    cases = len(list((PROJECT.ontology / "cases" / "figure-claim").glob("*.ttl")))
    passing = len(list((PROJECT.ontology / "cases" / "figure-claim").glob("valid.*.ttl")))
    assert f"FigureClaim figure claim 26 {passing} {cases - passing}" in words(page)


def test_a_shape_says_in_words_what_it_demands(site: Server) -> None:
    page = get(site, f"/ontology/shapes?shape={SHAPES}FigureClaim")
    file = PROJECT.ontology / "shapes" / "figure-claim.ttl"
    for message in Graph().parse(file).objects(None, SH.message):
        assert str(message) in words(page)
    assert "Violation ex:claim rf:cohort Node" in words(page)
    assert "An approximation with bounds".lower() in words(page).lower()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/ontology/shapes?shape={SHAPES}Nothing", 404),
        (f"/ontology/codes?scheme={CODE}nothing", 404),
        ("/ontology/codes?scheme=nothing", 400),
        ("/ontology/properties?page=0", 400),
        ("/ontology?page=x", 400),
    ],
)
def test_what_is_not_there_is_an_error_that_says_so(site: Server, path: str, status: int) -> None:
    assert site.send(path).status == status


def test_a_store_without_an_ontology_says_so(server: Server) -> None:
    assert "has no ontology" in words(get(server, "/ontology"))
    assert "carries no shapes" in words(get(server, "/ontology/shapes"))
    assert "no schemes" in words(get(server, "/ontology/codes"))
    assert "no properties" in words(get(server, "/ontology/properties"))


def test_a_retired_term_names_what_replaces_it_and_the_versions_are_listed(
    project: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    first = publish(project, folder, who="tests", message="", now=NOW)
    (project.ontology / "retired.ttl").write_text(RETIRED)
    file = project.ontology / "reported-figures.ttl"
    file.write_text(file.read_text().replace('"0.2.0"', '"0.3.0"'))
    publish(project, folder, who="tests", message="", now=NOW)
    assert first is not None
    with running(folder, tmp_path / "log", workers=1) as server:
        page, earlier = get(server, "/ontology"), get(server, f"/r/{first.name}/ontology")
    assert "old thing rf:old retired Use claim instead. What was said once." in words(page)
    assert f"/r/{first.name}/ontology" in page.links
    assert "0.3.0, 133 terms, since release 2" in words(page).replace("\u202f", "")
    assert "0.2.0, 132 terms, since release 1" in words(page)
    assert "since release" not in words(earlier)
