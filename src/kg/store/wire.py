"""What the pool and a worker say over their socket: a JSON head, then bytes or a descriptor."""

from __future__ import annotations

import array
import json
import os
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from kg.errors import StoreError
from kg.media import FORMATS
from kg.store.base import Coding, Dataset, Differing, Dump, Spool, Task

_LENGTHS: Final = struct.Struct("!IQ")
_DESCRIPTOR: Final = struct.Struct("i")
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))
# Most messages are shorter; a larger buffer is mapped and unmapped by the kernel at each call.
_FIRST: Final = 16 * 1024
_CHUNK: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """A head, and the bytes or the open file that belong to it."""

    head: Mapping[str, Any]
    body: bytes = field(default=b"", repr=False)
    descriptor: int | None = None


def send(connection: socket.socket, message: Message, until: float | None = None) -> None:
    """Send it whole; raises ConnectionError where the other side is gone, TimeoutError at `until`.

    `until` is a time of `time.monotonic`.
    """
    _limit(connection, until)
    head = _ENCODER.encode(message.head).encode() if message.head else b""
    content = b"".join((_LENGTHS.pack(len(head), len(message.body)), head, message.body))
    if message.descriptor is None:
        connection.sendall(content)
    else:
        sent = socket.send_fds(connection, [content], [message.descriptor])
        connection.sendall(content[sent:])


def receive(connection: socket.socket, until: float | None = None) -> Message:
    """The next message; raises EOFError where the other side is gone, TimeoutError at `until`.

    Raises StoreError where no descriptor is free for the one that comes along. Only one message
    may be under way at a time.
    """
    descriptors = array.array("i")
    try:
        data = _first(connection, until, descriptors)
        head_size, body_size = _LENGTHS.unpack_from(data)
        data = _rest(connection, until, data, _LENGTHS.size + head_size + body_size)
    except (EOFError, OSError):
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    end = _LENGTHS.size + head_size
    head = json.loads(data[_LENGTHS.size : end]) if head_size else {}
    return Message(head, data[end:], descriptors[0] if descriptors else None)


def _first(connection: socket.socket, until: float | None, descriptors: array.array[int]) -> bytes:
    """The first bytes of a message, at least its lengths, and the descriptor that comes along."""
    data = b""
    while len(data) < _LENGTHS.size:
        _limit(connection, until)
        chunk, ancillary, flags, _ = connection.recvmsg(
            _FIRST, socket.CMSG_SPACE(_DESCRIPTOR.size), socket.MSG_CMSG_CLOEXEC
        )
        for level, kind, received in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(received[: _DESCRIPTOR.size])
        if flags & socket.MSG_CTRUNC:  # the kernel closed it: what is left looks like no answer
            raise StoreError("too many files are open", remedy="Raise the limit: ulimit -n.")
        if not chunk:
            raise EOFError
        data += chunk
    return data


def _rest(connection: socket.socket, until: float | None, first: bytes, size: int) -> bytes:
    if len(first) == size:
        return first
    data = bytearray(first)
    while len(data) < size:
        _limit(connection, until)
        chunk = connection.recv(min(size - len(data), _CHUNK))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)


def encoded(task: Task | Dump | Differing, *, known: Mapping[str, str] | None = None) -> Message:
    """A task as a message, without its prefixes where they are those that the worker knows."""
    head = {name: getattr(task, name) for name in task.__dataclass_fields__}
    if isinstance(task, Differing):
        folders = {"release": str(task.release), "before": str(task.before)}
        return Message(head | folders | {"coding": task.coding.value, "prefixes": {}})
    head |= {"release": str(task.release), "format": task.format.name}
    head["prefixes"] = None if task.prefixes == known else dict(task.prefixes)
    if isinstance(task, Task):
        dataset = task.dataset
        head["dataset"] = [list(dataset.default_graphs), list(dataset.named_graphs)]
        head["coding"] = task.coding.value
    return Message(head)


def decoded(message: Message, *, known: Mapping[str, str]) -> Task | Dump | Differing:
    """The task that `encoded` made the message of; `known` are the prefixes of the one before."""
    values = dict(message.head)
    if "before" in values:
        values |= {name: Path(values[name]) for name in ("release", "before")}
        values |= {name: tuple(values[name]) for name in ("graphs", "digests")}
        return Differing(**values | {"coding": Coding(values["coding"])})
    values |= {"release": _folder(values["release"]), "format": FORMATS[values["format"]]}
    if values["prefixes"] is None:
        values["prefixes"] = known
    if "dataset" not in values:
        return Dump(**values)
    default_graphs, named_graphs = values["dataset"]
    values["dataset"] = Dataset(tuple(default_graphs), tuple(named_graphs))
    values["coding"] = Coding(values["coding"])
    return Task(**values)


@lru_cache(maxsize=4)
def _folder(path: str) -> Path:
    return Path(path)


def described(coding: Coding, *, cut: bool) -> dict[str, Any]:
    """The head of an answer: empty for the most usual kind."""
    head: dict[str, Any] = {} if coding is Coding.IDENTITY else {"coding": coding.value}
    return head | {"cut": True} if cut else head


def spooled(message: Message) -> Spool:
    """The answer that came with the head that `described` made."""
    coding, cut = Coding(message.head.get("coding", "identity")), "cut" in message.head
    if message.descriptor is None:
        return Spool.of(message.body, coding=coding, cut=cut)
    return Spool.at(message.descriptor, coding=coding, cut=cut)


def _limit(connection: socket.socket, until: float | None) -> None:
    """Let the next call wait until then."""
    if until is not None:
        connection.settimeout(max(until - time.monotonic(), 0.001))
    elif connection.gettimeout() is not None:
        connection.settimeout(None)
