"""How one release differs from another: the claims added, withdrawn and changed, and the rest."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from kg.errors import TooManyRows
from kg.namespaces import RF
from kg.query.claims import Asking, Claim, Statements, Value, claims_of, property_names, read_claims
from kg.store.base import Release
from kg.store.differences import TouchedGraph
from kg.store.release_files import carried_files

SDMX: Final = "http://purl.org/linked-data/sdmx/2009/"
AREA: Final = SDMX + "dimension#refArea"
VALUE: Final = SDMX + "measure#obsValue"
UNIT: Final = SDMX + "attribute#unitMeasure"
CHAIN: Final = "http://www.w3.org/ns/prov#qualifiedAttribution"
ARTICLE: Final = "http://www.w3.org/ns/prov#wasQuotedFrom"
IDENTIFIER: Final = "http://purl.org/dc/terms/identifier"
TYPE: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
WORDING: Final = RF + "reportedText"
PARAPHRASE: Final = RF + "paraphrase"

_NAMES: Final = {AREA: "area", VALUE: "value", UNIT: "unit", CHAIN: "on whose word", TYPE: "class"}
"""Of properties that the ontology takes from others, and so does not name itself."""
_BOUNDS: Final = (VALUE, RF + "qualifier", RF + "valueStatus")
_VARIABLE: Final = (RF + "cohort", RF + "measure", RF + "baseCohort", UNIT)
_KEY: Final = (*_VARIABLE, AREA, RF + "populationGroup", RF + "refTime")
_FOLLOWS: Final = {
    RF + "lower": _BOUNDS,
    RF + "upper": _BOUNDS,
    RF + "lowerOpen": _BOUNDS,
    RF + "upperOpen": _BOUNDS,
    RF + "boundBasis": _BOUNDS,
    RF + "variable": _VARIABLE,
    RF + "comparisonKey": _KEY,
    RF + "within": (AREA,),
    RF + "possiblyWithin": (AREA,),
    RF + "terminalSource": (CHAIN,),
    RF + "terminalDocument": (CHAIN,),
    RF + "quotedIn": (RF + "anchor",),
    RF + "valueAnchor": (RF + "anchor", WORDING),
    RF + "hedgeAnchor": (RF + "hedge",),
    RF + "stanceAnchor": (RF + "stance",),
    RF + "block": (RF + "anchor",),
    IDENTIFIER: (RF + "anchor",),
    TYPE: (RF + "kind",),
}
"""What changes because one of these does: the rules derive it, or it goes along."""
_IDENTITY: Final = (ARTICLE, RF + "kind", AREA, RF + "populationGroup", *_VARIABLE)
"""What two claims have in common of which one took the other's place."""

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Change:
    """One property of a claim that is another now; an empty side had none.

    It `follows` where another change of the claim explains it.
    """

    property: str
    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    follows: bool = False


@dataclass(frozen=True, slots=True)
class ChangedClaim:
    """A claim that is stated otherwise now. Its IRI may be another, where its place moved."""

    before: Claim
    after: Claim
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class OtherGraph:
    """Quads of a graph that differ, and belong to no claim that is listed."""

    iri: str
    removed: int
    added: int


@dataclass(frozen=True, slots=True)
class Difference:
    """All in which `after` differs from `before`, as far as it is public."""

    before: Release
    after: Release
    added: tuple[Claim, ...]
    withdrawn: tuple[Claim, ...]
    changed: tuple[ChangedClaim, ...]
    others: tuple[OtherGraph, ...]
    files: tuple[tuple[str, str], ...]
    """Files that the releases carry, such as shapes.nt: each added, removed or changed."""
    quads_removed: int
    quads_added: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.quads_added or self.quads_removed or self.files)


@dataclass(slots=True)
class _Found:
    """The claims that may differ, at both releases, and the claims that a node belongs to."""

    before: Mapping[str, Claim]
    after: Mapping[str, Claim]
    nodes: Mapping[str, set[str]] = field(repr=False)


def changes(
    before: Release,
    after: Release,
    touched: Iterable[TouchedGraph],
    asking: Asking,
    *,
    most: int = 2**53,
    report: Report = lambda what, done, of: None,
) -> Difference:
    """What differs between two releases, of which `touched` has the quads.

    Claims are compared by what is stated of them, never by the names of what they lead to: where
    a name alone is another, no claim is. Raises TooManyRows where more than `most` claims may
    differ, EvaluationError and StoreError.
    """
    graphs = tuple(touched)
    found = _found(before, after, graphs, asking, most, report)
    added = [claim for iri, claim in found.after.items() if iri not in found.before]
    withdrawn = [claim for iri, claim in found.before.items() if iri not in found.after]
    pairs = [(claim, found.after[iri]) for iri, claim in found.before.items() if iri in found.after]
    moved = list(_moved(withdrawn, added))
    gone, come = {old.iri for old, _ in moved}, {new.iri for _, new in moved}
    changed = _changed([*pairs, *moved], after, asking)
    listed = {claim.iri for claim in chain(added, withdrawn)}
    listed |= {claim.iri for each in changed for claim in (each.before, each.after)}
    return Difference(
        before=before,
        after=after,
        added=_ordered(claim for claim in added if claim.iri not in come),
        withdrawn=_ordered(claim for claim in withdrawn if claim.iri not in gone),
        changed=changed,
        others=tuple(_others(graphs, found.nodes, listed)),
        files=tuple(_files(before, after)),
        quads_removed=sum(graph.removed for graph in graphs),
        quads_added=sum(graph.added for graph in graphs),
    )


# --- finding ------------------------------------------------------------------------------


def _found(
    before: Release,
    after: Release,
    graphs: Sequence[TouchedGraph],
    asking: Asking,
    most: int,
    report: Report,
) -> _Found:
    subjects = sorted({subject for graph in graphs for subject in graph.subjects})
    nodes: dict[str, set[str]] = defaultdict(set)
    looked = _counter("Subjects", 2 * len(subjects), report)
    for release in (before, after):
        for node, claims in claims_of(subjects, release, asking, looked).items():
            nodes[node] |= claims
    differing = sorted(set[str]().union(*nodes.values()))
    if len(differing) > most:
        raise _too_many(most)
    read = _counter("Claims", 2 * len(differing), report)
    old, new = (read_claims(differing, release, asking, read) for release in (before, after))
    return _Found(old, new, nodes)


def _too_many(most: int) -> TooManyRows:
    error = TooManyRows(most)
    error.message = f"more than {most} claims may differ"
    error.remedy = "Compare releases that are nearer, take the quads (format=quads, patch), or run"
    error.remedy += " kg diff where the store is."
    return error


def _counter(what: str, of: int, report: Report) -> Callable[[int], None]:
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        report(what, done, of)

    return count


def _moved(withdrawn: Iterable[Claim], added: Iterable[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Claims of which one stands in the other's place, without a doubt."""
    old, new = _by_identity(withdrawn), _by_identity(added)
    for key in sorted(old.keys() & new.keys()):
        if len(old[key]) == len(new[key]) == 1:
            yield old[key][0], new[key][0]


def _by_identity(claims: Iterable[Claim]) -> dict[tuple[str, ...], list[Claim]]:
    found = defaultdict(list)
    for claim in claims:
        properties = _IDENTITY if claim.values(WORDING) else (*_IDENTITY, PARAPHRASE)
        key = (str([value.term for value in claim.values(each)]) for each in properties)
        found[tuple(key)].append(claim)
    return dict(found)


def _ordered(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    return tuple(sorted(claims, key=_order))


def _order(claim: Claim) -> tuple[str, ...]:
    names = (claim.text(property) for property in (RF + "kind", AREA, RF + "cohort", PARAPHRASE))
    return (claim.source.publisher, claim.source.published, *names, claim.iri)


# --- comparing ----------------------------------------------------------------------------


def _changed(
    pairs: Iterable[tuple[Claim, Claim]], release: Release, asking: Asking
) -> tuple[ChangedClaim, ...]:
    differing = [(old, new, _properties(old, new)) for old, new in pairs]
    differing = [each for each in differing if each[2]]
    iris = {iri for *_, properties in differing for iri in properties}
    iris |= {iri for old, new, _ in differing for step in (*old.steps, *new.steps) for iri in step}
    names = (property_names(iris, release, asking) | _NAMES) if differing else {}
    made = (
        ChangedClaim(
            old, new, tuple(_change(old, new, iri, properties, names) for iri in properties)
        )
        for old, new, properties in differing
    )
    return tuple(sorted(made, key=lambda each: _order(each.after)))


def _properties(old: Claim, new: Claim) -> list[str]:
    """The properties that are not the same; attributions count by what is stated of them."""
    known = (old.statements.keys() | new.statements.keys()) - {CHAIN}
    differing = sorted(iri for iri in known if old.values(iri) != new.values(iri))
    if IDENTIFIER in differing and len(differing) > 1 and old.iri != new.iri:
        differing.remove(IDENTIFIER)
    return [*differing, CHAIN] if old.steps != new.steps else differing


def _change(
    old: Claim, new: Claim, iri: str, changed: Sequence[str], names: Mapping[str, str]
) -> Change:
    if iri == CHAIN:
        same = _same_steps(old.steps, new.steps)
        before, after = chain_told(old.steps[same:]), chain_told(new.steps[same:])
        if before == after:
            before, after = _told_apart(old.steps, new.steps, names)
    else:
        before, after = _texts(old.values(iri)), _texts(new.values(iri))
        if before == after:  # two things of one name
            before, after = _terms(old.values(iri)), _terms(new.values(iri))
    follows = any(cause in changed for cause in _FOLLOWS.get(iri, ())) or _is_the_wording(
        old, new, iri, changed
    )
    return Change(iri, names[iri], before, after, follows)


def _is_the_wording(old: Claim, new: Claim, iri: str, changed: Sequence[str]) -> bool:
    """Whether it is the number that the wording, which changed, has in digits."""
    if iri != VALUE or WORDING not in changed:
        return False
    return all(digits(claim.text(WORDING)) == digits(claim.text(VALUE)) for claim in (old, new))


def digits(text: str) -> str:
    """The digits in a text, whatever separates them."""
    return re.sub(r"\D", "", text)


def _texts(values: Iterable[Value]) -> tuple[str, ...]:
    return tuple(sorted(value.text for value in values))


def _terms(values: Iterable[Value]) -> tuple[str, ...]:
    return tuple(value.term for value in values)


def chain_told(steps: Iterable[Statements]) -> tuple[str, ...]:
    """An attribution chain, its steps as people read them: the agent, what in, and how known."""
    return tuple(_step_told(step) for step in steps)


def _step_told(step: Statements) -> str:
    agent, via, basis = (
        ", ".join(_texts(step.get(iri, ())))
        for iri in ("http://www.w3.org/ns/prov#agent", RF + "via", RF + "basis")
    )
    known = ", ".join(part for part in (f"in {via}" if via else "", basis) if part)
    return f"{agent or 'somebody'} ({known})" if known else agent or "somebody"


def _same_steps(old: Sequence[Statements], new: Sequence[Statements]) -> int:
    """How many steps both chains begin with, the last of either not counted."""
    pairs = enumerate(zip(old, new, strict=False))
    most = max(min(len(old), len(new)) - 1, 0)
    return next((at for at, (one, other) in pairs if one != other or at == most), 0)


def _told_apart(
    old: Sequence[Statements], new: Sequence[Statements], names: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What differs in chains of the same agents: cues, say."""
    sides: tuple[list[str], list[str]] = ([], [])
    for number, (one, other) in enumerate(zip(old, new, strict=True)):
        for iri in sorted(one.keys() | other.keys()):
            values = one.get(iri, ()), other.get(iri, ())
            if values[0] != values[1]:
                same = _texts(values[0]) == _texts(values[1])
                for side, side_values in zip(sides, values, strict=True):
                    told = ", ".join((_terms if same else _texts)(side_values)) or "none"
                    side.append(f"step {number}, {names[iri]}: {told}")
    return tuple(sides[0]), tuple(sides[1])


# --- the rest -----------------------------------------------------------------------------


def _others(
    graphs: Iterable[TouchedGraph], nodes: Mapping[str, set[str]], listed: set[str]
) -> Iterator[OtherGraph]:
    for graph in graphs:
        own = [counts for node, counts in graph.subjects.items() if nodes.get(node, set()) & listed]
        removed = max(graph.removed - sum(counts[0] for counts in own), 0)
        added = max(graph.added - sum(counts[1] for counts in own), 0)
        if removed or added:
            yield OtherGraph(graph.iri, removed, added)


def _files(before: Release, after: Release) -> Iterator[tuple[str, str]]:
    old, new = carried_files(before.folder), carried_files(after.folder)
    for path in sorted(old.keys() | new.keys()):
        if path not in old:
            yield path, "added"
        elif path not in new:
            yield path, "removed"
        elif old[path] != new[path]:
            yield path, "changed"
