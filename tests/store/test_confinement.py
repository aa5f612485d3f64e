"""What a confined process cannot do, by each means that the kernel may grant."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from kg.store import confinement
from kg.store.confinement import Isolation, landlock_abi
from kg.store.probe import probed

MEMORY = 512 * 2**20


def expected(means: Isolation) -> Isolation:
    """A kernel without Landlock for the network refuses it, and then nothing is granted."""
    return Isolation.NONE if means is Isolation.LANDLOCK and landlock_abi() < 4 else means


@pytest.mark.parametrize("means", Isolation)
def test_a_process_reaches_a_listening_port_only_where_nothing_was_granted(
    means: Isolation,
) -> None:
    found = probed(MEMORY, [means])
    assert found.isolation in (expected(means), Isolation.NONE)
    assert found.reached == (found.isolation is Isolation.NONE)


def test_landlock_comes_second() -> None:
    first = probed(MEMORY)
    second = probed(MEMORY, [Isolation.LANDLOCK])
    assert second.isolation is expected(Isolation.LANDLOCK)
    assert first.isolation in (Isolation.NAMESPACE, second.isolation)
    assert first.landlock_abi == second.landlock_abi == landlock_abi()


def test_a_process_gets_no_more_memory_than_its_limit() -> None:
    assert probed(MEMORY).memory_limited


class Refusing:
    """A kernel that has none of the calls."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.syscall = self.unshare = self.prctl = lambda *_: -1


def test_a_kernel_that_refuses_grants_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confinement, "_libc", Refusing)
    assert landlock_abi() == 0
    libc: Any = Refusing()
    assert [confinement._ISOLATE[each](libc) for each in Isolation] == [False, False, True]


def test_landlock_without_rules_for_the_network_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    libc = ctypes.CDLL(None)
    monkeypatch.setattr(confinement, "landlock_abi", lambda: 3)
    assert not confinement._refuse_tcp(libc)
