"""Tasks are done side by side, and a process that is killed is told, whatever it was doing."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable

import pytest

from kg.errors import EnginesDisagree
from kg.publishing.processes import ProcessEnded, Work, done
from tasks_done import (
    disagreeing,
    echo,
    killed_at_start,
    killed_at_work,
    killed_while_it_answers,
    length,
    one_slow,
)

LARGE = 4_000_000
"""Bytes that no pipe holds: whoever writes them waits for a reader."""


def test_each_task_is_done_once_by_one_of_the_processes() -> None:
    came_to = list(done(Work(length, 5), (b"x" * number for number in range(100)), 2))
    assert sorted(number for number, _ in came_to) == list(range(5, 105))
    assert len({pid for _, pid in came_to} - {os.getpid()}) == 2


def test_tasks_and_answers_may_be_larger_than_a_pipe() -> None:
    assert list(done(Work(echo, None), [bytes(LARGE)] * 20, 2)) == [bytes(LARGE)] * 20


def test_no_tasks_start_nothing_that_stays() -> None:
    assert list(done(Work(echo, None), [], 2)) == []
    assert multiprocessing.active_children() == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("start", [killed_at_start, killed_at_work, killed_while_it_answers])
def test_a_process_that_is_killed_is_told(
    start: Callable[[None], Callable[[bytes], bytes]],
) -> None:
    tasks = [bytes(LARGE), b"\1" + bytes(LARGE), *[bytes(LARGE)] * 20]
    with pytest.raises(ProcessEnded, match="its exit code was -9"):
        list(done(Work(start, None), tasks, 2))
    assert multiprocessing.active_children() == []


def test_what_a_task_raises_is_raised_here() -> None:
    with pytest.raises(EnginesDisagree, match="ex:s"):
        list(done(Work(disagreeing, None), [b"task"], 2))


def test_processes_end_with_who_asked_for_them() -> None:
    coming = done(Work(one_slow, None), [b"\0"] * 8 + [b"\1"] * 8, 2)
    assert next(coming) == b"\0"
    coming.close()
    assert multiprocessing.active_children() == []
