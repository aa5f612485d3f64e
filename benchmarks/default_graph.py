"""Two ways to give queries the union of the named graphs, compared on one million quads.

`python benchmarks/default_graph.py [QUADS]` prints a table: the union kept as quads of the
engine's default graph, which is what `kg` does, against the engine's own union flag.
"""

from __future__ import annotations

import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pyoxigraph import QueryResultsFormat, QuerySolutions, RdfFormat, Store

GRAPHS = 200
SHARED = 20  # one claim in so many is in two graphs
QUERIES = {
    "point": "SELECT ?p ?o { <http://ex/c/7/77> ?p ?o }",
    "star join": "SELECT ?v { ?c <http://ex/area> <http://ex/area/7> ; <http://ex/value> ?v }",
    "count": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    "group by": "SELECT ?a (SUM(?v) AS ?n) { ?c <http://ex/area> ?a ; <http://ex/value> ?v }"
    " GROUP BY ?a",
}


def main(quads: int) -> None:
    graphs = [claims(number, quads // GRAPHS // 5) for number in range(GRAPHS)]
    with tempfile.TemporaryDirectory() as folder:
        flag = measured(Path(folder) / "flag", graphs, union_flag=True)
        kept = measured(Path(folder) / "kept", graphs, union_flag=False)
    print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}")
    print(f"{quads} quads in {GRAPHS} graphs\n\n{'':24}{'engine flag':>14}{'kept as quads':>14}")
    for name, value in flag.items():
        print(f"{name:24}{value:>14}{kept[name]:>14}")


def claims(graph: int, count: int) -> list[str]:
    """The triples of one graph; it repeats every `SHARED`-th claim of the graph before it."""
    own = [claim(graph, number) for number in range(count)]
    repeated = [claim((graph - 1) % GRAPHS, number) for number in range(0, count, SHARED)]
    return [line for lines in own + repeated for line in lines]


def claim(graph: int, number: int) -> list[str]:
    node = f"<http://ex/c/{graph}/{number}>"
    value = (graph * 7919 + number * 104729) % 10_000
    return [
        f"{node} <http://ex/type> <http://ex/Figure> .\n",
        f"{node} <http://ex/area> <http://ex/area/{value % 200}> .\n",
        f"{node} <http://ex/cohort> <http://ex/cohort/{value % 50}> .\n",
        f'{node} <http://ex/value> "{value}"^^<http://www.w3.org/2001/XMLSchema#decimal> .\n',
        f'{node} <http://ex/label> "claim {number} of {graph}" .\n',
    ]


def measured(folder: Path, graphs: list[list[str]], *, union_flag: bool) -> dict[str, str]:
    seconds, _ = timed(partial(load, folder, graphs, with_union=not union_flag))
    figures = {
        "load": f"{seconds:.1f} s",
        "disk": f"{sum(file.stat().st_size for file in folder.iterdir()) / 2**20:.0f} MiB",
    }
    store = Store.read_only(str(folder))
    for name, query in QUERIES.items():
        runs = [timed(partial(answer, store, query, union_flag)) for _ in range(5)]
        figures[name] = f"{statistics.median(seconds for seconds, _ in runs) * 1000:.2f} ms"
    figures["count says"] = answer(store, QUERIES["count"], union_flag).split()[1].decode()
    return figures


def load(folder: Path, graphs: list[list[str]], *, with_union: bool) -> None:
    store = Store(str(folder))
    lines = [
        f"{line[:-2]}<http://ex/g/{number}> .\n"
        for number, graph in enumerate(graphs)
        for line in graph
    ]
    store.bulk_load("".join(lines), RdfFormat.N_QUADS)
    if with_union:
        union = {line for graph in graphs for line in graph}
        store.bulk_load("".join(union), RdfFormat.N_TRIPLES)
    store.optimize()
    store.flush()


def answer(store: Store, query: str, union_flag: bool) -> bytes:
    result = store.query(query, use_default_graph_as_union=union_flag)
    assert isinstance(result, QuerySolutions)
    return result.serialize(format=QueryResultsFormat.CSV) or b""


def timed(work: Callable[[], bytes | None]) -> tuple[float, bytes | None]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
