"""Commits and tasks in a few words, for the tests of the store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kg.media import CSV, Format
from kg.store.base import Commit, NamedGraph, Owner, Release, Task
from kg.store.embedded import commit

Ask = Callable[..., bytes]
CONTEXT = b'{"@context": {"ex": "http://ex/", "p": {"@id": "ex:p", "@type": "@id"}}}'
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def graph(
    name: str, *triples: str, owner: Owner = Owner.DATA, restricted: bool = False
) -> NamedGraph:
    """A graph of N-Triples lines in which `:x` stands for `<http://ex/x>`."""
    words = (
        " ".join(f"<http://ex/{word[1:]}>" if word[0] == ":" else word for word in line.split(" "))
        for line in triples
    )
    content = "".join(f"{line} .\n" for line in words).encode()
    return NamedGraph(f"http://ex/{name}", content, owner, restricted)


def change(*graphs: NamedGraph, owners: frozenset[Owner] | None = None) -> Commit:
    """A commit that replaces the graphs of `data`, or of these owners."""
    return Commit(
        graphs=graphs,
        owners=owners or frozenset({Owner.DATA}),
        who="a test",
        message="changed",
        shapes_digest="0" * 64,
        files={"context.jsonld": CONTEXT},
    )


def committed(folder: Path, *graphs: NamedGraph, **options: Any) -> Release:
    """The release that these graphs make."""
    release = commit(folder, change(*graphs, **options), now=NOW)
    assert release
    return release


def task(release: Release, query: str, format: Format = CSV, **options: Any) -> Task:
    """A query with limits that none of the tests meets by accident."""
    limits = {"deadline": 20.0, "answer_bytes": 10**8, "spool_memory": 10**5}
    return Task(release=release.folder, query=query, format=format, **(limits | options))


def folder_in_memory() -> Path:
    """A new folder that is no disk's where there is such a place: many commits wait for disks."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder in it is made for us alone
    return Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
