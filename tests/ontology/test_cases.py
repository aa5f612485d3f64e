"""The case files of each shape: valid ones have no findings, others exactly those they list."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest
from rdflib import Graph

from kg.project import Project
from kg.rdf import read_turtle
from kg.validation.conformance import Shapes

PROJECT = Project.at(Path(__file__).parents[2])
CASES = sorted((PROJECT.ontology / "cases").glob("*/*.ttl"))


@lru_cache(maxsize=1)
def shapes() -> Shapes:
    return Shapes.read(PROJECT.shapes())


@lru_cache(maxsize=1)
def world() -> Graph:
    """What every case is read with: the ontology, the concepts, a claim and what it needs."""
    graph = read_turtle(PROJECT.ontology / "cases" / "base.ttl")
    for file in (*PROJECT.terms(), *PROJECT.concepts()):
        graph += read_turtle(file)
    return graph


def with_world(case: Graph) -> Graph:
    """The case, and of the world the subjects that the case does not state itself."""
    stated = set(case.subjects())
    graph = Graph()
    for triple in world():
        if triple[0] not in stated:
            graph.add(triple)
    return graph + case


def test_the_world_of_the_cases_conforms() -> None:
    assert shapes().findings(world()) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_case(case: Path) -> None:
    graph = read_turtle(case)
    prefixes = dict(shapes().prefixes) | {"ex": "https://example.org/"}
    found = sorted(finding.line(prefixes) for finding in shapes().findings(with_world(graph)))
    expected = case.with_suffix(".expected")
    assert found == (expected.read_text().splitlines() if expected.exists() else [])


def test_only_invalid_cases_expect_findings() -> None:
    for case in CASES:
        assert case.with_suffix(".expected").exists() == case.name.startswith("invalid."), case


def test_every_shape_has_a_valid_and_an_invalid_case() -> None:
    helpers = {"prefixes", "schemes"}
    for file in PROJECT.shapes():
        kinds = {case.name.split(".")[0] for case in CASES if case.parent.name == file.stem}
        assert file.stem in helpers or kinds == {"valid", "invalid"}, file
