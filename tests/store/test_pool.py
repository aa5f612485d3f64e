"""The queue of the pool, cancelling, other programs, and what an answer tells about itself."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from kg.errors import (
    DeadlineExceeded,
    QueryCancelled,
    QueueFull,
    StoreError,
    TooManyRows,
    WorkerDied,
)
from kg.media import (
    CSV,
    GRAPH_FORMATS,
    JSON,
    JSON_LD,
    N_TRIPLES,
    SOLUTION_FORMATS,
    TURTLE,
    XML,
    Format,
)
from kg.settings import Settings
from kg.store.base import Coding, Release, Spool, Ticket
from kg.store.wire import Message
from kg.store.workers import WorkerPool
from store_parts import committed, graph, task

MEMORY = Settings().worker_memory
FEW = "SELECT ?o { <http://ex/s> ?p ?o }"
ALL = "SELECT ?s ?o { ?s <http://ex/p> ?o } ORDER BY ?s"
CONSTRUCT = "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
# Its first solutions come at once, its last one never.
ENDLESS_ROWS = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
ROWS = 400


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    many = graph("many", *(f":s{number} :p :o{number}" for number in range(ROWS - 1)))
    return committed(tmp_path_factory.mktemp("pool") / "store", graph("a", ":s :p :o"), many)


@contextmanager
def running(
    pool: WorkerPool, release: Release, *tickets: Ticket, query: str = ENDLESS
) -> Iterator[list[Future[Spool]]]:
    """Queries without end, one a ticket, in threads of their own."""
    with ThreadPoolExecutor(max(len(tickets), 1)) as threads:
        endless = task(release, query, deadline=20)
        futures = [threads.submit(pool.run, endless, ticket) for ticket in tickets]
        try:
            yield futures
        finally:
            for ticket in tickets:
                ticket.cancel()


def wait_until(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until, "it did not come to be in time"
        time.sleep(0.005)


def has_busy(pool: WorkerPool, busy: int, waiting: int = 0) -> Callable[[], bool]:
    return lambda: (len(pool._busy), len(pool._waiting)) == (busy, waiting)


# --- the queue ------------------------------------------------------------------------------


def test_more_than_may_wait_are_refused_at_once(release: Release) -> None:
    with WorkerPool(1, memory=MEMORY, queue_seconds=20, queue_length=2) as pool:
        tickets = [Ticket() for _ in range(3)]
        with running(pool, release, *tickets) as futures:
            wait_until(has_busy(pool, 1, 2))
            start = time.monotonic()
            with pytest.raises(QueueFull, match="too many queries are waiting"):
                pool.run(task(release, FEW))
            assert time.monotonic() - start < 0.1
        assert [type(future.exception()) for future in futures] == [QueryCancelled] * 3


def test_who_came_first_is_served_first(release: Release) -> None:
    order: list[int] = []
    blocker = Ticket()

    def ask(number: int) -> None:
        pool.run(task(release, FEW)).close()
        order.append(number)

    with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool, running(pool, release, blocker):
        wait_until(has_busy(pool, 1))
        with ThreadPoolExecutor(5) as threads:
            for number in range(5):
                threads.submit(ask, number)
                wait_until(has_busy(pool, 1, number + 1))
            blocker.cancel()
    assert order == sorted(order)


def test_a_spool_tells_how_long_it_waited_and_took(release: Release) -> None:
    blocker = Ticket()
    with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool, running(pool, release, blocker):
        wait_until(has_busy(pool, 1))
        threading.Timer(0.3, blocker.cancel).start()
        with pool.run(task(release, FEW)) as spool:
            assert 250 < spool.queue_ms < 5000
            assert 0 < spool.work_ms < 5000


# --- cancelling -----------------------------------------------------------------------------


def test_a_running_query_is_cancelled_and_its_worker_replaced(release: Release) -> None:
    ticket = Ticket()
    with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool:
        with running(pool, release, ticket) as (future,):
            wait_until(has_busy(pool, 1))
            time.sleep(0.2)
            start = time.monotonic()
            ticket.cancel()
            assert isinstance(future.exception(5), QueryCancelled)
            assert pool.run(task(release, FEW)).read() == b"o\r\nhttp://ex/o\r\n"
            assert time.monotonic() - start < 1
        wait_until(lambda: len(pool._ready) == 2)


def test_a_queued_query_is_cancelled_at_once_and_leaves_the_queue(release: Release) -> None:
    blocker, ticket = Ticket(), Ticket()
    with (
        WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool,
        running(pool, release, blocker) as (blocking,),
    ):
        wait_until(has_busy(pool, 1))
        with running(pool, release, ticket) as (queued,):
            wait_until(has_busy(pool, 1, 1))
            ticket.cancel()
            assert isinstance(queued.exception(1), QueryCancelled)
            assert has_busy(pool, 1, 0)()
            assert not blocking.done()


def test_a_ticket_cancelled_before_the_query_keeps_it_from_starting(
    release: Release, pool: WorkerPool
) -> None:
    ticket = Ticket()
    ticket.cancel()
    with pytest.raises(QueryCancelled):
        pool.run(task(release, ENDLESS), ticket)


def test_cancelling_what_has_ended_does_nothing(release: Release, pool: WorkerPool) -> None:
    ticket = Ticket()
    pool.run(task(release, FEW), ticket).close()
    workers = set(pool._ready)
    ticket.cancel()
    assert ticket.cancelled
    assert pool.run(task(release, FEW)).read() == b"o\r\nhttp://ex/o\r\n"
    assert set(pool._ready) == workers


def test_cancelling_at_any_moment_ends_one_query_only(release: Release) -> None:
    """Two queries share one worker: each is answered, or was cancelled by its own ticket."""
    wrong: list[object] = []

    def ask(number: int) -> None:
        ticket = Ticket()
        timer = threading.Timer(0.0004 * (number % 12), ticket.cancel)
        if number % 3 == 0:
            timer.start()
        try:
            answer = pool.run(task(release, FEW), ticket).read()
            if answer != b"o\r\nhttp://ex/o\r\n":
                wrong.append(answer)
        except QueryCancelled:
            if number % 3:
                wrong.append("cancelled by another's ticket")
        timer.cancel()

    with WorkerPool(2, memory=MEMORY, queue_seconds=20) as pool:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(ask, range(120)))
        assert wrong == []
        wait_until(lambda: len(pool._ready) == 3)


# --- healing --------------------------------------------------------------------------------


def test_a_worker_that_ends_idle_is_replaced_before_anyone_asks(release: Release) -> None:
    with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool:
        for _ in range(2):
            pool.run(task(release, FEW)).close()
        (started,) = (worker for worker in pool._ready if worker.has_started)
        os.kill(started._process.pid, 9)
        wait_until(lambda: started not in pool._ready and len(pool._ready) == 2)


# --- another program ------------------------------------------------------------------------

PROGRAM = """
import os, socket, sys, time
from kg.store.wire import Message, receive, send
connection = socket.socket(fileno=int(sys.argv[1]))
send(connection, Message({"network": "none"}))
while True:
    message = receive(connection)
    time.sleep(message.head["sleep"])
    if message.head["die"]:
        os.kill(os.getpid(), 11)
    send(connection, Message({"pid": os.getpid()}, message.body * 2))
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "program_of_a_test.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "program_of_a_test"


def said(*, sleep: float = 0, die: bool = False, body: bytes = b"") -> Message:
    return Message({"sleep": sleep, "die": die}, body)


def test_a_pool_calls_any_program(program: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "kg")
    with WorkerPool(1, memory=MEMORY, queue_seconds=5, program=program, spares=0) as pool:
        large = bytes(range(256)) * 10_000
        assert pool.call(said(body=large), 10).body == large * 2
        (pid,) = {pool.call(said(), 10).head["pid"] for _ in range(3)}
        with pytest.raises(DeadlineExceeded):
            pool.call(said(sleep=20), 0.2)
        with pytest.raises(WorkerDied, match="SIGSEGV"):
            pool.call(said(die=True), 10)
        assert pool.call(said(), 10).head["pid"] != pid
    assert [(each.levelname, each.message) for each in caplog.records] == [
        ("WARNING", "event=worker network=true means=none")
    ]


def test_a_program_that_does_not_start_is_told_and_tried_again(
    tmp_path: Path, program: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "program_of_a_test.py").write_text("raise SystemExit('no')")
    with WorkerPool(1, memory=MEMORY, queue_seconds=5, program=program) as pool:
        with pytest.raises(WorkerDied, match="did not start"):
            pool.call(said(), 10)
        (tmp_path / "program_of_a_test.py").write_text(PROGRAM)
        for _ in range(2):  # those that were started before
            try:
                pool.call(said(), 10)
            except WorkerDied:
                continue
        assert pool.call(said(body=b"x"), 10).body == b"xx"
    assert "said='no'" in caplog.text


# --- rows -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", SOLUTION_FORMATS, ids=lambda form: form.name)
def test_the_first_solutions_are_those_of_the_whole(
    release: Release, pool: WorkerPool, form: Format
) -> None:
    limited = pool.run(task(release, f"{ALL} LIMIT 7", form)).read()
    with pool.run(task(release, ALL, form, rows=7)) as spool:
        assert (spool.read(), spool.cut) == (limited, True)
    with pool.run(task(release, ALL, form, rows=ROWS)) as spool:
        assert (spool.read(), spool.cut) == (pool.run(task(release, ALL, form)).read(), False)


@pytest.mark.parametrize("form", SOLUTION_FORMATS, ids=lambda form: form.name)
def test_evaluation_ends_with_the_last_row_that_is_wanted(
    release: Release, pool: WorkerPool, form: Format
) -> None:
    workers = set(pool._ready)
    with pool.run(task(release, ENDLESS_ROWS, form, rows=20, deadline=5)) as spool:
        assert spool.cut
    assert pool.run(task(release, FEW)).read() == b"o\r\nhttp://ex/o\r\n"
    assert set(pool._ready) == workers


@pytest.mark.parametrize("form", GRAPH_FORMATS, ids=lambda form: form.name)
def test_the_first_triples_are_a_whole_graph(
    release: Release, pool: WorkerPool, form: Format
) -> None:
    with pool.run(task(release, CONSTRUCT, form, rows=3, prefixes={"ex": "http://ex/"})) as spool:
        assert spool.cut
        content = spool.read()
    if form == JSON_LD:
        assert len(json.loads(content)["@graph"]) == 3
    elif form == N_TRIPLES:
        whole = pool.run(task(release, CONSTRUCT, form)).read()
        assert content.splitlines() == whole.splitlines()[:3]
    else:
        assert content.count(b"/o") + content.count(b"ex:o") == 3
    with pool.run(task(release, CONSTRUCT, form, rows=ROWS)) as spool:
        assert not spool.cut


@pytest.mark.parametrize(("query", "form"), [(ALL, JSON), (ALL, CSV), (CONSTRUCT, TURTLE)])
def test_more_rows_than_the_operator_allows_are_an_error(
    release: Release, pool: WorkerPool, query: str, form: Format
) -> None:
    def ask(**options: Any) -> Spool:
        return pool.run(task(release, query, form, **options))

    for options in ({}, {"rows": ROWS}):
        with pytest.raises(TooManyRows, match=f"more than {ROWS - 1} solutions"):
            ask(answer_rows=ROWS - 1, **options)
    for options in ({"answer_rows": ROWS}, {"answer_rows": ROWS - 1, "rows": ROWS - 1}):
        with ask(**options) as spool:
            assert spool.cut == ("rows" in options)


@pytest.mark.parametrize("form", SOLUTION_FORMATS, ids=lambda form: form.name)
def test_a_boolean_has_no_rows_to_cut(release: Release, pool: WorkerPool, form: Format) -> None:
    with pool.run(task(release, "ASK {}", form, rows=0, answer_rows=1)) as spool:
        assert b"true" in spool.read()
        assert not spool.cut


# --- codings --------------------------------------------------------------------------------


def unpacked(spool: Spool) -> bytes:
    from backports import zstd

    unpack = {Coding.GZIP: gzip.decompress, Coding.ZSTD: zstd.decompress}
    return unpack[spool.coding](spool.read())


@pytest.mark.parametrize("coding", [Coding.GZIP, Coding.ZSTD])
@pytest.mark.parametrize("memory", [10**6, 1])
def test_an_answer_is_packed_and_says_so(
    release: Release, pool: WorkerPool, coding: Coding, memory: int
) -> None:
    plain = pool.run(task(release, ALL, XML)).read()
    for _ in range(2):
        with pool.run(task(release, ALL, XML, coding=coding, spool_memory=memory)) as spool:
            assert spool.coding is coding
            assert spool.size < len(plain) / 5
            assert (spool.descriptor() is None) == (memory > 1)
            assert unpacked(spool) == plain


@pytest.mark.parametrize("coding", [Coding.GZIP, Coding.ZSTD])
def test_a_packed_answer_is_the_same_each_time(
    release: Release, pool: WorkerPool, coding: Coding
) -> None:
    answers = set()
    for pause in (1.1, 0):  # gzip can write the second that it was made in
        answers.add(pool.run(task(release, ALL, XML, coding=coding)).read())
        time.sleep(pause)
    assert len(answers) == 1


def test_a_small_answer_is_not_packed(release: Release, pool: WorkerPool) -> None:
    with pool.run(task(release, FEW, coding=Coding.GZIP)) as spool:
        assert (spool.coding, spool.read()) == (Coding.IDENTITY, b"o\r\nhttp://ex/o\r\n")


def test_the_limit_counts_bytes_before_they_are_packed(release: Release, pool: WorkerPool) -> None:
    plain = pool.run(task(release, ALL, XML)).size
    pool.run(task(release, ALL, XML, coding=Coding.GZIP, answer_bytes=plain)).close()
    with pytest.raises(Exception, match=f"more than {plain - 1} bytes"):
        pool.run(task(release, ALL, XML, coding=Coding.GZIP, answer_bytes=plain - 1))


def test_a_cut_answer_is_packed_and_cut(release: Release, pool: WorkerPool) -> None:
    with pool.run(task(release, ALL, XML, coding=Coding.ZSTD, rows=100)) as spool:
        assert spool.cut
        assert unpacked(spool).count(b"<result>") == 100


# --- descriptors ----------------------------------------------------------------------------


def test_no_descriptor_is_left_open(release: Release, pool: WorkerPool) -> None:
    def ask(**options: Any) -> Spool:
        return pool.run(task(release, ALL, JSON, spool_memory=1, **options))

    ask().close()
    before = os.listdir("/proc/self/fd")
    for _ in range(20):
        assert next(iter(ask().chunks(10)))  # the reader leaves
        assert b"".join(ask().chunks())
        with ask() as spool:
            assert spool.descriptor() is not None
    assert os.listdir("/proc/self/fd") == before


# --- for an event loop ----------------------------------------------------------------------


@contextmanager
def occupied(pool: WorkerPool, release: Release) -> Iterator[Ticket]:
    """The one worker is at work, until the ticket is cancelled."""
    ticket = Ticket()
    with running(pool, release, ticket):
        wait_until(has_busy(pool, 1))
        yield ticket


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def test_a_loop_goes_on_while_a_worker_evaluates(release: Release) -> None:
    async def asked(pool: WorkerPool) -> float:
        (await pool.run_soon(task(release, FEW))).close()
        endless = asyncio.ensure_future(pool.run_soon(task(release, ENDLESS, deadline=0.5)))
        longest, before = 0.0, time.monotonic()
        while not endless.done():
            await asyncio.sleep(0)
            longest, before = max(longest, time.monotonic() - before), time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await endless
        return longest

    with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool:
        assert asyncio.run(asked(pool)) < 0.3
        wait_until(lambda: (len(pool._ready), len(pool._busy)) == (2, 0))


@pytest.mark.parametrize("spool_memory", [10**6, 1])
def test_a_loop_gets_the_answer_that_a_thread_gets(
    release: Release, pool: WorkerPool, spool_memory: int
) -> None:
    asked = task(release, ALL, spool_memory=spool_memory)
    with asyncio.run(pool.run_soon(asked)) as soon, pool.run(asked) as spool:
        assert (soon.read(), soon.size, soon.cut) == (spool.read(), spool.size, spool.cut)
        assert (soon.descriptor() is None) == (spool.descriptor() is None)


def test_in_a_loop_more_than_may_wait_are_refused_and_the_rest_in_time(release: Release) -> None:
    async def asked(pool: WorkerPool) -> list[str]:
        waiting = asyncio.ensure_future(pool.run_soon(task(release, FEW)))
        await until(has_busy(pool, 1, 1))
        refused = []
        for late in (pool.run_soon(task(release, FEW)), waiting):
            with pytest.raises(QueueFull) as full:
                await late
            refused.append(str(full.value))
        return refused

    with (
        WorkerPool(1, memory=MEMORY, queue_seconds=0.3, queue_length=1) as pool,
        occupied(pool, release),
    ):
        at_once, in_time = asyncio.run(asked(pool))
        assert "too many" in at_once
        assert "0.3 s" in in_time
        assert has_busy(pool, 1, 0)()


def test_in_a_loop_who_came_first_is_served_first(release: Release) -> None:
    order: list[int] = []

    async def ask(pool: WorkerPool, number: int) -> None:
        (await pool.run_soon(task(release, FEW))).close()
        order.append(number)

    async def asked(pool: WorkerPool, blocker: Ticket) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(ask(pool, number))
                await until(has_busy(pool, 1, number + 1))
            blocker.cancel()

    with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool, occupied(pool, release) as blocker:
        asyncio.run(asked(pool, blocker))
    assert order == list(range(5))


def test_in_a_loop_a_query_is_cancelled_wherever_it_is(release: Release) -> None:
    async def cancelled(pool: WorkerPool, ticket: Ticket, *state: int) -> None:
        ending = asyncio.ensure_future(pool.run_soon(task(release, ENDLESS), ticket))
        await until(has_busy(pool, *state))
        ticket.cancel()
        with pytest.raises(QueryCancelled):
            await asyncio.wait_for(ending, 5)

    with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool:
        pool.run(task(release, FEW)).close()
        asyncio.run(cancelled(pool, Ticket(), 1))  # while it runs
        with occupied(pool, release) as blocker:
            asyncio.run(cancelled(pool, Ticket(), 1, 1))  # while it waits
            blocker.cancel()
        before = Ticket()
        before.cancel()
        asyncio.run(cancelled(pool, before, 0))
        wait_until(lambda: (len(pool._ready), len(pool._busy)) == (2, 0))


def test_a_waiting_query_that_was_cancelled_does_not_run_once_a_worker_is_free(
    release: Release,
) -> None:
    """The worker comes between the cancelling and the moment that the loop goes on."""

    async def asked(pool: WorkerPool, blocker: Ticket) -> None:
        ticket = Ticket()
        waiting = asyncio.ensure_future(pool.run_soon(task(release, ENDLESS), ticket))
        await until(has_busy(pool, 1, 1))
        (turn,) = pool._waiting
        ticket.cancel()
        blocker.cancel()
        wait_until(lambda: turn.worker)
        with pytest.raises(QueryCancelled):
            await asyncio.wait_for(waiting, 5)

    with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool, occupied(pool, release) as blocker:
        asyncio.run(asked(pool, blocker))
        wait_until(lambda: (len(pool._ready), len(pool._busy)) == (2, 0))


def test_in_a_loop_a_task_that_is_left_gives_its_worker_back(release: Release) -> None:
    async def left(pool: WorkerPool) -> None:
        both = [asyncio.ensure_future(pool.run_soon(task(release, ENDLESS))) for _ in range(2)]
        await until(has_busy(pool, 1, 1))
        for each in both:
            each.cancel()
        await asyncio.wait(both)

    with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool:
        asyncio.run(left(pool))
        wait_until(lambda: (len(pool._ready), len(pool._busy), len(pool._waiting)) == (2, 0, 0))


def test_in_a_loop_a_worker_that_dies_is_told_and_replaced(release: Release) -> None:
    async def asked(pool: WorkerPool) -> None:
        for _ in range(5):  # the new worker may have the descriptor of the one before
            running = asyncio.ensure_future(pool.run_soon(task(release, ENDLESS)))
            await until(lambda: any(worker.has_started for worker in pool._busy))
            await asyncio.sleep(0.05)
            (worker,) = pool._busy
            os.kill(worker._process.pid, 9)
            with pytest.raises(WorkerDied, match="SIGKILL"):
                await running
            assert (await pool.run_soon(task(release, FEW))).read() == b"o\r\nhttp://ex/o\r\n"

    with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool:
        asyncio.run(asked(pool))


def test_in_a_loop_cancelling_at_any_moment_ends_one_query_only(release: Release) -> None:
    wrong: list[object] = []

    async def ask(pool: WorkerPool, number: int) -> None:
        ticket = Ticket()
        timer = threading.Timer(0.0004 * (number % 12), ticket.cancel)
        if number % 3 == 0:
            timer.start()
        try:
            answer = (await pool.run_soon(task(release, FEW), ticket)).read()
            if answer != b"o\r\nhttp://ex/o\r\n":
                wrong.append(answer)
        except QueryCancelled:
            if number % 3:
                wrong.append("cancelled by another's ticket")

    async def asked(pool: WorkerPool) -> None:
        for start in range(0, 120, 4):
            await asyncio.gather(*(ask(pool, start + each) for each in range(4)))

    with WorkerPool(2, memory=MEMORY, queue_seconds=20) as pool:
        asyncio.run(asked(pool))
        assert wrong == []
        wait_until(lambda: (len(pool._ready), len(pool._busy)) == (3, 0))


STALLING = """
import socket, sys, time
from kg.store.wire import Message, receive, send
connection = socket.socket(fileno=int(sys.argv[1]))
send(connection, Message({"network": "namespace"}))
receive(connection)
connection.sendall(b"..")
time.sleep(60)
"""


def test_in_a_loop_a_worker_that_stops_within_a_message_is_told_before_the_deadline(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stalling.py").write_text(STALLING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with (
        WorkerPool(1, memory=MEMORY, queue_seconds=20, program="stalling", spares=0) as pool,
        pytest.raises(WorkerDied, match="in the middle of a message"),
    ):
        asyncio.run(pool.run_soon(task(release, FEW, deadline=20)))


def test_closing_a_pool_ends_what_a_loop_waits_for(release: Release) -> None:
    async def asked(pool: WorkerPool) -> None:
        both = [asyncio.ensure_future(pool.run_soon(task(release, ENDLESS))) for _ in range(2)]
        await until(has_busy(pool, 1, 1))
        await asyncio.get_running_loop().run_in_executor(None, pool.close)
        for each in both:
            with pytest.raises(WorkerDied):
                await asyncio.wait_for(each, 5)

    pool = WorkerPool(1, memory=MEMORY, queue_seconds=20)
    asyncio.run(asked(pool))
    assert not pool._busy


def test_an_answer_whose_file_cannot_be_taken_is_an_error(release: Release) -> None:
    """The kernel leaves a descriptor out where none is free; the rest is an empty answer."""
    asked = task(release, ALL, spool_memory=1)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool:
        pool.run(asked).close()
        wait_until(lambda: len(pool._ready) == 2)
        with ExitStack() as held:
            held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, most)
            lowest = os.dup(0)
            os.close(lowest)
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, most[1]))
            with pytest.raises(StoreError, match="too many files"):
                pool.run(asked)
        with pool.run(asked) as spool:
            assert spool.size > 10_000
