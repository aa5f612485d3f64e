"""The main path of a query: inspected, evaluated by a worker, spooled."""

from __future__ import annotations

from dataclasses import dataclass

from kg.errors import BadArgument
from kg.media import Form, Format, formats_for
from kg.query.dataset import described_dataset
from kg.query.inspection import inspect
from kg.query.prefixes import prefixes_of
from kg.query.request import QueryRequest
from kg.settings import Settings
from kg.store.base import Release, Spool, Task
from kg.store.embedded import EmbeddedStore


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: its bytes, their format, the form and the release they come from."""

    spool: Spool
    format: Format
    form: Form
    release: Release


def answer(request: QueryRequest, store: EmbeddedStore, settings: Settings) -> Answer:
    """The complete answer to `request`, or a KgError that says what to change.

    Raises QueryError for what may not run, BadArgument for a deadline that is not above zero,
    NotAcceptable for a format that cannot be given, EvaluationError for what a worker could not
    finish, StoreError for an unknown release.
    """
    form = inspect(request.query, query_bytes=settings.query_bytes, nesting=settings.nesting).form
    chosen = request.choose(formats_for(form))
    release = store.release(request.release)
    prefixes = prefixes_of(release)
    spool = store.query(
        Task(
            release=release.folder,
            query=request.query,
            format=chosen,
            deadline=_deadline(request.deadline, settings.deadline),
            answer_bytes=settings.answer_bytes,
            spool_memory=settings.spool_memory,
            dataset=request.dataset or described_dataset(request.query, prefixes),
            prefixes=prefixes,
        )
    )
    return Answer(spool=spool, format=chosen, form=form, release=release)


def _deadline(asked: float | None, most: float) -> float:
    if asked is None:
        return most
    if not asked > 0:
        raise BadArgument(f"the deadline is {asked:g}", remedy="It takes seconds, above zero.")
    return min(asked, most)
