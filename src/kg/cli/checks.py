"""One check of `kg doctor`, and those of the machine beyond what confines a worker."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import struct
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

_GIB: Final = 2**30
_FILES: Final = 10_000
"""Two for each of the connections that a server takes at one moment, and some."""
_IN_OPEN: Final = 0x20
_STATUS_AT: Final = 40
"""Where `struct timex` has its status on a machine of 64 bits (adjtimex(2))."""
_STA_UNSYNC: Final = 0x40


class Verdict(StrEnum):
    """What a check came to: `kg` works, with less protection than it could have, or not."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, what came of it, and what was found."""

    name: str
    verdict: Verdict
    found: str


def inotify() -> Check:
    """Whether the kernel tells when a file is opened."""
    limit = _text("/proc/sys/fs/inotify/max_user_watches")
    libc = ctypes.CDLL(None)
    descriptor = int(libc.inotify_init1(os.O_CLOEXEC))
    watches = -1
    if descriptor >= 0:
        watches = libc.inotify_add_watch(descriptor, os.fsencode(sys.executable), _IN_OPEN)
        os.close(descriptor)
    if watches >= 0:
        return Check("inotify", Verdict.OK, f"works; at most {limit} watches of a user")
    told = "does not work or is used up: files of large answers stay open for 30 s each"
    return Check("inotify", Verdict.WARNING, told)


def file_system(store: Path) -> Iterator[Check]:
    """Whether the store's file system has hard links, and locks that hold."""
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=store) as name:
            folder = Path(name)
            yield _hard_links(folder)
            yield _locks(folder)
    except OSError as error:
        told = f"the store cannot be written by this account: {error.strerror}"
        yield Check("hard links", Verdict.WARNING, told)


def _hard_links(folder: Path) -> Check:
    one, other = folder / "one", folder / "other"
    one.touch()
    try:
        other.hardlink_to(one)
    except OSError as error:
        told = f"there are none, so that each release is a copy: {error.strerror}"
        return Check("hard links", Verdict.ERROR, told)
    return Check("hard links", Verdict.OK, "releases share their tables")


def _locks(folder: Path) -> Check:
    with (folder / "lock").open("w") as one, (folder / "lock").open("w") as other:
        try:
            fcntl.flock(one, fcntl.LOCK_EX)
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return Check("locks", Verdict.OK, "flock holds: one writer at a time")
        except OSError as error:
            return Check("locks", Verdict.ERROR, f"flock does not work: {error.strerror}")
    return Check("locks", Verdict.ERROR, "flock does not hold: two writers could meet")


def disk(name: str, folder: Path, *, wanted: int = 0) -> Check:
    """Whether a GiB, and what is `wanted`, is free where the folder lies."""
    try:
        status = os.statvfs(folder)
    except OSError as error:
        return Check(name, Verdict.ERROR, f"{folder}: {error.strerror}")
    free, least = status.f_bavail * status.f_frsize, max(_GIB, wanted)
    found = f"{_size(free)} free at {folder}"
    if free >= least:
        return Check(name, Verdict.OK, found)
    return Check(name, Verdict.WARNING, f"{found}; {_size(least)} would be enough")


def temporary_files() -> Iterator[Check]:
    """Whether answers can go to files, and how much room there is for them."""
    try:
        folder = tempfile.gettempdir()
        with tempfile.TemporaryFile() as file:
            file.write(b"answers larger than KG_SPOOL_MEMORY go to such files")
            file.flush()
    except OSError as error:
        yield Check("temporary files", Verdict.ERROR, f"none can be written: {error}")
        return
    yield Check("temporary files", Verdict.OK, f"can be written in {folder}")
    yield disk("temporary disk", Path(folder))


def open_files() -> Check:
    """Whether a server may have as many descriptors as its clients need."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = most == resource.RLIM_INFINITY
    found = f"a process may have {'any number of' if unlimited else most} files open"
    if unlimited or most >= _FILES:
        return Check("open files", Verdict.OK, found)
    told = f"{found}: a server with many clients needs {_FILES} (ulimit -n, LimitNOFILE=)"
    return Check("open files", Verdict.WARNING, told)


def clock(newest: str | None) -> Check:
    """Whether the time that releases get is sane; `newest` is the latest time of a release."""
    now, kernel = datetime.now(UTC), _synchronised()
    if newest and datetime.fromisoformat(newest) > now:
        told = f"a release was made at {newest}, which is in the future: this clock is wrong, or"
        return Check("clock", Verdict.WARNING, f"{told} that of the machine that made it; {kernel}")
    return Check("clock", Verdict.OK, f"{now:%Y-%m-%dT%H:%M:%SZ}; {kernel}")


def _synchronised() -> str:
    """What the kernel says of the clock."""
    timex = ctypes.create_string_buffer(512)
    if sys.maxsize < 2**32 or int(ctypes.CDLL(None).adjtimex(timex)) < 0:
        return "whether it is synchronised is unknown"
    (status,) = struct.unpack_from("i", timex, _STATUS_AT)
    told = "does not say that it is synchronised" if status & _STA_UNSYNC else "synchronises it"
    return f"the kernel {told}"


def _text(file: str) -> str:
    try:
        return Path(file).read_text().strip()
    except OSError:
        return "an unknown number of"


def _size(count: int) -> str:
    return f"{count / _GIB:.1f} GiB"
