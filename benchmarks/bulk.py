"""How fast `kg publish` brings in articles, beside `oxigraph load` of the same dump: one table.

Run it from the checkout: `python benchmarks/bulk.py [--quads N] [--gate] [--no-oxigraph]`.
With --gate also with the gate on. The articles are those of `generated.Conforming`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from generated import Conforming
from kg.project import Project
from kg.store.releases import Releases

CHECKOUT = Path(__file__).parents[1]
PROGRAM = "from kg.cli import main; main()"
MEASURED = """
import json, os, resource, subprocess, sys, threading, time

def below(pid):
    try:
        children = open(f"/proc/{pid}/task/{pid}/children").read().split()
        return [each for child in children for each in (child, *below(child))]
    except OSError:
        return []

def resident(pid):
    try:
        return int(open(f"/proc/{pid}/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0

process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
together = 0
while process.poll() is None:
    together = max(together, sum(map(resident, [process.pid, *below(process.pid)])))
    time.sleep(0.1)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "code": process.returncode, "largest": usage.ru_maxrss * 1024, "together": together,
    "cpu": usage.ru_utime + usage.ru_stime,
}))
"""
"""A command, and then what it took: its largest process, and all of them at one moment."""


@dataclass(frozen=True)
class Run:
    what: str
    seconds: float
    cpu: float
    largest: int
    together: int
    disk: int


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quads", type=int, default=1_000_000)
    arguments.add_argument("--gate", action="store_true")
    arguments.add_argument("--no-oxigraph", action="store_true")
    arguments.add_argument("--folder", type=Path, help="where the disk is large enough")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        project = _project(folder)
        dump, quads = _dump(folder, project, options.quads)
        _kg("build", "--project", str(project.folder), "--store", str(folder / "built"))
        print(
            f"{platform.machine()}, {platform.system()}, Python {platform.python_version()},"
            f" {len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f} before;"
            f" {quads} quads, {dump.stat().st_size / 1e6:.0f} MB of N-Quads"
        )
        print(
            f"{'':<24}{'seconds':>9}{'quads/s':>10}{'CPU s':>9}{'largest':>12}{'together':>12}"
            f"{'disk':>10}"
        )
        if not options.no_oxigraph:
            _show(_oxigraph(folder, dump), quads)
        _show(_publish(folder, dump, "kg publish --no-gate", "--no-gate"), quads)
        if options.gate:
            _show(_publish(folder, dump, "kg publish"), quads)


def _project(folder: Path) -> Project:
    """The project in miniature that the tests have, with our ontology."""
    shutil.copytree(CHECKOUT / "tests/fixtures/project", folder / "project")
    shutil.copytree(CHECKOUT / "ontology", folder / "project/ontology")
    return Project.at(folder / "project")


def _dump(folder: Path, project: Project, quads: int) -> tuple[Path, int]:
    dump = folder / "dump.nq"
    generated = Conforming(project)
    with dump.open("wb") as target:
        target.writelines(generated.articles(quads))
    return dump, quads // generated.triples * generated.triples


def _publish(folder: Path, dump: Path, what: str, *options: str) -> Run:
    store = folder / "store"
    shutil.copytree(folder / "built", store)
    command = [sys.executable, "-c", PROGRAM, "publish", str(dump), "--store", str(store)]
    run = _measured(what, [*command, *options], store / "releases")
    release = Releases.open(store).head()
    assert release.number == 2, "nothing landed"
    shutil.rmtree(store)
    return run


def _oxigraph(folder: Path, dump: Path) -> Run:
    program = Path(sys.executable).with_name("oxigraph")
    store = folder / "oxigraph"
    command = [str(program), "load", "--location", str(store), "--file", str(dump)]
    run = _measured("oxigraph load", command, store)
    shutil.rmtree(store)
    return run


def _measured(what: str, command: list[str], disk: Path) -> Run:
    began = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-c", MEASURED, *command], check=True, stdout=subprocess.PIPE
    )
    seconds = time.perf_counter() - began
    found = json.loads(ran.stdout)
    assert found["code"] == 0, command
    size = sum(file.stat().st_blocks * 512 for file in disk.rglob("*") if file.is_file())
    return Run(what, seconds, found["cpu"], found["largest"], found["together"], size)


def _show(run: Run, quads: int) -> None:
    mib = 1024 * 1024
    print(
        f"{run.what:<24}{run.seconds:>9.1f}{quads / run.seconds:>10.0f}{run.cpu:>9.1f}"
        f"{run.largest / mib:>8.0f} MiB{run.together / mib:>8.0f} MiB{run.disk / mib:>6.0f} MiB",
        flush=True,
    )


def _kg(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], check=True, stdout=subprocess.DEVNULL
    )


if __name__ == "__main__":
    main()
