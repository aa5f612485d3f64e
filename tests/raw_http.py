"""HTTP/1.1 by hand: any bytes to a server, and its answers read strictly (RFC 9112)."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}) [\t\x20-\x7e]*")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*?)[ \t]*")
_WITHOUT_BODY = (204, 304)


class Malformed(Exception):
    """What a server sent is no HTTP answer."""


@dataclass(frozen=True, slots=True)
class RawReply:
    """One answer: its status, its fields as they came, its body; `whole` is not cut short."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool = True

    def field(self, name: str) -> str:
        """The value of a field that came at most once."""
        values = [value for field, value in self.fields if field == name]
        if len(values) > 1:
            raise Malformed(f"{name} came {len(values)} times")
        return values[0] if values else ""

    @property
    def problem(self) -> dict[str, Any]:
        """The body as problem details."""
        if self.field("content-type") != "application/problem+json":
            raise Malformed(f"no problem: {self.body[:200]!r}")
        members: dict[str, Any] = json.loads(self.body)
        return members


def request(
    method: str = "GET",
    target: str = "/",
    fields: Sequence[str] = (),
    body: bytes | None = None,
    *,
    host: str | None = "localhost",
) -> bytes:
    """A request as bytes; each field is a whole line, and a body has its length."""
    lines = [f"{method} {target} HTTP/1.1", *([f"Host: {host}"] if host is not None else [])]
    lines += [*fields, *([f"Content-Length: {len(body)}"] if body is not None else [])]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def connect(port: int, *, seconds: float = 10.0, receive_buffer: int = 0) -> socket.socket:
    """A connection whose operations take at most so long."""
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(seconds)
    client.connect(("127.0.0.1", port))
    return client


def exchange(port: int, *parts: bytes, seconds: float = 10.0) -> list[RawReply]:
    """The answers that a connection brings to these bytes, until the server closes it.

    Ask for that with `Connection: close`. Raises Malformed, and TimeoutError where the server
    neither answers nor closes.
    """
    with connect(port, seconds=seconds) as client:
        sent = send(client, parts)
        return list(replies(received(client, seconds, sent=sent)))


def send(client: socket.socket, parts: Iterable[bytes]) -> bool:
    """Whether the server took all; one that has answered may close under a sender."""
    try:
        for part in parts:
            client.sendall(part)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def received(client: socket.socket, seconds: float, *, sent: bool = True) -> bytes:
    """All bytes until the end of the connection."""
    pieces: list[bytes] = []
    end = time.monotonic() + seconds
    try:
        while piece := client.recv(65536):
            pieces.append(piece)
            if time.monotonic() > end:
                raise TimeoutError
    except ConnectionResetError:
        if sent and not pieces:
            raise
    return b"".join(pieces)


def reply(port: int, *parts: bytes, seconds: float = 10.0, head: bool = False) -> RawReply:
    """The one answer to a request, read without waiting for the end of the connection."""
    with connect(port, seconds=seconds) as client:
        send(client, parts)
        return read_reply(client, seconds=seconds, head=head)


def read_reply(client: socket.socket, *, seconds: float = 10.0, head: bool = False) -> RawReply:
    """The next answer of a connection."""
    data, end = b"", time.monotonic() + seconds
    while True:
        for found in replies(data, head=head):
            if found.whole:
                return found
        if time.monotonic() > end:
            raise TimeoutError
        piece = client.recv(65536)
        if not piece:
            raise Malformed(f"the connection ended after {data[:200]!r}")
        data += piece


def replies(data: bytes, *, head: bool = False) -> Iterator[RawReply]:
    """The answers that bytes hold; the last may be cut short. Raises Malformed."""
    while data:
        start, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            if len(data) > 65536 or not data.startswith(b"HTTP/1."[: len(data)]):
                raise Malformed(f"{data[:200]!r}")
            yield RawReply(0, (), b"", whole=False)
            return
        status, fields = _head(start)
        if 100 <= status < 200:
            data = rest
            continue
        reply, data = _with_body(status, fields, rest, empty=head or status in _WITHOUT_BODY)
        yield reply


def _head(start: bytes) -> tuple[int, tuple[tuple[str, str], ...]]:
    lines = start.split(b"\r\n")
    status = _STATUS.fullmatch(lines[0])
    fields = [_FIELD.fullmatch(line) for line in lines[1:]]
    if not status or not all(fields):
        raise Malformed(f"{start[:200]!r}")
    return int(status[1]), tuple(
        (field[1].decode().lower(), field[2].decode()) for field in fields if field
    )


def _with_body(
    status: int, fields: tuple[tuple[str, str], ...], rest: bytes, *, empty: bool
) -> tuple[RawReply, bytes]:
    bare = RawReply(status, fields, b"")
    if bare.field("transfer-encoding"):
        raise Malformed("an answer came without its length")
    length = bare.field("content-length")
    if empty:
        if status == 204 and length:
            raise Malformed("204 has a length (RFC 9110, 8.6)")
        return bare, rest
    if not length.isdecimal():
        raise Malformed(f"Content-Length is {length!r}")
    size = int(length)
    return RawReply(status, fields, rest[:size], len(rest) >= size), rest[size:]
