"""The shapes that a release was checked with, as what each demands, with their example cases."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from rdflib import RDF, SH, Graph, Literal, URIRef
from rdflib.term import Node

from kg.errors import Place, StoreDamaged
from kg.store.removals import missing_at

_SHAPES: Final = "shapes.nt"
_CASES: Final = "cases.json"
_TARGETS: Final = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)
_LIMITS: Final = {
    SH.minCount: "at least {}",
    SH.maxCount: "at most {}",
    SH["class"]: "a {}",
    SH.datatype: "as {}",
    SH.minInclusive: "from {}",
    SH.maxInclusive: "to {}",
    SH.maxLength: "{} characters at most",
    SH.pattern: "matches {}",
}
"""How a demand without a message is told."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that a shape demands, in words; `path` is the property, or empty."""

    message: str
    path: str
    severity: str


@dataclass(frozen=True, slots=True)
class Case:
    """An example that conforms, or one that does not, with the findings that it must have."""

    valid: bool
    name: str
    about: str
    turtle: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A node shape; `targets` are the classes and properties whose nodes it checks.

    A closed one allows no other property than those that it names. One without a target is used
    by others.
    """

    iri: str
    name: str
    targets: tuple[str, ...]
    closed: bool
    demands: tuple[Demand, ...]
    cases: tuple[Case, ...] = ()

    @property
    def valid(self) -> int:
        """How many of its cases conform."""
        return sum(case.valid for case in self.cases)


def shapes(release: Path) -> tuple[Shape, ...]:
    """The node shapes of the release in this folder, by name; those that others use come last.

    None where it carries none. Raises StoreDamaged, and ReleaseMissing where the folder is gone.
    """
    try:
        return _shapes(release)
    except FileNotFoundError:
        if not release.is_dir():
            raise missing_at(release) from None
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(
            f"the shapes of this release cannot be read: {error}",
            remedy="Restore its files from a copy, or build a new store: kg build --store OTHER.",
            place=Place(release / _SHAPES),
        ) from error


@lru_cache(maxsize=4)
def _shapes(release: Path) -> tuple[Shape, ...]:
    graph = Graph().parse(data=(release / _SHAPES).read_bytes(), format="nt")
    cases = _cases(release / _CASES)
    found = (_shape(graph, node) for node in graph.subjects(RDF.type, SH.NodeShape))
    held = (replace(shape, cases=cases.get(shape.iri, ())) for shape in found)
    return tuple(sorted(held, key=lambda shape: (not shape.targets, shape.name.lower())))


def _shape(graph: Graph, node: Node) -> Shape:
    iri = str(node)
    return Shape(
        iri=iri,
        name=iri.rstrip("/#").replace("#", "/").rsplit("/", 1)[-1],
        targets=tuple(sorted({str(each) for by in _TARGETS for each in graph.objects(node, by)})),
        closed=any(str(each) == "true" for each in graph.objects(node, SH.closed)),
        demands=tuple(sorted(_demands(graph, node), key=lambda each: (each.path, each.message))),
    )


def _demands(graph: Graph, node: Node) -> Iterable[Demand]:
    for part in (SH.property, SH.sparql):
        for demand in graph.objects(node, part):
            path = graph.value(demand, SH.path)
            yield Demand(
                message=_message(graph, demand),
                path=str(path) if isinstance(path, URIRef) else "",
                severity=_severity(graph, demand),
            )
    for text in graph.objects(node, SH.message):
        yield Demand(str(text), "", _severity(graph, node))


def _message(graph: Graph, demand: Node) -> str:
    texts = [text for text in graph.objects(demand, SH.message) if isinstance(text, Literal)]
    if texts:
        return str(min(texts, key=lambda text: (text.language != "en", str(text))))
    limits = (
        words.format(value) for by, words in _LIMITS.items() for value in graph.objects(demand, by)
    )
    return ", ".join(limits) or "What the shape says in SHACL alone."


def _severity(graph: Graph, node: Node) -> str:
    return str(graph.value(node, SH.severity) or SH.Violation).rsplit("#", 1)[-1]


def _cases(file: Path) -> Mapping[str, tuple[Case, ...]]:
    """The cases by the IRI of a shape that they are of."""
    found: dict[str, list[Case]] = defaultdict(list)
    try:
        written = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    for each in written:
        for shape in each["shapes"]:
            found[shape].append(_case(each))
    return {
        shape: tuple(sorted(cases, key=lambda case: (not case.valid, case.name)))
        for shape, cases in found.items()
    }


def _case(written: Mapping[str, Any]) -> Case:
    lines = written["turtle"].splitlines()
    about = lines[0].removeprefix("#").strip() if lines and lines[0].startswith("#") else ""
    body = (line for line in lines[bool(about) :] if not line.startswith("@prefix "))
    return Case(
        valid=written["kind"] == "valid",
        name=written["name"].replace("-", " "),
        about=about,
        turtle="\n".join(body).strip(),
        findings=tuple(written["expected"]),
    )
