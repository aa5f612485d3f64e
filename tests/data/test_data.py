"""The committed data: it conforms, its places are those of the text, and it ships no sentence."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

import pytest
from rdflib import Graph, Namespace

from kg.namespaces import OA, RF
from kg.project import Project
from kg.publishing.placing import write_places
from kg.publishing.publish import Checked, check
from kg.publishing.texts import Text
from kg.query.reading import typed_solutions

REPOSITORY = Path(__file__).parents[2]
PROJECT = Project.at(REPOSITORY)
_SHARED = Path(os.environ.get("KG_ARTICLE_TEXTS", REPOSITORY.parent / "shared" / "article"))
TEXTS = sorted(_SHARED.glob("*.txt"))

needs_texts = pytest.mark.skipif(not TEXTS, reason="the texts of the articles are not here")


@lru_cache(maxsize=1)
def checked() -> Checked:
    return check(PROJECT)


def test_the_data_conforms() -> None:
    assert checked().findings == []


@needs_texts
def test_every_digest_is_that_of_the_text() -> None:
    texts = [Text.read(file) for file in TEXTS]
    assert check(PROJECT, texts).graphs() == checked().graphs()


@needs_texts
def test_the_sources_are_written_as_kg_check_writes_them() -> None:
    for file in TEXTS:
        assert write_places(PROJECT.sources(), Text.read(file)) is None


@needs_texts
def test_no_nine_words_of_a_text_stand_in_the_repository() -> None:
    told = {run for file in TEXTS for run in _runs(file.read_text())} - _titles()
    for file in _committed():
        assert _runs(file.read_text()) & told == set(), file


@needs_texts
def test_the_wording_of_each_figure_is_in_the_text_at_its_anchor() -> None:
    text = Text.read(TEXTS[0]).content
    graph = Graph()
    for named in checked().graphs():
        graph.parse(data=named.triples, format="nt")
    rows = graph.query(
        """SELECT ?wording ?start ?end {
             ?claim rf:valueAnchor/oa:hasSelector ?place ; rf:reportedText ?wording .
             ?place oa:start ?start ; oa:end ?end }""",
        initNs={"rf": Namespace(RF), "oa": Namespace(OA)},
    )
    wordings = [
        (str(row["wording"]), text[int(str(row["start"])) : int(str(row["end"]))])
        for row in typed_solutions(rows)
    ]
    assert wordings
    assert [said for said, there in wordings if said != there] == []


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w[\w'\u2019.,-]*", text.lower())
    return set(zip(*(words[start:] for start in range(9)), strict=False))


def _titles() -> set[tuple[str, ...]]:
    titles = re.findall(r"(?:title: |schema:headline \")(.+)", _bibliography())
    return {run for title in titles for run in _runs(title)} | {
        run for file in TEXTS for run in _runs(file.read_text().split("\n", 1)[0])
    }


def _bibliography() -> str:
    files = (*PROJECT.sources(), *PROJECT.reference())
    return "\n".join(file.read_text() for file in files)


def _committed() -> list[Path]:
    folders = ("src", "tests", "ontology", "data", "docs", "benchmarks")
    files = [file for folder in folders for file in (REPOSITORY / folder).rglob("*")]
    kinds = {".py", ".ttl", ".yaml", ".rq", ".md", ".txt", ".jsonld", ".html", ".expected"}
    return [file for file in (*files, REPOSITORY / "README.md") if file.suffix in kinds]
