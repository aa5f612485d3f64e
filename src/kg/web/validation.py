"""`POST /validate`: data checked with the shapes of HEAD, and not written."""

from __future__ import annotations

from typing import Final

from flask import Request
from werkzeug.wrappers import Response

from kg.errors import UnsupportedBody
from kg.media import HTML, REPORT_FORMATS, YAML_LD, Format
from kg.publishing.validating import Submission, Validator
from kg.settings import Settings
from kg.validation.reports.html import POLICY
from kg.web.exchange import Exchange
from kg.web.graph_store import BODIES
from kg.web.negotiation import chooser
from kg.web.protocol import asked_format
from kg.web.uploads import body_of, check_encoding

VALIDATED: Final = (*BODIES, YAML_LD)
"""The formats in which data is taken."""
_TYPES: Final = {name: each for each in VALIDATED for name in (each.media_type, *each.aliases)}
_TAKEN: Final = tuple(each.media_type for each in VALIDATED)


def validate(request: Request, validator: Validator, settings: Settings) -> Response:
    """200 with the report, whether the data conforms or not; `KG-Conforms` says which.

    Raises BadArgument, BodyTooLarge, UnsupportedBody, NotAcceptable, TooManyRequests, and what
    `Validator.verdict` does.
    """
    choose = chooser(request.headers.get("Accept"), asked_format(request))
    report, format = choose(REPORT_FORMATS), _format(request)
    body = body_of(request, settings.body_bytes)
    exchange = Exchange.of(request)
    exchange.admit()
    verdict = validator.verdict(Submission(body, format, report), exchange.ticket)
    response = Response(verdict.report, content_type=report.content_type)
    response.headers["KG-Conforms"] = "true" if verdict.conforms else "false"
    response.headers["KG-Release"] = verdict.release
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept"
    if report == HTML:
        response.headers["Content-Security-Policy"] = f"{POLICY}; frame-ancestors 'none'"
    return response


def _format(request: Request) -> Format:
    check_encoding(request, _TAKEN)
    if request.mimetype not in _TYPES:
        raise UnsupportedBody(request.mimetype, _TAKEN)
    return _TYPES[request.mimetype]
