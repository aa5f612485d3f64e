"""The case files of each shape: valid ones have no findings, others exactly those they list."""

from __future__ import annotations

from pathlib import Path

import pytest

from case_world import CASES, EX, PROJECT, changed, concerned, shapes, world
from kg.rdf import read_turtle


def test_the_world_of_the_cases_conforms() -> None:
    assert shapes().findings(world()) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_case(case: Path) -> None:
    """The subjects that a case states stand in for those of the world."""
    stated = read_turtle(case)
    nodes = set(stated.subjects())
    replaced = [triple for node in nodes for triple in world().triples((node, None, None))]
    with changed(without=replaced, plus=stated) as graph:
        findings = shapes().findings(graph, concerned(graph, nodes))
    found = sorted(finding.line(dict(shapes().prefixes) | {"ex": EX}) for finding in findings)
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
