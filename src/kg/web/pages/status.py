"""`/status`: what the server does at this moment, for operators."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, redirect, request, url_for
from werkzeug.wrappers import Response

from kg.errors import AccessError, KgError
from kg.store.embedded import EmbeddedStore
from kg.store.tokens import Scope
from kg.web.cache import Cache
from kg.web.health import Health
from kg.web.metrics import Disk, Metrics
from kg.web.negotiation import prefers_html
from kg.web.pages.sign_in import ask_to_sign_in, posted
from kg.web.pages.site import Site
from kg.web.readers import own_form
from kg.web.running import Running
from kg.web.tokens import operator_of
from kg.web.uploads import at_most_one

PATH: Final = "/status"
CANCEL: Final = "/status/cancel"
PATHS: Final = (PATH, CANCEL)
_SHARES: Final = (0.5, 0.9, 0.99)
_QUERIES: Final = 100
"""Running queries that are listed."""
_EVERY: Final = (2, 5, 15, 60)
"""Seconds after which the page may come again by itself."""


@dataclass(frozen=True, slots=True)
class Operated:
    """What there is to look at."""

    store: EmbeddedStore
    running: Running
    health: Health
    metrics: Metrics
    cache: Cache
    disk: Disk


@dataclass(frozen=True, slots=True)
class Phase:
    """How long one phase of queries took: for each share of them, at most how long."""

    name: str
    count: int
    within: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the server, and the bytes of memory that it holds."""

    id: int
    name: str
    bytes: int


def register(app: Flask, operated: Operated) -> None:
    """Make the app answer /status, and cancel queries for operators."""
    site: Site = app.extensions["kg"]

    @app.get(PATH, endpoint="status")
    def status() -> Response:
        refusal = _refused(site)
        return refusal or site.own_page("status.html", **_seen(site, operated))

    @app.post(CANCEL, endpoint="cancel_as_operator")
    def cancel() -> Response:
        """The cookie counts here, since nothing is written, and the form is one of ours."""
        reader = site.reader()
        if reader.token is None:
            own_form(request)
            reader = site.readers.signed_in(request)
        if reader.token is None:
            operator_of(request, site.tokens)
        else:
            reader.token.check_scope(Scope.ADMIN)
        operated.running.end(at_most_one(posted(), "id") or "")
        response: Any = redirect(url_for("status"), 303)
        response.headers["Cache-Control"] = "no-store"
        return response  # type: ignore[no-any-return]


def _refused(site: Site) -> Response | None:
    """The form to sign in for a person, where the reader is no operator; raises for a program."""
    if site.reader().is_operator:
        return None
    if not prefers_html(request):
        operator_of(request, site.tokens)
    token = site.reader().token
    if token is None:
        return ask_to_sign_in(site, url_for("status"), status=401)
    try:
        token.check_scope(Scope.ADMIN)
    except AccessError as error:
        return ask_to_sign_in(site, url_for("status"), error)
    return None


# --- what is seen -------------------------------------------------------------------------


def _seen(site: Site, operated: Operated) -> dict[str, Any]:
    metrics, queries = operated.metrics, operated.running.now()
    by_status: Counter[int] = Counter()
    for (_, status, _), count in dict(metrics.requests).items():
        by_status[status] += count
    return {
        "unready": operated.health.unready(),
        "workers": operated.store.workers_state(),
        "settings": site.settings,
        "queries": queries[:_QUERIES],
        "more": max(0, len(queries) - _QUERIES),
        "requests": sorted(by_status.items()),
        "outcomes": dict(metrics.queries).items(),
        "writes": dict(metrics.writes).items(),
        "phases": _phases(metrics),
        "shares": [f"{share:.0%}" for share in _SHARES],
        "cache": operated.cache,
        "hits": metrics.cache_hits,
        "misses": metrics.cache_misses,
        "head": _head(operated.store),
        "disk": operated.disk.found(),
        "free": _free(operated.store),
        "processes": list(_processes()),
        "every": _every(),
        "choices": _EVERY,
        "bytes": in_bytes,
    }


def in_bytes(count: float) -> str:
    """A number of bytes as people read it."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _phases(metrics: Metrics) -> list[Phase]:
    names = {"queue": "waited for a worker", "work": "worked on", "total": "in all"}
    return [
        Phase(names[phase], seconds.count, tuple(_bound(seconds.within(it)) for it in _SHARES))
        for phase, seconds in metrics.seconds.items()
    ]


def _bound(seconds: float | None) -> str:
    if seconds is None:
        return "none yet"
    if math.isinf(seconds):
        return "over 120 s"
    return f"≤ {seconds * 1000:g} ms" if seconds < 1 else f"≤ {seconds:g} s"


def _head(store: EmbeddedStore) -> str:
    try:
        return store.head().name
    except KgError as error:
        return f"cannot be followed ({error.kind})"


def _free(store: EmbeddedStore) -> int | None:
    with suppress(OSError):
        free = os.statvfs(store.folder)
        return free.f_bavail * free.f_frsize
    return None


def _every() -> int:
    """Seconds after which the page comes again; 0 for never, as by default."""
    text = at_most_one(request.args, "every") or "0"
    return int(text) if text in map(str, _EVERY) else 0


def _processes() -> Iterator[Process]:
    """This process and all below it, as the kernel tells (proc(5))."""
    page = os.sysconf("SC_PAGE_SIZE")
    for number in _below(os.getpid()):
        with suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{number}/statm", encoding="ascii") as file:
                held = int(file.read().split()[1]) * page
            name = "the server" if number == os.getpid() else _name(number)
            yield Process(number, name, held)


def _below(number: int) -> Iterator[int]:
    yield number
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{number}/task"):
            with suppress(OSError):
                with open(f"/proc/{number}/task/{thread}/children", encoding="ascii") as file:
                    children = [int(child) for child in file.read().split()]
                for child in children:
                    yield from _below(child)


def _name(number: int) -> str:
    with open(f"/proc/{number}/cmdline", "rb") as file:
        parts = file.read().split(b"\0")
    return "a worker" if b"kg.store.worker" in parts else "a helper"
