"""Who reads a release holds its folder; what somebody holds is not taken away.

A hold is a shared lock (flock(2)) on the folder itself. It goes with the process, however that
ends, and on a rename it stays with the folder.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_NO_LOCKS: Final = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP)
"""How a file system answers that cannot lock a folder; nothing is taken away there."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """While the block runs the release in this folder stays; raises FileNotFoundError."""
    descriptor = hold(folder)
    try:
        yield
    finally:
        os.close(descriptor)


def hold(folder: Path) -> int:
    """As `held`, until the descriptor that comes back is closed; raises FileNotFoundError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(descriptor, fcntl.LOCK_SH)
        if not _is_at(descriptor, folder):  # it was taken away while this waited for the lock
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def taken(folder: Path) -> Iterator[bool]:
    """Whether nobody holds it, and nobody can until the block ends; raises FileNotFoundError.

    Whoever wants to hold it waits, and finds out then whether it is still there.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    """Whether the lock was got."""
    try:
        fcntl.flock(descriptor, kind)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise
    return True


def _is_at(descriptor: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(folder))
    except FileNotFoundError:
        return False
