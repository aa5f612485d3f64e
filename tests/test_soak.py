"""Two hours of a server in two minutes: writes, reads, tags, retention, restarts, a clock set back.

The clock of every process of `kg` is that of the test, by `other_clock`: it runs so fast that two
hours pass. `KG_SOAK_SECONDS` is how long it really takes.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import pytest

from kg.store.base import Release
from kg.store.releases import Releases
from kg.store.tokens import Scope, Tokens
from kg_server import Reply, Server, environment
from processes import alive, descriptors, eventually, front, resident, spooled, workers

_CLOCK: Final = Path(__file__).parent / "other_clock"
_SECONDS: Final = float(os.environ.get("KG_SOAK_SECONDS", "20"))
_PACE: Final = 7200 / _SECONDS
_BACK: Final = 600.0
"""Seconds of the clock that it is set back."""
_GRAPHS: Final = 8
_KEPT: Final = 10
_DAYS: Final = 0.01
"""Not quite a quarter of an hour."""
_IN_USE: Final = 8
"""Releases that workers may hold, or the chain up to HEAD after a rollback."""
_MIB: Final = 2**20
_BUSY: Final = (429, 503)
_KG: Final = (sys.executable, "-c", "from kg.cli import main; main(prog_name='kg')")

pytestmark = pytest.mark.timeout(_SECONDS + 180)


class Clock:
    """The time that the processes see: it runs fast, in steps, and can be set back."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._began = time.monotonic()
        self._back = 0.0
        self.tick()

    def tick(self) -> None:
        """Move it on."""
        ahead = (time.monotonic() - self._began) * (_PACE - 1) - self._back
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead:.0f}")
        new.replace(self._file)

    def set_back(self, seconds: float) -> None:
        """Let it be so much earlier."""
        self._back += seconds
        self.tick()

    def now(self) -> datetime:
        """What it says."""
        return datetime.now(UTC) + timedelta(seconds=int(self._file.read_text()))

    def environment(self) -> dict[str, str]:
        """That of a process which sees this clock."""
        path = environment()
        return path | {
            "PYTHONPATH": f"{_CLOCK}{os.pathsep}{path['PYTHONPATH']}",
            "CLOCK_FILE": str(self._file),
            "KG_KEEP_RELEASES": str(_KEPT),
            "KG_KEEP_DAYS": str(_DAYS),
            "KG_CLIENT_RATE": "1000000",
        }


class Operated:
    """A store that is served, written to and looked after, with all that it should hold."""

    def __init__(self, folder: Path, clock: Clock, log: Path) -> None:
        self.folder = folder
        self.clock = clock
        self.writing = threading.Lock()
        self.held: dict[int, int] = {}
        self.at: dict[str, dict[int, int]] = {}
        self.answers: dict[str, int] = {}
        self.secret = Tokens(folder).create("soak", (Scope.WRITE,), days=90, now=datetime.now(UTC))
        self._log = log
        self._numbers = itertools.count(1)
        self._choice = random.Random(5)  # noqa: S311 - it chooses what is done next
        self.server: Server | None = None

    # --- the server ---------------------------------------------------------------------------

    def start(self) -> None:
        """Serve, on a free port."""
        with self._log.open("a") as errors:
            process = subprocess.Popen(
                [*_KG, "serve", "--store", str(self.folder), "--port", "0", "--workers", "2"],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=self.clock.environment(),
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("kg answers at "), self._log.read_text()[-2000:]
        self.server = Server(line.split()[-1], process)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the server; no process of it is left."""
        server, self.server = self.server, None
        assert server is not None and server.process.stdout is not None
        children = server.children()
        code = server.stop(number)
        server.process.stdout.close()
        assert eventually(lambda: not any(map(alive, children)), 10)
        return code

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply | None:
        """A request; None where nobody answers, as while the server is started again."""
        server = self.server
        if server is None:
            time.sleep(0.05)
            return None
        try:
            return server.send(path, method=method, body=body, headers=headers)
        except (OSError, http.client.HTTPException):
            assert server is not self.server or server.process.poll() is not None
            return None

    def kg(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command with this clock."""
        return subprocess.run(
            [*_KG, *arguments, "--store", str(self.folder)],
            capture_output=True,
            text=True,
            env=self.clock.environment(),
            timeout=60,
        )

    # --- what goes on ---------------------------------------------------------------------------

    def write(self) -> None:
        """One graph is replaced: two statements that have the same number."""
        number, which = next(self._numbers), self._choice.randrange(_GRAPHS)
        said = f"<urn:s{which}> <urn:p> {number} ; <urn:q> {number} .".encode()
        fields = {"Authorization": f"Bearer {self.secret}", "Content-Type": "text/turtle"}
        with self.writing:
            reply = self.send("PUT", f"/graphs/soak/{which}", said, **fields)
            if reply is None or reply.status in _BUSY:
                self.count("not written")
                self.held.pop(which, None)  # it may have been, before the server was ended
                return
            assert reply.status in (201, 204), reply.body
            self.held[which] = number
            self.at[reply.headers["kg-release"]] = dict(self.held)
            for old in list(self.at)[:-3]:
                del self.at[old]
            self.count("written")

    def read(self) -> None:
        """An answer is of one state, at HEAD as at an earlier release."""
        query = "SELECT ?a ?b { ?s <urn:p> ?a ; <urn:q> ?b }"
        place = self._choice.choice(["", "", *(f"/r/{name}" for name in list(self.at))])
        reply = self.send("GET", f"{place}/sparql?{urlencode({'query': query})}", Accept="text/csv")
        if reply is None or reply.status in _BUSY:
            return self.count("not read")
        if reply.status == 410 and place:
            return self.count("gone")
        assert reply.status == 200, reply.body
        rows = [row.split(",") for row in reply.body.decode().split()[1:]]
        assert len(rows) <= _GRAPHS and all(a == b for a, b in rows), rows
        return self.count("read")

    def cite(self) -> None:
        """A citation keeps its release; few are made, so that the rest can go."""
        query = urlencode({"query": "SELECT * { ?s <urn:p> ?o } ORDER BY ?s"}).encode()
        kind = "application/x-www-form-urlencoded"
        fields = {"Content-Type": kind, "Accept": "application/json"}
        reply = self.send("POST", "/cite", query, **fields)
        if reply and reply.status not in _BUSY:
            assert reply.status in (200, 201), reply.body
            self.count("cited")
            ran = self.kg("verify", json.loads(reply.body)["id"])
            assert ran.returncode == 0, ran.stdout + ran.stderr

    def look_after(self, number: int) -> None:
        """What an operator does now and then."""
        ran = self.kg("tag", "latest", "--move")
        assert ran.returncode == 0, ran.stderr
        if number % 3 == 1:
            with self.writing:
                back = next(iter(self.at), None)
                if back:
                    ran = self.kg("rollback", back, "--message", "soak")
                    assert ran.returncode == 0, ran.stderr
                    self.held = dict(self.at[back])
                    self.count("rolled back")
        if number % 3 == 2:
            file = self.folder.parent / "backup.kg"
            ran = self.kg("backup", str(file), "--force")
            assert ran.returncode == 0, ran.stderr
            self.count("backed up")

    def _is_overdue(self, release: Release) -> bool:
        """Whether it is older than what is kept for its age, and nothing names it."""
        store = Releases.open(self.folder)
        named = {tag.release for tag in store.tags()} | store.cited() | {store.head().name}
        age = self.clock.now() - datetime.fromisoformat(release.time)
        return release.name not in named and age > timedelta(days=_DAYS, minutes=5)

    def write_and_read(self) -> bool:
        """Whether one graph was written and is read."""
        written, read = self.answers.get("written", 0), self.answers.get("read", 0)
        self.write()
        self.read()
        return self.answers.get("written", 0) > written and self.answers.get("read", 0) > read

    def count(self, what: str) -> None:
        """Remember how often something happened."""
        self.answers[what] = self.answers.get(what, 0) + 1

    def state(self) -> dict[str, float]:
        """What must not grow: memory, open files, processes, disk, releases.

        After a write and an answer, so that the processes of both are there.
        """
        assert self.server is not None
        assert eventually(self.write_and_read, 10)
        serving = front(self.server)
        processes = [serving, *workers(self.server)]
        return {
            "front": resident(serving) / _MIB,
            "worker": max(map(resident, processes[1:])) / _MIB,
            "descriptors": descriptors(serving),
            "of a worker": max(map(descriptors, processes[1:])),
            "processes": len(self.server.children()),
            "spooled": spooled(serving) / _MIB,
            "disk": _disk(self.folder) / _MIB,
            "releases": len(releases := Releases.open(self.folder).all()),
            "overdue": sum(map(self._is_overdue, releases[:-_KEPT])),
        }


@pytest.fixture
def operated(built: Path, tmp_path: Path) -> Iterator[Operated]:
    clock = Clock(tmp_path / "clock")
    store = Operated(built, clock, tmp_path / "server.log")
    store.start()
    yield store
    if store.server:
        store.stop()


def test_two_hours_leave_nothing_behind(operated: Operated) -> None:
    acts = Acts(operated)
    with acts.going_on() as until:
        until(0.15)
        assert operated.stop() == 0
        operated.start()
        until(0.3)
        operated.stop(signal.SIGKILL)
        operated.start()
        until(0.55)
        with acts.paused():
            before = operated.state()
        until(0.7)
        operated.clock.set_back(_BACK)
        until(1.0)
        with acts.paused():
            after = operated.state()
    _show(f"soak: {operated.answers}", before, after)

    for which, number in operated.held.items():
        reply = operated.send("GET", f"/graphs/soak/{which}", Accept="application/n-triples")
        assert reply is not None and reply.body.count(f'"{number}"'.encode()) == 2, reply
    assert after["front"] < before["front"] + 40
    assert after["worker"] < before["worker"] + 30
    for what in ("descriptors", "of a worker"):
        assert after[what] <= before[what] + 10, (before, after)
    assert after["processes"] <= before["processes"] + 1
    assert after["spooled"] < 8
    assert after["overdue"] <= _IN_USE, after
    assert after["disk"] / after["releases"] < 1.5 * before["disk"] / before["releases"] + 1
    for what in ("written", "read", "cited", "rolled back", "backed up"):
        assert operated.answers[what] > 0, operated.answers
    assert operated.answers["written"] > _KEPT
    assert operated.stop() == 0
    assert operated.kg("doctor").returncode == 0
    assert not [*operated.folder.rglob(".staging-*"), *operated.folder.rglob("*.new")]
    assert "Traceback" not in (operated.folder.parent / "server.log").read_text()


class Acts:
    """What is done to a store, all at once and again and again."""

    def __init__(self, store: Operated) -> None:
        self._store = store
        self._ended = threading.Event()
        self._turns: list[threading.Lock] = []
        self._failures: list[BaseException] = []

    @contextmanager
    def going_on(self) -> Iterator[Callable[[float], None]]:
        """Until the block ends; yields how to wait for a part of the time.

        What fails in a thread fails the test.
        """
        began, rounds = time.monotonic(), itertools.count()
        store = self._store
        acts: list[tuple[Callable[[], None], float]] = [
            (store.clock.tick, 0.25),
            (store.write, 0.05),
            (store.read, 0.02),
            (store.read, 0.02),
            (store.cite, _SECONDS / 6),
            (lambda: store.look_after(next(rounds)), _SECONDS / 40),
        ]

        def until(part: float) -> None:
            while time.monotonic() < began + part * _SECONDS and not self._failures:
                time.sleep(0.05)
            self._check()

        self._turns = [threading.Lock() for _ in acts]
        threads = [
            threading.Thread(target=self._repeat, args=(*act, turn))
            for act, turn in zip(acts, self._turns, strict=True)
        ]
        for thread in threads:
            thread.start()
        try:
            yield until
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()
        self._check()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is done until the block ends, and what was begun has ended."""
        with ExitStack() as stack:
            for turn in self._turns:
                stack.enter_context(turn)
            yield

    def _repeat(self, act: Callable[[], None], pause: float, turn: threading.Lock) -> None:
        while not self._ended.wait(pause):
            try:
                with turn:
                    act()
            except BaseException as error:
                self._failures.append(error)
                return

    def _check(self) -> None:
        if self._failures:
            raise self._failures[0]


def _disk(folder: Path) -> int:
    """Bytes on disk; a file with several names counts once."""
    seen: dict[int, int] = {}
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.stat(os.path.join(path, name))
            except FileNotFoundError:
                continue
            seen[found.st_ino] = found.st_blocks * 512
    return sum(seen.values())


def _show(*lines: object) -> None:
    """For who runs it with `-s`."""
    print("", *lines, sep="\n")  # noqa: T201 - the figures of the run
