"""What the search index costs a commit and the disk, and how long a search takes: one table.

Run it from the checkout: `python benchmarks/search.py [QUADS [FOLDER]]`; the store of a FOLDER
that is named stays, and is taken again.
"""

from __future__ import annotations

import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from pyoxigraph import Store

from generated_articles import _article, _description, _link, _text, _unit
from kg.namespaces import BASE, GRAPH, RF
from kg.project import Project
from kg.publishing.publish import publish
from kg.publishing.staging import Reference
from kg.store import commits
from kg.store.base import Commit, NamedGraph, Owner, Release
from kg.store.embedded import commit
from kg.store.index import FILE, SearchIndex, carry
from kg.store.release_files import carried_files
from kg.store.releases import Releases
from kg.store.search import search

REPOSITORY = Path(__file__).parents[1]
CHAIN = 30
LINE = b"\n"
OPINIONS = 4
WORDS = [
    "fighters",
    "left",
    "returned",
    "prison",
    "border",
    "family",
    "women",
    "children",
    "officials",
    "report",
    "estimate",
    "number",
    "group",
    "country",
    "region",
    "police",
    "court",
    "school",
    "training",
    "camp",
    "weapon",
    "recruit",
    "network",
    "online",
    "threat",
    "attack",
    "program",
    "support",
    "travel",
    "passport",
    "arrest",
    "trial",
    "release",
    "local",
    "federal",
    "agency",
    "study",
    "data",
]
SEARCHES = ("tajik", "the soufan center", '"border prison"', "3417", "fighters", "f", "zzz")


def main(quads: int, folder: Path) -> None:
    print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}")
    store = folder / "store"
    if not store.exists():
        report_load(store, quads)
    head = Releases.open(store).head()
    engine = sum(file.stat().st_size for file in (head.folder / "public").iterdir())
    index = (head.folder / FILE).stat().st_size
    print(f"{head.quads} quads: engine {engine / 2**20:.0f} MiB, index {index / 2**20:.1f} MiB")
    report_searches(head)
    report_chains(store)


def report_load(store: Path, quads: int) -> None:
    publish(Project.at(REPOSITORY), store, who="benchmark", message="", now=datetime.now(UTC))
    graphs = list(generated(quads))
    names = {graph.iri for graph in graphs}
    print(f"load: {timed(lambda: land(store, graphs, names)):.1f} s")
    head = Releases.open(store).head()
    again = SearchIndex(store, None)
    opened = Store.read_only(str(head.folder / "public"))
    print(f"of it the index: {timed(lambda: again.fill(opened)):.1f} s")
    (store / FILE).unlink()


def report_searches(release: Release) -> None:
    for words in SEARCHES:
        seconds = [timed(lambda: search(release.folder, words)) for _ in range(20)]  # noqa: B023
        found = search(release.folder, words)
        print(
            f"search {words!r}: median {statistics.median(seconds) * 1000:.1f} ms,"
            f" {found.total} found{'' if found.complete else ' (not all)'}"
        )


def report_chains(store: Path) -> None:
    """Writes of one claims graph each, with the index and without, one after the other."""
    seconds: dict[str, list[float]] = {"with the index": [], "without": []}
    processor: dict[str, list[float]] = {name: [] for name in seconds}
    for number in range(2 * CHAIN):
        graph = next(articles_from(time.time_ns() % 10**12))
        name = "without" if number % 2 else "with the index"
        with nullcontext() if name == "with the index" else no_index():
            before = time.process_time()
            seconds[name].append(timed(lambda: land(store, [graph], {graph.iri})))  # noqa: B023
            processor[name].append(time.process_time() - before)
    for name, each in seconds.items():
        slow = sorted(each)[-max(1, CHAIN // 20)]
        print(
            f"commit of {graph.triples.count(LINE)} triples {name}, {CHAIN} times: median"
            f" {statistics.median(each) * 1000:.0f} ms, least {min(each) * 1000:.0f} ms,"
            f" 95 of 100 within {slow * 1000:.0f} ms;"
            f" of processors {statistics.median(processor[name]) * 1000:.0f} ms"
        )


@contextmanager
def no_index() -> Iterator[None]:
    """As if there were none to change: the release has that of the one before."""

    @contextmanager
    def carried(head: Release, staging: Path, *, plain: bool) -> Iterator[None]:
        carry(head.folder, staging)
        yield

    with mock.patch.object(commits, "_search", carried):
        yield


def land(store: Path, graphs: Iterable[NamedGraph], names: Collection[str]) -> Release:
    head = Releases.open(store).head()
    change = Commit(
        graphs=tuple(graphs),
        owners=frozenset(),
        names=frozenset(names),
        who="benchmark",
        message="",
        shapes_digest=head.shapes_digest,
        files=carried_files(head.folder),
    )
    made = commit(store, change, now=datetime.now(UTC))
    assert made is not None
    return made


def generated(quads: int) -> Iterator[NamedGraph]:
    """Articles of figures, and of opinions that are paraphrased, over our own reference data."""
    made = number = 0
    descriptions = []
    while made < quads:
        for graph in articles_from(number, all_graphs=True):
            made += graph.triples.count(b"\n")
            yield graph
        descriptions.append(_description(number))
        number += 1
    yield NamedGraph(f"{GRAPH}generated-entities", b"".join(descriptions), Owner.API)


def articles_from(number: int, *, all_graphs: bool = False) -> Iterator[NamedGraph]:
    """The graphs of one article; its claims alone unless all are asked for."""
    choice = random.Random(number)
    for graph in _unit(number, choice, Reference({})).graphs:
        claims = graph.iri.startswith(f"{GRAPH}claims/")
        if claims or all_graphs:
            more = opinions(number, choice) if claims else b""
            yield NamedGraph(graph.iri, graph.triples + more, Owner.API)


def opinions(number: int, choice: random.Random) -> bytes:
    article = _article(number)
    lines = []
    for place in range(OPINIONS):
        node = f"{article}/c/opinion-{place}"
        words = " ".join(choice.choices(WORDS, k=12))
        lines += [
            _link(node, "http://www.w3.org/1999/02/22-rdf-syntax-ns#type", f"{RF}Claim"),
            _link(node, "http://www.w3.org/ns/prov#wasQuotedFrom", article),
            _link(node, f"{RF}kind", f"{BASE}code/opinion"),
            _text(node, f"{RF}paraphrase", f"In {number} they say: {words}.", "en"),
        ]
    return "".join(lines).encode()


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    quads = int(sys.argv[1]) if sys.argv[1:] else 100_000
    if sys.argv[2:]:
        main(quads, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(quads, Path(folder))
