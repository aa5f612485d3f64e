"""Whether the server lives, and whether it can answer: cheap, and never behind a query."""

from __future__ import annotations

from typing import Final

from flask import Flask
from werkzeug.wrappers import Response

from kg.errors import KgError
from kg.store.embedded import EmbeddedStore

PATHS: Final = frozenset(("/health/live", "/health/ready"))


class Health:
    """What a server says of itself; `stopping` once it was told to end."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store
        self.stopping = False

    def unready(self) -> str:
        """Why nothing should be sent here now; empty where all is well."""
        if self.stopping:
            return "the server is shutting down"
        try:
            self._store.head()
        except KgError as error:
            # Its message is the operator's: it may name paths.
            return f"HEAD cannot be followed ({error.kind})"
        state = self._store.workers_state()
        return "" if state.ready + state.busy else "no worker has started"


def register(app: Flask, health: Health) -> None:
    """Make the app answer /health/live and /health/ready, as text."""

    @app.get("/health/live")
    def live() -> Response:
        return _text("the server lives\n", 200)

    @app.get("/health/ready")
    def ready() -> Response:
        why = health.unready()
        return _text(f"not ready: {why}\n" if why else "ready\n", 503 if why else 200)


def _text(text: str, status: int) -> Response:
    response = Response(text, status=status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response
