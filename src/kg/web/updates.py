"""The update operation of SPARQL 1.1 Protocol, section 2.2, and what a write comes to."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from flask import Request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kg.errors import BadArgument, Rejected
from kg.media import JSON_LD, N_TRIPLES, TURTLE
from kg.publishing.writing import Method, Write, Writer, Written
from kg.settings import Settings
from kg.store.base import Dataset
from kg.store.rewriting import rewritten
from kg.store.tokens import Tokens
from kg.web.exchange import Doing, Exchange
from kg.web.negotiation import PROBLEM
from kg.web.tokens import writer_of
from kg.web.uploads import at_most_one, body_of, check_encoding, iris_of, pairs_of, text_of

_log: Final = logging.getLogger(__name__)

FORM: Final = "application/x-www-form-urlencoded"
DIRECT: Final = "application/sparql-update"
_TAKEN: Final = (FORM, DIRECT)

_REPORTS: Final = {each.media_type: each for each in (TURTLE, JSON_LD, N_TRIPLES)}
"""The formats of a SHACL report, the default first."""


@dataclass(frozen=True, slots=True)
class _Update:
    text: str
    dataset: Dataset


def is_update(request: Request, settings: Settings) -> bool:
    """Whether a request is for this operation: a POST with a body of its type, or with `update`.

    Raises BadArgument and the like for a form that cannot be read.
    """
    if request.method != "POST":
        return False
    return request.mimetype == DIRECT or "update" in _parameters(request, settings)


def update(request: Request, writer: Writer, settings: Settings, tokens: Tokens) -> Response:
    """204 with the release that now is HEAD, or 422 with the SHACL report.

    Raises AccessError, BadArgument, BodyTooLarge, UnsupportedBody, and what `Writer.write` does.
    """
    token = writer_of(request, tokens, settings)
    _check_conditions(request)
    asked = _asked(request, settings)
    _log.debug("event=update text=%r", asked.text)
    write = Write(
        method=Method.UPDATE,
        graph=None,
        documents=(),
        update=asked.text,
        dataset=asked.dataset,
        who=token.name,
        only=token.graphs,
    )
    return written(request, writer, write)


def written(request: Request, writer: Writer, write: Write) -> Response:
    """The response to a write: 201 or 204 with the release, or 422 with the SHACL report.

    Raises what `Writer.write` does, and Rejected where the client would rather have a problem.
    """
    exchange = Exchange.of(request)
    exchange.doing = Doing.WRITE
    try:
        return _landed(writer.write(write), write.method)
    except Rejected as error:
        report = _report(error, request)
        if report is None:
            raise
        exchange.outcome = error.kind
        return report


def _landed(written: Written, method: Method) -> Response:
    created = written.created and method is not Method.UPDATE
    response = Response(status=201 if created else 204)
    response.headers["KG-Release"] = written.release
    if written.graph_digest:
        # No ETag: what was sent is not what a GET would give (RFC 9110, section 9.3.4).
        response.headers["KG-Graph-Digest"] = written.graph_digest
    response.headers["Cache-Control"] = "no-store"
    del response.headers["Content-Type"]  # there is no content
    return response


def _report(error: Rejected, request: Request) -> Response | None:
    """The report as RDF; None where there is none, or the client prefers something else."""
    others = (PROBLEM, "application/json", "text/html", "text/plain")
    best = request.accept_mimetypes.best_match([*_REPORTS, *others], TURTLE.media_type)
    format = _REPORTS.get(best or "")
    if not (error.report and format):
        return None
    content = error.report if format == TURTLE else rewritten(error.report, TURTLE, format)
    response = Response(content, status=422, content_type=format.content_type)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept"
    return response


# --- reading the request ------------------------------------------------------------------


def _parameters(request: Request, settings: Settings) -> MultiDict[str, str]:
    pairs = pairs_of(request.query_string)
    if request.mimetype == FORM:
        check_encoding(request, _TAKEN)
        pairs += pairs_of(body_of(request, settings.body_bytes))
    return MultiDict(pairs)


def _asked(request: Request, settings: Settings) -> _Update:
    parameters = _parameters(request, settings)
    for name in ("query", "default-graph-uri", "named-graph-uri"):
        if name in parameters:
            raise BadArgument(
                f"an update has the parameter {name}, which is that of a query",
                remedy="Send queries and updates apart; the dataset of an update is given by"
                " using-graph-uri and using-named-graph-uri.",
            )
    text = at_most_one(parameters, "update")
    if request.mimetype == DIRECT:
        check_encoding(request, _TAKEN)
        if text is not None:
            raise BadArgument(
                "there is an update in the body and one in the address", remedy="Send one."
            )
        text = text_of(body_of(request, settings.write_bytes))
    dataset = Dataset(
        default_graphs=iris_of(parameters, "using-graph-uri"),
        named_graphs=iris_of(parameters, "using-named-graph-uri"),
    )
    return _Update(text or "", dataset)


def _check_conditions(request: Request) -> None:
    """Raises BadArgument for a condition: which state it is of would be a guess."""
    for name in ("If-Match", "If-None-Match"):
        if name in request.headers:
            raise BadArgument(
                f"an update has the field {name}, which is about one graph",
                remedy="Write the graph at /graphs with it, or look at its state in WHERE.",
            )
