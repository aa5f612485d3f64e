"""How long the server takes for its pages, over a million quads: one table.

Run it from the checkout: `PYTHONPATH=tests python benchmarks/pages.py [--quads N]`. Besides our
own data the store has generated articles, an area to which 100,000 statements lead, and a subject
with 100,000 values. `cold` is the first request for an address after the server began; each warm
one has an address of its own (a parameter that the page does not read), so that nothing is kept.
`CPU` is how long the server's processes ran for a warm request: it tells most on a busy machine,
where the other times are also those of what else runs.
"""

from __future__ import annotations

import argparse
import http.client
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from generated import Conforming
from kg.namespaces import BASE, GRAPH, RF
from kg.project import Project
from kg_server import Server, running

CHECKOUT = Path(__file__).parents[1]
PROGRAM = "from kg.cli import main; main()"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip"}
MANY = 100_000
SKOS = "http://www.w3.org/2004/02/skos/core#"
ARTICLE = "a/0d09b047b72d6408"

PAGES = {
    "home": "/",
    "a claim": f"/id/{ARTICLE}/c/figure-2323-2399",
    "an area": "/id/area/RU",
    "a cohort": "/id/cohort/ff-departed",
    "an organisation": "/id/org/soufan-center",
    "a finding's rule": "/id/code/undecidable",
    "an article": f"/id/{ARTICLE}",
    "a class, with all its members": "/id/ns/FigureClaim",
    "an IRI of others": f"/resource?iri={quote('http://www.wikidata.org/entity/Q159')}",
    "100,000 links to it": "/id/area/linked-to",
    "100,000 links, page 1,000": f"/id/area/linked-to?in={quote(RF + 'about')}&page=1000",
    "100,000 values": "/id/subject/many-values",
    "100,000 values, page 1,000": f"/id/subject/many-values?of={quote(RF + 'about')}&page=1000",
    "nothing known": "/id/nothing",
    "query": "/query",
    "compare": "/compare",
    "sources": "/sources",
    "areas": "/areas",
    "cohorts": "/cohorts",
    "people": "/people",
    "search": "/search?q=fighters",
    "findings": "/findings",
    "ontology": "/ontology",
    "releases": "/releases",
}


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of one page, and the bytes of it as they travel."""

    status: int
    size: int
    cold: float
    warm: tuple[float, ...]
    cpu: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quads", type=int, default=1_000_000)
    arguments.add_argument("--repeat", type=int, default=40)
    arguments.add_argument("--folder", type=Path, help="where the disk is large enough")
    arguments.add_argument("--only", default="", help="pages whose name has this")
    arguments.add_argument("--store", type=Path, help="one that an earlier run kept with --keep")
    arguments.add_argument("--keep", type=Path, help="where the store is to stay")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        store = options.store or build(options.keep or folder / "store", folder, options.quads)
        with running(store, folder / "log", client_rate=10**9) as server:
            print(machine())
            print(f"{'':<32}{'status':>7}{'kB':>7}{'cold':>8}{'p50':>8}{'p95':>8}{'CPU':>8}   ms")
            chosen = {page: path for page, path in PAGES.items() if options.only in page}
            for page, path in chosen.items():
                show(page, measured(server, path, options.repeat))


def build(store: Path, folder: Path, quads: int) -> Path:
    """A store of our own data, with as many generated quads, and two very large nodes."""
    kg("build", "--project", str(CHECKOUT), "--store", str(store))
    dump = folder / "dump.nq"
    with dump.open("wb") as target:
        target.writelines(Conforming(Project.at(CHECKOUT)).articles(quads))
        target.writelines(large())
    kg("publish", str(dump), "--store", str(store), "--no-gate")
    dump.unlink()
    return store


def large() -> Iterator[bytes]:
    """An area to which many statements lead, and a subject of which as many are made."""
    area, subject, graph = f"{BASE}area/linked-to", f"{BASE}subject/many-values", f"{GRAPH}large"
    for iri, label in ((area, "An area"), (subject, "A subject")):
        yield f'<{iri}> <{SKOS}prefLabel> "{label} of a benchmark"@en <{graph}> .\n'.encode()
    for number in range(MANY):
        one = f"{BASE}one-of-many/{number}"
        yield f"<{one}> <{RF}about> <{area}> <{graph}> .\n".encode()
        yield f"<{subject}> <{RF}about> <{one}> <{graph}> .\n".encode()


def measured(server: Server, path: str, repeat: int) -> Times:
    """The times of one page on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port, timeout=60)
    sign = "&" if "?" in path else "?"

    def once(address: str) -> tuple[int, int, float]:
        began = time.perf_counter()
        connection.request("GET", address, headers=BROWSER)
        answer = connection.getresponse()
        size = len(answer.read())
        return answer.status, size, (time.perf_counter() - began) * 1000

    status, size, cold = once(path)
    before = on_processor(server)
    warm = tuple(once(f"{path}{sign}again={number}")[2] for number in range(repeat))
    cpu = (on_processor(server) - before) / repeat
    connection.close()
    return Times(status, size, cold, warm, cpu)


def on_processor(server: Server) -> float:
    """Milliseconds that the server's processes have run (proc_pid_schedstat, first field)."""
    processes = (server.process.pid, *server.children())
    tasks = (task for pid in processes for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6


def show(page: str, times: Times) -> None:
    p95 = statistics.quantiles(times.warm, n=20)[-1]
    print(
        f"{page:<32}{times.status:>7}{times.size / 1000:>7.1f}{times.cold:>8.1f}"
        f"{statistics.median(times.warm):>8.1f}{p95:>8.1f}{times.cpu:>8.1f}",
        flush=True,
    )


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return (
        f"{next(names, platform.machine())}, {len(os.sched_getaffinity(0))} processors, load"
        f" {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    )


def kg(*arguments: str) -> None:
    """A command of this program, which must succeed."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
