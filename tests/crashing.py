"""A process that commits without end, for a test that kills it; it says what it does in a file.

Run as a program it starts such processes, one for each line of its input, by fork: they have
imported everything, and are killed at their work.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kg.publishing.landing import land
from kg.publishing.preparation import Preparer
from kg.publishing.writes import Method, Write
from kg.settings import Settings
from kg.store import commits, loading
from kg.store.base import Commit, NamedGraph, Owner
from store_parts import CONTEXT, NOW

FILES = {"context.jsonld": CONTEXT, "shapes.nt": b""}
"""Shapes that find nothing, so that a write is over as soon as a commit."""

Content = dict[str, list[str]]
"""The sorted N-Triples lines of each graph."""


def content(step: int) -> Content:
    """What the store holds after this step: a graph that grows and shrinks, and one that moves."""
    shared = [_line(f"shared{n}") for n in range(100)]
    changing = [*shared[: 40 + step % 3 * 30], _line(f"step{step}")]
    moving = f"http://ex/moving{step % 2}"
    return {"http://ex/changing": sorted(changing), moving: sorted([*shared, _line(f"at{step}")])}


def _line(name: str) -> str:
    return f"<http://ex/{name}> <http://ex/p> <http://ex/o> .\n"


def run(kind: str, folder: Path, step: int, said: Path) -> None:
    """Make one step after another; a line of `said` tells of each before and after it."""
    steps: dict[str, Callable[[Path, int], None]] = {
        "commit": _commit,
        "import": _import,
        "write": _write,
    }
    descriptor = os.open(said, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    while True:
        os.write(descriptor, f"begin {step}\n".encode())
        steps[kind](folder, step)
        name = (folder / "HEAD").read_text().strip()
        os.write(descriptor, f"done {step} {name}\n".encode())
        step += 1


def commit_of(step: int) -> Commit:
    """The whole content of a step."""
    graphs = (
        NamedGraph(iri, "".join(lines).encode(), Owner.API) for iri, lines in content(step).items()
    )
    return Commit(
        graphs=tuple(graphs),
        owners=frozenset({Owner.API}),
        who="a test",
        message=f"step {step}",
        shapes_digest="",
        files=FILES,
    )


def start() -> None:
    """Fork a process for each `[kind, folder, step, said]`, and print its id."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those that end leave no zombie
    for line in sys.stdin:
        kind, folder, step, said = json.loads(line)
        process = os.fork()
        if not process:
            run(kind, Path(folder), step, Path(said))
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()


def _commit(folder: Path, step: int) -> None:
    commits.commit(folder, replace(commit_of(step), shapes_digest=str(step)), now=NOW)


def _import(folder: Path, step: int) -> None:
    """As a large one: table files past the log, and all merged."""
    loading._BULK = 10  # type: ignore[misc]
    _commit(folder, step)


_PREPARER = Preparer()


def _write(folder: Path, step: int) -> None:
    """By one update, that is run on a copy before."""
    before, after = content(step - 1), content(step)
    gone = (f"DROP SILENT GRAPH <{iri}>" for iri in before)
    new = (f"INSERT DATA {{ GRAPH <{it}> {{ {''.join(after[it])} }} }}" for it in after)
    update = " ;\n".join((*gone, *new))
    land(Write(Method.UPDATE, None, (), update), folder, Settings(), _PREPARER, now=NOW)


if __name__ == "__main__":
    start()
