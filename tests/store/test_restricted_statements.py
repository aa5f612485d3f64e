"""What restricted graphs say of a person is read apart, and only that."""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree

import pytest

from kg.errors import ReleaseMissing, StoreDamaged
from kg.namespaces import BASE, GRAPH
from kg.store.releases import Releases
from kg.store.restricted import RestrictedStatement, restricted_statements

PERSON = f"{BASE}a/d826bc1f151f0c3d/person/185-194"
NAME = "http://www.w3.org/2004/02/skos/core#prefLabel"


def test_it_has_the_name_with_its_language_and_graph(built: Path) -> None:
    head = Releases.open(built).head()
    named = [it for it in restricted_statements(head, [PERSON]) if it.property == NAME]
    graph = f"{GRAPH}sensitive/d826bc1f151f0c3d"
    kind = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
    assert named == [RestrictedStatement(PERSON, NAME, "literal", "Mira Holt", "en", kind, graph)]


@pytest.mark.parametrize("iri", [f"{BASE}a/d826bc1f151f0c3d", "no iri", f"{PERSON}0"])
def test_of_others_there_is_nothing(built: Path, iri: str) -> None:
    assert restricted_statements(Releases.open(built).head(), [iri]) == ()


def test_a_release_that_is_gone_is_told(built: Path) -> None:
    head = Releases.open(built).head()
    rmtree(head.folder)
    with pytest.raises(ReleaseMissing):
        restricted_statements(head, [PERSON])


def test_a_damaged_folder_is_told(built: Path) -> None:
    head = Releases.open(built).head()
    rmtree(head.folder / "restricted")
    (head.folder / "restricted").mkdir()
    with pytest.raises(StoreDamaged, match="restricted graphs of release"):
        restricted_statements(head, [PERSON])


def test_it_leaves_the_release_as_it_is(built: Path) -> None:
    head = Releases.open(built).head()
    before = {file: file.read_bytes() for file in head.folder.rglob("*") if file.is_file()}
    restricted_statements(head, [PERSON])
    after = {file: file.read_bytes() for file in head.folder.rglob("*") if file.is_file()}
    assert before == after
