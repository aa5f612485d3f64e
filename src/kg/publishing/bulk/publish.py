"""Publishing many articles and dumps at once: looked at by several processes, one release."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from kg.errors import BadArgument, StoreBusy, StoreError
from kg.media import N_QUADS
from kg.publishing.bulk.basis import basis_of, digest_of
from kg.publishing.bulk.inputs import Input, Kind, inputs
from kg.publishing.bulk.journal import Journal
from kg.publishing.bulk.landing import Landed, Landing, land
from kg.publishing.bulk.pool import Crew, done_by
from kg.publishing.bulk.work import Cut, Look, Read, Setup, Task
from kg.publishing.preparation import check_carries
from kg.publishing.publish import silent
from kg.publishing.staging import Progress
from kg.settings import Settings
from kg.store.base import Release
from kg.store.holding import held
from kg.store.release_files import carried_files
from kg.store.releases import Releases

_FOLDER: Final = "publishing"
_JOURNAL: Final = "journal.sqlite"
_SECTION: Final = 32 * 1024 * 1024
_FILES: Final = {True: 2, False: 64}
"""Files that are one task, with the gate and without."""
_BYTES: Final = {True: 512 * 1024, False: 8 * 1024 * 1024}
"""Bytes that are one task: what a kill loses of the work, and what a process has in memory."""
_MOST_BUCKETS: Final = 4096
_OLD: Final = 7 * 24 * 3600.0
"""Seconds after which what a job has left is nobody's."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a bulk publish."""

    paths: Sequence[Path]
    who: str
    message: str = ""
    graph: str | None = None
    gate: bool = True
    strict: bool = False
    replace: bool = False
    quarantine: Path | None = None
    processes: int = 1


def publish_in_bulk(
    request: Request,
    store: Path,
    settings: Settings,
    *,
    now: Callable[[], datetime],
    progress: Progress = silent,
    say: Say = lambda line: None,
) -> Landed:
    """One release with all that is given and that nothing is wrong with; the rest is set aside.

    What was done before a kill is not done again. Raises BadArgument and MissingFile for what
    cannot be published, NoRelease and StoreError for a store without shapes, RuleError and
    ShapesError, SetAside where it is strict and something is wrong, and what a commit raises.
    """
    _check_quarantine(request, store)
    given = inputs(request.paths, graph=request.graph)
    releases = Releases.open(store)
    head = releases.head()
    check_carries(head, carried_files(head.folder))
    name = _name(request, settings, given, head)
    _sweep(store, name, say)
    try:
        with held(head.folder), _job(store, name) as job:
            landing = Landing(
                store=store,
                job=job,
                inputs=given,
                basis=basis_of(head),
                gate=request.gate,
                strict=request.strict,
                replace=request.replace,
                quarantine=request.quarantine or store / _FOLDER / f"quarantine-{name}",
                who=request.who,
                message=request.message,
            )
            with Journal(job / _JOURNAL) as journal:
                _look_at_all(request, store, settings, given, head, job, journal, progress, say)
                _check_unchanged(given)
                landed = land(landing, journal, settings, now=now, progress=progress)
            # While it is locked: the next may begin the same job at once.
            shutil.rmtree(job, ignore_errors=True)
    except sqlite3.Error as error:
        raise StoreError(
            f"the journal of this publish cannot be used: {error}",
            remedy=f"Remove {store / _FOLDER / name}, and look whether the disk is full.",
        ) from error
    return landed


def _check_quarantine(request: Request, store: Path) -> None:
    """That the next publish does not take what is set aside, and the store is none the worse."""
    if request.quarantine is None:
        return
    quarantine, own = request.quarantine.resolve(), store.resolve()
    within = [path for path in request.paths if quarantine.is_relative_to(path.resolve())]
    if quarantine.is_relative_to(own) and not quarantine.is_relative_to(own / _FOLDER):
        within.append(store)
    if within:
        raise BadArgument(
            f"--quarantine is {request.quarantine}, which lies in {within[0]}",
            remedy="Name a folder elsewhere.",
        )


# --- the job ------------------------------------------------------------------------------


def _name(request: Request, settings: Settings, given: Sequence[Input], head: Release) -> str:
    """The same for the same work, so that it is found again."""
    files = [(str(it.file.resolve()), it.size, it.changed, it.graph) for it in given]
    return digest_of([files, request.gate, settings.fast, basis_of(head)])[:16]


@contextmanager
def _job(store: Path, name: str) -> Iterator[Path]:
    """The folder of a job, which nobody else works on. Raises StoreBusy."""
    folder = store / _FOLDER / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # articles may name people
    with (folder / "lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusy(store) from None
        yield folder


def _sweep(store: Path, name: str, say: Say) -> None:
    """Remove what jobs left that nobody has taken up again."""
    for journal in (store / _FOLDER).glob(f"*/{_JOURNAL}"):
        folder = journal.parent
        with suppress(StoreBusy, FileNotFoundError):  # another works on it, or ended it
            if folder.name == name or time.time() - journal.stat().st_mtime < _OLD:
                continue
            with _job(store, folder.name):
                shutil.rmtree(folder, ignore_errors=True)
            say(f"removed what an unfinished publish left more than a week ago: {folder}")


def _check_unchanged(given: Iterable[Input]) -> None:
    for each in given:
        if not each.is_as_it_was():
            raise BadArgument(
                f"{each.file} was changed while it was being published",
                remedy="Run the command again.",
            )


# --- looking at everything ----------------------------------------------------------------


def _look_at_all(
    request: Request,
    store: Path,
    settings: Settings,
    given: Sequence[Input],
    head: Release,
    job: Path,
    journal: Journal,
    progress: Progress,
    say: Say,
) -> None:
    dumps = [each for each in given if each.kind is Kind.DATASET]
    size = sum(each.bytes for each in dumps)
    buckets = min(_MOST_BUCKETS, 1 + size // _BYTES[request.gate])
    fast = settings.fast_sample if settings.fast else None
    setup = Setup(store, head.name, job, request.gate, buckets, fast)
    first: list[Task] = [*_cuts(dumps), *_reads(given, gate=request.gate)]
    done = journal.done()
    if done:
        say(f"resumed: {len(done)} of {len(first) + bool(dumps) * buckets} tasks were done")
    else:
        journal.begin({"head": head.name}, head.graphs)
    crew = Crew(request.processes, settings.writer_memory)
    _do(crew, setup, first, journal, "files read", progress)
    sources = {each.number: str(each.file) for each in dumps}
    looks = [Look(bucket, tuple(journal.parts(bucket)), sources) for bucket, _ in journal.buckets()]
    _do(crew, setup, looks, journal, "units looked at", progress)


def _do(
    crew: Crew,
    setup: Setup,
    tasks: Sequence[Task],
    journal: Journal,
    what: str,
    progress: Progress,
) -> None:
    done = journal.done()
    left = [task for task in tasks if task.name not in done]
    total = sum(task.weight for task in tasks)
    finished = total - sum(task.weight for task in left)
    if left:
        progress(what, finished, total)
    for task, result in done_by(crew, setup, left):
        journal.record(result)
        finished += task.weight
        progress(what, finished, total)


def _cuts(dumps: Iterable[Input]) -> Iterator[Cut]:
    """A dump of lines is cut by several at once; any other is read from its beginning."""
    for given in dumps:
        if given.format == N_QUADS and not given.is_packed and given.size > _SECTION:
            for start in range(0, given.size, _SECTION):
                yield Cut(given, start, min(start + _SECTION, given.size))
        else:
            yield Cut(given, 0, None)


def _reads(given: Iterable[Input], *, gate: bool) -> Iterator[Read]:
    batch: list[Input] = []
    for each in given:
        if each.kind is Kind.DATASET:
            continue
        if batch and (
            len(batch) >= _FILES[gate] or sum(it.bytes for it in (*batch, each)) > _BYTES[gate]
        ):
            yield Read(tuple(batch))
            batch = []
        batch.append(each)
    if batch:
        yield Read(tuple(batch))
