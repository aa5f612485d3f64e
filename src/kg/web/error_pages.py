"""A problem as a page for a person with a browser: what was met, where, and what leads on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from flask import render_template, request, url_for
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response

from kg.errors import (
    EvaluationError,
    KgError,
    NotAcceptable,
    QueryError,
    QueueFull,
    ReleaseRemoved,
    TooManyRequests,
    Unauthorized,
    UnknownResource,
)
from kg.query.claims import local_name
from kg.store.iris import absolute_iri
from kg.web.pages.linking import has, here, href, newest, place, this_address
from kg.web.spots import spot_in

_LONGEST_QUERY: Final = 4000
_WORDS: Final = re.compile(r"[^\W_]+")
_OF_A_QUERY: Final = (QueryError, EvaluationError, NotAcceptable)
_TITLES: Final = {
    400: "That request could not be read",
    401: "You need to sign in",
    403: "That is not allowed",
    404: "Nothing is known of that here",
    405: "That cannot be done at this address",
    406: "It cannot be given in that format",
    410: "That is no longer here",
    412: "It changed meanwhile",
    413: "That is too large",
    422: "That cannot be done",
    429: "Too many questions in a short time",
    500: "Something went wrong here",
    503: "The server could not answer in time",
}


@dataclass(frozen=True, slots=True)
class Lead:
    """A link that may help."""

    address: str
    text: str


def as_page(problem: Response, error: KgError | HTTPException) -> Response:
    """The problem, which is JSON, as a page with the same status and fields."""
    told: dict[str, Any] = json.loads(problem.get_data())
    query = request.args.get("query", "")
    title = _TITLES.get(problem.status_code, told["title"])
    is_nowhere = isinstance(error, NotFound)
    if isinstance(error, UnknownResource) and error.release:
        title = "That is not in this release"
    content = render_template(
        "error.html",
        status=problem.status_code,
        title=title,
        kind=told["title"],
        detail=_sentence(told["detail"]) if not is_nowhere else "There is no page at this address.",
        remedy=told.get("remedy", ""),
        spot=spot_in(query, told.get("line"), told.get("column")),
        line=told.get("line"),
        column=told.get("column"),
        leads=list(_leads(error, query)),
    )
    problem.set_data(content)
    problem.headers["Content-Type"] = "text/html; charset=utf-8"
    return problem


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "”")) else f"{text}."


def _leads(error: KgError | HTTPException, query: str) -> Iterator[Lead]:
    if isinstance(error, UnknownResource):
        if error.release:
            yield Lead(href(error.iri, error.release), f"As of release {error.release}")
        yield from _search(error)
    if isinstance(error, ReleaseRemoved) or request.path.startswith("/r/"):
        yield Lead(newest(), "The same in the newest release")
    if isinstance(error, ReleaseRemoved) or request.path.startswith("/r/") or here("diff"):
        yield Lead(url_for("head.releases"), "All releases")
    if isinstance(error, _OF_A_QUERY) and query and len(query) <= _LONGEST_QUERY:
        yield Lead(_editor(query), "Your query in the editor")
    if isinstance(error, Unauthorized) and has("sign_in"):
        yield Lead(url_for("head.sign_in"), "Sign in with a token")
    if isinstance(error, QueueFull | TooManyRequests) and request.method == "GET":
        yield Lead(this_address(), "Try again")
    yield Lead(url_for("head.home"), "The first page")


def _search(error: UnknownResource) -> Iterator[Lead]:
    """Where what was meant may be found: by the words at the end of its IRI."""
    if not error.iri:
        return
    words = " ".join(_WORDS.findall(local_name(error.iri)))[:80]
    if words and has("search"):
        yield Lead(place("search", q=words), f"Search for “{words}”")
    if absolute_iri(error.iri) and len(error.iri) < _LONGEST_QUERY:
        yield Lead(_editor(_mentions(error.iri)), "Ask for all statements that name it")


def _mentions(iri: str) -> str:
    return (
        "SELECT ?subject ?property ?value\nWHERE {\n"
        f"  {{ ?subject ?property <{iri}> }}\n  UNION\n  {{ <{iri}> ?property ?value }}\n"
        "}\nLIMIT 100"
    )


def _editor(query: str) -> str:
    if has("query"):
        return place("query", query=query)
    return place("sparql", query=query)
