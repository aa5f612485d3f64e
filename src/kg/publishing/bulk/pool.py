"""Tasks done by several processes, any of which may be killed or run out of memory."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from kg.publishing.bulk.journal import Done, merged
from kg.publishing.bulk.work import Setup, Task, begin, given_up, halves, work

_AHEAD: Final = 2
"""Tasks that wait for each process, so that none is idle."""


@dataclass(frozen=True, slots=True)
class Crew:
    """How many processes work on a job, and how many bytes of address space each may take."""

    processes: int
    memory: int


def done_by(crew: Crew, setup: Setup, tasks: Iterable[Task]) -> Iterator[tuple[Task, Done]]:
    """Each task with what it came to, in the order in which they end.

    A task whose process ends, or that needs more memory than there is, is tried again alone, then
    in halves; a unit that still does that is set aside. Raises what `work` does.
    """
    waiting, suspects = deque(tasks), deque[Task]()
    while waiting or suspects:
        if suspects:
            task = suspects.popleft()
            yield task, _alone(crew, setup, task)
        else:
            yield from _together(crew, setup, waiting, suspects)


def _together(
    crew: Crew, setup: Setup, waiting: deque[Task], suspects: deque[Task]
) -> Iterator[tuple[Task, Done]]:
    """Do what waits, until all is done or a process ends; what it may have died of is suspect."""
    with _executor(crew, setup, crew.processes) as executor:
        running: dict[Future[Done], Task] = {}
        try:
            while waiting or running:
                while waiting and len(running) < crew.processes * _AHEAD:
                    running[executor.submit(work, setup, waiting[0])] = waiting[0]
                    waiting.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    try:
                        done = future.result()
                    except MemoryError:
                        suspects.append(running.pop(future))
                        continue
                    yield running.pop(future), done
        except BrokenProcessPool:
            suspects.extend(running.values())


def _alone(crew: Crew, setup: Setup, task: Task) -> Done:
    """Do a task with nothing beside it, else its halves."""
    try:
        with _executor(crew, setup, 1) as executor:
            return executor.submit(work, setup, task).result()
    except (BrokenProcessPool, MemoryError):
        smaller = halves(task)
        if not smaller:
            return given_up(setup, task, _reason(crew))
        return merged(task.name, [_alone(crew, setup, each) for each in smaller])


def _reason(crew: Crew) -> str:
    return (
        "the process that looked at it ended: it was killed, or needed more than the"
        f" {crew.memory // (1024 * 1024)} MiB that KG_WRITER_MEMORY gives it"
    )


@contextmanager
def _executor(crew: Crew, setup: Setup, processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with this one, and at once where it has no more use for them."""
    executor = ProcessPoolExecutor(
        processes,
        multiprocessing.get_context("spawn"),
        initializer=begin,
        initargs=(setup, crew.memory, os.getpid()),
    )
    try:
        yield executor
    except BaseException:
        for process in list((executor._processes or {}).values()):
            process.kill()
        raise
    finally:
        executor.shutdown(cancel_futures=True)
