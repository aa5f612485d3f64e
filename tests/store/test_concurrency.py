"""Readers beside a chain of commits: they see whole releases, and nothing gets slow."""

from __future__ import annotations

import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from kg.settings import Settings
from kg.store.base import Owner
from kg.store.embedded import EmbeddedStore, commit
from store_parts import NOW, change, folder_in_memory, graph, task

CHAIN = 500
TABLES = 220
"""Somewhat above the number from which on a commit merges table files."""
BOTH = "SELECT ?a ?b { GRAPH <http://ex/a> { ?s ?p ?a } GRAPH <http://ex/b> { ?s ?p ?b } }"


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = folder_in_memory()
    yield folder / "store"
    shutil.rmtree(folder)


def test_readers_see_whole_releases_and_commits_stay_quick(folder: Path) -> None:
    """Each commit changes two graphs to one number, and adds a graph."""
    write(folder, 0)
    ended = threading.Event()
    with EmbeddedStore(folder, Settings(workers=2)) as store, ThreadPoolExecutor(2) as readers:
        reading = [readers.submit(seen, store, ended) for _ in range(2)]
        try:
            seconds = [timed(folder, number) for number in range(1, CHAIN + 1)]
        finally:
            ended.set()
        for numbers in (reader.result() for reader in reading):
            assert len(set(numbers)) > CHAIN / 20
            assert numbers == sorted(numbers)
        assert store.release().number == CHAIN + 1
        tables = [len(list((it.folder / "public").glob("*.sst"))) for it in store.releases()]
    assert max(tables) <= TABLES
    first, last = (statistics.median(part) for part in (seconds[:100], seconds[-100:]))
    assert last < 3 * first + 0.1, (first, last)


def seen(store: EmbeddedStore, ended: threading.Event) -> list[int]:
    """The number that each answer gives, in order; fails where the two graphs differ."""
    numbers = []
    while not ended.wait(0.03):
        with store.query(task(store.release(), BOTH)) as spool:
            (row,) = spool.read().decode().splitlines()[1:]
        a, b = row.split(",")
        assert a == b
        numbers.append(int(a))
    return numbers


def timed(folder: Path, number: int) -> float:
    began = time.perf_counter()
    write(folder, number)
    return time.perf_counter() - began


def write(folder: Path, number: int) -> None:
    """Release number + 1, with an article of forty triples more."""
    value = f':s :p "{number}"'
    added = (f":claim{number}-{n} :p :o{n}" for n in range(40))
    graphs = [
        graph("a", value, owner=Owner.API),
        graph("b", value, owner=Owner.API),
        graph(f"article{number}", *added, owner=Owner.API),
    ]
    names = frozenset(each.iri for each in graphs)
    commit(folder, replace(change(*graphs), owners=frozenset(), names=names), now=NOW)
