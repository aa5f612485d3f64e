"""Kills at any moment, and full disks: HEAD opens, and no release that was acknowledged is lost."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from pyoxigraph import DefaultGraph, RdfFormat, Store

from crashing import commit_of, content
from kg.errors import CommitFailed
from kg.store.embedded import commit
from kg.store.releases import Releases
from store_parts import NOW

KILLS = 210
KINDS = ("commit", "import", "write")
LONGEST = {"commit": 0.12, "import": 0.2, "write": 0.2}
"""Seconds within which about one step is over."""


@pytest.fixture
def starter() -> Iterator[Popen[str]]:
    """Starts a process for each line that it gets."""
    command = [sys.executable, "-m", "crashing"]
    path = os.pathsep.join(filter(None, sys.path))
    with Popen(
        command, stdin=PIPE, stdout=PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
    ) as starter:
        yield starter


def test_a_kill_at_any_moment_loses_no_acknowledged_release(
    folder: Path, tmp_path: Path, starter: Popen[str]
) -> None:
    chance = random.Random(4)  # noqa: S311 - the same moments in each run, as far as can be
    first = commit(folder, commit_of(0), now=NOW)
    assert first
    step, acknowledged, leaving_something = 0, {first.name}, 0
    for number in range(KILLS):
        said = tmp_path / f"said-{number}"
        kind = KINDS[number % len(KINDS)]
        process = started(starter, kind, folder, step + 1, said)
        kill(process, said, chance.uniform(0, LONGEST[kind]))
        begun, done = told(said)
        acknowledged |= set(done.values())
        leaving_something += bool(leftovers(folder))
        step = step_of(served(folder), (max(done, default=step), begun))
        assert acknowledged <= {release.name for release in Releases.open(folder).all()}, number
    assert leaving_something > KILLS / 3, "too few kills fell into the midst of a write"
    commit(folder, commit_of(step + 1), now=NOW)
    assert leftovers(folder) == []


def leftovers(folder: Path) -> list[Path]:
    """What a write has in hand."""
    return [*folder.glob(".*"), *(folder / "releases").glob(".*")]


def started(starter: Popen[str], *arguments: object) -> int:
    """The id of a process that runs with these arguments."""
    assert starter.stdin and starter.stdout
    starter.stdin.write(json.dumps(arguments, default=str) + "\n")
    starter.stdin.flush()
    return int(starter.stdout.readline())


def kill(process: int, said: Path, after: float) -> None:
    """SIGKILL, so many seconds after the first step began."""
    until = time.monotonic() + 30
    while not said.exists() and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(after)
    os.kill(process, signal.SIGKILL)
    with suppress(ProcessLookupError):
        while time.monotonic() < until:
            os.kill(process, 0)
            time.sleep(0.002)


def told(said: Path) -> tuple[int, dict[int, str]]:
    """The last step that was begun, and the release of each that was done."""
    lines = [line.split() for line in said.read_text().splitlines()]
    done = {int(line[1]): line[2] for line in lines if line[0] == "done"}
    return max(int(line[1]) for line in lines if line[0] == "begin"), done


def served(folder: Path) -> dict[str, list[str]]:
    """What HEAD holds by graph, after its digest and its default graph were found right."""
    head = Releases.open(folder).head()
    store = Store.read_only(str(head.folder / "public"))
    graphs = {
        graph.value: sorted(
            (store.dump(format=RdfFormat.N_TRIPLES, from_graph=graph) or b"")
            .decode()
            .splitlines(keepends=True)
        )
        for graph in store.named_graphs()
    }
    union = store.dump(format=RdfFormat.N_TRIPLES, from_graph=DefaultGraph()) or b""
    assert set(union.decode().splitlines(keepends=True)) == set().union(*graphs.values())
    assert {state.iri: state.quads for state in head.graphs} == {
        iri: len(lines) for iri, lines in graphs.items()
    }
    return graphs


def step_of(found: dict[str, list[str]], possible: tuple[int, ...]) -> int:
    """The step whose content was found."""
    (step,) = {step for step in possible if content(step) == found}
    return step


# --- full disks ---------------------------------------------------------------------------

ROUNDS = 12


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system can only be mounted by root")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_disk_that_is_full_at_any_moment_leaves_head_as_it_was(small_disk: Path) -> None:
    """Filled to a little less each time, so that it is full in another place of a commit."""
    folder = small_disk / "store"
    commit(folder, commit_of(0), now=NOW)
    before, refused = content(0), 0
    for step in range(1, ROUNDS + 1):
        free = shutil.disk_usage(small_disk).free
        (small_disk / "ballast").write_bytes(b"x" * max(free - step * step * 8 * 1024, 0))
        try:
            commit(folder, commit_of(step), now=NOW)
            before = content(step)
        except CommitFailed as error:
            refused += 1
            assert "no space is left" in error.message, error
        assert served(folder) == before
        (small_disk / "ballast").unlink()
        assert leftovers(folder) == []
    assert 0 < refused < ROUNDS
    commit(folder, commit_of(ROUNDS + 1), now=NOW)
    assert served(folder) == content(ROUNDS + 1)
