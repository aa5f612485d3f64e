"""Deriving: the rules of the project run over each article's graphs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kg.errors import EvaluationFailed, Place, QuerySyntax, RuleError
from kg.files import read_text
from kg.publishing.staging import Progress, Staged, Unit
from kg.query.inspection import remotes
from kg.query.lexer import place
from kg.store.base import NamedGraph, Owner
from kg.store.memory import MemoryDataset

Reached = Callable[[Iterable[bytes]], bytes]
"""The statements of every reference subject that these N-Triples lead to."""

_REFERENCE: Final = "urn:x-kg:reference"
_TARGET: Final = re.compile(r"^# into: (claims|derived)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rule:
    """A CONSTRUCT query, and the graph of the article into which its triples go."""

    file: Path
    query: str
    target: str


def read_rules(files: Iterable[Path]) -> list[Rule]:
    """The rules in these files, those into `claims` first, else in their order.

    What goes to `derived` may so rest on what is materialised beside the claims. Raises
    RuleError for a rule without a target.
    """
    return ordered(read_rule(file, read_text(file, "it is a rule")) for file in files)


def ordered(rules: Iterable[Rule]) -> list[Rule]:
    """The rules as they are run: see `read_rules`."""
    return sorted(rules, key=lambda rule: rule.target != "claims")


def read_rule(file: Path, query: str) -> Rule:
    """The rule of this text; the file is what errors name. Raises RuleError."""
    check_calls(file, query)
    target = _TARGET.search(query)
    if not target:
        raise RuleError(
            "the rule does not say where its triples go",
            remedy="Write “# into: claims” or “# into: derived” on a line above the query.",
            place=Place(file, 1),
        )
    return Rule(file, query, target.group(1))


def check_calls(file: Path, query: str) -> None:
    """Raise RuleError for a rule that names a server: the engine would call it."""
    try:
        remote = next(iter(remotes(query)), None)
    except QuerySyntax as error:
        raise _unusable(file, error) from error
    if remote:
        raise RuleError(
            f"{remote.keyword} {remote.target} would call another server",
            remedy="A rule rests on the project alone: put what it needs into data/reference/.",
            place=Place(file, *place(query, remote.start)),
        )


def _unusable(file: Path, error: QuerySyntax) -> RuleError:
    where = Place(file, error.line, error.column)
    return RuleError(f"the rule cannot be run: {error.message}", place=where)


def derive(
    staged: Staged, rules: Sequence[Rule], prefixes: Mapping[str, str], progress: Progress
) -> Staged:
    """The staged project with what the rules add to it. Raises RuleError."""
    units = []
    for number, unit in enumerate(staged.units, start=1):
        units.append(derived(unit, rules, prefixes, staged.reference.reached_from))
        progress("articles derived", number, len(staged.units))
    return replace(staged, units=tuple(units))


def derived(
    unit: Unit, rules: Sequence[Rule], prefixes: Mapping[str, str], reached_from: Reached
) -> Unit:
    """The unit with what the rules add to it. Raises RuleError."""
    graphs = _derived(unit, rules, prefixes)
    # What is derived may refer to more than what it is derived from.
    reference = reached_from(graph.triples for graph in graphs)
    return replace(unit, graphs=graphs, reference=reference)


def _derived(
    unit: Unit, rules: Sequence[Rule], prefixes: Mapping[str, str]
) -> tuple[NamedGraph, ...]:
    """The unit's graphs and what is derived; a rule sees what the rules before it have added.

    Restricted graphs are not shown to rules, since what is derived is public.
    """
    dataset = MemoryDataset()
    dataset.add(_REFERENCE, unit.reference)
    for graph in unit.graphs:
        if not graph.restricted:
            dataset.add(graph.iri, graph.triples)
    for rule in rules:
        dataset.add(unit.targets[rule.target], constructed(rule, dataset, prefixes))
    return _merged(unit, dataset)


def constructed(rule: Rule, dataset: MemoryDataset, prefixes: Mapping[str, str]) -> bytes:
    """The N-Triples that the rule makes of the dataset; raises RuleError."""
    try:
        return dataset.construct(rule.query, prefixes)
    except QuerySyntax as error:
        raise _unusable(rule.file, error) from error
    except EvaluationFailed as error:
        raise RuleError(error.message, place=Place(rule.file)) from error


def _merged(unit: Unit, dataset: MemoryDataset) -> tuple[NamedGraph, ...]:
    owners = {graph.iri: graph.owner for graph in unit.graphs}
    public = (
        NamedGraph(iri, dataset.triples(iri), owners.get(iri, Owner.DERIVED))
        for iri in dataset.graph_names()
        if iri != _REFERENCE
    )
    restricted = (graph for graph in unit.graphs if graph.restricted)
    return (*public, *restricted)
