"""The redirect file for w3id.org: each of our IRIs is matched by one of its rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rdflib import Graph, URIRef

from kg.context import Context
from kg.namespaces import BASE
from kg.project import Project
from kg.rdf import read_turtle

PROJECT = Project.at(Path(__file__).parents[2])
FOLDER = PROJECT.ontology / "w3id"
SERVER = "https://reported-figures.example/"
RULE = re.compile(r"^RewriteRule (\S+) (\S+) \[(\S+)\]$", re.MULTILINE)
RULES = RULE.findall((FOLDER / ".htaccess").read_text())


def redirected(iri: str) -> str | None:
    """Where the first rule that matches sends the IRI, as Apache's mod_rewrite would."""
    for pattern, target, _ in RULES:
        found = re.search(pattern, iri.removeprefix(BASE))
        if found:
            return found.expand(str(target).replace("$", "\\"))
    return None


@pytest.mark.parametrize(
    "name",
    [
        "a/0123456789abcdef",
        "a/0123456789abcdef/c/figure-10-20/step/1",
        "area/CN-XJ",
        "code/atLeast",
        "cohort/ff-departed",
        "graph/alignments/wikidata",
        "membership/gb-eu",
        "ns/",
        "ns/0.2.0",
        "ns/FigureClaim",
        "org/fox-news",
        "person/ali-soufan",
        "pub/beyond-the-caliphate",
        "shapes/FigureClaim-value",
    ],
)
def test_an_iri_of_ours_leads_to_the_same_name_at_the_server(name: str) -> None:
    assert redirected(BASE + name) == f"{SERVER}id/{name}"


def test_the_base_leads_to_the_first_page() -> None:
    assert redirected(BASE) == SERVER


def test_a_name_outside_the_families_is_not_redirected() -> None:
    assert [redirected(BASE + name) for name in ("nowhere/x", "sparql", "areas/JO")] == [None] * 3


def test_every_prefix_of_ours_is_a_family() -> None:
    ours = [iri for iri in Context.read(PROJECT.context).prefixes.values() if iri.startswith(BASE)]
    assert ours
    assert [iri for iri in ours if redirected(iri + "x") != f"{SERVER}id/{iri[len(BASE) :]}x"] == []


def test_every_iri_of_ours_in_the_turtle_files_is_redirected() -> None:
    files = (PROJECT.terms, PROJECT.concepts, PROJECT.shapes, PROJECT.reference, PROJECT.alignments)
    graph = sum((read_turtle(file) for each in files for file in each()), Graph())
    ours = {str(node) for node in graph.all_nodes() if isinstance(node, URIRef) and BASE in node}
    assert ours
    assert [iri for iri in sorted(ours) if redirected(iri) is None] == []


def test_redirects_are_303_and_the_last_rule() -> None:
    assert [flags.split(",")[:2] for _, _, flags in RULES] == [["R=303", "L"]] * len(RULES)


def test_the_readme_says_that_nothing_is_registered_yet() -> None:
    readme = (FOLDER / "README.md").read_text()
    assert "Not registered yet" in readme
    assert "github.com/perma-id/w3id.org" in readme
