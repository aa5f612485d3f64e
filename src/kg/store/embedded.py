"""The store in a folder of this machine: its releases, queries by workers, and dumps."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kg.closing import Closing
from kg.errors import NotAcceptable, StoreError
from kg.media import Format
from kg.namespaces import USUAL_PREFIXES
from kg.settings import Settings
from kg.store.base import Commit, Differing, Dump, Release, Spool, Task, Ticket
from kg.store.commits import commit, writing
from kg.store.dumps import DUMP_FORMATS, digested, dump_path, write_dump
from kg.store.holding import held
from kg.store.release_context import context_of
from kg.store.releases import Releases
from kg.store.removals import missing_at
from kg.store.tags import HEAD
from kg.store.workers import PoolState, WorkerPool

__all__ = ["EmbeddedStore", "commit"]

_DUMP_SECONDS: Final = 600.0

_log = logging.getLogger(__name__)


class EmbeddedStore(Closing):
    """The releases in a store folder, and the workers that answer queries on them.

    Raises NoRelease, NotAStore, OtherKindOfStore, OtherStoreFormat or StoreDamaged for a folder
    that cannot be opened. A plain store is made where there is none, and has an empty release then.
    All methods may be called from any thread. Close it, or use it in a `with` block.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        if settings.plain:
            _make_plain(folder)
        self._releases = Releases.open(folder.resolve(), plain=settings.plain)
        self._settings = settings
        self._pool: WorkerPool | None = None
        self._closed = False
        self._good: Release | None = None
        self._told = ""
        self.moves = 0
        self._moving = threading.Lock()
        self._starting = threading.Lock()
        self._dumping = threading.Lock()

    @property
    def folder(self) -> Path:
        """The store folder."""
        return self._releases.folder

    @property
    def history(self) -> Releases:
        """Its releases, tags, moves and removals."""
        return self._releases

    def release(self, name: str | None = None) -> Release:
        """The release of this name, number or tag; None or HEAD is what that names at this moment.

        Where HEAD cannot be followed, it is the one that it named last, and the log says so once.
        Raises NoRelease, ReleaseMissing or StoreDamaged.
        """
        return self._head() if name in (None, HEAD) else self._releases.named(name)

    def head(self) -> Release:
        """The release that HEAD names; raises StoreError where it cannot be followed now."""
        return self._releases.head()

    def releases(self) -> list[Release]:
        """Every release, oldest first; raises StoreDamaged."""
        return self._releases.all()

    def workers_state(self) -> PoolState:
        """What the workers that answer queries do at this moment."""
        pool = self._pool
        return pool.state() if pool else PoolState()

    def warm(self) -> None:
        """Sweep leftovers and start the workers now; else the first query starts them."""
        self._releases.tidy()
        self._workers()

    def query(self, task: Task | Differing, ticket: Ticket | None = None) -> Spool:
        """The complete answer to a query, or a difference, which `ticket` can cancel.

        Raises EvaluationError, QuerySyntax, NotAcceptable or StoreError.
        """
        with _held(*_read_by(task)):
            return self._workers().run(task, ticket)

    async def query_soon(self, task: Task, ticket: Ticket | None = None) -> Spool:
        """As `query`, for an event loop, which it does not hold up once workers are warm."""
        with _held(task.release):
            return await self._workers().run_soon(task, ticket)

    def dump(self, release: Release, format: Format) -> Path:
        """The file with all public graphs of a release, N-Quads or TriG, made at the first call.

        The same release gives the same bytes. Raises NotAcceptable for another format,
        EvaluationError, and StoreError where the file cannot be written.
        """
        if format not in DUMP_FORMATS:
            raise NotAcceptable(format.name, [each.name for each in DUMP_FORMATS])
        file = dump_path(self._releases.folder, release.name, format)
        with _held(release.folder), self._dumping:
            if not file.exists():
                self._make_dump(release, format, file)
            digested(file)
        return file

    def close(self) -> None:
        """End the workers; nothing can be asked any more."""
        with self._starting:
            self._closed = True
            if self._pool:
                self._pool.close()
                self._pool = None

    def _head(self) -> Release:
        try:
            head = self._releases.head()
            if head is not self._good:
                with self._moving:
                    self._note_head()
        except StoreError as error:
            if self._good is None:
                raise
            if self._told != error.message:
                self._told = error.message
                _log.error("event=head_lost serves=%s message=%r", self._good.name, error.message)
            return self._good
        self._told = ""
        return head

    def _note_head(self) -> None:
        """Remember HEAD, and tell once that it is another one; read anew, as it may move on."""
        before, self._good = self._good, self._releases.head()
        if before and before.name != self._good.name:
            self.moves += 1
            _log.info("event=release_served release=%s before=%s", self._good.name, before.name)

    def _workers(self) -> WorkerPool:
        with self._starting:
            if self._closed:
                raise StoreError("the store was closed", remedy="Open it anew.")
            if self._pool is None:
                self._pool = self._new_pool(self._settings.workers)
            return self._pool

    def _new_pool(self, size: int) -> WorkerPool:
        return WorkerPool(
            size,
            memory=self._settings.worker_memory,
            queue_seconds=self._settings.queue_seconds,
            queue_length=self._settings.queue_length,
        )

    def _make_dump(self, release: Release, format: Format, file: Path) -> None:
        task = Dump(
            release=release.folder,
            format=format,
            deadline=_DUMP_SECONDS,
            prefixes=USUAL_PREFIXES | dict(context_of(release.folder).prefixes),
        )
        with self._new_pool(1) as pool, pool.run(task) as spool:  # queries keep their workers
            write_dump(file, spool.chunks())


def _read_by(task: Task | Differing) -> Iterator[Path]:
    """The releases that a task reads."""
    yield task.release
    if isinstance(task, Differing):
        yield task.before


@contextmanager
def _held(*releases: Path) -> Iterator[None]:
    """The releases stay while the block runs, also while a query waits for a worker.

    Raises ReleaseMissing, of which ReleaseRemoved is one, where one is gone already.
    """
    with ExitStack() as holds:
        for release in releases:
            try:
                holds.enter_context(held(release))
            except FileNotFoundError:
                raise missing_at(release) from None
        yield


def _make_plain(folder: Path) -> None:
    with writing(folder, plain=True) as store:
        if store.head is None:
            empty = Commit(
                graphs=(),
                owners=frozenset(),
                who="kg",
                message="an empty plain store",
                shapes_digest="",
                files={"context.jsonld": b'{"@context": {}}\n'},
            )
            store.commit(empty, now=datetime.now(UTC))
