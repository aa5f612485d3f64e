"""What a bulk publish has done so far, on disk: after a kill it goes on from there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kg.closing import Closing
from kg.store.base import GraphState, Owner, SpooledGraph

_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS held (graph TEXT PRIMARY KEY, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS task (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS part (
  bucket INTEGER, input INTEGER, file TEXT, start INTEGER, length INTEGER);
CREATE INDEX IF NOT EXISTS part_of_bucket ON part (bucket);
CREATE TABLE IF NOT EXISTS refused (input INTEGER PRIMARY KEY, reasons TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS unit (
  id INTEGER PRIMARY KEY, place TEXT, name TEXT, source TEXT, aside TEXT NOT NULL,
  late TEXT NOT NULL DEFAULT '');
CREATE VIEW IF NOT EXISTS fine AS SELECT * FROM unit WHERE aside = '' AND late = '';
CREATE TABLE IF NOT EXISTS graph (
  unit INTEGER, iri TEXT, restricted INTEGER, checked INTEGER, quads INTEGER, digest TEXT,
  file TEXT, start INTEGER, length INTEGER);
CREATE TABLE IF NOT EXISTS subject (hash INTEGER, unit INTEGER);
CREATE TABLE IF NOT EXISTS elsewhere (unit INTEGER, graph TEXT, subject TEXT);
CREATE TABLE IF NOT EXISTS note (text TEXT PRIMARY KEY);
"""
"""A transaction is whole after a crash of the machine, if it is there; what it tells of was on
disk before it. So the engine may sync in batches, as it does with these settings."""


@dataclass(frozen=True, slots=True)
class Part:
    """N-Quads lines of one bucket, of one input, in a part of a file."""

    bucket: int
    input: int
    file: Path
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one unit: its graphs, or why it is set aside.

    `place` orders units whatever process was done first; `source` says where it came from. The
    `name` of what was set aside is empty where nobody can tell which unit it is.
    `elsewhere` are subjects that other graphs of HEAD describe, one a graph.
    """

    place: str
    name: str
    source: str
    graphs: tuple[SpooledGraph, ...] = ()
    subjects: tuple[int, ...] = ()
    elsewhere: tuple[tuple[str, str], ...] = ()
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What one task came to."""

    task: str
    units: tuple[Outcome, ...] = ()
    parts: tuple[Part, ...] = ()
    refused: Mapping[int, str] | None = None
    """Inputs of which nothing is taken, with the reason."""
    notes: tuple[str, ...] = ()


def merged(task: str, results: Iterable[Done]) -> Done:
    """What a task came to that was done in pieces."""
    results = list(results)
    return Done(
        task,
        tuple(unit for each in results for unit in each.units),
        tuple(part for each in results for part in each.parts),
        {number: why for each in results for number, why in (each.refused or {}).items()},
        tuple(note for each in results for note in each.notes),
    )


class Journal(Closing):
    """The journal of one job; one process at a time has it open."""

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file)
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def fact(self, name: str) -> str | None:
        """What was kept by this name."""
        row = self._one("SELECT value FROM fact WHERE name = ?", name)
        return str(row[0]) if row else None

    def begin(self, facts: Mapping[str, str], held: Iterable[GraphState]) -> None:
        """Keep what the job rests on."""
        with self._database as database:
            database.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", facts.items())
            rows = ((state.iri, state.digest) for state in held)
            database.executemany("INSERT OR REPLACE INTO held VALUES (?, ?)", rows)

    def digest_then(self, graph: str) -> str | None:
        """The digest that a graph of HEAD had when the job began."""
        row = self._one("SELECT digest FROM held WHERE graph = ?", graph)
        return str(row[0]) if row else None

    def done(self) -> frozenset[str]:
        """The names of the tasks that are done."""
        return frozenset(name for (name,) in self._all("SELECT name FROM task"))

    def record(self, done: Done) -> None:
        """Keep what a task came to, all or nothing."""
        with self._database as database:
            database.execute("INSERT OR IGNORE INTO task VALUES (?)", (done.task,))
            database.executemany(
                "INSERT INTO part VALUES (?, ?, ?, ?, ?)",
                ((it.bucket, it.input, str(it.file), it.start, it.length) for it in done.parts),
            )
            database.executemany(
                "INSERT OR IGNORE INTO refused VALUES (?, ?)", (done.refused or {}).items()
            )
            database.executemany(
                "INSERT OR IGNORE INTO note VALUES (?)", ((note,) for note in done.notes)
            )
            for unit in done.units:
                _insert(database, unit)

    def parts(self, bucket: int) -> list[Part]:
        """The parts of a bucket, those of refused inputs left out, in the order of the inputs."""
        query = (
            "SELECT * FROM part WHERE bucket = ? AND input NOT IN (SELECT input FROM refused)"
            " ORDER BY input, file, start"
        )
        return [
            Part(bucket, given, Path(file), start, length)
            for bucket, given, file, start, length in self._all(query, bucket)
        ]

    def buckets(self) -> list[tuple[int, int]]:
        """The buckets that hold anything, with their bytes."""
        query = (
            "SELECT bucket, SUM(length) FROM part WHERE input NOT IN (SELECT input FROM refused)"
            " GROUP BY bucket ORDER BY bucket"
        )
        return [(bucket, length) for bucket, length in self._all(query)]

    def refused(self) -> dict[int, str]:
        """The inputs of which nothing is taken, with the reason."""
        return dict(self._all("SELECT input, reasons FROM refused ORDER BY input"))

    def notes(self) -> list[str]:
        """What is to be said in the end."""
        return [note for (note,) in self._all("SELECT text FROM note ORDER BY text")]

    # --- units ----------------------------------------------------------------------------

    def units(self) -> Iterator[tuple[int, str, str]]:
        """The units that nothing is wrong with, in order: number, name and source."""
        yield from self._database.execute("SELECT id, name, source FROM fine ORDER BY place")

    def aside(self) -> Iterator[tuple[str, str, str]]:
        """The units that were set aside, in order: name, source and reasons."""
        yield from self._database.execute(
            "SELECT name, source, aside || late FROM unit WHERE aside || late != '' ORDER BY place"
        )

    def set_aside(self, unit: int, reason: str) -> None:
        """Set a unit aside for what else is published, until `forgive`."""
        with self._database as database:
            database.execute("UPDATE unit SET late = ? WHERE id = ?", (reason, unit))

    def forgive(self) -> None:
        """Look at what else is published anew."""
        with self._database as database:
            database.execute("UPDATE unit SET late = ''")

    def graphs(self, unit: int | None = None) -> Iterator[tuple[int, SpooledGraph]]:
        """The graphs of one unit, or of all that nothing is wrong with; each with its unit."""
        rows = (
            self._database.execute(
                "SELECT graph.* FROM graph JOIN fine ON unit = fine.id ORDER BY place, iri"
            )
            if unit is None
            else self._database.execute("SELECT * FROM graph WHERE unit = ? ORDER BY iri", (unit,))
        )
        for number, iri, restricted, checked, quads, digest, file, start, length in rows:
            state = GraphState(iri, Owner.PUBLISHED, quads, digest, bool(checked))
            yield number, SpooledGraph(state, Path(file), start, length, bool(restricted))

    def shared_graphs(self) -> list[tuple[int, str]]:
        """The units that have a graph that another has, too, with it, in order."""
        return self._all(_SHARED.format(table="graph", column="iri"))

    def shared_subjects(self) -> list[tuple[int, int]]:
        """The units that describe what another describes, too, with its fingerprint, in order."""
        return self._all(_SHARED.format(table="subject", column="hash"))

    def elsewhere(self) -> list[tuple[int, str, str]]:
        """The units that describe what a graph of HEAD describes: unit, graph, subject."""
        return self._all(
            "SELECT unit, graph, subject FROM elsewhere JOIN fine ON unit = fine.id"
            " ORDER BY place, graph"
        )

    def describing(self, subject: int) -> list[int]:
        """The units that describe the subject of this fingerprint."""
        self._database.execute("CREATE INDEX IF NOT EXISTS by_hash ON subject (hash)")
        rows = self._all(
            "SELECT unit FROM subject JOIN fine ON unit = fine.id WHERE hash = ?",
            subject,
        )
        return [unit for (unit,) in rows]

    def name(self, unit: int) -> str:
        """The name of a unit."""
        row = self._one("SELECT name FROM unit WHERE id = ?", unit)
        return str(row[0]) if row else ""

    def source(self, unit: int) -> str:
        """Where a unit came from."""
        row = self._one("SELECT source FROM unit WHERE id = ?", unit)
        return str(row[0]) if row else ""

    def _one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        rows = self._all(query, *values)
        return rows[0] if rows else None

    def _all(self, query: str, *values: object) -> list[Any]:
        return self._database.execute(query, values).fetchall()


_SHARED: Final = """
SELECT unit, {column} FROM {table} JOIN fine ON unit = fine.id
WHERE {column} IN (
  SELECT {column} FROM {table} JOIN fine ON unit = fine.id
  GROUP BY {column} HAVING COUNT(DISTINCT unit) > 1)
ORDER BY place
"""


def _insert(database: sqlite3.Connection, unit: Outcome) -> None:
    cursor = database.execute(
        "INSERT INTO unit (place, name, source, aside) VALUES (?, ?, ?, ?)",
        (unit.place, unit.name, unit.source, unit.aside),
    )
    number = cursor.lastrowid
    database.executemany(
        "INSERT INTO graph VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                number,
                each.state.iri,
                each.restricted,
                each.state.checked,
                each.state.quads,
                each.state.digest,
                str(each.file),
                each.offset,
                each.length,
            )
            for each in unit.graphs
        ),
    )
    database.executemany(
        "INSERT INTO subject VALUES (?, ?)", ((subject, number) for subject in unit.subjects)
    )
    database.executemany(
        "INSERT INTO elsewhere VALUES (?, ?, ?)",
        ((number, graph, subject) for graph, subject in unit.elsewhere),
    )
