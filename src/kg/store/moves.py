"""The moves of HEAD that a rollback made, one a line of `moves.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.store.durable import append_durably, sync, write_durably, write_synced

_FILE: Final = "moves.jsonl"
_PENDING: Final = ".move.json"


@dataclass(frozen=True, slots=True)
class Move:
    """HEAD was moved: from which release to which, when, by whom, and why."""

    before: str
    after: str
    time: str
    who: str
    message: str


def moves(store: Path) -> list[Move]:
    """Every move, oldest first."""
    try:
        lines = (store / _FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [move for line in lines for move in _read(line)]


def move_head(store: Path, move: Move) -> None:
    """Make HEAD name another release. Call it under the lock of the store only.

    What is meant is on disk before HEAD moves, so that after a crash `settle` can tell whether
    it did.
    """
    write_synced(store / _PENDING, [_line(move)])
    try:
        write_durably(store / "HEAD", [f"{move.after}\n".encode()])
    finally:
        settle(store)


def settle(store: Path) -> None:
    """Write down the move that is under way or that a crash cut, if HEAD did move.

    Call it under the lock of the store only.
    """
    pending = store / _PENDING
    try:
        line = pending.read_bytes()
    except FileNotFoundError:
        return
    head = (store / "HEAD").read_text("utf-8").strip()
    if any(move.after == head for move in _read(line)) and not _ends_with(store, line):
        append_durably(store / _FILE, line)
    pending.unlink()
    sync(store)


def _ends_with(store: Path, line: bytes) -> bool:
    with suppress(FileNotFoundError):
        return (store / _FILE).read_bytes().endswith(line)
    return False


def _line(move: Move) -> bytes:
    said = {
        "from": move.before,
        "to": move.after,
        "time": move.time,
        "who": move.who,
        "message": move.message,
    }
    return (json.dumps(said, ensure_ascii=False) + "\n").encode()


def _read(line: bytes) -> Iterator[Move]:
    """The move that the line tells of; none of one that a crash cut."""
    with suppress(ValueError, KeyError, TypeError):
        read = json.loads(line)
        yield Move(
            before=str(read["from"]),
            after=str(read["to"]),
            time=str(read["time"]),
            who=str(read["who"]),
            message=str(read["message"]),
        )
