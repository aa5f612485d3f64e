"""A point query over HTTP, through the pool of workers, and in process: one table.

Run it from the checkout: `PYTHONPATH=tests python benchmarks/point_query.py`.
"""

from __future__ import annotations

import http.client
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pyoxigraph

from kg.media import JSON
from kg.namespaces import BASE, GRAPH
from kg.query.request import QueryRequest
from kg.query.run import answer
from kg.settings import Settings
from kg.store.base import Commit, NamedGraph, Owner, Release, Task
from kg.store.embedded import EmbeddedStore, commit
from kg_server import running

QUADS = 1000
SECONDS = 3.0
SETTINGS = Settings()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        release = build(store)
        print(f"{machine()}; {QUADS} quads; one client; {SECONDS:g} s each\n")
        print(f"{'road':<44}{'requests/s':>12}{'median µs':>12}{'p99 µs':>10}")
        report("pyoxigraph in process", in_process(release))
        with EmbeddedStore(store, SETTINGS) as opened:
            report("a worker of the pool (store.query)", through_pool(opened, release))
            report("the whole of query.run.answer", through_answer(opened))
        with running(store, Path(folder) / "log", client_rate=10**9) as server:
            report("HTTP, keep-alive, /sparql", over_http(server.port))
            report("HTTP, keep-alive, a static file", static_file(server.port))


def build(folder: Path) -> Release:
    triples = "".join(f'<{BASE}s/{n}> <{BASE}p> "{n}" .\n' for n in range(QUADS))
    change = Commit(
        graphs=(NamedGraph(GRAPH + "g", triples.encode(), Owner.DATA),),
        owners=frozenset({Owner.DATA}),
        who="benchmark",
        message="",
        shapes_digest="",
        files={"context.jsonld": b'{"@context": {}}'},
    )
    made = commit(folder, change, now=datetime.now(UTC))
    assert made is not None
    return made


def query(number: int) -> str:
    return f"SELECT ?o WHERE {{ <{BASE}s/{number % QUADS}> <{BASE}p> ?o }}"


def in_process(release: Release) -> Callable[[int], bytes]:
    store = pyoxigraph.Store.read_only(str(release.folder / "public"))

    def run(number: int) -> bytes:
        results = store.query(query(number))
        assert isinstance(results, pyoxigraph.QuerySolutions)
        return results.serialize(format=pyoxigraph.QueryResultsFormat.JSON) or b""

    return run


def through_pool(store: EmbeddedStore, release: Release) -> Callable[[int], bytes]:
    def run(number: int) -> bytes:
        task = Task(
            release=release.folder,
            query=query(number),
            format=JSON,
            deadline=SETTINGS.deadline,
            answer_bytes=SETTINGS.answer_bytes,
            spool_memory=SETTINGS.spool_memory,
        )
        with store.query(task) as spool:
            return spool.read()

    return run


def through_answer(store: EmbeddedStore) -> Callable[[int], bytes]:
    def run(number: int) -> bytes:
        request = QueryRequest(query=query(number), choose=lambda offered: offered[0])
        with answer(request, store, SETTINGS).spool as spool:
            return spool.read()

    return run


def over_http(port: int) -> Callable[[int], bytes]:
    fetch = fetcher(port)
    return lambda number: fetch("/sparql?" + urlencode({"query": query(number)}))


def static_file(port: int) -> Callable[[int], bytes]:
    fetch = fetcher(port)
    return lambda _: fetch("/static/style.css")


def fetcher(port: int) -> Callable[[str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def fetch(path: str) -> bytes:
        connection.request("GET", path)
        reply = connection.getresponse()
        assert reply.status == 200
        return reply.read()

    return fetch


def report(road: str, run: Callable[[int], bytes]) -> None:
    for number in range(50):
        assert run(number)
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while (start := time.perf_counter()) < end:
        run(len(times))
        times.append(time.perf_counter() - start)
    rate = len(times) / sum(times)
    p99 = statistics.quantiles(times, n=100)[-1]
    print(f"{road:<44}{rate:>12,.0f}{statistics.median(times) * 1e6:>12,.0f}{p99 * 1e6:>10,.0f}")


def machine() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{cpu}, Python {platform.python_version()}, pyoxigraph {pyoxigraph.__version__}"


if __name__ == "__main__":
    main()
