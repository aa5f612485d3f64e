"""What the pool and a worker say over their socket: a JSON head, then bytes or a descriptor."""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kg.media import FORMATS
from kg.store.base import Dataset, Dump, Task

_LENGTHS: Final = struct.Struct("!IQ")
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
    connection.settimeout(_left(until))
    head = json.dumps(message.head).encode()
    content = b"".join((_LENGTHS.pack(len(head), len(message.body)), head, message.body))
    if message.descriptor is None:
        connection.sendall(content)
    else:
        sent = socket.send_fds(connection, [content], [message.descriptor])
        connection.sendall(content[sent:])


def receive(connection: socket.socket, until: float | None = None) -> Message:
    """The next message; raises EOFError where the other side is gone, TimeoutError at `until`.

    Only one message may be under way at a time.
    """
    data, descriptors = bytearray(), list[int]()
    try:
        while not _is_whole(data):
            connection.settimeout(_left(until))
            chunk, received, _, _ = socket.recv_fds(connection, _CHUNK, 1)
            descriptors += received
            if not chunk:
                raise EOFError
            data += chunk
    except (EOFError, OSError):
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    head_end = _LENGTHS.size + _LENGTHS.unpack_from(data)[0]
    head = json.loads(data[_LENGTHS.size : head_end])
    return Message(head, bytes(data[head_end:]), descriptors[0] if descriptors else None)


def encoded(task: Task | Dump) -> Message:
    """A task as a message."""
    head = {name: getattr(task, name) for name in task.__dataclass_fields__}
    head |= {"release": str(task.release), "format": task.format.name}
    head["prefixes"] = dict(task.prefixes)
    if isinstance(task, Task):
        dataset = task.dataset
        head["dataset"] = [list(dataset.default_graphs), list(dataset.named_graphs)]
    return Message(head)


def decoded(message: Message) -> Task | Dump:
    """The task that `encoded` made the message of."""
    values = dict(message.head)
    values |= {"release": Path(values["release"]), "format": FORMATS[values["format"]]}
    if "dataset" not in values:
        return Dump(**values)
    default_graphs, named_graphs = values["dataset"]
    values["dataset"] = Dataset(tuple(default_graphs), tuple(named_graphs))
    return Task(**values)


def _left(until: float | None) -> float | None:
    return None if until is None else max(until - time.monotonic(), 0.001)


def _is_whole(data: bytearray) -> bool:
    if len(data) < _LENGTHS.size:
        return False
    head, body = _LENGTHS.unpack_from(data)
    return len(data) >= _LENGTHS.size + int(head) + int(body)
