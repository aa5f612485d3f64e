"""The routes of the HTTP server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Request, g, render_template, request
from flask import Response as FlaskResponse
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from kg.errors import KgError, UnknownResource, UpdateRefused
from kg.media import N_QUADS, TRIG, Format
from kg.publishing.writing import Writer
from kg.query.request import QueryRequest
from kg.query.run import Plan
from kg.settings import Settings
from kg.store.base import Release
from kg.store.embedded import EmbeddedStore
from kg.store.tokens import Tokens
from kg.web import errors, graph_store
from kg.web.answers import reply
from kg.web.conditions import etag
from kg.web.dumps import Dumps, known_release
from kg.web.exchange import Exchange
from kg.web.negotiation import chooser, coding, prefers_html
from kg.web.protocol import DIRECT, asked_format, query_request
from kg.web.resources import description, is_known, split_suffix, unknown
from kg.web.running import Running
from kg.web.service import describe
from kg.web.updates import is_update, update

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def create_app(store: EmbeddedStore, settings: Settings) -> Flask:
    """The WSGI application that answers from `store`; the caller closes the store."""
    running, tokens = Running(), Tokens(store.folder)

    def query(came: Request) -> Response:
        asked = query_request(came, body_bytes=settings.body_bytes)
        return reply(asked, store, settings, running, came=came)

    app = _App("kg.web", query)
    # An IRI may have two slashes in a row, and is another one with one of them.
    app.url_map.merge_slashes = False
    errors.register(app)
    # It starts its process at the first write, and that ends with this one.
    writer = Writer(store.folder, settings)
    reads = _reads(store, settings, running, writer, tokens)
    app.register_blueprint(reads, name="head")
    app.register_blueprint(reads, name="release", url_prefix="/r/<at>")

    _graph_writes(app, settings, writer, tokens)

    @app.delete("/queries/<id>")
    def cancel(id: str) -> Response:
        running.cancel(id, request.headers.get("KG-Query-Key"))
        return Response(status=204)

    return app


def _reads(
    store: EmbeddedStore, settings: Settings, running: Running, writer: Writer, tokens: Tokens
) -> Blueprint:
    """Every path that reads: as it is at HEAD, and below `/r/<release>` at that release."""
    reads, dumps = Blueprint("reads", __name__), Dumps(store)

    @reads.url_value_preprocessor
    def take_release(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        at = values.pop("at", None) if values else None
        g.at = at if at is None else known_release(store, at).name
        g.immutable = at is not None and at == g.at

    @reads.url_defaults
    def name_release(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint.startswith("release."):
            values.setdefault("at", g.at)

    @reads.get("/")
    def home() -> Response:
        release = store.release(g.at)
        return _page("home.html", release)

    @reads.route("/sparql", methods=["GET", "POST"])
    def sparql() -> Response:
        if request.method != "POST" and request.args.keys() <= {"format"}:
            return description_of_service()
        if is_update(request, settings):
            if g.at is not None:
                raise UpdateRefused("what was sent")
            return update(request, writer, settings, tokens)
        asked = query_request(request, body_bytes=settings.body_bytes, release=g.at)
        return reply(asked, store, settings, running, immutable=g.immutable)

    def description_of_service() -> Response:
        release, name = store.release(g.at), asked_format(request)
        if name is None and prefers_html(request):
            return _page("sparql.html", release)
        choose = chooser(request.headers.get("Accept"), name)
        writes = g.at is None and (settings.plain or bool(tokens.all()))
        return describe(request, release, choose, settings, writes=writes)

    @reads.get("/graphs", defaults={"path": None})
    @reads.get("/graphs/<path:path>")
    def graph(path: str | None) -> Response:
        iri = graph_store.named_by(request, path, settings)
        asked = graph_store.read_request(request, iri, g.at, store)
        validator = partial(graph_store.etag_of, graph=iri)
        return reply(asked, store, settings, running, immutable=g.immutable, validator=validator)

    @reads.get("/id/<path:path>")
    def dereference(path: str) -> Response:
        name, accept = asked_format(request), request.headers.get("Accept")
        try:
            return described(path, chooser(accept, name))
        except UnknownResource:
            stem, suffix = split_suffix(path)
            if suffix is None:
                raise
            return described(stem, chooser(accept, name or suffix.name))

    def described(path: str, choose: Callable[..., Format]) -> Response:
        def check(plan: Plan) -> None:
            ticket = Exchange.of(request).ticket
            if not is_known(path, plan.release.name, store, settings, ticket):
                raise unknown(path)

        packing = coding(request.headers.get("Accept-Encoding"))
        asked = QueryRequest(query=description(path), choose=choose, release=g.at, coding=packing)
        validator = partial(etag, door="id")
        return reply(
            asked,
            store,
            settings,
            running,
            immutable=g.immutable,
            validator=validator,
            check=check,
        )

    @reads.get("/dump/<name>.nq.gz", defaults={"written": N_QUADS})
    @reads.get("/dump/<name>.trig.gz", defaults={"written": TRIG})
    def download(name: str, written: Format) -> Response:
        if g.at is not None and known_release(store, name).name != g.at:
            raise UnknownResource(f"release {name} is not release {g.at}")
        return dumps.response(name, written)

    return reads


def _graph_writes(app: Flask, settings: Settings, writer: Writer, tokens: Tokens) -> None:
    """The methods of the Graph Store Protocol that write; at HEAD alone."""

    @app.route("/graphs", defaults={"path": None}, methods=["PUT", "POST", "DELETE"])
    @app.route("/graphs/<path:path>", methods=["PUT", "POST", "DELETE"])
    def change(path: str | None) -> Response:
        if request.method == "POST" and path is None and not request.args:
            return graph_store.create(request, writer, settings, tokens)
        iri = graph_store.named_by(request, path, settings)
        return graph_store.change(request, iri, writer, settings, tokens)


class _App(Flask):
    """Flask, but that a plain query at HEAD goes straight to what answers it.

    Its contexts, routes and hooks take as long as all the rest of a small query.
    """

    def __init__(self, name: str, query: Callable[[Request], Response]) -> None:
        super().__init__(name)
        self._query = query

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The answer to a request, as PEP 3333 has it."""
        if not _is_plain_query(environ):
            return super().wsgi_app(environ, start_response)
        request = Request(environ)
        try:
            response = self._query(request)
        except (KgError, HTTPException) as error:
            response = errors.response(error, request.headers.get("Accept", ""))
        return response(environ, start_response)

    def make_default_options_response(self) -> FlaskResponse:
        """The methods in Allow, and no body (RFC 9110, sections 9.3.7 and 15.3.5)."""
        response = super().make_default_options_response()
        response.status_code = 204
        del response.headers["Content-Type"]
        return response


def _is_plain_query(environ: WSGIEnvironment) -> bool:
    """Whether it is a query for certain; whatever may be more than that, the routes tell apart."""
    if environ["PATH_INFO"] != "/sparql" or "update" in environ["QUERY_STRING"]:
        return False
    if environ["REQUEST_METHOD"] == "GET":
        return "query=" in environ["QUERY_STRING"]
    return environ["REQUEST_METHOD"] == "POST" and environ.get("CONTENT_TYPE") == DIRECT


def _page(template: str, release: Release) -> Response:
    """A page for a person; of which release it tells stands in its fields, too."""
    response = Response(
        render_template(template, release=release), content_type="text/html; charset=utf-8"
    )
    response.headers["KG-Release"] = release.name
    response.headers["Vary"] = "Accept"
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request.environ)
    return response
