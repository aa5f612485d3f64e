"""How long a commit takes, and how long a worker is held past its query's deadline: one table.

Run it from the checkout: `python benchmarks/commit_and_deadline.py [QUADS]`.
"""

from __future__ import annotations

import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path

from kg.errors import DeadlineExceeded
from kg.media import JSON
from kg.settings import Settings
from kg.store.base import Commit, NamedGraph, Owner, Release, Task
from kg.store.embedded import EmbeddedStore, commit
from kg.store.releases import Releases

ARTICLE = 200
"""Triples of one article."""
CHAIN = 500
DEADLINE = 0.5
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


def main(quads: int) -> None:
    print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        articles = [graph(number) for number in range(quads // ARTICLE)]
        first = timed(lambda: release(store, articles, Owner.DATA))
        print(f"first commit, {quads} quads: {first:.2f} s")
        report_chain(store)
        report_deadline(store)


def report_chain(store: Path) -> None:
    seconds, tables = [], []
    for number in range(CHAIN):
        added = graph(number, "added")
        seconds.append(timed(lambda: release(store, [added], Owner.API, {added.iri})))  # noqa: B023
        engine = Releases.open(store).head().folder / "public"
        tables.append(len(list(engine.glob("*.sst"))))
    slow = sorted(seconds)[-CHAIN // 20]
    first, last = (statistics.median(part) for part in (seconds[:100], seconds[-100:]))
    print(
        f"commit of one more article of {ARTICLE} triples, {CHAIN} in a chain: median"
        f" {statistics.median(seconds) * 1000:.0f} ms, 95 of 100 within {slow * 1000:.0f} ms, most"
        f" {max(seconds) * 1000:.0f} ms; the first hundred {first * 1000:.0f} ms, the last"
        f" {last * 1000:.0f} ms; table files: at most {max(tables)}, at the end {tables[-1]}"
    )


def report_deadline(store: Path) -> None:
    with EmbeddedStore(store, Settings(workers=1)) as opened:
        ask(opened, "ASK {}", 10)
        ended = timed(lambda: ask(opened, ENDLESS, DEADLINE)) - DEADLINE
        answered = timed(lambda: ask(opened, "ASK {}", 10))
    print(
        f"deadline to error and killed worker: {ended * 1000:.0f} ms;"
        f" then the next answer from a fresh worker: {answered * 1000:.0f} ms"
    )


def ask(store: EmbeddedStore, query: str, deadline: float) -> None:
    task = Task(
        release=store.release().folder,
        query=query,
        format=JSON,
        deadline=deadline,
        answer_bytes=10**6,
        spool_memory=10**5,
    )
    try:
        store.query(task).close()
    except DeadlineExceeded:
        assert query == ENDLESS


def graph(number: int, kind: str = "article") -> NamedGraph:
    lines = (
        f'<http://ex/{kind}/{number}/{n // 10}> <http://ex/p{n % 10}> "{number} {n}" .\n'
        for n in range(ARTICLE)
    )
    return NamedGraph(f"http://ex/{kind}/{number}", "".join(lines).encode(), Owner.DATA)


def release(
    store: Path, graphs: list[NamedGraph], owner: Owner, names: Collection[str] = ()
) -> Release:
    owned = tuple(NamedGraph(each.iri, each.triples, owner) for each in graphs)
    change = Commit(
        graphs=owned,
        owners=frozenset() if names else frozenset({owner}),
        names=frozenset(names),
        who="benchmark",
        message="",
        shapes_digest="",
        files={"context.jsonld": b'{"@context": {}}'},
    )
    made = commit(store, change, now=datetime.now(UTC))
    assert made is not None
    return made


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100_000)
