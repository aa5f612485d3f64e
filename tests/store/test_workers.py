"""Workers: what they answer, what ends them, and that the pool heals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyoxigraph import Store
from rdflib import Graph

import kg
from kg.errors import (
    AnswerTooLarge,
    DeadlineExceeded,
    MemoryExceeded,
    NotAcceptable,
    QuerySyntax,
    QueueFull,
    StoreDamaged,
    StoreError,
    WorkerDied,
)
from kg.media import (
    CSV,
    GRAPH_FORMATS,
    JSON,
    JSON_LD,
    N_TRIPLES,
    RDF_XML,
    TRIG,
    TSV,
    TURTLE,
    XML,
    Format,
)
from kg.settings import Settings
from kg.store.base import Dataset, Release
from kg.store.evaluation import Failure, evaluated
from kg.store.output import Output
from kg.store.workers import WorkerPool, is_out_of_memory
from store_parts import Ask, committed, graph, task

SOURCE = os.environ | {"PYTHONPATH": str(Path(kg.__file__).parents[1])}
MEMORY = Settings().worker_memory
FEW = "SELECT ?o { <http://ex/s> ?p ?o }"
CROSS = "{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
ENDLESS = f"SELECT (COUNT(*) AS ?n) {CROSS}"
SORTED = f"SELECT * {CROSS} ORDER BY ?c ?f"
GROWN = (
    "SELECT ?g { BIND('0123456789' AS ?a) "
    + " ".join(
        f"BIND(CONCAT({', '.join([f'?{old}'] * 20)}) AS ?{new})"
        for old, new in zip("abcdef", "bcdefg", strict=True)
    )
    + " }"
)
NESTED = "SELECT * " + "{" * 5_000 + "}" * 5_000


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    many = graph("many", *(f":s{number} :p :o{number}" for number in range(400)))
    folder = tmp_path_factory.mktemp("workers") / "store"
    return committed(folder, graph("a", ":s :p :o"), graph("b", ":s :p :o", ":t :p :o"), many)


def children() -> set[int]:
    """The process ids of the programs that this process started."""
    listed = Path("/proc/self/task").glob("*/children")
    return {int(pid) for file in listed for pid in file.read_text().split()}


@pytest.mark.parametrize(
    ("query", "form", "expected"),
    [
        (FEW, CSV, b"o\r\nhttp://ex/o\r\n"),
        (FEW, TSV, b"?o\n<http://ex/o>\n"),
        ("ASK { ?s ?p <http://ex/o> }", CSV, b"true"),
        ("ASK { ?s ?p <http://ex/z> }", JSON, b'{"head":{},"boolean":false}'),
    ],
)
def test_solutions_and_booleans(
    release: Release, ask: Ask, query: str, form: Format, expected: bytes
) -> None:
    assert ask(release, query, form) == expected


@pytest.mark.parametrize("form", [JSON, XML])
def test_solutions_as_json_and_xml_hold_the_term(release: Release, ask: Ask, form: Format) -> None:
    if form == JSON:
        bindings = json.loads(ask(release, FEW, form))["results"]["bindings"]
        assert bindings == [{"o": {"type": "uri", "value": "http://ex/o"}}]
    else:
        assert ask(release, FEW, form).count(b"<uri>http://ex/o</uri>") == 1


CONSTRUCT = "CONSTRUCT { ?s ?p ?o } { GRAPH ?g { ?s ?p ?o } VALUES ?o { ex:o } }"
PREFIXES = {"ex": "http://ex/", "other": "http://other/"}


def test_a_graph_is_a_sorted_set_of_triples(release: Release, ask: Ask) -> None:
    lines = ask(release, "CONSTRUCT { ?s ?p ?o } { GRAPH ?g { ?s ?p ?o } }", N_TRIPLES).splitlines()
    assert len(lines) == 402
    assert lines == sorted(set(lines))


@pytest.mark.parametrize("form", [TURTLE, TRIG])
def test_turtle_declares_the_prefixes_that_occur(release: Release, ask: Ask, form: Format) -> None:
    expected = b"@prefix ex: <http://ex/> .\nex:s ex:p ex:o .\nex:t ex:p ex:o .\n"
    assert ask(release, CONSTRUCT, form, prefixes=PREFIXES) == expected


def test_rdf_xml_has_the_prefixes(release: Release, ask: Ask) -> None:
    assert b'<ex:p rdf:resource="http://ex/o"/>' in ask(
        release, CONSTRUCT, RDF_XML, prefixes=PREFIXES
    )


def test_json_ld_is_compacted_with_the_context_of_the_release(release: Release, ask: Ask) -> None:
    document = json.loads(ask(release, CONSTRUCT, JSON_LD, prefixes=PREFIXES))
    assert document == {
        "@context": {"ex": "http://ex/", "p": {"@id": "ex:p", "@type": "@id"}},
        "@graph": [{"@id": "ex:s", "p": "ex:o"}, {"@id": "ex:t", "p": "ex:o"}],
    }


@pytest.mark.parametrize("form", GRAPH_FORMATS, ids=lambda form: form.name)
def test_an_empty_graph_can_be_given_in_every_format(
    release: Release, ask: Ask, form: Format
) -> None:
    answer = ask(release, "CONSTRUCT WHERE { <http://ex/z> ?p ?o }", form)
    assert b"<http://ex/z>" not in answer
    assert bool(answer) == (form in (RDF_XML, JSON_LD))


def test_a_large_answer_comes_as_a_file_and_is_the_same(release: Release, pool: WorkerPool) -> None:
    query = "SELECT ?s { ?s ?p ?o } ORDER BY ?s"
    small, large = (
        pool.run(task(release, query, spool_memory=memory)) for memory in (100_000, 100)
    )
    with small, large:
        assert small.size == large.size
        assert small.read() == b"".join(large.chunks(1000))


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        (Dataset(), b"402,403"),
        (Dataset(("http://ex/a",), ()), b"1,0"),
        (Dataset((), ("http://ex/b",)), b"0,2"),
        (Dataset(("http://ex/a", "http://ex/b"), ()), b"2,0"),
        (Dataset(("http://ex/a", "http://ex/b"), ("http://ex/b",)), b"2,2"),
        (Dataset(("http://ex/unknown",), ()), b"0,0"),
    ],
    ids=["own", "one", "named only", "merge", "merge and named", "unknown"],
)
def test_the_dataset_of_the_protocol(
    release: Release, ask: Ask, dataset: Dataset, expected: bytes
) -> None:
    """The number of triples in the default graph, and in the named graphs."""
    query = (
        "SELECT ?n ?m { { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } }"
        " { SELECT (COUNT(*) AS ?m) { GRAPH ?g { ?s ?p ?o } } } }"
    )
    assert ask(release, query, dataset=dataset).splitlines()[1] == expected


def test_one_worker_answers_on_one_release_after_another(tmp_path: Path, ask: Ask) -> None:
    first = committed(tmp_path / "store", graph("a", ":s :p :o"))
    second = committed(tmp_path / "store", graph("a", ":s :p :new"))
    answers = [ask(release, FEW) for release in (first, second, first)]
    assert answers == [b"o\r\nhttp://ex/o\r\n", b"o\r\nhttp://ex/new\r\n", answers[0]]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * {\n  ?s ?p }", "line 2, column 10: expected LATERAL, SERVICE"),
        ("SELECT * { ?s zz:p ?o }", "line 1, column 15: the prefix zz: is not declared"),
        ("SELECT (1 AS ?x) (2 AS ?x) {}", "line 1, column 30: Duplicated variable name in SELECT"),
        ("", "line 1, column 1: nothing that may stand here does"),
    ],
)
def test_a_syntax_error_has_a_place_and_a_short_reason(
    release: Release, ask: Ask, query: str, message: str
) -> None:
    with pytest.raises(QuerySyntax, match=message) as caught:
        ask(release, query)
    assert len(caught.value.message) < 120


def test_an_answer_past_its_limit_is_refused_in_both_kinds(release: Release, ask: Ask) -> None:
    for query, form in (("SELECT * { ?s ?p ?o }", JSON), ("CONSTRUCT WHERE { ?s ?p ?o }", TURTLE)):
        with pytest.raises(AnswerTooLarge, match="more than 5000 bytes"):
            ask(release, query, form, answer_bytes=5000)


def test_a_worker_reaches_no_network(release: Release, ask: Ask) -> None:
    if os.geteuid() != 0:
        pytest.skip("the kernel may refuse a network namespace to others than root")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(StoreError, match="Network is unreachable"):
            ask(release, f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}")
        with pytest.raises(TimeoutError):
            server.accept()


XML_HAS_NO = "it holds a character that XML does not have, or a carriage return"
TRIPLE_TERM = "CONSTRUCT { ex:s ex:p <<( ex:s %s 1 )>> } {}"


@pytest.mark.parametrize(
    ("query", "form", "reason"),
    [
        (r'SELECT ("a\u0001b" AS ?x) {}', XML, XML_HAS_NO),
        (r'SELECT ("a\uFFFEb" AS ?x) {}', XML, XML_HAS_NO),
        (r'SELECT ("a\r\nb" AS ?x) {}', XML, XML_HAS_NO),
        (r'CONSTRUCT { ex:s ex:p "\u0001" } {}', RDF_XML, XML_HAS_NO),
        ("CONSTRUCT { ex:s ex:1 1 } {}", RDF_XML, "the property <http://ex/1> does not end in"),
        ("CONSTRUCT { ex:s <http://ex/> 1 } {}", RDF_XML, "the property <http://ex/> does not"),
        (TRIPLE_TERM % "ex:2", RDF_XML, "the property <http://ex/2> does not"),
        (TRIPLE_TERM % "ex:p", JSON_LD, "JSON-LD has no triple terms"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_with_the_reason_and_the_others(
    release: Release, ask: Ask, query: str, form: Format, reason: str
) -> None:
    with pytest.raises(NotAcceptable, match=f"given as {form.name}: {reason}") as caught:
        ask(release, query, form, prefixes=PREFIXES)
    assert form.name not in caught.value.offered
    assert {"json", "ntriples"} & {*caught.value.offered}


def test_a_property_of_names_beyond_ascii_is_rdf_xml(release: Release, ask: Ask) -> None:
    names = ("1a", "é", "a·", "a.", "-a")
    triples = " ".join(f"ex:s <http://ex/{name}> 1 ." for name in names)
    document = ask(release, f"CONSTRUCT {{ {triples} }} {{}}", RDF_XML, prefixes=PREFIXES)
    assert len(Graph().parse(data=document, format="xml")) == len(names)


def test_a_context_that_is_gone_is_damage(tmp_path: Path, ask: Ask) -> None:
    release = committed(tmp_path / "store", graph("a", ":s :p :o"))
    (release.folder / "context.jsonld").unlink()
    with pytest.raises(StoreDamaged):
        ask(release, CONSTRUCT, JSON_LD, prefixes=PREFIXES)


def test_a_fault_of_the_machine_is_no_fault_of_the_query(
    release: Release, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError("No space left on device")

    monkeypatch.setattr(Output, "write", full)
    store = Store.read_only(str(release.folder / "public"))
    with pytest.raises(Failure) as caught:
        evaluated(store, task(release, FEW))
    assert caught.value.kind == "machine"
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__cause__.__traceback__)]  # type: ignore[union-attr]
    assert [frame.f_code.co_name for frame in frames if "result" in frame.f_locals] == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (b"memory allocation of 64 bytes failed\n", True),
        (b"terminate called after\n  what():  std::bad_alloc\n", True),
        (b"panicked at x:\ncode: 11, Resource temporarily unavailable\nnote: y\n", True),
        (b"Traceback\nMemoryError\n", True),
        (b'cannot parse "memory allocation of bad_alloc MemoryError"\n', False),
        (b"MemoryError\nlater\nand later\noverflowed its stack\n", False),
        (b"", False),
    ],
)
def test_only_the_last_words_tell_that_the_memory_ended(words: bytes, expected: bool) -> None:
    assert is_out_of_memory(words) == expected


def test_a_release_that_cannot_be_opened_is_damage(tmp_path: Path, ask: Ask) -> None:
    release = committed(tmp_path / "store", graph("a", ":s :p :o"))
    (release.folder / "public" / "CURRENT").unlink()
    with pytest.raises(StoreDamaged, match="cannot be opened"):
        ask(release, FEW)


@pytest.mark.parametrize(
    ("query", "error", "deadline"),
    [
        (ENDLESS, DeadlineExceeded, 0.3),
        (SORTED, MemoryExceeded, 20),
        (GROWN, MemoryExceeded, 20),
        (NESTED, WorkerDied, 20),
    ],
    ids=["endless", "large sort", "large string", "deep nesting"],
)
def test_a_worker_that_is_lost_is_an_error_for_one_client_only(
    release: Release, query: str, error: type[Exception], deadline: float
) -> None:
    with WorkerPool(1, memory=400 * 2**20, queue_seconds=20) as pool:
        with pytest.raises(error):
            pool.run(task(release, query, deadline=deadline))
        assert pool.run(task(release, FEW)).read() == b"o\r\nhttp://ex/o\r\n"


def test_a_deadline_frees_the_worker_at_once(release: Release, pool: WorkerPool) -> None:
    start = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"ended after 0\.5 s"):
        pool.run(task(release, ENDLESS, deadline=0.5))
    assert 0.5 <= time.monotonic() - start < 1
    pool.run(task(release, FEW))
    assert time.monotonic() - start < 1.5


def test_the_death_of_a_worker_names_its_signal(release: Release, pool: WorkerPool) -> None:
    with pytest.raises(WorkerDied, match="signal SIGSEGV"):
        pool.run(task(release, NESTED))


def test_workers_that_died_idle_are_replaced_without_an_error(release: Release) -> None:
    others = children()
    with WorkerPool(2, memory=MEMORY, queue_seconds=20) as pool:
        pool.run(task(release, FEW))
        for pid in children() - others:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
        assert pool.run(task(release, FEW)).read() == b"o\r\nhttp://ex/o\r\n"


def test_a_client_that_waits_too_long_is_told_that_the_workers_are_busy(release: Release) -> None:
    with WorkerPool(1, memory=MEMORY, queue_seconds=0.2) as pool, ThreadPoolExecutor() as threads:
        pool.run(task(release, FEW))
        endless = threads.submit(pool.run, task(release, ENDLESS, deadline=1))
        time.sleep(0.2)
        with pytest.raises(QueueFull, match=r"busy for 0\.2 s"):
            pool.run(task(release, FEW))
        assert isinstance(endless.exception(), DeadlineExceeded)


def test_many_threads_share_few_workers(release: Release, pool: WorkerPool) -> None:
    queries = [f"SELECT ?o {{ <http://ex/s{number}> ?p ?o }}" for number in range(60)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda query: pool.run(task(release, query)).read(), queries))
    assert answers == [b"o\r\nhttp://ex/o%d\r\n" % number for number in range(60)]


def test_an_interrupted_query_does_not_answer_the_next_one(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool:
        pool.run(task(release, FEW))
        with monkeypatch.context() as patch:
            patch.setattr("kg.store.workers.receive", interrupted)
            with pytest.raises(KeyboardInterrupt):
                pool.run(task(release, "ASK {}"))
        assert pool.run(task(release, FEW)).read() == b"o\r\nhttp://ex/o\r\n"


def test_closing_ends_every_worker_and_the_query_that_runs(release: Release) -> None:
    others = children()
    with ThreadPoolExecutor() as threads:
        with WorkerPool(1, memory=MEMORY, queue_seconds=20) as pool:
            pool.run(task(release, FEW))
            endless = threads.submit(pool.run, task(release, ENDLESS))
            time.sleep(0.2)
        assert children() == others
        assert isinstance(endless.exception(), WorkerDied)
    with pytest.raises(WorkerDied, match="closed"):
        pool.run(task(release, FEW))


KILLED = """
import os, sys, threading, time
from pathlib import Path
from kg.media import CSV
from kg.store.base import Task
from kg.store.workers import WorkerPool

pool = WorkerPool(1, memory=2**31, queue_seconds=20)
task = Task(Path(sys.argv[1]), sys.argv[2], CSV, 60, 10**6, 10**6)
threading.Thread(target=pool.run, args=[task], daemon=True).start()
time.sleep(1)
print(*(file.read_text() for file in Path("/proc/self/task").glob("*/children")), flush=True)
os.kill(os.getpid(), 9)
"""


def test_workers_end_with_the_process_that_started_them(release: Release) -> None:
    command = [sys.executable, "-c", KILLED, str(release.folder), ENDLESS]
    ended = subprocess.run(command, env=SOURCE, capture_output=True)
    workers = [Path("/proc", pid.decode()) for pid in ended.stdout.split()]
    assert len(workers) == 2
    until = time.monotonic() + 5
    while any(worker.exists() for worker in workers) and time.monotonic() < until:
        time.sleep(0.01)
    assert [worker for worker in workers if worker.exists()] == []


def test_a_worker_gets_no_settings_and_no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    others = children()
    for name in ("KG_WORKERS", "http_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "secret")
    with WorkerPool(1, memory=MEMORY, queue_seconds=20):
        while len(children() - others) < 2:
            time.sleep(0.01)
        time.sleep(0.2)
        worker = (children() - others).pop()
        assert b"secret" not in Path(f"/proc/{worker}/environ").read_bytes()


def test_a_worker_imports_no_heavy_library() -> None:
    program = "import kg.store.worker, sys; print(*{name.split('.')[0] for name in sys.modules})"
    ran = subprocess.run(
        [sys.executable, "-c", program], env=SOURCE, capture_output=True, check=True
    )
    heavy = {b"rdflib", b"pyshacl", b"pyld", b"flask", b"click", b"rich", b"ruamel"}
    assert heavy & set(ran.stdout.split()) == set()
