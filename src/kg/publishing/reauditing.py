"""The findings of the audit after a write: found anew, untouched, or told to be of a release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.namespaces import FINDINGS, SCHEMA
from kg.publishing.audit import audited, check_findings
from kg.publishing.preparation import Checks, Preparer
from kg.publishing.rules_read import Read
from kg.query.findings import AUDITED
from kg.store.base import NamedGraph, Owner, Release
from kg.store.graphs import Graphs, read_release
from kg.store.holding import held
from kg.store.releases import Releases

MOST_QUADS: Final = 100_000
"""Public quads up to which a write waits for the audit; a build does at any size."""
MOST_PAIRS: Final = 100_000
"""As many pairs of statements about the same area: what rules lay side by side grows as these."""
_AREA: Final = b"<http://purl.org/linked-data/sdmx/2009/dimension#refArea>"


@dataclass(frozen=True, slots=True)
class Findings:
    """The graphs of findings that a write replaces, by name, and what they then are."""

    names: frozenset[str] = frozenset()
    graphs: tuple[NamedGraph, ...] = ()


def findings_after(
    changed: Mapping[str, bytes], graphs: Graphs, head: Release, checks: Checks
) -> Findings:
    """The findings once these public graphs of HEAD are so; none of their triples: it is gone.

    All that is public is audited, since a rule may lay any two claims side by side; nothing is
    where nothing changes that a rule reads. Of more than MOST_QUADS or MOST_PAIRS the findings
    stay, and say of which release they are. Raises RuleError.
    """
    lines = _changed_lines(changed, graphs)
    if not checks.audit or not Read.by(
        (each.rule.query for each in checks.audit), checks.prefixes
    ).any_of(lines):
        return Findings()
    if too_many(head, {iri: triples.count(b"\n") for iri, triples in changed.items()}):
        return findings_of(head)
    public = _after(changed, graphs, head)
    if _pairs(public) > MOST_PAIRS:
        return findings_of(head)
    return Findings(_kept(head), found_in(public, checks))


def too_many(head: Release, sizes: Mapping[str, int], gone: Iterable[str] = ()) -> bool:
    """Whether a write does not wait for the audit, once graphs of HEAD have these sizes."""
    known = {state.iri: state.quads for state in head.graphs} | dict(sizes)
    return sum(known.values()) - sum(known.get(iri, 0) for iri in gone) > MOST_QUADS


def found_in(public: Sequence[NamedGraph], checks: Checks) -> tuple[NamedGraph, ...]:
    """What the audit finds in these graphs; raises RuleError."""
    found = audited(public, checks.audit, checks.prefixes)
    check_findings(found, public, checks.shapes)
    return found


def findings_of(head: Release) -> Findings:
    """The findings of HEAD as they are, and that they are of it, or of one before."""
    if AUDITED in _kept(head):
        return Findings()
    told = f'<{FINDINGS}> <{SCHEMA}version> "{head.name}" .\n'
    mark = NamedGraph(AUDITED, told.encode(), Owner.DERIVED)
    return Findings(frozenset({AUDITED}), (mark,))


@dataclass(frozen=True, slots=True)
class Compared:
    """The triples in which a full audit of a release differs from the findings that it has."""

    release: str
    new: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether it does."""
        return bool(self.new or self.gone)


def audited_anew(store: Path) -> Compared:
    """HEAD audited as a whole, and nothing written. Raises StoreError and RuleError."""
    head = Releases.open(store).head()
    with held(head.folder):
        graphs = read_release(head)
        found = found_in(_after({}, graphs, head), Preparer().checks(head))
        before = {line for iri in _kept(head) - {AUDITED} for line in _lines(graphs.triples(iri))}
    after = {line for graph in found for line in _lines(graph.triples)}
    return Compared(head.name, tuple(sorted(after - before)), tuple(sorted(before - after)))


def _lines(triples: bytes) -> list[str]:
    return triples.decode().splitlines()


def _kept(head: Release) -> frozenset[str]:
    return frozenset(state.iri for state in head.graphs if state.iri.startswith(FINDINGS))


def _after(changed: Mapping[str, bytes], graphs: Graphs, head: Release) -> list[NamedGraph]:
    stay = [state for state in head.graphs if state.iri not in changed.keys() | _kept(head)]
    return [
        *(NamedGraph(each.iri, graphs.triples(each.iri), each.owner) for each in stay),
        *(NamedGraph(iri, triples, Owner.API) for iri, triples in changed.items() if triples),
    ]


def _pairs(public: Iterable[NamedGraph]) -> int:
    lines = (line for graph in public for line in graph.triples.splitlines() if _AREA in line)
    areas = Counter(line.split(b" ", 2)[2] for line in lines)
    return sum(count * count for count in areas.values())


def _changed_lines(changed: Mapping[str, bytes], graphs: Graphs) -> Iterable[bytes]:
    for iri, triples in changed.items():
        yield from set(triples.splitlines()) ^ set(graphs.triples(iri).splitlines())
