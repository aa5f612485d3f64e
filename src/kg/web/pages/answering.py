"""The answer to a query as far as a page has room for it, evaluated as any query is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from flask import request
from markupsafe import escape

from kg.errors import AnswerTooLarge
from kg.media import JSON, TSV, TURTLE, Form
from kg.namespaces import BASE
from kg.query.request import QueryRequest
from kg.query.run import Plan, evaluated, planned
from kg.query.views.look import Label, Look, Row, Term
from kg.query.views.query import MOST_COUNTED, Extract, Table, boolean, extract, table
from kg.query.views.readings import readings
from kg.store.base import Spool
from kg.web.answers import listed, pending_of
from kg.web.exchange import Came, Doing, Exchange
from kg.web.pages.linking import href, shorten
from kg.web.pages.site import Site

ROWS: Final = 100
"""Solutions that a page shows at most."""
COLUMNS: Final = 50
TRIPLES: Final = 500
LARGEST: Final = 8 * 2**20
"""Bytes of an answer out of which a page shows something; a page reads all of them."""
EXTRACT: Final = 24_000
"""Characters of a graph that a page shows at most."""
_MOST_ESCAPED: Final = 6
"""Bytes that a character may take in HTML."""
_MARKUP: Final = 70
"""Bytes of the elements around what a cell shows."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back, as far as the page shows it; `milliseconds` is what a worker took.

    An answer that has more bytes than a page reads is not shown.
    """

    form: Form
    shown: Table | Extract | bool | None
    milliseconds: float
    left_out: int = 0
    """Columns that the page has no room for."""
    labels: Mapping[str, Label] = field(default_factory=dict)


def answered(
    query: str, look: Look, site: Site, *, first: int, last: int | None, iris: bool, room: int
) -> Answered:
    """The answer, from a solution on, or those before and with `last` where that is given.

    `room` is how many bytes the cells of a table may have. With `iris` resources are shown by
    their IRIs. Raises what a query at the endpoint does.
    """
    asked = QueryRequest(query=query, choose=lambda offered: offered[0], release=look.release.name)
    plan = _for_a_page(planned(asked, site.store, site.settings))
    exchange = Exchange.of(request)
    exchange.doing = Doing.QUERY
    with listed(pending_of(plan, Came.of(request), exchange), site.running):
        try:
            spool = evaluated(plan, site.store, exchange.ticket).spool
        except AnswerTooLarge:
            if plan.task.answer_bytes >= site.settings.answer_bytes:
                raise
            return Answered(plan.form, None, 0.0)
    exchange.queue_ms, exchange.work_ms = spool.queue_ms, spool.work_ms
    with spool:
        shown = _shown(plan.form, spool, _part(first, last), room)
    if not isinstance(shown, Table):
        return Answered(plan.form, shown, spool.work_ms)
    labels = {} if iris else named(_iris(shown), look)
    fitting = _fitting(shown, labels, room, from_end=last is not None)
    left_out = len(shown.variables) - len(fitting.variables)
    return Answered(plan.form, fitting, spool.work_ms, left_out, labels)


def _for_a_page(plan: Plan) -> Plan:
    """The same in the format that the page reads, and no more of it than the page takes."""
    if plan.form.gives_graph:
        format, rows = TURTLE, TRIPLES
    else:
        format, rows = (JSON, 1) if plan.form is Form.ASK else (TSV, MOST_COUNTED)
    most = min(plan.task.answer_bytes, LARGEST)
    task = replace(plan.task, format=format, rows=rows, answer_bytes=most)
    return replace(plan, format=format, task=task)


def named(iris: Iterable[str], look: Look) -> dict[str, Label]:
    """What each of these is called: a claim its reading, what has no name a short IRI."""
    wanted = set(iris)
    labels = {**look.labels(wanted)}
    told = readings(look, sorted(wanted - labels.keys()))
    labels |= {iri: Label(text, "en") for iri, text in told.items()}
    return {iri: labels.get(iri) or Label(_short(iri, look), "") for iri in wanted}


def _short(iri: str, look: Look) -> str:
    return look.compact(iri).removeprefix(BASE) or iri


def _part(first: int, last: int | None) -> range:
    """The numbers of the solutions that a page shows at most."""
    return range(first, first + ROWS) if last is None else range(max(last - ROWS, 0) + 1, last + 1)


def _shown(form: Form, spool: Spool, part: range, room: int) -> Table | Extract | bool:
    if form.gives_graph:
        found = extract(spool, EXTRACT)
        fits = _bytes(found.text) <= room
        return found if fits else Extract(found.text[: room // _MOST_ESCAPED], more=True)
    return boolean(spool) if form is Form.ASK else table(spool, part.start, len(part))


def _fitting(
    shown: Table, labels: Mapping[str, Label], room: int, *, from_end: bool = False
) -> Table:
    """As many columns and rows of the table as the page has room for, one row at least.

    The rows are its first ones, or its last ones.
    """
    variables = shown.variables[:COLUMNS]
    rows = list[Row]()
    for row in reversed(shown.rows) if from_end else shown.rows:
        room -= sum(_cost(row.get(name), labels) for name in variables)
        if room < 0 and rows:
            break
        rows.append(row)
    first = shown.first
    if from_end:
        rows.reverse()
        first += len(shown.rows) - len(rows)
    return replace(shown, variables=variables, rows=tuple(rows), first=first)


def _iris(shown: Table) -> set[str]:
    names = shown.variables[:COLUMNS]
    terms = (row[name] for row in shown.rows for name in names if name in row)
    return {term.value for term in terms if term.is_iri}


def _cost(term: Term | None, labels: Mapping[str, Label]) -> int:
    """About how many bytes a cell has."""
    if term is None:
        return _MARKUP
    if not term.is_iri:
        return _MARKUP + _bytes(shorten(term.value)) + len(term.datatype)
    label = labels.get(term.value)
    told = label.text if label else term.value
    return _MARKUP + sum(map(_bytes, (href(term.value), shorten(term.value), shorten(told))))


def _bytes(text: str) -> int:
    return len(escape(text).encode())
