"""A store made from a backup: all of it checked, and then put in place at once."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from kg.errors import BackupFailed, BadArgument, NotABackup, OtherStoreFormat, StoreError
from kg.store.archives import Contents, Member, mode_of, read_archive
from kg.store.durable import move_synced, sync
from kg.store.releases import FORMAT, Releases
from kg.store.verification import verify

Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it is done, and of how much."""


def restore(file: Path, store: Path, *, progress: Progress) -> Contents:
    """Make the store that a backup holds in `store`, a new folder or an empty one.

    Every file is compared with the list of the backup, and the graphs of HEAD with its manifest.
    Raises BadArgument for a folder that holds something, NotABackup, OtherStoreFormat, and
    BackupFailed; nothing is left then.
    """
    if store.exists() and (not store.is_dir() or any(store.iterdir())):
        raise BadArgument(
            f"{store} is there already, and not empty",
            remedy="Name a new folder with --store; a store is never written over.",
        )
    with _failures(store), _staging(store.resolve()) as staging:
        contents = _unpacked(file, staging, progress)
        _check(file, staging, contents, progress)
        _sync_all(staging)
        move_synced(staging, store.resolve())
    return contents


@contextmanager
def _failures(store: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupFailed(
            f"nothing was restored to {store}: {error.strerror or error}",
            remedy="Check the space and the permissions there; nothing of it is left.",
        ) from error


@contextmanager
def _staging(store: Path) -> Iterator[Path]:
    """A hidden folder beside `store`, gone at the end of the block unless it was renamed."""
    store.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{store.name}.", suffix=".new", dir=store.parent))
    try:
        folder.chmod(0o755)  # as a store that was made by a commit
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpacked(file: Path, staging: Path, progress: Progress) -> Contents:
    done = total = 0

    def begin(contents: Contents) -> None:
        nonlocal total
        total = contents.size
        if contents.store_format != FORMAT:
            raise OtherStoreFormat(file, contents.store_format, FORMAT, by=contents.kg)
        free = shutil.disk_usage(staging).free
        if total > free:
            raise BackupFailed(
                f"{file} holds {total} bytes, and {staging.parent} has {free} free",
                remedy="Name a folder on another file system with --store.",
            )

    def put(member: Member, content: Iterable[bytes]) -> None:
        nonlocal done
        path = staging / member.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if member.link:
            _link(staging / member.link, path)
            return
        with open(path, "xb", opener=partial(os.open, mode=mode_of(member.path))) as target:
            for piece in content:
                target.write(piece)
                done += len(piece)
                progress("unpacked", done, total)

    return read_archive(file, begin, put)


def _link(file: Path, to: Path) -> None:
    """A second name, or a copy where the file system knows none."""
    try:
        os.link(file, to)
    except OSError:
        shutil.copyfile(file, to)


def _sync_all(folder: Path) -> None:
    """Have all that is in the folder on disk, a file with several names once."""
    paths = {(path.stat().st_dev, path.stat().st_ino): path for path in folder.rglob("*")}
    for path in (*paths.values(), folder):
        sync(path)


def _check(file: Path, staging: Path, contents: Contents, progress: Progress) -> None:
    """That it is the store that the list tells of, and that HEAD holds what its manifest says."""
    try:
        releases = Releases.open(staging)
        found = {release.name: release.digest for release in releases.all()}
        head = releases.head()
        if (head.name, found) != (contents.head, contents.releases):
            raise NotABackup(file, "its releases are not those that it lists")
        verify(head.folder, progress)
    except NotABackup:
        raise
    except StoreError as error:
        raise NotABackup(file, f"what it holds is no whole store: {error.message}") from error
