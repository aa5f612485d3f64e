"""Writes, what they come to, and errors, as messages between the server and its writer."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from kg import errors
from kg.errors import KgError, Place
from kg.media import FORMATS
from kg.publishing.writes import Document, Method, Write, Written
from kg.settings import Settings
from kg.store.base import Dataset
from kg.store.wire import Message

_AS_THEY_ARE = ("graph", "update", "who")
_LISTED = ("if_match", "if_none_match", "only")


def encoded_write(folder: Path, settings: Settings, write: Write) -> Message:
    """A write to the store in `folder`; its body is that of the documents, one after another."""
    head = {name: getattr(write, name) for name in (*_AS_THEY_ARE, *_LISTED)} | {
        "folder": str(folder),
        "settings": asdict(settings),
        "method": write.method.value,
        "documents": [(each.format.name, len(each.content)) for each in write.documents],
        "dataset": [list(write.dataset.default_graphs), list(write.dataset.named_graphs)],
    }
    return Message(head, b"".join(each.content for each in write.documents))


def decoded_write(message: Message) -> tuple[Path, Settings, Write]:
    """What `encoded_write` made the message of."""
    head = message.head
    default_graphs, named_graphs = head["dataset"]
    listed: dict[str, Any] = {
        name: None if head[name] is None else tuple(head[name]) for name in _LISTED
    }
    write = Write(
        method=Method(head["method"]),
        documents=_documents(head["documents"], message.body),
        dataset=Dataset(tuple(default_graphs), tuple(named_graphs)),
        **{name: head[name] for name in _AS_THEY_ARE},
        **listed,
    )
    return Path(head["folder"]), Settings(**head["settings"]), write


def _documents(described: list[tuple[str, int]], body: bytes) -> tuple[Document, ...]:
    documents, start = [], 0
    for name, size in described:
        documents.append(Document(body[start : start + size], FORMATS[name]))
        start += size
    return tuple(documents)


def encoded_written(written: Written) -> Message:
    """What a write came to."""
    return Message({"written": asdict(written)})


def encoded_error(error: KgError) -> Message:
    """Why a write was not made; its body is the report, if there is one."""
    state = dict(error.__dict__)
    report = state.pop("report", None)
    if error.place:
        place = error.place
        state["place"] = [str(place.file), place.line, place.column, place.key]
    head = {"kind": type(error).__name__, "state": state, "has_report": report is not None}
    return Message({"error": head}, report or b"")


def written_or_error(message: Message) -> Written:
    """What a write came to; raises the error that the message is of."""
    if "written" in message.head:
        head = message.head["written"]
        events = tuple((level, line) for level, line in head["events"])
        return Written(**head | {"events": events})
    raise error_of(message)


def error_of(message: Message) -> KgError:
    """The error of a message; without its `__init__`, which takes other arguments in each class."""
    head: dict[str, Any] = message.head["error"]
    kind = getattr(errors, head["kind"])
    state = {name: tuple(it) if isinstance(it, list) else it for name, it in head["state"].items()}
    if state["place"]:
        file, *rest = state["place"]
        state["place"] = Place(Path(file), *rest)
    if head["has_report"]:
        state["report"] = message.body
    error = kind.__new__(kind, state["message"])
    error.__dict__.update(state)
    assert isinstance(error, KgError)  # noqa: S101 - our own writer names no other class
    return error
