"""The ontology's links to standard terms."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdflib import PROV, RDF, RDFS, SKOS, Graph, URIRef
from rdflib.namespace import DCTERMS, QB, SDO, SH, DefinedNamespace

from kg.namespaces import RF
from kg.project import Project
from kg.rdf import read_turtle

PROJECT = Project.at(Path(__file__).parents[2])
STANDARDS: list[type[DefinedNamespace]] = [DCTERMS, PROV, QB, SDO, SH, SKOS]
# Terms of schema.org that are younger than the list in rdflib.
NEWER = {"https://schema.org/StatisticalVariable", "https://schema.org/measurementDenominator"}
LINKS = (SKOS.closeMatch, RDFS.subPropertyOf, RDFS.subClassOf)


@pytest.fixture(scope="module")
def ontology() -> Graph:
    return sum((read_turtle(file) for file in PROJECT.terms()), Graph())


def test_a_term_that_is_linked_to_is_one_of_its_standard(ontology: Graph) -> None:
    """rdflib knows the terms of these namespaces; a misspelt one is in none."""
    linked = {str(term) for link in LINKS for term in ontology.objects(None, link)}
    spaces = {str(standard): standard for standard in STANDARDS}
    for iri in linked - NEWER:
        space = next((each for each in spaces if iri.startswith(each)), None)
        assert space is None or iri.removeprefix(space) in spaces[space], iri


def test_no_term_is_close_to_a_term_of_ours(ontology: Graph) -> None:
    close = ontology.objects(None, SKOS.closeMatch)
    assert [each for each in map(str, close) if each.startswith(RF)] == []


def test_what_is_close_is_not_also_a_sub_property(ontology: Graph) -> None:
    close = set(ontology.subject_objects(SKOS.closeMatch))
    assert close & set(ontology.subject_objects(RDFS.subPropertyOf)) == set()


def test_a_sub_property_is_a_property_of_the_same_sort(ontology: Graph) -> None:
    for ours, _ in ontology.subject_objects(RDFS.subPropertyOf):
        assert isinstance(ours, URIRef)
        assert (ours, RDF.type, RDF.Property) in ontology
