"""The findings after a write are those of a full audit, or say of which release they are."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conftest import NOW, REPOSITORY
from kg.cli import main
from kg.media import N_TRIPLES
from kg.namespaces import BASE, FINDINGS, GRAPH, RF, USUAL_PREFIXES
from kg.project import Project
from kg.publishing import reauditing
from kg.publishing.audit import read_audit
from kg.publishing.landing import land
from kg.publishing.preparation import Preparer
from kg.publishing.reauditing import audited_anew
from kg.publishing.rules_read import Read
from kg.publishing.writing import Document, Method, Write
from kg.settings import Settings
from kg.store.graphs import read_graphs
from kg.store.releases import Releases

PREPARER = Preparer()
PARTS = ("claims", "provenance", "anchors")
PLAIN = b"<http://ex/s> <http://ex/p> <http://ex/o> .\n"


def put(store: Path, graph: str, triples: bytes) -> None:
    method = Method.PUT if triples else Method.DELETE
    documents = (Document(triples, N_TRIPLES),) if triples else ()
    land(Write(method, graph, documents, who="a test"), store, Settings(), PREPARER, now=NOW)


def findings(store: Path) -> dict[str, str]:
    states = Releases.open(store).head().graphs
    return {it.iri: it.digest for it in states if it.iri.startswith(FINDINGS)}


def kg(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result


class Articles:
    """What the articles of a store say, to be said again by another of any key."""

    def __init__(self, store: Path) -> None:
        head = Releases.open(store).head()
        graphs = read_graphs(head)
        claims = f"{GRAPH}claims/"
        self.keys = [it.iri[len(claims) :] for it in head.graphs if it.iri.startswith(claims)]
        described = graphs.triples(GRAPH + "entities").splitlines(keepends=True)
        self._said = {
            key: b"".join(graphs.triples(f"{GRAPH}{part}/{key}") for part in PARTS)
            + b"".join(it for it in described if it.startswith(f"<{BASE}a/{key}".encode()))
            for key in self.keys
        }

    def again(self, key: str, new: str, factor: int) -> bytes:
        """The article under another key, its numbers with another first digit."""
        said = self._said[key].replace(key.encode(), new.encode())
        return re.sub(rb'((?:obsValue|lower|upper)> ")2', rb"\g<1>%d" % factor, said)


@pytest.fixture
def store(real_store: Path, tmp_path: Path) -> Path:
    return shutil.copytree(real_store, tmp_path / "store")


def test_after_random_writes_the_findings_are_those_of_a_full_audit(store: Path) -> None:
    choice, articles = random.Random(6), Articles(store)  # noqa: S311 - reproducible
    seen, written = [findings(store)], set[str]()
    for number in range(6):
        graph = f"http://ex/g{choice.randrange(3)}"
        gone = graph in written and choice.random() < 0.4
        key = f"{ord(graph[-1]):016x}"
        said = articles.again(choice.choice(articles.keys), key, choice.randrange(2, 9))
        put(
            store,
            graph,
            b"" if gone else said + b"<http://ex/%d> <http://ex/p> <http://ex/o> .\n" % number,
        )
        (written.discard if gone else written.add)(graph)
        assert not audited_anew(store).differs
        seen.append(findings(store))
    assert len({tuple(sorted(each.items())) for each in seen}) > 4


def test_a_write_that_no_rule_reads_is_not_audited(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reauditing, "found_in", None)  # whoever called it would fail
    before = findings(store)
    put(store, "http://ex/g", PLAIN)
    assert findings(store) == before


def test_the_name_of_a_cohort_in_a_written_graph_is_audited(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = list[object]()

    def found_in(public: object, checks: object) -> tuple[()]:
        called.append(public)
        return ()

    monkeypatch.setattr(reauditing, "found_in", found_in)
    label = b'<http://ex/c> <http://www.w3.org/2004/02/skos/core#prefLabel> "some"@en .\n'
    put(store, "http://ex/g", label)
    assert called


@pytest.mark.parametrize("bound", ["MOST_QUADS", "MOST_PAIRS"])
def test_above_the_bound_findings_stay_and_say_of_which_release_they_are(
    store: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    articles, before = Articles(store), findings(store)
    name = Releases.open(store).head().name
    monkeypatch.setattr(reauditing, bound, 100)
    for number in range(2):
        put(store, "http://ex/g", articles.again(articles.keys[number], "0" * 16, 3))
    assert {iri: it for iri, it in findings(store).items() if iri in before} == before
    assert f"these are the findings of release {name}: " in kg("audit", "--store", store).stderr
    assert audited_anew(store).differs
    monkeypatch.undo()
    put(store, "http://ex/g", b"")
    assert findings(store) == before
    assert kg("audit", "--store", store).stderr == ""


def test_what_is_published_in_bulk_is_audited(store: Path, tmp_path: Path) -> None:
    articles, before = Articles(store), findings(store)
    file = tmp_path / "more.nt"
    file.write_bytes(articles.again(articles.keys[0], "0" * 16, 3))
    kg("publish", file, "--graph", "http://ex/g", "--store", store, "--processes", "1")
    assert findings(store) != before
    assert not audited_anew(store).differs


def test_what_is_published_without_the_gate_is_not_audited_and_told(
    store: Path, tmp_path: Path
) -> None:
    file, name = tmp_path / "more.nt", Releases.open(store).head().name
    file.write_bytes(PLAIN)
    kg("publish", file, "--graph", "http://ex/g", "--no-gate", "--store", store)
    assert f"findings of release {name}" in kg("audit", "--store", store).stderr


def test_a_fresh_audit_says_in_what_it_differs_and_writes_nothing(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = kg("audit", "--fresh", "--store", store).stdout
    assert told.endswith(": the findings are those of a full audit\n")
    monkeypatch.setattr(reauditing, "MOST_QUADS", 100)
    put(store, "http://ex/g", Articles(store).again(Articles(store).keys[0], "0" * 16, 3))
    head = Releases.open(store).head().name
    assert "\n+ <" in kg("audit", "--fresh", "--store", store).stdout
    assert Releases.open(store).head().name == head
    kg("audit", "--fresh", "--rule", "W1", "--store", store, code=2)


@pytest.mark.parametrize(
    ("pattern", "everything", "types"),
    [
        ("?s rf:a ?o ; rf:b rf:c", False, False),
        ("?s a rf:C ; rf:b ?o . FILTER(?o * 2 > 1 && !BOUND(?x)) ?o rf:c ?x", False, False),
        ("{ SELECT ?a ?b ?c WHERE { ?a rf:b ?c } GROUP BY ?a ?b ?c }", False, False),
        ("?s rf:a+/rf:b ?o BIND(FLOOR(?o / 2) * 10 AS ?x)", False, False),
        ("?s ?p ?o", True, False),
        ("?s rf:a ?x ; ?p ?o", True, False),
        ("[ rf:a ?x ] ?p ?o", True, False),
        ("(1 2) ?p ?o", True, False),
        ("?s !rf:a ?o", True, False),
        ("?s !(rf:a|^rf:b) ?o", True, False),
        ("?s rf:a* ?o", True, False),
        ("?s (rf:a/rf:b)? ?o", True, False),
        ("GRAPH ?g { ?s rf:a ?o }", True, False),
        ("?s a ?t", False, True),
        ("?s a rf:C , ?t", False, True),
        ("?s a/rf:b rf:c", False, True),
        ("?t ^a ?s", False, True),
    ],
)
def test_what_a_rule_reads_is_told_from_its_text(
    pattern: str, everything: bool, types: bool
) -> None:
    read = Read.by([f"CONSTRUCT {{ ?s rf:found rf:it }} WHERE {{ {pattern} }}"], USUAL_PREFIXES)
    assert (read.everything, read.types) == (everything, types)


def test_no_rule_of_ours_reads_everything() -> None:
    queries = [each.rule.query for each in read_audit(Project.at(REPOSITORY))]
    read = Read.by(queries, USUAL_PREFIXES)
    assert not read.everything
    assert f"<{RF}cohort>".encode() in read.names
