"""How many articles a second go through staging, rules and shapes: our own, one table.

Run it from the checkout: `python benchmarks/gate.py`.
"""

from __future__ import annotations

import platform
import time
from pathlib import Path

from kg.context import Context
from kg.namespaces import USUAL_PREFIXES
from kg.project import Project
from kg.publishing.derivation import derive, read_rules
from kg.publishing.gate import findings
from kg.publishing.publish import silent
from kg.publishing.staging import Reference, Staged, stage
from kg.validation.conformance import Shapes

PROJECT = Project.at(Path(__file__).parents[1])


def main() -> None:
    print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}")
    shapes = Shapes.read(PROJECT.shapes())
    prefixes = USUAL_PREFIXES | dict(Context.read(PROJECT.context).prefixes)
    began = time.perf_counter()
    staged = stage(PROJECT, [], silent)
    read = time.perf_counter()
    derived = derive(staged, read_rules(PROJECT.rules()), prefixes, silent)
    done = time.perf_counter()
    print(f"read {len(staged.units)} articles and the reference data: {read - began:.2f} s")
    print(f"derive: {done - read:.2f} s\n")
    print(f"{'article':<20}{'triples':>9}{'gate':>10}{'articles/s':>12}{'triples/s':>11}")
    for unit in derived.units:
        # An empty reference, so that only the article's own nodes are timed.
        alone = Staged(Reference({}), (unit,))
        start = time.perf_counter()
        assert findings(alone, shapes, silent) == []
        seconds = time.perf_counter() - start
        triples = sum(graph.triples.count(b"\n") for graph in unit.graphs)
        print(
            f"{unit.key:<20}{triples:>9}{seconds:>8.2f} s{1 / seconds:>12.1f}"
            f"{triples / seconds:>11.0f}"
        )


if __name__ == "__main__":
    main()
