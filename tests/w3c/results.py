"""Answers to queries, read from every form the suite has them in, and compared as SPARQL says.

The engine holds numbers, booleans and times in their canonical form (`1.0` comes back as `1`). So
both sides are compared as the engine holds them: what its own run of the suite does. Nothing else
is normalised: a wrong value, datatype or language tag differs.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    Literal,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    Store,
    Triple,
    parse_query_results,
)

from w3c.manifests import Resource, graph_of, path_of, quads_of, resources_of

Value = NamedNode | BlankNode | Literal | Triple | str
"""A term; in CSV, which has no terms, a cell that is no blank node is a string."""
Solution = Mapping[str, Value]
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_ANY: Final = NamedNode("urn:x-w3c:any")
_Renaming = Mapping[BlankNode, BlankNode]


@dataclass(frozen=True, slots=True)
class Solutions:
    """The answer to SELECT; `ordered` where the order of the solutions is expected."""

    variables: frozenset[str]
    rows: tuple[Solution, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """The answer to CONSTRUCT and DESCRIBE."""

    quads: frozenset[Quad]


Result = Solutions | Graph | bool


def expected_result(iri: str) -> Result:
    """What a file of the suite says, in any of the formats of results, as rs:, or as a graph."""
    content = path_of(iri).read_bytes()
    match iri.rpartition(".")[2]:
        case "srx":
            return read_results(content, QueryResultsFormat.XML)
        case "srj":
            return read_results(content, QueryResultsFormat.JSON)
        case "tsv":
            return read_results(content, QueryResultsFormat.TSV)
        case "csv":
            return read_csv(content)
    sets = resources_of(graph_of(iri), "rs:ResultSet")
    return _result_set(sets[0]) if sets else Graph(frozenset(quads_of(iri)))


def read_results(content: bytes, kind: QueryResultsFormat) -> Solutions | bool:
    """The solutions or the boolean of a document."""
    results = parse_query_results(content, kind)
    if isinstance(results, QueryBoolean):
        return bool(results)
    names = [variable.value for variable in results.variables]
    rows = tuple(
        {name: term for name, term in zip(names, solution, strict=True) if term is not None}
        for solution in results
    )
    return Solutions(frozenset(names), rows)


def read_csv(content: bytes) -> Solutions:
    """The solutions of a document that does not tell terms apart (section 3 of its standard)."""
    names, *lines = csv.reader(io.StringIO(content.decode(), newline=""))
    rows = tuple(
        {name: _cell(cell) for name, cell in zip(names, line, strict=True) if cell}
        for line in lines
    )
    return Solutions(frozenset(names), rows)


def _cell(cell: str) -> Value:
    """A blank node or a string; numbers in one spelling, as the engine has one for each."""
    if cell.startswith("_:"):
        return BlankNode(cell.removeprefix("_:"))
    return repr(float(cell)) if _NUMBER.fullmatch(cell) else cell


def _result_set(described: Resource) -> Solutions | bool:
    if boolean := described.maybe("rs:boolean"):
        return boolean.text == "true"
    solutions = described.all("rs:solution")
    ordered = bool(solutions) and all(solution.all("rs:index") for solution in solutions)
    if ordered:
        solutions.sort(key=lambda solution: int(solution.one("rs:index").text))
    return Solutions(
        frozenset(variable.text for variable in described.all("rs:resultVariable")),
        tuple(_bindings(solution) for solution in solutions),
        ordered,
    )


def _bindings(solution: Resource) -> Solution:
    bindings = solution.all("rs:binding")
    return {each.one("rs:variable").text: each.one("rs:value").node for each in bindings}


# --- comparison ---------------------------------------------------------------------------


def same(expected: Result, actual: Result, *, lax: bool = False) -> bool:
    """Whether two answers are one up to the names of blank nodes."""
    expected, actual = _as_held(expected), _as_held(actual)
    if isinstance(expected, Solutions) and isinstance(actual, Solutions):
        return expected.variables == actual.variables and _same_rows(expected, actual, lax)
    if isinstance(expected, Graph) and isinstance(actual, Graph):
        return same_dataset(expected.quads, actual.quads)
    return type(expected) is type(actual) and expected == actual


def _as_held(result: Result) -> Result:
    if isinstance(result, Solutions):
        rows = ({name: _held(value) for name, value in row.items()} for row in result.rows)
        return replace(result, rows=tuple(rows))
    if isinstance(result, Graph):
        return Graph(frozenset(_held_quad(quad) for quad in result.quads))
    return result


def _held_quad(quad: Quad) -> Quad:
    store = Store()
    store.add(quad)
    held: list[Quad] = list(store)
    return held[0]


def _held(value: Value) -> Value:
    if isinstance(value, str | NamedNode | BlankNode):
        return value
    return _held_quad(Quad(_ANY, _ANY, value)).object


def same_dataset(expected: Iterable[Quad], actual: Iterable[Quad]) -> bool:
    """Isomorphism (RDF 1.1 Concepts, 3.6 and 4.1)."""
    return _canonical(expected) == _canonical(actual)


def _canonical(quads: Iterable[Quad]) -> Dataset:
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.UNSTABLE)
    return dataset


def _same_rows(expected: Solutions, actual: Solutions, lax: bool) -> bool:
    if lax:
        most, met = (Counter(map(_key, each.rows)) for each in (expected, actual))
        return most.keys() == met.keys() and met <= most
    if len(expected.rows) != len(actual.rows):
        return False
    if expected.ordered:
        pairs = zip(expected.rows, actual.rows, strict=True)
        return all(one.keys() == other.keys() for one, other in pairs) and (
            _of_all(_cells(expected.rows, actual.rows), {}) is not None
        )
    plain = [[row for row in each.rows if not _has_blank(row)] for each in (expected, actual)]
    blank = [[row for row in each.rows if _has_blank(row)] for each in (expected, actual)]
    same_plain = Counter(map(_key, plain[0])) == Counter(map(_key, plain[1]))
    return same_plain and _assigns(blank[0], blank[1], {})


def _cells(
    expected: Sequence[Solution], actual: Sequence[Solution]
) -> Iterator[tuple[Value, Value]]:
    for wanted, met in zip(expected, actual, strict=True):
        yield from ((wanted[name], met[name]) for name in wanted)


def _key(row: Solution) -> frozenset[tuple[str, Value]]:
    return frozenset(row.items())


def _has_blank(row: Solution) -> bool:
    return any(map(_is_blank, row.values()))


def _is_blank(value: Value) -> bool:
    if isinstance(value, Triple):
        return any(map(_is_blank, value))
    return isinstance(value, BlankNode)


def _assigns(expected: Sequence[Solution], actual: Sequence[Solution], names: _Renaming) -> bool:
    """Whether one renaming makes these rows those, found by trying: the suite's are few."""
    if not expected:
        return not actual
    for position, candidate in enumerate(actual):
        renaming = _of_rows(expected[0], candidate, names)
        rest = [*actual[:position], *actual[position + 1 :]]
        if renaming is not None and _assigns(expected[1:], rest, renaming):
            return True
    return False


def _of_rows(wanted: Solution, met: Solution, names: _Renaming) -> _Renaming | None:
    if wanted.keys() != met.keys():
        return None
    return _of_all(((wanted[name], met[name]) for name in wanted), names)


def _of_all(pairs: Iterable[tuple[Value, Value]], names: _Renaming) -> _Renaming | None:
    """The renaming, with what these terms add to it; None where a pair cannot be the same."""
    for wanted, met in pairs:
        added = _of_terms(wanted, met, names)
        if added is None:
            return None
        names = added
    return names


def _of_terms(wanted: Value, met: Value, names: _Renaming) -> _Renaming | None:
    if isinstance(wanted, BlankNode) and isinstance(met, BlankNode):
        if wanted in names or met in names.values():
            return names if names.get(wanted) == met else None
        return {**names, wanted: met}
    if isinstance(wanted, Triple) and isinstance(met, Triple):
        return _of_all(zip(wanted, met, strict=True), names)
    return names if wanted == met else None
