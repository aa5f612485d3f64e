"""Writes from outside as values: what one asks for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from kg.media import Format
from kg.store.base import Dataset
from kg.store.retention import Event


class Method(Enum):
    """What a write does: to one graph (Graph Store Protocol 1.1, section 5), or by an update."""

    PUT = "PUT"
    POST = "POST"
    DELETE = "DELETE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, slots=True)
class Document:
    """One RDF document of a request's body."""

    content: bytes
    format: Format


@dataclass(frozen=True, slots=True)
class Write:
    """One write. `graph` is None for the default graph, which only a plain store lets write.

    `if_match` are digests of which the graph must have one, `if_none_match` those that it must
    not have; `*` is any that there may be. None of either is no condition.
    """

    method: Method
    graph: str | None
    documents: tuple[Document, ...]
    update: str = ""
    dataset: Dataset = field(default_factory=Dataset)
    """The USING clauses of the protocol (SPARQL 1.1 Protocol, 2.2.3)."""
    who: str = ""
    if_match: tuple[str, ...] | None = None
    if_none_match: tuple[str, ...] | None = None
    only: tuple[str, ...] = ()
    """What the IRI of a graph must begin with to be changed; empty for any."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to: the release that now is HEAD, and the digest of the graph there."""

    release: str
    changed: bool
    created: bool
    graph_digest: str | None
    events: tuple[Event, ...] = ()
    """What the log is to say of the releases that went because of it."""
