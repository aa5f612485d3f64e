"""What a worker gives up before it opens a store: memory without end, core files, the network."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000

# landlock(7); the numbers are the same on every architecture.
_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_RESTRICT_SELF: Final = 446
_LANDLOCK_CREATE_RULESET_VERSION: Final = 1
_LANDLOCK_NETWORK_ABI: Final = 4
_LANDLOCK_ACCESS_NET_BIND_AND_CONNECT_TCP: Final = 0b11


class Isolation(StrEnum):
    """What keeps a process from the network."""

    NAMESPACE = "namespace"
    """It is in a network namespace of its own, which leads nowhere."""
    LANDLOCK = "landlock"
    """The kernel refuses it to connect or bind a TCP socket; UDP is left."""
    NONE = "none"
    """Nothing: only the look at each query before it runs."""


def confine(
    *,
    memory: int,
    parent: int,
    means: Sequence[Isolation] = (Isolation.NAMESPACE, Isolation.LANDLOCK),
) -> Isolation:
    """Bind this process to its parent's life and to `memory` bytes of address space.

    Returns what keeps it from the network: the first of `means` that the kernel grants. Call it
    while there is one thread: a user namespace is refused to a process that has more, and
    Landlock binds one thread.
    """
    libc = _libc()
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the line above
        sys.exit()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    return next((each for each in means if _ISOLATE[each](libc)), Isolation.NONE)


def landlock_abi() -> int:
    """The version of Landlock that the kernel has; 0 where it has none, or it is off."""
    version = _LANDLOCK_CREATE_RULESET_VERSION
    return max(0, int(_libc().syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), version)))


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def _leave_network(libc: ctypes.CDLL) -> bool:
    namespaces = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    return int(libc.unshare(namespaces)) == 0


def _refuse_tcp(libc: ctypes.CDLL) -> bool:
    """Landlock's rules with no exception for any port."""
    if landlock_abi() < _LANDLOCK_NETWORK_ABI:
        return False
    handled = (ctypes.c_uint64 * 2)(0, _LANDLOCK_ACCESS_NET_BIND_AND_CONNECT_TCP)
    size = ctypes.c_size_t(ctypes.sizeof(handled))
    rules = int(libc.syscall(_LANDLOCK_CREATE_RULESET, ctypes.byref(handled), size, 0))
    if rules < 0:
        return False
    try:
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return int(libc.syscall(_LANDLOCK_RESTRICT_SELF, rules, 0)) == 0
    finally:
        os.close(rules)


_ISOLATE: Final[dict[Isolation, Callable[[ctypes.CDLL], bool]]] = {
    Isolation.NAMESPACE: _leave_network,
    Isolation.LANDLOCK: _refuse_tcp,
    Isolation.NONE: lambda _: True,
}
