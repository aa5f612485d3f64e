"""What a release was checked with, read from it and made ready for the next write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rdflib import RDF, SH, Graph

from kg.context import Context
from kg.errors import StoreError
from kg.files import decoded, read_bytes, read_text
from kg.namespaces import USUAL_PREFIXES
from kg.project import Project
from kg.publishing.audit import AuditRule, read_audit_rule
from kg.publishing.derivation import Rule, ordered, read_rule
from kg.query.questions import FILE as QUESTIONS
from kg.query.questions import Question, written
from kg.rdf import read_turtle
from kg.store import catalog
from kg.store.base import Release
from kg.store.release_files import carried_files
from kg.validation.conformance import Shapes

_CONTEXT: Final = "context.jsonld"
_SHAPES: Final = "shapes.nt"
_RULES: Final = "rules/"
_AUDIT: Final = "audit/"
_CASES: Final = "cases.json"


@dataclass(frozen=True, slots=True)
class Checks:
    """What a write is derived and checked with."""

    shapes: Shapes
    rules: Sequence[Rule]
    prefixes: Mapping[str, str]
    audit: Sequence[AuditRule] = ()
    """What is run over all that is public, once it conforms."""


def release_files(project: Project, shapes: bytes) -> dict[str, bytes]:
    """What a release of the project carries; `shapes` are its shapes as N-Triples.

    Raises MalformedFile where what it says of the dataset, or a question, cannot be read.
    """
    rules = {_RULES + file.name: file.read_bytes() for file in project.rules()}
    audit = {_AUDIT + file.name: file.read_bytes() for file in project.audit()}
    files = {_CONTEXT: project.context.read_bytes(), _SHAPES: shapes} | rules | audit
    if project.cases():
        files[_CASES] = _cases(project)
    if project.questions():
        files[QUESTIONS] = written(map(Question.read, project.questions()))
    if project.catalog.exists():
        files[catalog.FILE] = read_bytes(project.catalog, "it describes the dataset")
        catalog.parse_catalog(files[catalog.FILE], project.catalog)
    return files


def _cases(project: Project) -> bytes:
    """The example cases of the shapes as JSON, so that a release can show them: one a file."""
    shapes = {file.stem: _node_shapes(file) for file in project.shapes()}
    cases = []
    for file in project.cases():
        kind, _, name = file.stem.partition(".")
        expected = file.with_suffix(".expected")
        lines = read_text(expected, "a case has it").splitlines() if expected.exists() else []
        turtle = read_text(file, "it is a case")
        case = {"shapes": shapes.get(file.parent.name, []), "kind": kind, "name": name}
        cases.append(case | {"turtle": turtle, "expected": lines})
    return (json.dumps(cases, ensure_ascii=False, indent=0) + "\n").encode()


def _node_shapes(file: Path) -> list[str]:
    return sorted(map(str, read_turtle(file).subjects(RDF.type, SH.NodeShape)))


class Preparer:
    """Reads the checks of a release, and keeps them for as long as they are the same."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._digest = ""
        self._checks: Checks | None = None

    def checks(self, release: Release) -> Checks:
        """What the release was checked with; raises StoreError where it carries none."""
        files = carried_files(release.folder)
        if self._checks is None or (files, release.shapes_digest) != (self._files, self._digest):
            self._checks = _read(release, files)
            self._files, self._digest = files, release.shapes_digest
        return self._checks


def check_carries(release: Release, files: Mapping[str, bytes]) -> None:
    """Raise StoreError where the files of a release lack what a write is checked with."""
    if not {_CONTEXT, _SHAPES} <= files.keys():
        raise StoreError(
            f"release {release.name} does not carry the shapes that a write is checked with",
            remedy="An operator makes one that does: kg build.",
        )


def carries_audit(release: Release) -> bool:
    """Whether there are rules of an audit in a release."""
    return any(name.startswith(_AUDIT) for name in carried_files(release.folder))


def _read(release: Release, files: Mapping[str, bytes]) -> Checks:
    check_carries(release, files)
    rules = (
        read_rule(Path(name), decoded(content, Path(name)))
        for name, content in files.items()
        if name.startswith(_RULES)
    )
    return Checks(
        shapes=Shapes(Graph().parse(data=files[_SHAPES], format="nt"), release.shapes_digest),
        rules=ordered(rules),
        prefixes=USUAL_PREFIXES | dict(Context.parse(files[_CONTEXT]).prefixes),
        audit=tuple(
            read_audit_rule(Path(name), decoded(content, Path(name)))
            for name, content in sorted(files.items())
            if name.startswith(_AUDIT)
        ),
    )
