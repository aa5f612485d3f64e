"""Tasks done side by side by processes of which any may be killed at any moment.

Each process has a pipe of its own. Those of `concurrent.futures` share theirs: one that is killed
while it reads or writes can leave the others waiting for ever (CPython gh-94777, gh-105829).
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final, Generic, TypeVar, cast

Begin = TypeVar("Begin")
Task = TypeVar("Task")
Done = TypeVar("Done")

_AT_ONCE: Final = 8
"""Tasks that are handed over together: so few that all processes end at about the same time."""


class ProcessEnded(Exception):
    """A process ended before its task was done."""


@dataclass(frozen=True, slots=True)
class Work(Generic[Begin, Task, Done]):
    """What each process makes once of `begin`, and what it does with that and a task.

    Both functions must be found by their names in a new process.
    """

    start: Callable[[Begin], Callable[[Task], Done]]
    begin: Begin


def done(
    work: Work[Begin, Task, Done], tasks: Iterable[Task], processes: int
) -> Generator[Done, None, None]:
    """What each task came to, in the order in which they end.

    Raises what a task raises, and ProcessEnded where a process is killed; the others end then,
    as they do where the generator is closed.
    """
    waiting = iter(tasks)
    with ExitStack() as stack:
        hands = [stack.enter_context(_hand(work)) for _ in range(processes)]
        busy = {hand.pipe: hand for hand in hands if _handed_over(hand, waiting)}
        while busy:
            for pipe in cast(list[Connection], wait(list(busy))):
                yield from _received(busy[pipe])
                if not _handed_over(busy[pipe], waiting):
                    del busy[pipe]


@dataclass(frozen=True, slots=True)
class _Hand:
    process: SpawnProcess
    pipe: Connection


@contextmanager
def _hand(work: object) -> Iterator[_Hand]:
    """A process that does tasks, and is gone afterwards, whatever it was doing."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(work, theirs), daemon=True)
    process.start()
    # Else the pipe stays open when the process ends, and nobody sees that it did.
    theirs.close()
    try:
        yield _Hand(process, ours)
    finally:
        process.kill()
        process.join()
        ours.close()


def _handed_over(hand: _Hand, waiting: Iterator[Task]) -> bool:
    """Whether there was something to hand over; a process reads all of it before it writes."""
    tasks = list(islice(waiting, _AT_ONCE))
    if tasks:
        try:
            hand.pipe.send(tasks)
        except OSError as error:
            raise _ended(hand) from error
    return bool(tasks)


def _received(hand: _Hand) -> Iterator[Done]:
    try:
        received = hand.pipe.recv()
    except (EOFError, OSError) as error:
        raise _ended(hand) from error
    if isinstance(received, Exception):
        raise received
    yield from received


def _ended(hand: _Hand) -> ProcessEnded:
    hand.process.join()
    return ProcessEnded(f"its exit code was {hand.process.exitcode}")


def _serve(work: Work[Begin, Task, Done], pipe: Connection) -> None:
    """Do tasks until the other side is gone, or one of them fails."""
    # An interrupt reaches the whole group; who started this process ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError):
        try:
            function = work.start(work.begin)
            while True:
                pipe.send([function(task) for task in pipe.recv()])
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:
            # It is raised on the other side, where somebody knows what to do.
            pipe.send(error)
