"""The case files of each rule of the audit: those that fire, and look-alikes that must not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from rdflib import RDF, SH, Graph, Namespace, URIRef
from rdflib.term import Node

from case_world import PROJECT, shapes
from kg.context import Context
from kg.media import TURTLE
from kg.namespaces import FINDINGS, RF, USUAL_PREFIXES
from kg.publishing.audit import AuditRule, audited, check_findings, read_audit
from kg.publishing.derivation import constructed, read_rules
from kg.store.base import NamedGraph, Owner
from kg.store.memory import MemoryDataset

FOLDER = PROJECT.ontology / "cases"
CASES = sorted((FOLDER / "audit").glob("*/*.ttl"))
TERMS = Namespace(RF)
PREFIXES = USUAL_PREFIXES | dict(Context.read(PROJECT.context).prefixes)


@lru_cache(maxsize=1)
def rules() -> tuple[AuditRule, ...]:
    return read_audit(PROJECT)


@lru_cache(maxsize=1)
def concepts() -> bytes:
    dataset = MemoryDataset()
    for file in (*PROJECT.concepts(), FOLDER / "audit-world.ttl"):
        dataset.load(file.read_bytes(), TURTLE, "urn:x-case:world")
    return dataset.triples("urn:x-case:world")


def derived(case: bytes) -> tuple[NamedGraph, ...]:
    """The case with its defaults, the world, and what the project's rules derive from both."""
    dataset = MemoryDataset()
    dataset.add("urn:x-case:world", concepts())
    dataset.load(case, TURTLE, "urn:x-case:case")
    defaults = (FOLDER / "audit-defaults.rq").read_text()
    dataset.add("urn:x-case:case", dataset.construct(defaults, PREFIXES))
    for rule in read_rules(PROJECT.rules()):
        dataset.add("urn:x-case:derived", constructed(rule, dataset, PREFIXES))
    names = dataset.graph_names()
    return tuple(NamedGraph(name, dataset.triples(name), Owner.DATA) for name in names)


def found(case: bytes, name: str) -> Graph:
    """What the rules of this name find in the case."""
    wanted = [rule for rule in rules() if rule.is_working or rule.name == name]
    graph = Graph()
    for made in audited(derived(case), wanted, PREFIXES):
        assert made.iri == FINDINGS + name
        graph.parse(data=made.triples, format="nt")
    return graph


def lines(graph: Graph, name: str) -> list[str]:
    return sorted(f"{name} {line}" for line in (*_findings(graph), *_others(graph)))


def _findings(graph: Graph) -> Iterator[str]:
    for finding in graph.subjects(RDF.type, TERMS.Finding):
        severity = _short(graph.value(finding, SH.resultSeverity))
        yield f"{severity} {_short(graph.value(finding, TERMS.verdict))} {_claims(graph, finding)}"


def _others(graph: Graph) -> Iterator[str]:
    """Comparisons, and numbers of independent sources."""
    parts = (TERMS.verdict, TERMS.cohortRelation, TERMS.intervalRelation, TERMS.sameEnd)
    for comparison in graph.subjects(RDF.type, TERMS.Comparison):
        said = " ".join(_short(graph.value(comparison, part)) for part in parts)
        yield f"{said} {_claims(graph, comparison)}"
    for figure, number in graph.subject_objects(TERMS.independentSources):
        assert len(list(graph.objects(figure, TERMS.chainEnd))) == int(str(number))
        yield f"{number} {_claims(graph, figure)}"


def _claims(graph: Graph, finding: Node) -> str:
    concerned = graph.objects(finding, TERMS.concerns)
    return " ".join(sorted(f"ex:{_short(each)}" for each in concerned))


def _short(node: Node | None) -> str:
    return str(node).rsplit("/", 1)[-1].rsplit("#", 1)[-1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_case(case: Path) -> None:
    expected = case.with_suffix(".expected")
    wanted = expected.read_text().splitlines() if expected.exists() else []
    assert lines(found(case.read_bytes(), case.parent.name), case.parent.name) == wanted


def test_only_cases_that_fire_expect_findings() -> None:
    for case in CASES:
        assert case.with_suffix(".expected").exists() == case.name.startswith("fires."), case


@pytest.mark.parametrize("name", sorted({rule.name for rule in rules() if not rule.is_working}))
def test_every_rule_has_cases_that_fire_and_look_alikes(name: str) -> None:
    kinds = [case.name.split(".")[0] for case in CASES if case.parent.name == name]
    assert kinds.count("fires") >= 2
    assert kinds.count("quiet") >= (1 if name == "independence" else 3)


def test_every_finding_of_a_case_is_one_by_the_shapes() -> None:
    """Their messages, severities, verdicts and numbers, too."""
    for case in CASES:
        graphs = derived(case.read_bytes())
        wanted = [rule for rule in rules() if rule.is_working or rule.name == case.parent.name]
        check_findings(audited(graphs, wanted, PREFIXES), graphs, shapes())


def test_a_finding_has_one_iri_whatever_the_order_of_the_triples() -> None:
    case = FOLDER / "audit" / "W4" / "fires.parts-above-the-whole.ttl"
    graphs = derived(case.read_bytes())
    turned = [
        NamedGraph(
            graph.iri, b"".join(reversed(graph.triples.splitlines(keepends=True))), graph.owner
        )
        for graph in reversed(graphs)
    ]
    assert audited(turned, rules(), PREFIXES) == audited(graphs, rules(), PREFIXES)


def test_findings_are_named_after_their_rule_and_their_claims() -> None:
    """The first sixteen digits of the SHA-256 of the claims' IRIs, sorted, with a space between."""
    case = FOLDER / "audit" / "W2" / "fires.part-and-whole-alike.ttl"
    (finding,) = found(case.read_bytes(), "W2").subjects(RDF.type, TERMS.Finding)
    base = "https://w3id.org/reported-figures/finding/W2-"
    assert finding == URIRef(base + _digest("https://example.org/back https://example.org/left"))


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ('"2017-07-05"^^xsd:date', "5 July 2017"),
        ('"2017-12"^^xsd:gYearMonth', "December 2017"),
        ('"2017"^^xsd:gYear', "2017"),
        ("", "undated"),
    ],
)
def test_a_message_says_of_when_its_article_is_as_people_write_it(date: str, told: str) -> None:
    xsd = "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
    published = f"ex:article schema:datePublished {date} .\n" if date else ""
    for name in ("no-room-to-open", "one-mark-opens-two"):
        case = (FOLDER / "audit" / "W14" / f"fires.{name}.ttl").read_text()
        (message,) = found(f"{xsd}{case}{published}".encode(), "W14").objects(None, TERMS.message)
        assert str(message).startswith(f"Block 1 (Harbour News, {told}): ")


def test_a_weekday_is_set_beside_its_date_as_people_write_it() -> None:
    case = FOLDER / "audit" / "W15" / "fires.a-friday-called-thursday.ttl"
    (message,) = found(case.read_bytes(), "W15").objects(None, TERMS.message)
    assert " gives an event the date 21 July 2017 and calls it a Thursday;" in str(message)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
