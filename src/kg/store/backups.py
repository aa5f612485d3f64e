"""A backup of a store that may be read and written meanwhile: made, read back, and then named."""

from __future__ import annotations

import json
import os
import resource
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Final

from kg.errors import BackupFailed, BadArgument, NotABackup, ReleaseMissing
from kg.store.archives import Content, Contents, Member, digest_of, read_archive, write_archive
from kg.store.base import Release
from kg.store.durable import sync
from kg.store.holding import hold
from kg.store.releases import FORMAT, Releases, version_of_kg
from kg.store.removals import Removal

Progress = Callable[[str, int, int], None]
"""Told what is done, how many bytes of it are done, and of how many."""

_TRIES: Final = 20
_SMALL: Final = ("kg-store.json", "tokens.json", "moves.jsonl", "removed.jsonl")


class Which(Enum):
    """Which releases go into a backup."""

    ALL = "all"
    HEAD = "head"


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The store as it was at one moment."""

    head: Release
    releases: tuple[Release, ...]
    sources: Mapping[str, Content]
    """Every file of the backup by its path in the store."""


def back_up(
    store: Path,
    file: Path,
    *,
    which: Which,
    now: datetime,
    progress: Progress,
    replace: bool = False,
) -> Contents:
    """Write the backup of a store to `file`, which is there whole and verified, or not at all.

    Releases that are made meanwhile are not in it, and those that it reads are held. Raises
    BadArgument where the file is there already, unless it may `replace` it, or lies in the store,
    NoRelease and the other errors of opening a store, and BackupFailed.
    """
    _check_place(store, file, replace=replace)
    releases = Releases.open(store.resolve())
    with _failures(file), ExitStack() as held:
        snapshot = _snapshot(releases, which, now, held)
        contents = _contents(snapshot, now, progress)
        with _new_file(file, replace=replace) as temporary:
            _write(temporary, contents, snapshot, progress)
            _read_back(temporary, contents, progress)
    return contents


def _check_place(store: Path, file: Path, *, replace: bool) -> None:
    if file.resolve().is_relative_to(store.resolve()):
        raise BadArgument(
            f"{file} lies in the store {store}",
            remedy="Name a file elsewhere; best on another disk.",
        )
    if file.is_dir():
        raise BadArgument(f"{file} is a folder", remedy="Name a file.")
    if file.exists() and not replace:
        raise _exists(file)


def _exists(file: Path) -> BadArgument:
    return BadArgument(f"{file} is there already", remedy="Name another, or replace it: --force.")


@contextmanager
def _failures(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or file
        raise BackupFailed(
            f"the backup {file} was not made: {where}: {error.strerror or error}",
            remedy="Check the space and the permissions of both; nothing of it is left.",
        ) from error


# --- what goes into it --------------------------------------------------------------------


def _snapshot(releases: Releases, which: Which, now: datetime, held: ExitStack) -> _Snapshot:
    """The store at one moment, without keeping others from writing to it.

    What names releases is read before them, so that all that it names is there. A release that is
    there and not yet published is left out: what HEAD is about to be tells of it.
    """
    folder = releases.folder
    sources: dict[str, Content] = dict(_files_of(folder, "tags"))
    sources |= _files_of(folder, "citations")
    head, there = _held_releases(releases, held)
    taken = there if which is Which.ALL else (head,)
    sources |= {name: (folder / name).read_bytes() for name in _SMALL if (folder / name).is_file()}
    sources["HEAD"] = f"{head.name}\n".encode()
    left_out = [release for release in there if release not in taken]
    if left_out:
        _note_left_out(sources, left_out, now)
    for release in taken:
        sources |= _files_of_release(release)
    return _Snapshot(head, taken, sources)


def _held_releases(releases: Releases, held: ExitStack) -> tuple[Release, tuple[Release, ...]]:
    """HEAD and every release, held until the stack is closed."""
    for _ in range(_TRIES):
        with suppress(ReleaseMissing), ExitStack() as opened:
            names = {path.name for path in (releases.folder / "releases").glob("[0-9]*-*")}
            _allow_open_files(len(names))
            names = {name for name in names if _is_held(releases.folder, name, opened)}
            coming = _read_if_there(releases.folder / ".HEAD.new")
            head = releases.head()
            names -= {coming} - {head.name}
            if head.name in names:
                there = tuple(release for release in releases.all() if release.name in names)
                held.push(opened.pop_all())
                return head, there
    raise BackupFailed(
        "the releases change faster than they can be listed",
        remedy="Try again when less is written.",
    )


def _is_held(folder: Path, name: str, opened: ExitStack) -> bool:
    """Whether the release is there still; it then stays until the stack is closed."""
    with suppress(FileNotFoundError, NotADirectoryError):
        opened.callback(os.close, hold(folder / "releases" / name))
        return True
    return False


def _allow_open_files(count: int) -> None:
    """Each release that is held is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count + 256:
        wanted = count + 256 if hard == resource.RLIM_INFINITY else min(hard, count + 256)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _read_if_there(file: Path) -> str:
    with suppress(FileNotFoundError):
        return file.read_text("utf-8", errors="replace").strip()
    return ""


def _files_of(store: Path, folder: str) -> dict[str, bytes]:
    """The files of a folder whose files are small and are replaced as wholes."""
    found = {}
    for file in sorted((store / folder).glob("[!.]*.json")):
        with suppress(FileNotFoundError):
            found[f"{folder}/{file.name}"] = file.read_bytes()
    return found


def _files_of_release(release: Release) -> dict[str, Path]:
    """The files of a release but those that the engine makes for itself when it opens it."""
    start = release.folder.parents[1]
    return {
        file.relative_to(start).as_posix(): file
        for file in sorted(release.folder.rglob("*"))
        if file.is_file() and not file.is_symlink() and not _is_own(file.name)
    }


def _is_own(name: str) -> bool:
    return name == "LOCK" or name.startswith("LOG")


def _note_left_out(sources: dict[str, Content], left_out: list[Release], now: datetime) -> None:
    """Tags of what is left out go, too; what is asked for by name is answered as removed."""
    names = {release.name for release in left_out}
    for path in [path for path in sources if path.startswith("tags/")]:
        content = sources[path]
        assert isinstance(content, bytes)  # noqa: S101 - small files are read at once
        if json.loads(content).get("release") in names:
            del sources[path]
    why = "left out of the backup that this store was restored from"
    lines = (asdict(Removal(it.name, it.digest, it.time, _time(now), why)) for it in left_out)
    before = sources.get("removed.jsonl", b"")
    assert isinstance(before, bytes)  # noqa: S101
    written = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    sources["removed.jsonl"] = before + written.encode()


def _contents(snapshot: _Snapshot, now: datetime, progress: Progress) -> Contents:
    """The list of the files, each read once; a name more of one is a link."""
    total = sum(map(_size, _first_names(snapshot.sources).values()))
    report = _Counted("read", total, progress).add
    first: dict[tuple[int, int], str] = {}
    members = []
    for path, content in snapshot.sources.items():
        known = first.setdefault(_inode(content), path) if isinstance(content, Path) else path
        if known != path:
            members.append(Member(path, link=known))
        else:
            members.append(Member(path, _size(content), digest_of(content, report)))
    return Contents(
        kg=version_of_kg(),
        made=_time(now),
        store_format=FORMAT,
        head=snapshot.head.name,
        releases={release.name: release.digest for release in snapshot.releases},
        members=tuple(members),
    )


def _first_names(sources: Mapping[str, Content]) -> dict[object, Content]:
    """Each file once, by what it is."""
    return {
        _inode(content) if isinstance(content, Path) else path: content
        for path, content in sources.items()
    }


def _inode(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_dev, status.st_ino


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _time(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


# --- writing it ---------------------------------------------------------------------------


@contextmanager
def _new_file(file: Path, *, replace: bool) -> Iterator[Path]:
    """A hidden file beside `file`, which gets its name at the end of the block."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    try:
        yield temporary
        if replace:
            temporary.replace(file)
        else:
            _name_first(temporary, file)
        sync(file.resolve().parent)
    finally:
        temporary.unlink(missing_ok=True)


def _name_first(temporary: Path, file: Path) -> None:
    """Give the file its name unless another has got it meanwhile."""
    try:
        os.link(temporary, file)
    except FileExistsError as error:
        raise _exists(file) from error
    except OSError:  # a file system without hard links
        temporary.replace(file)


def _write(file: Path, contents: Contents, snapshot: _Snapshot, progress: Progress) -> None:
    counted = _Counted("written", contents.size, progress)
    # The tokens' digests and the restricted graphs are in it.
    with open(file, "xb", opener=partial(os.open, mode=0o600)) as target:
        write_archive(target, contents, snapshot.sources, counted.add)
        target.flush()
        os.fsync(target.fileno())


def _read_back(file: Path, contents: Contents, progress: Progress) -> None:
    counted = _Counted("verified", contents.size, progress)

    def put(_member: Member, content: Iterable[bytes]) -> None:
        for piece in content:
            counted.add(len(piece))

    try:
        read = read_archive(file, lambda _: None, put)
    except NotABackup as error:
        raise _not_kept(file) from error
    if read != contents:
        raise _not_kept(file)


def _not_kept(file: Path) -> BackupFailed:
    return BackupFailed(
        f"{file.parent} did not keep what was written: it reads back otherwise",
        remedy="Nothing is left of the backup. Check that disk, and write to another.",
    )


class _Counted:
    """Bytes that are added up for somebody who watches."""

    def __init__(self, what: str, total: int, progress: Progress) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._progress = progress

    def add(self, size: int) -> None:
        self._done += size
        self._progress(self._what, self._done, self._total)
