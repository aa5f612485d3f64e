"""What one query asks for, before anything is known of its text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kg.media import Format
from kg.store.base import Coding, Dataset

Chooser = Callable[[Sequence[Format]], Format]
"""Gets the formats in which an answer of the query's form can be given, the default first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRequest:
    """One query with the conditions of its answer.

    `choose` returns one of the formats that it gets, or raises NotAcceptable. `release` is a
    release's name or number; None means HEAD. `deadline` in seconds can only shorten the
    operator's. `rows` are the first solutions or triples that are wanted; None means all.
    """

    query: str
    choose: Chooser
    dataset: Dataset = field(default_factory=Dataset)
    release: str | None = None
    deadline: float | None = None
    rows: int | None = None
    coding: Coding = Coding.IDENTITY
