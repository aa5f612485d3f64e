"""What a project says of its dataset: carried by its releases, refused where it is malformed."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import NOW, REPOSITORY
from kg.errors import MalformedFile, StoreDamaged
from kg.project import Project
from kg.publishing.publish import publish
from kg.store.catalog import Catalog, parse_catalog, read_catalog
from kg.store.releases import Releases
from store_parts import committed, graph

FILE = Path("data/catalog.ttl")
PREFIXES = (
    "@prefix dcat: <http://www.w3.org/ns/dcat#> ."
    "@prefix dcterms: <http://purl.org/dc/terms/> ."
    "@prefix foaf: <http://xmlns.com/foaf/0.1/> .\n"
)


def parsed(properties: str) -> Catalog:
    return parse_catalog(f"{PREFIXES}<a:b> a dcat:Dataset ; {properties} .".encode(), FILE)


def test_everything_that_is_said_is_read() -> None:
    assert parsed(
        'dcterms:title "T"@en ; dcterms:description "D" ; dcterms:license <a:licence> ;'
        " dcterms:publisher <a:us> ; dcterms:creator <a:you>, [ foaf:name 'N' ], 'Z' ;"
        ' foaf:homepage <a:home> ; dcterms:identifier "I" ; dcterms:issued "2020-01-01"'
        ' . <a:us> foaf:name "We"'
    ) == Catalog(
        "T", "D", "We", "a:us", ("N", "Z", "a:you"), "a:licence", "a:home", "I", "2020-01-01"
    )


def test_what_is_not_said_is_empty() -> None:
    assert parsed('dcterms:title "T"') == Catalog("T")


@pytest.mark.parametrize(
    "issued",
    ["2020", "2020-02", "2020-02-29", "2020-02-29T10:00:00Z", "2020-02-29T10:00:00.5+01:00"],
)
def test_a_date_may_be_as_rough_as_dcat_has_it(issued: str) -> None:
    assert parsed(f'dcterms:title "T" ; dcterms:issued "{issued}"').issued == issued


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ("dcterms:description 'D'", "lacks <http://purl.org/dc/terms/title>"),
        ("dcterms:title 'A', 'B'", "has 2 values of <http://purl.org/dc/terms/title>"),
        ("dcterms:title 'T' ; dcterms:license 'free'", 'is "free", not an IRI'),
        ("dcterms:title 'T' ; dcterms:publisher []", "neither an IRI nor a foaf:name"),
        ("dcterms:title []", "is a blank node"),
        ("dcterms:title 'T' ; dcterms:issued 'last week'", 'is "last week", not a date'),
        ("dcterms:title 'T' ; dcterms:issued '2020-01-01\" .'", "not a date"),
        ("dcterms:title 'T' . <a:c> a dcat:Dataset", "has 2 resources of type dcat:Dataset"),
    ],
)
def test_a_description_that_says_too_little_or_too_much_is_refused(
    properties: str, told: str
) -> None:
    with pytest.raises(MalformedFile) as caught:
        parsed(properties)
    assert told in caught.value.message
    assert caught.value.place and caught.value.place.file == FILE


def test_our_own_project_is_described() -> None:
    file = REPOSITORY / "data" / "catalog.ttl"
    catalog = parse_catalog(file.read_bytes(), file)
    assert catalog.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert catalog.licence in (REPOSITORY / "LICENSE-DATA").read_text()


def test_a_release_carries_the_description_of_its_project(project: Project, folder: Path) -> None:
    project.catalog.write_text(f"{PREFIXES}<a:b> a dcat:Dataset ; dcterms:title 'Ours' .")
    release = publish(project, folder, who="tests", message="", now=NOW)
    assert release
    assert read_catalog(release.folder) == Catalog("Ours")
    project.catalog.write_text(f"{PREFIXES}<a:b> a dcat:Dataset ; dcterms:title 'Theirs' .")
    second = publish(project, folder, who="tests", message="", now=NOW)
    assert second and read_catalog(second.folder) == Catalog("Theirs")
    assert read_catalog(Releases.open(folder).named("1").folder) == Catalog("Ours")


def test_a_project_that_cannot_be_described_is_not_built(project: Project, folder: Path) -> None:
    project.catalog.write_text(f"{PREFIXES}\n<a:b> a dcat:Dataset ;\n dcterms:title 'Ours")
    with pytest.raises(MalformedFile) as caught:
        publish(project, folder, who="tests", message="", now=NOW)
    assert caught.value.place
    assert (caught.value.place.file, caught.value.place.line) == (project.catalog, 4)
    assert not folder.exists()


def test_a_release_without_a_description_has_a_title_all_the_same(folder: Path) -> None:
    release = committed(folder, graph("g", ":s :p :o"))
    assert read_catalog(release.folder) == Catalog(title="a kg dataset")


def test_a_description_that_was_damaged_is_told_with_its_place(folder: Path) -> None:
    release = committed(folder, graph("g", ":s :p :o"))
    (release.folder / "catalog.ttl").write_text("<a:b")
    with pytest.raises(StoreDamaged) as caught:
        read_catalog(release.folder)
    assert caught.value.place and caught.value.place.file == release.folder / "catalog.ttl"
