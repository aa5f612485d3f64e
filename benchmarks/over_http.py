"""`kg serve` beside `oxigraph serve` on the same million quads: rates, CPU, limits, commits.

`PYTHONPATH=tests python benchmarks/over_http.py [QUADS]` prints one table. The client is part of
this process and takes a core of its own, so that rates are those of a server with the other.
"""

from __future__ import annotations

import gzip
import os
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import quote

from generated import TRIPLES, article, articles, claim_iri
from kg.namespaces import RF
from kg.store.base import Commit, NamedGraph, Owner
from kg.store.embedded import commit
from kg_server import Server, running
from point_query import machine

SECONDS = 4.0
CONNECTIONS = 16
CHAIN = 500
JSON = "application/sparql-results+json"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
UNLIMITED = 10**9


@dataclass(frozen=True, slots=True)
class Peer:
    """A server under test: where it listens, its first process, how a query is asked."""

    name: str
    port: int
    pid: int
    path: str

    def request(self, query: str, headers: str = "") -> bytes:
        """A GET of this query, as it is sent."""
        return (
            f"GET {self.path}?query={quote(query, safe='')} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Accept: {JSON}\r\n{headers}\r\n"
        ).encode()


@dataclass(frozen=True, slots=True)
class Rate:
    """Answers a second, CPU a request of all processes of the server, bytes of an answer."""

    requests: float
    cpu: float
    size: int


def main(quads: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{machine()}, {os.cpu_count()} cores; {quads} quads; {CONNECTIONS} connections\n")
        build(folder / "kg", quads)
        load(folder / "oxigraph", quads)
        with (
            running(folder / "kg", folder / "log", client_rate=UNLIMITED) as server,
            oxigraph(folder / "oxigraph") as peer,
        ):
            compare(ours(server), peer, quads)
            report_deadline(server)
        report_start(folder)
        report_chain(folder / "kg", quads)


# --- the two stores -----------------------------------------------------------------------


def build(folder: Path, quads: int) -> None:
    seconds = timed(lambda: write(folder, tuple(articles(quads)), Owner.DATA))
    print(f"kg: first commit {seconds:.1f} s, {megabytes(folder):.0f} MB")


def write(folder: Path, graphs: tuple[NamedGraph, ...], owner: Owner) -> None:
    """One commit: what `data/` owns is replaced, to what clients wrote the graphs are added."""
    replaced = frozenset({Owner.DATA}) if owner is Owner.DATA else frozenset[Owner]()
    change = Commit(
        graphs=graphs,
        owners=replaced,
        names=frozenset(graph.iri for graph in graphs),
        who="benchmark",
        message="",
        shapes_digest="",
        files={"context.jsonld": b'{"@context": {}}'},
    )
    assert commit(folder, change, now=datetime.now(UTC))


def load(folder: Path, quads: int) -> None:
    dump = folder.with_suffix(".nq.gz")
    with gzip.open(dump, "wb", compresslevel=1) as file:
        for graph in articles(quads):
            end = f"<{graph.iri}> .\n".encode()
            lines = graph.triples.splitlines()
            file.writelines(line.removesuffix(b".") + end for line in lines)
    seconds = timed(lambda: run(program(), "load", "--location", folder, "--file", dump))
    run(program(), "optimize", "--location", folder)
    print(f"oxigraph: load {seconds:.1f} s, {megabytes(folder):.0f} MB\n")


def program() -> str:
    found = shutil.which("oxigraph", path=Path(sys.executable).parent) or shutil.which("oxigraph")
    assert found, "pip install oxigraph"
    return found


def run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


@contextmanager
def oxigraph(folder: Path) -> Iterator[Peer]:
    """`oxigraph serve` with its own union of the named graphs as the default graph."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [program(), "serve-read-only", "--location", str(folder), "--union-default-graph"]
    with subprocess.Popen(
        [*command, "--bind", f"127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(port)
            yield Peer("oxigraph", port, process.pid, "/query")
        finally:
            process.kill()


def ours(server: Server) -> Peer:
    return Peer("kg", server.port, server.process.pid, "/sparql")


def wait_for(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return


# --- rates --------------------------------------------------------------------------------


def compare(kg: Peer, peer: Peer, quads: int) -> None:
    numbers = count()

    def point() -> str:
        number = next(numbers)
        iri = claim_iri(number // 20 % (quads // TRIPLES), number % 20)
        return f"SELECT ?p ?o {{ <{iri}> ?p ?o }} # {number}"

    def rows(limit: int) -> Callable[[], str]:
        def query() -> str:
            return f"SELECT ?c ?v {{ ?c <{RF}value> ?v }} LIMIT {limit} # {next(numbers)}"

        return query

    print(f"{'':34}{'kg':>10}{'CPU µs':>10}{'oxigraph':>12}{'CPU µs':>10}{'ratio':>9}{'bytes':>12}")
    same = point()
    base = measured(peer, point)
    row("cached answer", measured(kg, lambda: same), base)
    row("304 Not Modified", measured(kg, lambda: same, unmodified(kg, same)), base)
    row("point query, each a new one", measured(kg, point), base)
    row("1,000 rows", measured(kg, rows(1000)), measured(peer, rows(1000)))
    row(
        "100,000 rows",
        measured(kg, rows(100_000), connections=2),
        measured(peer, rows(100_000), connections=2),
    )


def row(name: str, kg: Rate, peer: Rate) -> None:
    print(
        f"{name:34}{kg.requests:>10,.1f}{kg.cpu:>10,.0f}{peer.requests:>12,.1f}{peer.cpu:>10,.0f}"
        f"{kg.requests / peer.requests:>9.2f}{kg.size:>12,}"
    )


def unmodified(peer: Peer, query: str) -> str:
    """The header that asks whether the answer to this query is still the same."""
    with Client(peer.port) as client:
        head, _ = client.ask(peer.request(query))
    tag = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"etag:"))
    return f"If-None-Match: {tag.partition(b':')[2].strip().decode()}\r\n"


def measured(
    peer: Peer, query: Callable[[], str], headers: str = "", connections: int = CONNECTIONS
) -> Rate:
    """What the server does in `SECONDS` with so many clients, each with one request under way."""
    clients = {
        client.fileno(): client for client in (Client(peer.port) for _ in range(connections))
    }
    poll = select.epoll()
    for descriptor, client in clients.items():
        poll.register(descriptor, select.EPOLLIN)
        client.send(peer.request(query(), headers))
    cpu, start, answers, size = cpu_seconds(peer.pid), time.perf_counter(), 0, 0
    while time.perf_counter() - start < SECONDS or not answers:
        for descriptor, _ in poll.poll():
            client = clients[descriptor]
            if client.is_complete():
                answers, size = answers + 1, client.size
                client.send(peer.request(query(), headers))
    seconds = time.perf_counter() - start
    spent = cpu_seconds(peer.pid) - cpu
    for client in clients.values():
        client.close()
    return Rate(answers / seconds, spent / answers * 1e6, size)


class Client:
    """A connection that is kept, with one request under way."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head, self._tail, self._left, self.size = b"", b"", 0, 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, request: bytes) -> None:
        self._head, self._tail, self.size = b"", b"", 0
        self._socket.sendall(request)

    def ask(self, request: bytes) -> tuple[bytes, int]:
        """The head of the answer, and the bytes of its body."""
        self.send(request)
        while not self.is_complete():
            pass
        return self._head, self.size

    def is_complete(self) -> bool:
        """Takes what has come, and says whether the answer ends there."""
        data = self._socket.recv(1 << 20)
        assert data, "the server closed the connection"
        if not self._head:
            self._head, _, data = data.partition(b"\r\n\r\n")
            status = self._head.split(b" ", 2)[1]
            assert status in (b"200", b"304"), self._head
        self.size += len(data)
        lower = self._head.lower()
        if b"chunked" in lower:
            self._tail = (self._tail + data)[-5:]
            return self._tail == b"0\r\n\r\n"
        length = lower.partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        return b" 304 " in self._head[:16] or self.size >= int(length)

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all below it that live."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = (
        int(child)
        for task in Path(f"/proc/{pid}/task").glob("*/children")
        for child in task.read_text().split()
    )
    return own + sum(cpu_seconds(child) for child in children)


# --- limits and commits -------------------------------------------------------------------


def report_deadline(server: Server) -> None:
    """How long after its deadline an endless query's worker is free again."""
    late = []
    for _ in range(5):
        taken = timed(lambda: server.query(ENDLESS, timeout=0.5)) - 0.5
        late.append(taken + timed(lambda: server.query("ASK {}")))
    worst = max(late) * 1000
    print(
        f"\ndeadline to the next answer: median {statistics.median(late) * 1000:.0f} ms,"
        f" most {worst:.0f} ms"
    )


def report_start(folder: Path) -> None:
    """From the start of `kg serve` until a query has its answer."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        with running(folder / "kg", folder / "log") as server:
            assert server.query("ASK { ?s ?p ?o }").status == 200
            times.append(time.perf_counter() - start)
    print(f"start to first answer: median {statistics.median(times):.2f} s")


def report_chain(folder: Path, quads: int) -> None:
    """Commits of one more article each, and what they leave for readers."""
    first = quads // TRIPLES
    seconds = []
    for number in range(first, first + CHAIN):
        graph = article(number, owner=Owner.API)
        seconds.append(timed(partial(write, folder, (graph,), Owner.API)))
    tables = max(
        len(list(release.glob("public/*.sst"))) for release in (folder / "releases").iterdir()
    )
    ordered = sorted(seconds)
    print(
        f"commit of one more article of {TRIPLES} triples, {CHAIN} in a chain: median"
        f" {statistics.median(seconds) * 1000:.0f} ms, 95 % under"
        f" {ordered[int(CHAIN * 0.95)] * 1000:.0f} ms, most {ordered[-1] * 1000:.0f} ms;"
        f" at most {tables} table files"
    )


def megabytes(folder: Path) -> float:
    files = (file for file in folder.rglob("*") if file.is_file())
    return sum(file.stat().st_size for file in files) / 1e6


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
