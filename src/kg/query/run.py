"""The main path of a query: inspected, evaluated by a worker, spooled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from kg.errors import BadArgument
from kg.media import Form, Format, formats_for
from kg.query.dataset import described_dataset
from kg.query.inspection import Inspection, inspect
from kg.query.prefixes import prefixes_of
from kg.query.request import QueryRequest
from kg.settings import Settings
from kg.store.base import Release, Spool, Task, Ticket
from kg.store.embedded import EmbeddedStore

_SHORT = 4096
"""Characters of a query whose inspection is remembered: a program asks the same ones again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A query that may run: its form, the format of its answer, its release, a worker's task."""

    form: Form
    format: Format
    release: Release
    task: Task


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: its bytes, their format, the form and the release they come from."""

    spool: Spool
    format: Format
    form: Form
    release: Release


def answer(
    request: QueryRequest, store: EmbeddedStore, settings: Settings, ticket: Ticket | None = None
) -> Answer:
    """The complete answer to `request`, or a KgError that says what to change.

    Raises what `planned` and `evaluated` raise.
    """
    return evaluated(planned(request, store, settings), store, ticket)


def planned(request: QueryRequest, store: EmbeddedStore, settings: Settings) -> Plan:
    """What a worker is to do for `request`; nothing is evaluated yet.

    Raises QueryError for what may not run, BadArgument for a deadline that is not above zero,
    NotAcceptable for a format that cannot be given, StoreError for an unknown release.
    """
    form = _inspected(request.query, settings.query_bytes, settings.nesting).form
    chosen = request.choose(formats_for(form))
    release = store.release(request.release)
    prefixes = prefixes_of(release)
    task = Task(
        release=release.folder,
        query=request.query,
        format=chosen,
        deadline=_deadline(request.deadline, settings.deadline),
        answer_bytes=settings.answer_bytes,
        spool_memory=settings.spool_memory,
        dataset=request.dataset or described_dataset(request.query, prefixes),
        prefixes=prefixes,
        coding=request.coding,
        answer_rows=settings.answer_rows,
        rows=request.rows,
    )
    return Plan(form=form, format=chosen, release=release, task=task)


def evaluated(plan: Plan, store: EmbeddedStore, ticket: Ticket | None = None) -> Answer:
    """The complete answer; whoever has the ticket may end the evaluation.

    Raises EvaluationError for what a worker could not finish, and QuerySyntax.
    """
    spool = store.query(plan.task, ticket)
    return Answer(spool=spool, format=plan.format, form=plan.form, release=plan.release)


async def evaluated_soon(plan: Plan, store: EmbeddedStore, ticket: Ticket) -> Answer:
    """As `evaluated`, for an event loop."""
    spool = await store.query_soon(plan.task, ticket)
    return Answer(spool=spool, format=plan.format, form=plan.form, release=plan.release)


def _inspected(query: str, query_bytes: int, nesting: int) -> Inspection:
    look = _remembered if len(query) <= _SHORT else inspect
    return look(query, query_bytes=query_bytes, nesting=nesting)


@lru_cache(maxsize=1024)
def _remembered(query: str, *, query_bytes: int, nesting: int) -> Inspection:
    return inspect(query, query_bytes=query_bytes, nesting=nesting)


def _deadline(asked: float | None, most: float) -> float:
    if asked is None:
        return most
    if not asked > 0:
        raise BadArgument(f"the deadline is {asked:g}", remedy="It takes seconds, above zero.")
    return min(asked, most)
