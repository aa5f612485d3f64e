"""Where the node of a finding stands: its named graph, and the file and line of its block."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from kg.errors import Place
from kg.project import Project
from kg.store.base import NamedGraph
from kg.validation.report import Finding

_PREFIX: Final = re.compile(r"^\s*(?:@prefix|PREFIX)\s+([\w.-]*):\s*<([^>]*)>", re.MULTILINE)
_BLOCK: Final = re.compile(r"^(<[^>\s]*>|[\w.-]*:[^\s;,]*)(?=\s|$)", re.MULTILINE)
"""A subject that begins a line: Turtle in our form has one block a subject."""


def located(findings: Iterable[Finding], project: Project) -> list[Finding]:
    """The findings; one without a place gets that of its node in a Turtle file of the project."""
    findings = list(findings)
    wanted = {finding.focus_node for finding in findings if finding.place is None}
    if not wanted:
        return findings
    places = dict(_places(turtle_files(project), wanted))
    return [
        each if each.place else replace(each, place=places.get(each.focus_node))
        for each in findings
    ]


def in_graphs(findings: Iterable[Finding], graphs: Iterable[NamedGraph]) -> list[Finding]:
    """The findings, each with the first of these graphs that says something of its node."""
    findings, graphs = list(findings), list(graphs)
    starts = {each.focus_term: f"{each.focus_term} ".encode() for each in findings}
    found: dict[str, str] = {}
    for graph in reversed(graphs):
        for term, start in starts.items():
            if graph.triples.startswith(start) or b"\n" + start in graph.triples:
                found[term] = graph.iri
    return [
        replace(each, graph=found[each.focus_term]) if each.focus_term in found else each
        for each in findings
    ]


def turtle_files(project: Project) -> list[Path]:
    """The Turtle files of what may be said, and of what articles refer to."""
    return [
        *project.terms(),
        *project.concepts(),
        *project.reference(),
        *project.alignments(),
    ]


def _places(files: Sequence[Path], wanted: set[str]) -> Iterator[tuple[str, Place]]:
    for file in reversed(files):  # the first file that has it is kept
        yield from places_in(file.read_text(encoding="utf-8", errors="replace"), file, wanted)


def places_in(text: str, file: Path, wanted: set[str]) -> Iterator[tuple[str, Place]]:
    """The places of these IRIs in a Turtle document, the last first."""
    prefixes = dict(_PREFIX.findall(text))
    for found in reversed(list(_BLOCK.finditer(text))):
        iri = _iri(found[1], prefixes)
        if iri in wanted:
            yield iri, Place(file, text.count("\n", 0, found.start()) + 1, 1, found[1])


def _iri(name: str, prefixes: dict[str, str]) -> str:
    if name.startswith("<"):
        return name[1:-1]
    prefix, _, local = name.partition(":")
    return prefixes.get(prefix, "\0") + local.replace("\\", "")
