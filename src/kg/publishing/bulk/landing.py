"""The end of a bulk publish: what may not land beside other things is set aside, the rest lands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from kg.errors import KgError, SetAside
from kg.namespaces import GRAPH
from kg.publishing.bulk.basis import basis_of
from kg.publishing.bulk.inputs import Input
from kg.publishing.bulk.journal import Journal
from kg.publishing.bulk.quarantine import ASIDE, move_to, put_file, put_graphs
from kg.publishing.bulk.units import Refused, fingerprint, graphs_of, is_derived
from kg.publishing.preparation import Preparer, carries_audit
from kg.publishing.reauditing import Findings, findings_after, findings_of, too_many
from kg.publishing.staging import Progress, subjects
from kg.settings import Settings
from kg.store.base import Commit, GraphState, Owner, Release, SpooledGraph
from kg.store.commits import Writing, writing
from kg.store.release_files import carried_files
from kg.store.retention import Policy, retained_events

_WAIT_SECONDS: Final = 60.0
"""How long the end of so much work waits for another write to end."""
_SENSITIVE: Final = GRAPH + "sensitive/"
_UNCHECKED: Final = "unchecked: the gate was off"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Landing:
    """What is to land, and how; `basis` is what it was checked with."""

    store: Path
    job: Path
    inputs: Sequence[Input]
    basis: str
    gate: bool
    strict: bool
    replace: bool
    quarantine: Path
    who: str
    message: str


@dataclass(frozen=True, slots=True)
class Landed:
    """What a bulk publish came to; `release` is None where nothing differs from HEAD."""

    release: Release | None
    units: int
    quads: int
    aside: int
    quarantine: Path
    notes: tuple[str, ...]


def land(
    landing: Landing,
    journal: Journal,
    settings: Settings,
    *,
    now: Callable[[], datetime],
    progress: Progress,
) -> Landed:
    """Commit what nothing is wrong with; what is wrong is in the quarantine before.

    Nobody else writes meanwhile. Raises SetAside, StoreBusy, KgError where HEAD has other shapes
    or reference data than the units were checked with, and CommitFailed.
    """
    with writing(landing.store, wait=_WAIT_SECONDS) as held:
        head = held.head
        if head is None or basis_of(head) != landing.basis:
            raise KgError(
                "the shapes, rules or reference data of the store have changed meanwhile",
                remedy="Run the command again: everything is checked anew.",
            )
        late = _Conflicts(landing, journal, held, head).found()
        aside = _quarantined(landing, journal, late)
        if aside and landing.strict:
            raise SetAside(aside, landing.quarantine)
        spooled = tuple(graph for _, graph in journal.graphs())
        units = sum(1 for _ in journal.units())
        replaced = _replaced(landing, journal, held)
        found = _findings(landing, held, head, spooled, replaced)
        change = Commit(
            graphs=found.graphs,
            spooled=spooled,
            owners=frozenset(),
            names=found.names.union(replaced),
            who=landing.who,
            message=_message(landing, units),
            shapes_digest=head.shapes_digest,
            files=carried_files(head.folder),
        )
        release = held.commit(change, now=now(), progress=progress)
        if release:
            policy = Policy(settings.keep_releases, settings.keep_days)
            for level, line in retained_events(landing.store, policy, now=now()):
                _log.log(level, line)
    return Landed(
        release=release,
        units=units,
        quads=sum(graph.state.quads for graph in spooled),
        aside=aside,
        quarantine=landing.quarantine,
        notes=(*journal.notes(), *_kept(landing, journal)),
    )


def _findings(
    landing: Landing,
    held: Writing,
    head: Release,
    spooled: Sequence[SpooledGraph],
    replaced: Iterable[str],
) -> Findings:
    """What the audit finds then; nothing is audited that the gate did not look at."""
    before = {state.iri: state for state in head.graphs}
    public = {each.state.iri: each for each in spooled if not each.restricted}
    gone = {iri for iri in replaced if iri in before and iri not in public}
    new = {
        iri: each
        for iri, each in public.items()
        if iri not in before or before[iri].digest != each.state.digest
    }
    if not gone and not new:
        return Findings()
    if not landing.gate or too_many(head, {iri: it.state.quads for iri, it in new.items()}, gone):
        return findings_of(head) if carries_audit(head) else Findings()
    changed = dict.fromkeys(gone, b"") | {iri: _content(each) for iri, each in new.items()}
    with held.graphs() as graphs:
        return findings_after(changed, graphs, head, Preparer().checks(head))


def _message(landing: Landing, units: int) -> str:
    message = landing.message or f"{units} published from {len(landing.inputs)} files"
    return message if landing.gate else f"{message} ({_UNCHECKED})"


def _replaced(landing: Landing, journal: Journal, held: Writing) -> set[str]:
    """The graphs that were published before and are taken out, or given anew.

    What a unit had that is set aside now stays as it was. Where it is not known which unit that
    is, all stays that is not given anew.
    """
    if landing.replace and _all_named(journal):
        kept = {graph for unit, _, _ in journal.aside() for graph in graphs_of(unit)}
        return {iri for iri in held.published() if iri not in kept}
    names = set[str]()
    for _, unit, source in journal.units():
        # A dump has no restricted graphs, and does not say that there are none.
        whole = source.endswith(".yaml")
        names.update(it for it in graphs_of(unit) if whole or not it.startswith(_SENSITIVE))
    return {graph for graph in names if held.owner(graph) is Owner.PUBLISHED}


def _all_named(journal: Journal) -> bool:
    """Whether everything that is set aside says which units it has."""
    return not journal.refused() and all(name for name, _, _ in journal.aside())


def _kept(landing: Landing, journal: Journal) -> Iterator[str]:
    if landing.replace and not _all_named(journal):
        yield (
            "nothing was taken out, in spite of --replace: a file that cannot be read does not say"
            " what it has; mend it, and run the command again"
        )


# --- what goes against what ---------------------------------------------------------------


class _Conflicts:
    """Units that may not land beside others, or beside what stays in the store."""

    def __init__(self, landing: Landing, journal: Journal, held: Writing, head: Release) -> None:
        self._landing, self._journal = landing, journal
        self._held, self._head = held, head
        self._late: dict[int, str] = {}

    def found(self) -> dict[int, str]:
        """Why each of those units is set aside, which they then are in the journal, too."""
        self._journal.forgive()
        self._owned_by_others()
        self._given_twice()
        self._described_twice()
        if self._landing.gate:
            self._described_in_what_is_new()
            self._described_in_what_stays()
        return self._late

    def _refuse(self, unit: int, reason: str) -> None:
        if unit not in self._late:
            self._late[unit] = reason
            self._journal.set_aside(unit, reason)

    def _owned_by_others(self) -> None:
        owners = (
            (unit, graph.state.iri, self._held.owner(graph.state.iri))
            for unit, graph in self._journal.graphs()
        )
        others = [each for each in owners if each[2] not in (None, Owner.PUBLISHED)]
        for unit, iri, owner in others:
            self._refuse(unit, f"<{iri}> belongs to {owner.value if owner else 'nobody'}")

    def _given_twice(self) -> None:
        first: dict[str, int] = {}
        for unit, graph in self._journal.shared_graphs():
            other = first.setdefault(graph, unit) if unit not in self._late else unit
            if other != unit:
                self._refuse(unit, f"<{graph}> is given by {self._journal.source(other)} already")

    def _described_twice(self) -> None:
        rows: dict[int, list[int]] = {}
        for unit, subject in self._journal.shared_subjects():
            rows.setdefault(unit, []).append(subject)
        first: dict[int, int] = {}
        for unit, shared in rows.items():
            others = [first[subject] for subject in shared if subject in first]
            if others:
                named = self._subject(unit, set(shared) & first.keys())
                self._refuse(
                    unit, f"{named} is described by {self._journal.name(others[0])} already"
                )
            else:
                first |= dict.fromkeys(shared, unit)

    def _subject(self, unit: int, shared: Iterable[int]) -> str:
        """The first of the subjects of a unit that are shared."""
        shared = set(shared)
        for _, graph in self._journal.graphs(unit):
            for subject in sorted(subjects([_content(graph)])):
                if fingerprint(subject) in shared:
                    return f"<{subject}>"
        return "something"

    def _described_in_what_is_new(self) -> None:
        """What HEAD got since the units were looked at."""
        if self._journal.fact("head") == self._head.name:
            return
        with self._held.graphs() as graphs:
            for state in self._head.graphs:
                if self._is_new(state):
                    for subject in subjects([graphs.triples(state.iri)]):
                        for unit in self._journal.describing(fingerprint(subject)):
                            if state.iri not in graphs_of(self._journal.name(unit)):
                                self._refuse(unit, _foreign(subject, state.iri))

    def _is_new(self, state: GraphState) -> bool:
        if state.owner is Owner.DERIVED or is_derived(state.iri):
            return False
        return self._journal.digest_then(state.iri) != state.digest

    def _described_in_what_stays(self) -> None:
        rows = self._journal.elsewhere()
        while True:
            replaced = _replaced(self._landing, self._journal, self._held)
            refused = [
                (unit, graph, subject)
                for unit, graph, subject in rows
                if unit not in self._late
                and graph not in replaced
                and self._held.owner(graph) is not None
            ]
            if not refused:
                return
            for unit, graph, subject in refused:
                self._refuse(unit, _foreign(subject, graph))


def _foreign(subject: str, graph: str) -> str:
    return (
        f"<{subject}> is described in <{graph}>, which stays as it is; say what you have to say"
        " of an IRI of your own"
    )


def _content(graph: SpooledGraph) -> bytes:
    with graph.file.open("rb") as source:
        source.seek(graph.offset)
        return source.read(graph.length)


# --- what is set aside --------------------------------------------------------------------


def _quarantined(landing: Landing, journal: Journal, late: dict[int, str]) -> int:
    """Put everything that is set aside where people look for it; how much that is."""
    refused = journal.refused()
    names = {unit: (journal.name(unit), journal.source(unit)) for unit in late}
    count = len(refused) + sum(1 for _ in journal.aside())
    if not count:
        return 0
    landing.quarantine.mkdir(parents=True, exist_ok=True, mode=0o700)
    move_to(landing.quarantine, landing.job / ASIDE)
    files = {each.number: each.file for each in landing.inputs}
    for number, reason in refused.items():
        put_file(landing.quarantine, files[number], Refused((reason,)))
    for unit, reason in late.items():
        name, source = names[unit]
        graphs = [graph for _, graph in journal.graphs(unit) if not is_derived(graph.state.iri)]
        if source.endswith(".yaml"):
            put_file(landing.quarantine, Path(source), Refused((reason,)))
        else:
            put_graphs(landing.quarantine, name, source, graphs, Refused((reason,)))
    return count
