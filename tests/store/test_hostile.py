"""Queries past every look at them: one client gets an error in time, and the pool is as before."""

from __future__ import annotations

import random
import resource
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kg.errors import (
    DeadlineExceeded,
    EvaluationError,
    KgError,
    MemoryExceeded,
    QuerySyntax,
    WorkerDied,
)
from kg.media import JSON
from kg.store.base import Release
from kg.store.workers import WorkerPool
from store_parts import committed, graph, task

MEMORY = 400 * 2**20
DEADLINE = 0.6
SIZE = 2
GROWTH = 8 * 2**20
FEW = "SELECT ?o { <http://ex/s> ?p ?o }"
FEW_ANSWER = b"o\r\nhttp://ex/o\r\n"
CROSS = "{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
HOSTILE = {
    "5,000 nested groups": "SELECT * " + "{" * 5_000 + "}" * 5_000,
    "20,000 unions": "SELECT * { {}" + " UNION {}" * 20_000 + " }",
    "5,000 optionals": "SELECT * { ?s ?p ?o " + "OPTIONAL { ?s ?p ?o } " * 5_000 + "}",
    "5,000 patterns": "SELECT * { " + " ".join(f"?s{n} ?p ?s{n + 1} ." for n in range(5_000)) + "}",
    "3,000 nested sub-selects": "SELECT * { " + "{ SELECT * { " * 3_000 + "} } " * 3_000 + "}",
    "a cross product": f"SELECT (COUNT(*) AS ?n) {CROSS}",
    "a cross product as rows": f"SELECT * {CROSS}",
    "a large sort": f"SELECT * {CROSS} ORDER BY ?c ?f",
    "a large group": f"SELECT ?a ?d ?g (COUNT(*) AS ?n) {CROSS} GROUP BY ?a ?d ?g ?c ?f ?i",
    "a large set": f"SELECT DISTINCT * {CROSS}",
    "a large graph": f"CONSTRUCT {{ ?a ?b ?f . ?d ?e ?i }} {CROSS}",
    "a regular expression that backtracks": f"SELECT (REGEX('{'a' * 5000}!', '(a+)+$') AS ?x) {{}}",
    "a regular expression that is large": "SELECT (REGEX('a', '((a{999}){999}){999}') AS ?x) {}",
    "a path of 5,000 steps": "SELECT * { ?s " + "/".join(["<http://ex/p>"] * 5_000) + " ?o }",
    "a path 3,000 deep": "SELECT * { ?s " + "(" * 3_000 + "<http://ex/p>" + ")*" * 3_000 + " ?o }",
    "stars of stars": "SELECT (COUNT(*) AS ?n) { ?a (!<http://ex/z>)*/(!<http://ex/y>)* ?b ."
    " ?c (!<http://ex/z>)* ?d . ?e (!<http://ex/x>)* ?f }",
    "10,000 nested calls": "SELECT (" + "STR(" * 10_000 + "1" + ")" * 10_000 + " AS ?x) {}",
    "10,000 nots": "SELECT (" + "!" * 10_000 + "true AS ?x) {}",
    "a string without end": "SELECT ?g { BIND('0123456789' AS ?a) "
    + " ".join(
        f"BIND(CONCAT({', '.join([f'?{old}'] * 20)}) AS ?{new})"
        for old, new in zip("abcdef", "bcdefg", strict=True)
    )
    + " }",
    "a number without end": f"SELECT ({'9' * 100_000} * {'9' * 100_000} AS ?x) {{}}",
}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    many = graph("many", *(f":s{number} :p :o{number}" for number in range(400)))
    return committed(tmp_path_factory.mktemp("hostile") / "store", graph("a", ":s :p :o"), many)


@pytest.fixture(scope="module")
def others() -> int:
    """How many programs ran before the pool did."""
    return children()


@pytest.fixture(scope="module")
def hostile_pool(release: Release, others: int) -> Iterator[WorkerPool]:
    with WorkerPool(SIZE, memory=MEMORY, queue_seconds=10) as pool:
        pool.run(task(release, FEW)).close()
        yield pool


def children() -> int:
    """How many programs run that this process started."""
    listed = Path("/proc/self/task").glob("*/children")
    return sum(len(file.read_text().split()) for file in listed)


def held() -> int:
    """The bytes of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def assert_whole(pool: WorkerPool, others: int) -> None:
    """The pool has all its workers soon, and no process more."""
    until = time.monotonic() + 10
    while (len(pool._ready), children() - others) != (SIZE + 1, SIZE + 1):
        assert time.monotonic() < until, (len(pool._ready), children() - others)
        time.sleep(0.01)


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_query_costs_its_client_only(
    release: Release, hostile_pool: WorkerPool, others: int, query: str
) -> None:
    assert_whole(hostile_pool, others)
    before, start = held(), time.monotonic()
    try:
        asked = task(release, query, JSON, deadline=DEADLINE, answer_bytes=2**24)
        hostile_pool.run(asked).close()
    except (EvaluationError, QuerySyntax) as error:
        assert error.message
    assert time.monotonic() - start < DEADLINE + 1

    start = time.monotonic()
    assert hostile_pool.run(task(release, FEW)).read() == FEW_ANSWER
    assert time.monotonic() - start < 1
    assert_whole(hostile_pool, others)
    assert held() - before < GROWTH


@pytest.mark.parametrize(
    ("name", "error", "deadline"),
    [
        ("5,000 nested groups", WorkerDied, 5),
        ("20,000 unions", WorkerDied, 5),
        ("a cross product", DeadlineExceeded, 0.3),
        ("a string without end", MemoryExceeded, 10),
    ],
)
def test_the_client_is_told_what_ended_its_query(
    release: Release, hostile_pool: WorkerPool, name: str, error: type[KgError], deadline: float
) -> None:
    with pytest.raises(error):
        hostile_pool.run(task(release, HOSTILE[name], deadline=deadline))


def test_hostile_queries_all_at_once_leave_the_pool_whole(
    release: Release, hostile_pool: WorkerPool, others: int
) -> None:
    assert_whole(hostile_pool, others)

    def ask(query: str) -> bool:
        try:
            hostile_pool.run(task(release, query, deadline=0.3, answer_bytes=2**20)).close()
        except (EvaluationError, QuerySyntax):
            return False
        return True

    before = held()
    with ThreadPoolExecutor(8) as threads:
        answered = list(threads.map(ask, HOSTILE.values()))
    assert len(answered) == len(HOSTILE)
    assert hostile_pool.run(task(release, FEW)).read() == FEW_ANSWER
    assert_whole(hostile_pool, others)
    assert held() - before < 2 * GROWTH


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSEGV])
def test_a_signal_at_any_moment_is_one_clear_error_or_none(
    release: Release, hostile_pool: WorkerPool, others: int, end: signal.Signals
) -> None:
    assert_whole(hostile_pool, others)
    chance = random.Random(4)  # noqa: S311 - nothing secret
    query = "SELECT ?s { ?s ?p ?o } ORDER BY ?s"
    whole = hostile_pool.run(task(release, query)).read()
    until = time.monotonic() + 1.5
    answers, deaths = 0, 0

    def ask() -> None:
        nonlocal answers, deaths
        while time.monotonic() < until:
            try:
                with hostile_pool.run(task(release, query, spool_memory=1)) as spool:
                    assert spool.read() == whole
                answers += 1
            except WorkerDied as error:
                assert end.name in error.message
                deaths += 1

    with ThreadPoolExecutor(2) as threads:
        asking = [threads.submit(ask) for _ in range(2)]
        while time.monotonic() < until:
            time.sleep(chance.uniform(0.01, 0.2))
            busy = [worker for worker in list(hostile_pool._busy) if worker.has_started]
            if busy:
                busy[0]._process.send_signal(end)
        assert [each.exception() for each in asking] == [None, None]
    assert answers > 1
    assert deaths > 1
    assert hostile_pool.run(task(release, FEW)).read() == FEW_ANSWER
    assert_whole(hostile_pool, others)
