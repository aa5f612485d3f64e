"""`/sign-in` and `/sign-out`: a browser shows a token once, and has a cookie for the session."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kg.errors import AccessError, TooManyRequests, Unauthorized, UnsupportedBody
from kg.web.errors import STATUS
from kg.web.pages.linking import place
from kg.web.pages.site import Site
from kg.web.protocol import FORM
from kg.web.rates import Rates
from kg.web.readers import give, own_form, take
from kg.web.uploads import at_most_one, body_of, check_encoding, pairs_of

TEMPLATE: Final = "sign-in.html"
_TRIES: Final = 20
"""Times that one address may fail in a minute; a token is 256 random bits, which nobody guesses."""
_PATH: Final = re.compile(r"/(?!/)[\x21-\x5b\x5d-\x7e]*")
_LONGEST: Final = 2000
_FORM_BYTES: Final = 8192


def routes(reads: Blueprint, site: Site) -> None:
    """Register both; at HEAD alone, whatever the release that was looked at."""
    tries = Rates(_TRIES)

    @reads.get("/sign-in")
    def sign_in() -> Response:
        return ask_to_sign_in(site, at_most_one(request.args, "to") or "")

    @reads.post("/sign-in")
    def signed_in() -> Response:
        own_form(request)
        form = posted()
        to = at_most_one(form, "to") or ""
        try:
            session = site.readers.sign_in((at_most_one(form, "token") or "").strip())
        except AccessError as error:
            return ask_to_sign_in(site, to, counted(error))
        site.readers.sign_out(request)  # the session before this one, if there is one
        response = _led_to(_within(to) or place("home"))
        give(response, session, request)
        return response

    def counted(error: AccessError) -> AccessError:
        """The error, or that there were too many: who has a good token is never kept out."""
        try:
            tries.admit(request.remote_addr or "")
        except TooManyRequests as many:
            return many
        return error

    @reads.post("/sign-out")
    def sign_out() -> Response:
        own_form(request)
        site.readers.sign_out(request)
        response = _led_to(place("home"))
        take(response, request)
        return response


def ask_to_sign_in(
    site: Site, to: str, error: AccessError | None = None, *, status: int = 200
) -> Response:
    """The form, which leads to the path `to` of this server afterwards."""
    if error:
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    response = site.own_page(
        TEMPLATE, status=status, to=_within(to), problem=error, reader=site.reader()
    )
    if status == STATUS[Unauthorized]:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def posted() -> MultiDict[str, str]:
    """The fields of a form that was posted; raises UnsupportedBody, BodyTooLarge, BadArgument."""
    check_encoding(request, (FORM,))
    if request.mimetype != FORM:
        raise UnsupportedBody(request.mimetype, (FORM,))
    return MultiDict(pairs_of(body_of(request, _FORM_BYTES)))


def _within(path: str) -> str:
    """The path where it is one of this server; else empty."""
    if len(path) > _LONGEST or not _PATH.fullmatch(path) or urlsplit(path).netloc:
        return ""
    return path


def _led_to(path: str) -> Response:
    response = Response(status=303)
    response.headers["Location"] = path
    response.headers["Cache-Control"] = "no-store"
    del response.headers["Content-Type"]
    return response
