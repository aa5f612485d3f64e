"""The W3C tests of SHACL: what each validates, and the report that it expects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import rdflib
from rdflib import RDF, SH, BNode, Graph, Literal, Namespace
from rdflib.compare import isomorphic
from rdflib.term import Node

from w3c_suite import w3c_folder

MF: Final = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
SHT: Final = Namespace("http://www.w3.org/ns/shacl-test#")

KNOWN_FAILURES: Final = {
    "sparql/pre-binding/shapesGraph-001": (
        "queries cannot look into the shapes graph, which is optional (SHACL 1.0, 5.3.1)"
    ),
}
"""The tests that fail, each with its reason; one that passes turns the run red."""
COUNTED: Final = (
    SH.focusNode,
    SH.resultPath,
    SH.resultSeverity,
    SH.sourceConstraint,
    SH.sourceConstraintComponent,
    SH.sourceShape,
    SH.value,
)
"""What a result is compared by; messages are the processor's own."""


@dataclass(frozen=True, slots=True)
class ShaclTest:
    """One test: its data, its shapes, and the report expected, None for a failure."""

    name: str
    data: Path
    shapes: Path
    expected: Graph | None


def shacl_tests() -> list[ShaclTest]:
    """Every test of the core and of SPARQL-based constraints; none where the suite is absent.

    By files, since a manifest has left one of them out.
    """
    root = w3c_folder() / "data-shapes" / "tests"
    return [test for file in sorted(root.rglob("*.ttl")) for test in _tests(file, root)]


def parameters() -> list[Any]:
    """Each test under its name; where there is no suite, one that is skipped for all to see.

    The suite is no part of the repository; in CI a skip is a failure. One that is there and has
    no tests is an error: they would be lost in silence.
    """
    if not (w3c_folder() / "data-shapes").is_dir():
        reason = f"the W3C tests of SHACL are not in {w3c_folder()}; KG_W3C_TESTS may name it"
        return [pytest.param(None, id="absent", marks=pytest.mark.skip(reason=reason))]
    tests = shacl_tests()
    assert tests, "the W3C suite of SHACL is there, and none of these tests is in it"
    return [pytest.param(test, id=test.name, marks=_marks(test)) for test in tests]


def same_report(found: Graph, expected: Graph) -> bool:
    """Whether two reports have the same results, messages and details apart."""
    return isomorphic(_results(found), _results(expected))


def _marks(test: ShaclTest) -> list[pytest.MarkDecorator]:
    reason = KNOWN_FAILURES.get(test.name)
    return [pytest.mark.xfail(reason=reason, strict=True)] if reason else []


def _tests(manifest: Path, root: Path) -> Iterator[ShaclTest]:
    if "sht:Validate" not in manifest.read_text():
        return
    graph = read(manifest)
    for entry in graph.subjects(RDF.type, SHT.Validate):
        yield _test(graph, entry, manifest, root)


def _test(graph: Graph, entry: Node, manifest: Path, root: Path) -> ShaclTest:
    action, result = graph.value(entry, MF.action), graph.value(entry, MF.result)
    folder = manifest.parent.relative_to(root)
    return ShaclTest(
        name=f"{folder}/{str(entry).rsplit('/', 1)[-1]}",
        data=_path(str(graph.value(action, SHT.dataGraph))),
        shapes=_path(str(graph.value(action, SHT.shapesGraph))),
        expected=None if result == SHT.Failure else _closure(graph, result),
    )


def _path(iri: str) -> Path:
    return Path(iri.removeprefix("file://"))


def _closure(graph: Graph, node: Node | None) -> Graph:
    """What a graph says of a node and of the blank nodes that it leads to."""
    found, waiting = Graph(), [node]
    while waiting:
        subject = waiting.pop()
        for predicate, obj in graph.predicate_objects(subject):
            assert subject is not None
            if (subject, predicate, obj) not in found and isinstance(obj, BNode):
                waiting.append(obj)
            found.add((subject, predicate, obj))
    return found


def _results(report: Graph) -> Graph:
    """The results of a report with what counts of them, and the paths and nodes they name."""
    kept = Graph()
    for root in report.subjects(RDF.type, SH.ValidationReport):
        for result in report.objects(root, SH.result):
            kept.add((root, SH.result, result))
            for predicate in COUNTED:
                for obj in report.objects(result, predicate):
                    path = predicate == SH.resultPath
                    kept.add((result, predicate, _path_as_text(report, obj) if path else obj))
    return kept


def _path_as_text(report: Graph, path: Node) -> Node:
    """A path that is no IRI, written out: results may share the blank node of theirs, or not."""
    if not isinstance(path, BNode):
        return path
    found = _closure(report, path)
    return Literal(_written(found, path))


def _written(graph: Graph, node: Node) -> str:
    if not isinstance(node, BNode):
        return str(node)
    parts = sorted((str(p), _written(graph, o)) for p, o in graph.predicate_objects(node))
    return str(parts)


def read(file: Path) -> Graph:
    """The graph of a file: its relative IRIs are its own, its literals as they are written."""
    with pytest.MonkeyPatch.context() as patch:
        # rdflib would read "1"^^xsd:boolean as true, and a test is about the difference.
        patch.setattr(rdflib, "NORMALIZE_LITERALS", False)
        return Graph().parse(file, format="turtle", publicID=file.as_uri())
