"""One line of the log for each request."""

import logging
import time
from urllib.parse import quote

from flask import Flask, g, request
from werkzeug.wrappers import Response

_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Make the app log method, path, status, release and time; never the query's text."""

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        _log.info(
            "event=request method=%s path=%s status=%d release=%s bytes=%s ms=%.1f",
            request.method,
            quote(request.path),  # a line feed in it would forge a second line
            response.status_code,
            response.headers.get("KG-Release", "-"),
            response.headers.get("Content-Length", "-"),
            (time.perf_counter() - g.started) * 1000,
        )
        return response
