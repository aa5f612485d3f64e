"""Citations over HTTP: `POST /cite` makes one, `/c/<id>` shows it, `/c/<id>/verify` runs it again.

A citation never changes; its page does, when the release that it names goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from flask import Flask, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kg.errors import ReleaseMissing, TooManyRequests, UnsupportedBody
from kg.media import CITATION_FORMATS, HTML, RECORD, TEXT, Format
from kg.query.citation_texts import text, written
from kg.query.citing import About, Verdict, cite, counted, verify
from kg.query.run import Answer, Plan, evaluated
from kg.settings import Settings
from kg.store.citations import Citation, Citations
from kg.store.embedded import EmbeddedStore
from kg.store.iris import absolute_iri
from kg.store.tokens import Tokens
from kg.web.answers import listed, pending_of
from kg.web.dumps import known_release
from kg.web.exchange import Came, Exchange
from kg.web.links import base_url
from kg.web.negotiation import chooser
from kg.web.protocol import FORM, asked_format, query_of, query_parameters
from kg.web.rates import Rates
from kg.web.readers import not_of_another_site
from kg.web.running import Running
from kg.web.tokens import writer_of
from kg.web.uploads import at_most_one, body_of, check_encoding, pairs_of

_PAGE: Final = (HTML, *CITATION_FORMATS)
_MADE: Final = (RECORD, *(format for format in CITATION_FORMATS if format != RECORD), HTML)
_VERDICT: Final = (RECORD, TEXT, HTML)
_LONGEST_LINK: Final = 4000
"""Characters of an address that every browser follows; a longer query is sent by a form."""


def citation_routes(
    app: Flask, store: EmbeddedStore, settings: Settings, running: Running, tokens: Tokens
) -> None:
    """The three paths; at HEAD alone, since a citation names its release itself."""
    citations = Citations(store.folder, settings.citations)
    rates = Rates(settings.citation_rate)

    @app.post("/cite")
    def make_citation() -> Response:
        not_of_another_site(request)
        if not settings.open_citations:
            writer_of(request, tokens, settings)
        admit()
        parameters = query_parameters(request, settings.body_bytes)
        format = _chosen(at_most_one(parameters, "format"), _MADE)
        asked = query_of(
            MultiDict((k, v) for k, v in parameters.items(multi=True) if k != "format"),
            accept=None,
            accept_encoding=None,
            release=known_release(store, at_most_one(parameters, "release")).name,
        )
        about = About(at_most_one(parameters, "title") or "")
        now = datetime.now(UTC)
        made, new = cite(asked, store, settings, evaluate, now=now, about=about)
        response = _shown(made, format)
        response.status_code = 201 if new else 200
        response.headers["Location"] = _permalink(made)
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/c/<id>")
    def citation(id: str) -> Response:
        response = _shown(citations.get(id), _chosen(asked_format(request), _PAGE))
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        response.make_conditional(request.environ)
        return response

    @app.post("/c/<id>/verify")
    def verify_citation(id: str) -> Response:
        found = citations.get(id)
        parameters = MultiDict(pairs_of(request.query_string) + _form(settings.body_bytes))
        format = _chosen(at_most_one(parameters, "format"), _VERDICT)
        at = at_most_one(parameters, "at")
        if at is not None:
            at = known_release(store, at).name
        verdict = verify(found, store, settings, evaluate, at=at)
        response = _judged(verdict, format)
        response.headers["Cache-Control"] = "no-store"
        return response

    def admit() -> None:
        """Each is kept for ever: so one address makes fewer of them than it asks queries."""
        try:
            rates.admit(request.remote_addr or "")
        except TooManyRequests as error:
            raise TooManyRequests(
                error.limit, error.seconds, "citations", "citation_rate"
            ) from error

    def evaluate(plan: Plan) -> Answer:
        """As any query: counted, listed to be cancelled, ended where its client leaves."""
        exchange = Exchange.of(request)
        with listed(pending_of(plan, Came.of(request), exchange), running):
            answer = evaluated(plan, store, exchange.ticket)
        exchange.queue_ms, exchange.work_ms = answer.spool.queue_ms, answer.spool.work_ms
        return answer

    def _shown(citation: Citation, format: Format) -> Response:
        if format == HTML:
            return _response(_html(citation), HTML, citation)
        return _response(written(citation, format, _permalink(citation)), format, citation)

    def _judged(verdict: Verdict, format: Format) -> Response:
        citation = verdict.citation
        if format == HTML:
            return _response(_html(citation, verdict), HTML, citation)
        if format == TEXT:
            return _response("\n".join((verdict.sentence, *citation.notes, "")), TEXT, citation)
        members = json.dumps(verdict.members(), ensure_ascii=False, indent=1)
        return _response(members + "\n", RECORD, citation)

    def _html(citation: Citation, verdict: Verdict | None = None) -> str:
        again = {
            "query": citation.query,
            "default-graph-uri": citation.default_graphs,
            "named-graph-uri": citation.named_graphs,
        }
        address = f"{base_url(request)}r/{citation.release}/sparql"
        link = f"{address}?{urlencode(again, doseq=True)}"
        return render_template(
            "citation.html",
            citation=citation,
            verdict=verdict,
            text=text(citation, _permalink(citation)),
            permalink=_permalink(citation),
            size=counted(citation.rows, citation.form),
            formats=[format.name for format in CITATION_FORMATS],
            there=_is_there(store, citation.release),
            address=address,
            again=list(MultiDict(again).items(multi=True)),
            link=link if len(link) <= _LONGEST_LINK else "",
        )


def _form(limit: int) -> list[tuple[str, str]]:
    """The fields of a form, where the request has a body; raises UnsupportedBody for another."""
    body = body_of(request, limit)
    if not body:
        return []
    check_encoding(request, (FORM,))
    if request.mimetype != FORM:
        raise UnsupportedBody(request.mimetype, (FORM,))
    return pairs_of(body)


def _chosen(name: str | None, offered: tuple[Format, ...]) -> Format:
    return chooser(request.headers.get("Accept"), name)(offered)


def _permalink(citation: Citation) -> str:
    return f"{base_url(request)}c/{citation.id}"


def _is_there(store: EmbeddedStore, release: str) -> bool:
    try:
        store.release(release)
    except ReleaseMissing:
        return False
    return True


def _response(content: str, format: Format, citation: Citation) -> Response:
    response = Response(content, content_type=format.content_type)
    response.headers["Vary"] = "Accept"
    response.headers["KG-Release"] = citation.release
    response.headers["Link"] = ", ".join(_links(_permalink(citation), citation))
    return response


def _links(permalink: str, citation: Citation) -> Iterator[str]:
    """Where a program finds what to cite, and the other formats (RFC 8574; RFC 8288)."""
    yield f'<{permalink}>; rel="cite-as"'
    for format in CITATION_FORMATS:
        yield f'<{permalink}?format={format.name}>; rel="describedby"; type="{format.media_type}"'
    licence = citation.dataset.licence
    if licence.isascii() and absolute_iri(licence):
        yield f'<{licence}>; rel="license"'
