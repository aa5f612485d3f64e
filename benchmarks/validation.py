"""Articles a second and core through the shapes: pyshacl as it comes, ours, and the fast engine.

Run it from the checkout: `PYTHONPATH=tests python benchmarks/validation.py [articles]`. Rates are
per second of processor time, so that what else runs on the machine counts less.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from generated_articles import FAULTY, Generated, articles
from kg.context import Context
from kg.errors import EngineRefused
from kg.namespaces import USUAL_PREFIXES
from kg.project import Project
from kg.publishing.derivation import read_rules
from kg.publishing.gate import judged, validated
from kg.publishing.publish import silent
from kg.publishing.staging import Reference, Staged, stage
from kg.validation.conformance import Shapes
from kg.validation.memory import read_graph
from plain_pyshacl import plain_results

PROJECT = Project.at(Path(__file__).parents[1])
PLAIN = 4
"""Articles for pyshacl as it comes, which takes a second or more for each."""


def main(count: int) -> None:
    print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}")
    staged = stage(PROJECT, [], silent)
    prefixes = USUAL_PREFIXES | dict(Context.read(PROJECT.context).prefixes)
    made = list(articles(count, staged.reference, read_rules(PROJECT.rules()), prefixes))
    triples = sum(graph.triples.count(b"\n") for each in made for graph in each.unit.graphs)
    faulty = sum(bool(each.fault) for each in made)
    print(f"{count} articles of {triples / count:.0f} triples, {faulty} faulty ({FAULTY:.0%})\n")
    print(f"{'':<36}{'articles/s/core':>16}{'of plain':>12}{'wrong':>8}")
    shapes = Shapes.read(PROJECT.shapes())
    plain = rate("pyshacl.validate", made[:PLAIN], lambda each: by_pyshacl(each, shapes), None)
    rate("authority", made, lambda each: ours(each, shapes), plain)
    fast(made, plain)
    scaling(made, shapes)


def rate(
    name: str, made: Sequence[Generated], faulty: Callable[[Generated], bool], plain: float | None
) -> float:
    """Articles a second of processor time, printed with the verdicts that are wrong."""
    start = time.process_time()
    wrong = sum(faulty(each) != bool(each.fault) for each in made)
    reached = len(made) / (time.process_time() - start)
    times = f"{reached / plain:.0f} times" if plain else ""
    print(f"{name:<36}{reached:>16.2f}{times:>12}{wrong:>8}")
    return reached


def by_pyshacl(each: Generated, shapes: Shapes) -> bool:
    """Whether pyshacl finds fault, with rdflib's own evaluation of queries."""
    documents = [graph.triples for graph in each.unit.graphs]
    return bool(plain_results(read_graph(*documents, each.unit.reference), shapes.graph))


def ours(each: Generated, shapes: Shapes) -> bool:
    """Whether the gate finds fault."""
    documents = [graph.triples for graph in each.unit.graphs]
    return bool(validated(documents, [each.unit.reference], shapes).findings)


def fast(made: Sequence[Generated], plain: float) -> None:
    """The fast engine, with pyshacl for what it does not accept and for the sample."""
    shapes = Shapes.read(PROJECT.shapes())
    try:
        shapes.accelerate(0.01)
    except EngineRefused as error:
        print(f"fast: {error}")
        return
    engine = shapes.accelerated
    assert engine is not None
    rate("fast, accepting what conforms", made, lambda each: not engine.accepts(_all(each)), plain)
    rate("fast, pyshacl for the rest and 1 %", made, lambda each: ours(each, shapes), plain)


def _all(each: Generated) -> list[bytes]:
    return [*(graph.triples for graph in each.unit.graphs), each.unit.reference]


def scaling(made: Sequence[Generated], shapes: Shapes) -> None:
    """One process and two, in seconds of the clock: the start of the processes is in it."""
    staged = Staged(Reference({}), tuple(each.unit for each in made))
    seconds = []
    for processes in (1, 2):
        start = time.perf_counter()
        found = judged(staged, shapes, silent, processes=processes)
        seconds.append(time.perf_counter() - start)
        assert found.checked == len(made) + 1
    print(
        f"\n{len(made)} articles by the authority: {seconds[0]:.1f} s in one process,"
        f" {seconds[1]:.1f} s in two ({seconds[0] / seconds[1]:.2f} times)"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
