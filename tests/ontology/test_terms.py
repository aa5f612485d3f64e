"""The ontology, the context and the concepts agree with each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyld import jsonld
from rdflib import OWL, RDF, RDFS, SKOS, Graph, URIRef

from kg.context import Context
from kg.namespaces import BASE, RF
from kg.project import Project
from kg.rdf import read_turtle

PROJECT = Project.at(Path(__file__).parents[2])
CONTEXT = Context.read(PROJECT.context)


@pytest.fixture(scope="module")
def ontology() -> Graph:
    return sum((read_turtle(file) for file in PROJECT.terms()), Graph())


@pytest.fixture(scope="module")
def concepts() -> Graph:
    return sum((read_turtle(file) for file in PROJECT.concepts()), Graph())


def test_every_term_of_ours_in_the_context_is_in_the_ontology(ontology: Graph) -> None:
    used = {term.iri for term in CONTEXT.terms.values() if term.iri.startswith(RF)}
    assert used <= {str(subject) for subject in ontology.subjects(RDF.type)}


def test_every_property_of_ours_is_in_a_shape_or_a_rule(ontology: Graph) -> None:
    texts = [file.read_text() for file in (*PROJECT.shapes(), *PROJECT.rules())]
    properties = {str(each) for each in ontology.subjects(RDF.type, RDF.Property)}
    unused = {iri for iri in properties if not any(_named(iri, text) for text in texts)}
    assert unused == set()


def _named(iri: str, text: str) -> bool:
    return f"rf:{iri.removeprefix(RF)} " in text


def test_domains_and_ranges_of_ours_are_classes_of_ours(ontology: Graph) -> None:
    named = {*ontology.objects(None, RDFS.domain), *ontology.objects(None, RDFS.range)}
    ours = {each for each in named if str(each).startswith(RF)}
    assert ours <= set(ontology.subjects(RDF.type, OWL.Class))


def test_no_concept_has_the_name_of_a_key(concepts: Graph) -> None:
    """In JSON-LD a value under an @vocab key is read as a term first: `about` was once both."""
    names = {str(each).rsplit("/", 1)[1] for each in concepts.subjects(SKOS.inScheme)}
    assert names & (set(CONTEXT.terms) | set(CONTEXT.prefixes)) == set()


def test_every_concept_is_in_a_scheme_that_is_declared(concepts: Graph) -> None:
    schemes = set(concepts.subjects(RDF.type, SKOS.ConceptScheme))
    assert set(concepts.objects(None, SKOS.inScheme)) == schemes


@pytest.mark.parametrize("key", sorted(CONTEXT.terms))
def test_the_context_is_read_as_json_ld_reads_it(key: str) -> None:
    """What names a concept for our errors names it for the processor that writes the triples."""
    document = {**json.loads(PROJECT.context.read_text()), "id": BASE + "x", key: "true"}
    (expanded,) = jsonld.expand(document)
    (value,) = expanded[CONTEXT.terms[key].iri]
    assert value.get("@id") == CONTEXT.value_iri(key, "true")


def test_concept_names_are_iris_in_our_space(concepts: Graph) -> None:
    assert all(isinstance(each, URIRef) and each.startswith(BASE) for each in concepts.subjects())
