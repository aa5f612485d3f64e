"""Data from outside checked as a write of it would be, and not written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rdflib.exceptions import ParserError

from kg.context import Context
from kg.errors import KgError, MalformedData, MalformedFile, Place
from kg.media import N_TRIPLES, TURTLE, YAML_LD, Format
from kg.namespaces import GRAPH
from kg.publishing.derivation import Reached, derived
from kg.publishing.gate import unit_findings
from kg.publishing.locating import places_in
from kg.publishing.preparation import Checks, Preparer
from kg.publishing.reading import read_submitted
from kg.publishing.sources import Article, BadSources
from kg.publishing.staging import Unit, is_reference, places_of, reached, subjects
from kg.publishing.submissions import Submission, Verdict
from kg.publishing.triples import ENTITIES, article_graphs, description
from kg.store.base import NamedGraph, Owner, Release
from kg.store.graphs import Graphs, read_release
from kg.store.memory import MemoryDataset
from kg.store.release_files import carried_files
from kg.store.releases import Releases
from kg.store.rewriting import rewritten
from kg.validation.report import Finding, finding_of_error
from kg.validation.reports.formats import WRITERS
from kg.validation.reports.report import Report, excerpts_of
from kg.validation.reports.report import Unit as Subject

_GRAPH: Final = "urn:x-kg:submitted"
_DERIVED: Final = "urn:x-kg:derived"
_BLANK: Final = re.compile(rb"(^|> )_:([0-9a-f]+)(?= )", re.MULTILINE)
_BODY: Final = Path("body")


@dataclass(frozen=True, slots=True)
class _World:
    """What a submission is checked with: HEAD, its graphs, its checks and its reference data."""

    release: Release
    graphs: Graphs
    checks: Checks
    preparer: Preparer

    def reached_from(self, own: frozenset[str]) -> Reached:
        """The statements of HEAD's reference subjects that triples lead to, save for `own` ones.

        What a submission describes itself is described anew there.
        """
        reference = [
            state.iri
            for state in self.release.graphs
            if state.owner is Owner.DATA and is_reference(state.iri)
        ]
        hidden = {f"<{iri}>".encode() for iri in own}

        def statements(name: bytes) -> Sequence[bytes]:
            return () if name in hidden else self.graphs.statements(name, reference)

        return lambda triples: reached(triples, statements)


def judge(submission: Submission, folder: Path, preparer: Preparer) -> Verdict:
    """The verdict on a submission, by the shapes of HEAD and together with its reference data.

    Raises MalformedData where the document is not of its format, StoreError, RuleError and
    ShapesError.
    """
    release = Releases.open(folder).head()
    world = _World(release, read_release(release), preparer.checks(release), preparer)
    find = _in_source if submission.format == YAML_LD else _in_graph
    text = submission.content.decode(errors="replace")
    findings = _placed(find(submission, world), text, submission.format)
    report = Report(
        findings=findings,
        prefixes=world.checks.prefixes,
        checked=[Subject("submitted", _BODY.as_posix())],
        excerpts=excerpts_of(findings, text),
        shapes_digest=release.shapes_digest,
        release=release.name,
    )
    return Verdict(_written(report, submission.report), report.conforms, release.name)


def _written(report: Report, format: Format) -> bytes:
    if format == N_TRIPLES:
        turtle = WRITERS["turtle"](report).encode()
        return _labelled(rewritten(turtle, TURTLE, N_TRIPLES))
    return WRITERS[format.name](report).encode()


def _labelled(triples: bytes) -> bytes:
    """The same with its blank nodes numbered as they come: the engine labels them by chance."""
    numbers: dict[bytes, int] = {}

    def label(found: re.Match[bytes]) -> bytes:
        return b"%s_:b%d" % (found[1], numbers.setdefault(found[2], len(numbers)))

    return _BLANK.sub(label, triples)


def _placed(findings: Iterable[Finding], text: str, format: Format) -> list[Finding]:
    """The findings, each with a place in the body: the line of its node where that is found."""
    findings = list(findings)
    wanted = {each.focus_node for each in findings if each.place is None}
    places = dict(places_in(text, _BODY, wanted)) if format == TURTLE else {}
    return [
        each if each.place else replace(each, place=places.get(each.focus_node, Place(_BODY)))
        for each in findings
    ]


# --- RDF ----------------------------------------------------------------------------------


def _in_graph(submission: Submission, world: _World) -> list[Finding]:
    given = MemoryDataset()
    given.load(submission.content, submission.format, _GRAPH, base=_GRAPH)
    triples = given.triples(_GRAPH)
    graph = NamedGraph(_GRAPH, triples, Owner.API)
    targets = {"claims": _DERIVED, "derived": _DERIVED}
    findings = _found("submitted", (graph,), targets, lambda unit: unit, world)
    return [replace(each, graph="-") for each in findings]


def _found(
    key: str,
    graphs: tuple[NamedGraph, ...],
    targets: dict[str, str],
    with_places: Callable[[Unit], Unit],
    world: _World,
) -> list[Finding]:
    """What the shapes find in these graphs and in what is derived from them."""
    reached_from = world.reached_from(subjects(graph.triples for graph in graphs))
    reference = reached_from(graph.triples for graph in graphs)
    unit = with_places(Unit(key, graphs, reference, targets, {}))
    unit = derived(unit, world.checks.rules, world.checks.prefixes, reached_from)
    try:
        return unit_findings(unit, world.checks.shapes)
    except ParserError as error:
        problem = "a triple term or a base direction, which the shapes cannot check"
        raise MalformedData("RDF 1.1", problem) from error


# --- sources of articles ------------------------------------------------------------------


def _in_source(submission: Submission, world: _World) -> list[Finding]:
    """What is wrong with the source; where it can be read, what the shapes find in its graphs."""
    context = Context.parse(carried_files(world.release.folder)["context.jsonld"])
    try:
        article = _article(submission.content, context, world)
    except BadSources as error:
        return [finding_of_error(each) for each in error.errors]
    about = NamedGraph(ENTITIES, description(article, context), Owner.DATA)
    graphs = (*article_graphs(article, context), about)
    targets = {name: f"{GRAPH}{name}/{article.key}" for name in ("claims", "derived")}
    places = places_of(article, context)
    return _found(article.key, graphs, targets, lambda unit: replace(unit, places=places), world)


def _article(content: bytes, context: Context, world: _World) -> Article:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise MalformedData("YAML", "it is not UTF-8", line) from error
    try:
        return read_submitted(_BODY, text, context, _declared(world))
    except MalformedFile as error:
        raise _malformed(error) from error


def _malformed(error: KgError) -> MalformedData:
    place = error.place or Place(_BODY)
    problem = error.message.removeprefix("this is not YAML: ")
    return MalformedData("YAML", problem, place.line, place.column)


def _declared(world: _World) -> frozenset[str]:
    """The IRIs that HEAD's reference graphs declare."""
    graphs = (
        world.graphs.triples(state.iri)
        for state in world.release.graphs
        if state.owner is Owner.DATA and is_reference(state.iri)
    )
    return subjects(graphs)
