"""The query page: a question or a query of one's own, and what came back of it.

The editor in the browser asks `/sparql` itself; what is here serves those who have no script, and
every permalink.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote_plus

from flask import Blueprint, g, request, url_for
from markupsafe import escape
from werkzeug.wrappers import Response

from kg.errors import BadArgument, EvaluationError, KgError, QueryError, QueryTooLarge
from kg.media import GRAPH_FORMATS, SOLUTION_FORMATS, TITLES
from kg.query.prefixes import prefixes_of
from kg.query.questions import Parameter, Question, question_of, questions_of
from kg.query.views.look import Label, Look
from kg.query.views.query import MOST_COUNTED, Table
from kg.query.views.search import begun_with
from kg.query.volatility import is_volatile
from kg.store.base import Release
from kg.web import errors
from kg.web.links import base_url
from kg.web.negotiation import PROBLEM
from kg.web.pages.answering import LARGEST, Answered, answered, named
from kg.web.pages.asking import asked_values
from kg.web.pages.linking import has, href, place
from kg.web.pages.site import Site
from kg.web.pages.snippets import curl, python
from kg.web.pages.vocabulary import vocabulary
from kg.web.spots import spot_in
from kg.web.uploads import body_of, pairs_of

LONGEST_QUERY: Final = 20_000
"""Bytes of a query in an address; a longer one is sent to the endpoint."""
SHORT_QUERY: Final = 1_500
"""Bytes of a query in an address that each link of the page may repeat."""
_OWN: Final = ("query", "question", "from", "to", "show")
_MOST_LABELS: Final = 1000
_MOST_NAMES: Final = 20
"""Names of the data that completion is offered for the beginning of an IRI."""
_START: Final = """# Who reported which number, in which words
SELECT ?cohort ?wording ?publisher WHERE {
  ?claim a rf:FigureClaim ;
         rf:cohort/skos:prefLabel ?cohort ;
         rf:reportedText ?wording ;
         prov:wasQuotedFrom/schema:publisher/skos:prefLabel ?publisher .
}
LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks: the query, the question that it is, and which part is wanted.

    The part begins with the row `first`, or ends with the row `last` where there is one.
    """

    query: str = ""
    question: Question | None = None
    values: Mapping[str, str] | None = None
    first: int = 1
    last: int | None = None
    iris: bool = False

    @property
    def is_short(self) -> bool:
        """Whether links may repeat the query."""
        return _length(self.query) <= SHORT_QUERY

    def parameters(self, **others: Any) -> dict[str, Any]:
        """The parameters of this page's address, with others or without those that are None."""
        if self.question:
            asked = {"question": self.question.name, **(self.values or {})}
        else:
            asked = {"query": self.query}
        shown = {"show": "iris" if self.iris else None, "from": None, "to": None, **others}
        return {**asked, **{name: value for name, value in shown.items() if value is not None}}

    def link(self, **others: Any) -> str:
        """The address of this page with these parameters."""
        return place("query", **self.parameters(**others))


def routes(reads: Blueprint, site: Site) -> None:
    """Register `/query`, and what its editor asks for besides."""

    @reads.get("/query")
    def query() -> Response:
        return query_page(site)

    @reads.get("/query/vocabulary")
    def query_vocabulary() -> Response:
        return site.data(vocabulary)

    @reads.get("/query/names")
    def query_names() -> Response:
        begins = " ".join(asked_values("begins"))
        return site.data(
            lambda look: (
                [
                    {"iri": iri, "label": label}
                    for iri, label in begun_with(look, begins, limit=_MOST_NAMES).items()
                ]
                if begins
                else []
            )
        )

    @reads.post("/query/labels")
    def query_labels() -> Response:
        """The names of the resources that a form gives, each in a field `iri`."""
        pairs = pairs_of(body_of(request, site.settings.body_bytes))
        wanted = [value for name, value in pairs if name == "iri"]
        if len(wanted) > _MOST_LABELS:
            raise BadArgument(
                f"{len(wanted)} names are asked for", remedy=f"Ask for {_MOST_LABELS} at most."
            )
        look = site.look()
        g.prefixes = look.prefixes
        told = json.dumps(_described(named(wanted, look)), ensure_ascii=False)
        response = Response(told, content_type="application/json")
        response.headers["Cache-Control"] = "no-store"
        return response


def query_page(site: Site) -> Response:
    """The page of this address, with the answer where it asks something.

    What is wrong with a query is told on the page, with the status that a program would get.
    """
    asked = Asked()
    try:
        asked = _asked(site.release())
        asked = _bound(asked, site.release())
        _check_length(asked.query)
        return site.page(
            "query.html", lambda look: _values(asked, look, site), state=_state(asked, site)
        )
    except (QueryError, EvaluationError, BadArgument) as error:
        return _refused(site, asked, error)


def _state(asked: Asked, site: Site) -> str:
    """What the page rests on beside release and address; one of a kind where it may change."""
    if is_volatile(asked.query):
        return secrets.token_hex()
    settings = site.settings
    return repr((settings.deadline, settings.answer_rows, settings.answer_bytes))


# --- what is asked ------------------------------------------------------------------------


def _asked(release: Release) -> Asked:
    arguments = request.args
    first, iris = _row("from") or 1, arguments.get("show") == "iris"
    last = _row("to")
    name = arguments.get("question")
    if name is None:
        return Asked(arguments.get("query", ""), None, None, first, last, iris)
    question = question_of(release, name)
    values = {key: value for key, value in arguments.items() if key not in _OWN and value.strip()}
    return Asked(question.query, question, values, first, last, iris)


def _bound(asked: Asked, release: Release) -> Asked:
    """The same with the values of the address in the query; raises BadParameter."""
    if asked.question is None:
        return asked
    values = _changed(asked.question, asked.values or {}, release)
    return replace(asked, query=asked.question.bound(values, prefixes_of(release)))


def _changed(question: Question, values: Mapping[str, str], release: Release) -> dict[str, str]:
    """The values that are not those the question has by itself."""
    prefixes, names = prefixes_of(release), [each.name for each in question.parameters]
    return {
        name: value
        for name, value in values.items()
        if name not in names or value != question.default(name, prefixes)
    }


def _row(name: str) -> int | None:
    """The row of this parameter, where it is there; raises BadArgument."""
    text = request.args.get(name)
    if text is None:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MOST_COUNTED))
    if not (is_number and 0 < int(text) <= MOST_COUNTED):
        raise BadArgument(
            f"{name} is {text[:40]!r}", remedy=f"It takes the number of a row, 1 to {MOST_COUNTED}."
        )
    return int(text)


def _length(query: str) -> int:
    """Bytes of a query in an address, or in a page."""
    return max(len(quote_plus(query)), len(escape(query).encode()))


def _check_length(query: str) -> None:
    if _length(query) > LONGEST_QUERY:
        error = QueryTooLarge(_length(query), LONGEST_QUERY)
        error.remedy = "A page takes no longer one: send it to the endpoint, /sparql, by POST."
        raise error


# --- what the page shows ------------------------------------------------------------------


def _values(asked: Asked, look: Look, site: Site) -> dict[str, Any]:
    """What the template gets where all went well."""
    room = 3 * LONGEST_QUERY - 2 * _length(asked.query)
    found = (
        answered(
            asked.query,
            look,
            site,
            first=asked.first,
            last=asked.last,
            iris=asked.iris,
            room=room,
        )
        if asked.query.strip()
        else None
    )
    return _common(asked, look.release, site, found)


def _refused(site: Site, asked: Asked, error: KgError) -> Response:
    """The page with what is wrong with the query, beside the query."""
    told = errors.refusal(error, PROBLEM)
    if _length(asked.query) > LONGEST_QUERY:
        asked = Asked()
    values = _common(asked, site.release(), site, None)
    line, column = getattr(error, "line", None), getattr(error, "column", None)
    spot = spot_in(asked.query, line, column)
    response = site.own_page(
        "query.html", status=told.status_code, error=error, spot=spot, **values
    )
    if "Retry-After" in told.headers:
        response.headers["Retry-After"] = told.headers["Retry-After"]
    return response


def _common(asked: Asked, release: Release, site: Site, found: Answered | None) -> dict[str, Any]:
    endpoint = f"{base_url(request)}r/{release.name}/sparql"
    formats = GRAPH_FORMATS if found and found.form.gives_graph else SOLUTION_FORMATS
    return {
        "asked": asked,
        "start": _START,
        "found": found,
        "fields": _fields(asked, release),
        "topics": [] if asked.query or asked.question else _topics(release),
        "formats": [(each.name, TITLES[each.name]) for each in formats],
        "endpoint": endpoint,
        "at_release": url_for("release.query", at=release.name, **asked.parameters()),
        "curl": curl(endpoint, asked.query, formats[0], short=asked.is_short),
        "python": python(endpoint, asked.query, formats[0], short=asked.is_short),
        "next": _next(found),
        "took": _took(found.milliseconds) if found else "",
        "limits": site.settings,
        "largest": LARGEST,
        "island": _island(release, site),
    }


def _fields(asked: Asked, release: Release) -> list[tuple[Parameter, str]]:
    """The parameters of the question with the values that they have."""
    if asked.question is None:
        return []
    question, prefixes = asked.question, prefixes_of(release)
    return [
        (each, (asked.values or {}).get(each.name) or question.default(each.name, prefixes))
        for each in question.parameters
    ]


def _topics(release: Release) -> list[tuple[str, list[Question]]]:
    """The questions by what they are about, topics in the order of their names."""

    def topic(question: Question) -> str:
        return question.topic or "More"

    questions = sorted(questions_of(release).values(), key=lambda each: (topic(each), each.title))
    return [(name, list(group)) for name, group in groupby(questions, topic)]


def _next(found: Answered | None) -> int | None:
    """The number of the first row of the next part."""
    if found is None or not isinstance(found.shown, Table):
        return None
    after = found.shown.first + len(found.shown.rows)
    return after if found.shown.rows and after <= found.shown.total else None


def _took(milliseconds: float) -> str:
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 100 else f"{milliseconds:.3g} ms"


# --- what the editor gets -----------------------------------------------------------------


def _island(release: Release, site: Site) -> dict[str, Any]:
    settings = site.settings
    return {
        "root": request.script_root,
        "sparql": place("sparql"),
        "vocabulary": place("query_vocabulary"),
        "labels": place("query_labels"),
        "names": place("query_names"),
        "search": place("search") if has("search") else None,
        "cite": url_for("make_citation") if settings.open_citations else None,
        "base": base_url(request),
        "release": release.name,
        "deadline": settings.deadline,
        "rows": settings.answer_rows,
        "bytes": settings.answer_bytes,
        "solutions": [(each.name, TITLES[each.name]) for each in SOLUTION_FORMATS],
        "graphs": [(each.name, TITLES[each.name]) for each in GRAPH_FORMATS],
    }


def _described(labels: Mapping[str, Label]) -> dict[str, Any]:
    return {
        iri: {"text": label.text, "language": label.language, "place": href(iri)}
        for iri, label in labels.items()
    }
