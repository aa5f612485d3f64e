"""The processes of a running server, as the kernel shows them in /proc (proc(5))."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from kg_server import Server

WORKER = b"kg.store.worker"
_Value = TypeVar("_Value")


def front(server: Server) -> int:
    """The process that serves: the parent of the workers."""
    return _wait(lambda: {_parent(worker) for worker in workers(server)}).pop()


def workers(server: Server) -> list[int]:
    """The processes that evaluate queries, spares too, oldest first."""
    return sorted(pid for pid in server.children() if WORKER in command(pid))


def at_work(server: Server) -> int:
    """How many workers evaluate a query now, as the server tells."""
    told = re.search(rb'kg_workers\{state="busy"\} (\d+)', server.send("/metrics").body)
    assert told
    return int(told[1])


def resident(pid: int) -> int:
    """Bytes of memory that the process has."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid: int) -> int:
    """How many files and connections the process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def seconds_at_work(pid: int) -> float:
    """Seconds of processor time that the process has used."""
    fields = _status(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def opened(pid: int) -> set[str]:
    """The paths of what the process has open."""
    paths = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            paths.add(os.readlink(descriptor))
        except OSError:  # it was closed meanwhile
            continue
    return paths


def spooled(pid: int) -> int:
    """Bytes that the process holds in files without a name."""
    sizes = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if "(deleted)" in os.readlink(descriptor):
                sizes.append(descriptor.stat().st_size)
        except OSError:  # it was closed meanwhile
            continue
    return sum(sizes)


def kill(pid: int) -> None:
    """End a process of a server that a test started, at once."""
    os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether the process runs."""
    try:
        return _status(pid)[0] != "Z"
    except OSError:
        return False


def eventually(condition: Callable[[], _Value], seconds: float = 5.0) -> _Value:
    """The first true value of the condition, or its last within the time."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return value


def _wait(condition: Callable[[], _Value]) -> _Value:
    value = eventually(condition)
    assert value
    return value


def _parent(pid: int) -> int:
    return int(_status(pid)[1])


def _status(pid: int) -> list[str]:
    """The fields after the name, from the state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def command(pid: int) -> bytes:
    """Its command line; empty where it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
