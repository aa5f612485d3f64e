"""What processes of their own do in tests: a new process finds it here, by its name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Never

from kg.errors import EnginesDisagree


def length(begin: int) -> Callable[[bytes], tuple[int, int]]:
    return lambda task: (begin + len(task), os.getpid())


def echo(begin: None) -> Callable[[bytes], bytes]:
    return lambda task: task


def killed_at_start(begin: None) -> Callable[[bytes], bytes]:
    os.kill(os.getpid(), signal.SIGKILL)
    return echo(begin)


def killed_at_work(begin: None) -> Callable[[bytes], bytes]:
    def work(task: bytes) -> bytes:
        if task[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return task

    return work


def killed_while_it_answers(begin: None) -> Callable[[bytes], bytes]:
    def half(self: Connection, buffer: bytes) -> None:
        os.write(self.fileno(), buffer[: len(buffer) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    def work(task: bytes) -> bytes:
        if task[0]:
            setattr(Connection, "_send", half)  # noqa: B010 - it is no public name
        return task

    return work


def disagreeing(begin: None) -> Callable[[bytes], bytes]:
    def work(task: bytes) -> bytes:
        raise EnginesDisagree(["Violation ex:s"])

    return work


def slow(begin: None) -> Callable[[bytes], bytes]:
    def work(task: bytes) -> bytes:
        time.sleep(600)
        return task

    return work


def one_slow(begin: None) -> Callable[[bytes], bytes]:
    sleeping = slow(begin)
    return lambda task: sleeping(task) if task[0] else task


def ended_at_start(begin: object) -> Never:
    os._exit(9)
