"""The routes of the HTTP server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Flask, g, request
from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

from kg.errors import BadArgument, UnknownResource, UpdateRefused
from kg.media import N_QUADS, TRIG, Format
from kg.namespaces import BASE
from kg.publishing.validating import Validator
from kg.publishing.writing import Writer
from kg.query.prefixes import prefixes_of
from kg.query.request import QueryRequest
from kg.query.run import Plan
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore
from kg.store.tokens import Tokens
from kg.web import errors, graph_store
from kg.web.answers import reply
from kg.web.assets import Assets
from kg.web.citations import citation_routes
from kg.web.conditions import etag
from kg.web.descriptions import Descriptions
from kg.web.dumps import Dumps, known_release
from kg.web.exchange import Exchange
from kg.web.negotiation import chooser, coding, prefers_html
from kg.web.pages import linking
from kg.web.pages.asking import asked_iri
from kg.web.pages.query import query_page
from kg.web.pages.resource import resource_page, wants_page
from kg.web.pages.routes import PAGES
from kg.web.pages.site import Site
from kg.web.protocol import asked_format, query_request
from kg.web.readers import Readers
from kg.web.resources import description, is_known, split_suffix, unknown_in
from kg.web.running import Running
from kg.web.service import describe
from kg.web.static_files import static_file
from kg.web.texts import Texts
from kg.web.updates import is_update, update
from kg.web.validation import validate


def create_app(store: EmbeddedStore, settings: Settings, running: Running) -> Flask:
    """The WSGI application that answers from `store`; the caller closes the store.

    What runs is listed in `running`, so that it can be cancelled.
    """
    tokens = Tokens(store.folder)
    app = _App("kg.web")
    # An IRI may have two slashes in a row, and is another one with one of them.
    app.url_map.merge_slashes = False
    errors.register(app)
    # It starts its process at the first write, and that ends with this one.
    writer = Writer(store.folder, settings)
    site = Site(
        store,
        settings,
        running,
        tokens,
        Assets.read(),
        Readers(tokens),
        Texts.of(settings.texts),
    )
    app.extensions["kg"] = site
    linking.register(app, site.assets)
    reads = _reads(site, writer)
    app.register_blueprint(reads, name="head")
    app.register_blueprint(reads, name="release", url_prefix="/r/<at>")

    _graph_writes(app, settings, writer, tokens)
    citation_routes(app, store, settings, running, tokens)
    if not settings.plain:
        _validation(app, store, settings)

    @app.delete("/queries/<id>")
    def cancel(id: str) -> Response:
        running.cancel(id, request.headers.get("KG-Query-Key"))
        return Response(status=204)

    return app


def _reads(site: Site, writer: Writer) -> Blueprint:
    """Every path that reads: as it is at HEAD, and below `/r/<release>` at that release."""
    store, settings, running, tokens = site.store, site.settings, site.running, site.tokens
    reads, dumps = Blueprint("reads", __name__), Dumps(store)
    descriptions = Descriptions(store, settings)

    @reads.url_value_preprocessor
    def take_release(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        at = values.pop("at", None) if values else None
        g.at = at if at is None else known_release(store, at).name
        g.immutable = at is not None and at == g.at

    @reads.url_defaults
    def name_release(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint.startswith("release."):
            values.setdefault("at", g.at)

    for routes in PAGES:
        routes(reads, site)

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
            return query_page(site)
        choose = chooser(request.headers.get("Accept"), name)
        writes = g.at is None and (settings.plain or bool(tokens.all()))
        return describe(request, release, g.at, choose, settings, writes=writes)

    @reads.get("/.well-known/void")
    def void() -> Response:
        choose = chooser(request.headers.get("Accept"), asked_format(request))
        return descriptions.void(request, g.at, choose)

    @reads.get("/catalog")
    def catalog() -> Response:
        choose = chooser(request.headers.get("Accept"), asked_format(request))
        return descriptions.catalog(request, g.at, choose)

    @reads.get("/graphs", defaults={"path": None})
    @reads.get("/graphs/<path:path>")
    def graph(path: str | None) -> Response:
        iri = graph_store.named_by(request, path, settings)
        asked = graph_store.read_request(request, iri, g.at, store)
        validator = partial(graph_store.etag_of, graph=iri)
        return reply(asked, store, settings, running, immutable=g.immutable, validator=validator)

    @reads.get("/id/<path:path>")
    def dereference(path: str) -> Response:
        """The page of an IRI of ours, or what is said of it; a suffix may name the format."""
        iri, name, accept = BASE + path, asked_format(request), request.headers.get("Accept")
        try:
            return resource_of(iri)
        except UnknownResource:
            stem, suffix = split_suffix(path)
            if suffix is None:
                raise
            return described(BASE + stem, chooser(accept, name or suffix.name))

    @reads.get("/resource", endpoint="resource")
    def any_resource() -> Response:
        iri = asked_iri("iri", prefixes_of(store.release(g.at)))
        if not iri:
            raise BadArgument("the address names no IRI", remedy="Give it ?iri=IRI.")
        return resource_of(iri)

    def resource_of(iri: str) -> Response:
        if wants_page(request):
            return resource_page(site, iri)
        choose = chooser(request.headers.get("Accept"), asked_format(request))
        return described(iri, choose)

    def described(iri: str, choose: Callable[..., Format]) -> Response:
        def check(plan: Plan) -> None:
            ticket = Exchange.of(request).ticket
            if not is_known(iri, plan.release.name, store, settings, ticket):
                raise unknown_in(plan.release, iri, store, settings, ticket)

        packing = coding(request.headers.get("Accept-Encoding"))
        asked = QueryRequest(query=description(iri), choose=choose, release=g.at, coding=packing)
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


def _validation(app: Flask, store: EmbeddedStore, settings: Settings) -> None:
    """Checking what is not written; by the shapes of HEAD alone."""
    validator = Validator(store.folder, settings)

    @app.post("/validate")
    def validated() -> Response:
        return validate(request, validator, settings)


class _App(Flask):
    def send_static_file(self, filename: str) -> FlaskResponse:
        """What is below `/static/`."""
        return static_file(filename, Assets.read())

    def make_default_options_response(self) -> FlaskResponse:
        """The methods in Allow, and no body (RFC 9110, sections 9.3.7 and 15.3.5)."""
        response = super().make_default_options_response()
        response.status_code = 204
        del response.headers["Content-Type"]
        return response
