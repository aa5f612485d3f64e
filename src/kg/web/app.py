"""The routes of the HTTP server."""

from __future__ import annotations

from flask import Flask, render_template, request
from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

from kg.media import N_QUADS, TRIG, Format
from kg.query.run import answer
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore
from kg.web import access_log, errors
from kg.web.answers import respond
from kg.web.dumps import dump
from kg.web.negotiation import chooser, prefers_html
from kg.web.protocol import asked_format, query_request
from kg.web.resources import resource


def create_app(store: EmbeddedStore, settings: Settings) -> Flask:
    """The WSGI application that answers from `store`; the caller closes the store."""
    app = _App("kg.web")
    access_log.register(app)
    errors.register(app)
    _forbid_sniffing(app)

    @app.get("/")
    def home() -> str:
        return render_template("home.html", release=store.release())

    @app.route("/sparql", methods=["GET", "POST"])
    def sparql() -> Response | str:
        if request.method != "POST" and prefers_html(request) and "query" not in request.args:
            return render_template("sparql.html")
        asked = query_request(request, body_bytes=settings.body_bytes)
        return respond(answer(asked, store, settings))

    @app.get("/id/<path:path>")
    def dereference(path: str) -> Response:
        choose = chooser(request.headers.get("Accept"), asked_format(request))
        return respond(resource(path, choose, store, settings))

    @app.get("/dump/<release>.nq.gz", defaults={"written": N_QUADS})
    @app.get("/dump/<release>.trig.gz", defaults={"written": TRIG})
    def download(release: str, written: Format) -> Response:
        return dump(store, release, written)

    return app


class _App(Flask):
    def make_default_options_response(self) -> FlaskResponse:
        """The methods in Allow, and no body (RFC 9110, sections 9.3.7 and 15.3.5)."""
        response = super().make_default_options_response()
        response.status_code = 204
        del response.headers["Content-Type"]
        return response


def _forbid_sniffing(app: Flask) -> None:
    """Answers carry text that others wrote: no browser may guess that it is HTML."""

    @app.after_request
    def _(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
