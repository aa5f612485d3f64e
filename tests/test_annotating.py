"""The page on annotating: its example passes the gate, and its table is what the shapes ask for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rdflib import SH, SKOS, Graph, URIRef

from kg.context import Context
from kg.namespaces import CODE, SHAPES
from kg.project import Project
from kg.publishing.placing import write_places
from kg.publishing.publish import check
from kg.publishing.texts import Text
from kg.rdf import read_turtle

REPOSITORY = Path(__file__).parents[1]
PROJECT = Project.at(REPOSITORY)
TERMS = Context.read(PROJECT.context).terms
PAGE = (REPOSITORY / "docs" / "annotate.md").read_text()
ROWS = dict(
    re.findall(r"^\| `(\w+)` \| [^|]+ \|([^|]*\|[^|]*)\|$", PAGE.split("## Kinds")[1], re.M)
)


def fenced(language: str) -> str:
    (block,) = re.findall(rf"```{language}\n(.+?)```", PAGE, re.DOTALL)
    return str(block)


def test_the_example_is_placed_and_passes_the_gate(project: Project, tmp_path: Path) -> None:
    source = project.articles / "lamps" / "article.yaml"
    source.parent.mkdir()
    source.write_text(fenced("yaml"))
    text = tmp_path / "lamps.txt"
    text.write_text(fenced("text"))
    assert write_places([source], Text.read(text)) == source
    checked = check(project, [Text.read(text)])
    assert [finding.text({}) for finding in checked.findings] == []


@pytest.fixture(scope="module")
def shapes() -> Graph:
    return sum((read_turtle(file) for file in PROJECT.shapes()), Graph())


def test_every_kind_of_claim_has_a_row() -> None:
    scheme = read_turtle(PROJECT.ontology / "concepts" / "claim-kind.ttl")
    kinds = scheme.subjects(SKOS.inScheme, URIRef(CODE + "claimKindScheme"))
    assert sorted(ROWS) == sorted(str(kind).removeprefix(CODE) for kind in kinds)


@pytest.mark.parametrize("kind", ROWS)
def test_a_row_has_what_the_shape_asks_for_and_nothing_else(kind: str, shapes: Graph) -> None:
    must, may = (_properties(cell) for cell in ROWS[kind].split("|"))
    allowed, asked = _paths(kind, shapes)
    assert must | may <= allowed
    assert asked == must


def _properties(cell: str) -> set[str]:
    return {TERMS[key].iri for key in re.findall(r"`(\w+)`", cell)}


def _paths(kind: str, shapes: Graph) -> tuple[set[str], set[str]]:
    """The properties that the shape of a kind allows, and those that it asks for.

    Without the paraphrase, which the page asks for above the table.
    """
    shape = URIRef(f"{SHAPES}{kind.capitalize()}Claim")
    properties = {each: shapes.value(each, SH.path) for each in shapes.objects(shape, SH.property)}
    asked = {str(path) for each, path in properties.items() if shapes.value(each, SH.minCount)}
    return set(map(str, properties.values())), asked - {TERMS["paraphrase"].iri}
