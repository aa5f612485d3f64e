"""What every page is made with, and how a page becomes a response."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from kg.query.prefixes import prefixes_of
from kg.query.views.look import Look
from kg.settings import Settings
from kg.store.base import Coding, Release
from kg.store.embedded import EmbeddedStore
from kg.store.packing import packed_bytes
from kg.store.tokens import Tokens
from kg.web.assets import Assets
from kg.web.exchange import Exchange
from kg.web.negotiation import coding
from kg.web.running import Running

HTML: Final = "text/html; charset=utf-8"
_VERSION: Final = version("kg")
_UNCHANGING: Final = "public, max-age=3600"
_FRESH: Final = "no-cache"
"""HEAD may move at any moment: keep the page, and ask whether it still holds."""
_OWN: Final = "private, no-store"


@dataclass(frozen=True, slots=True)
class Site:
    """What the routes of pages are made with."""

    store: EmbeddedStore
    settings: Settings
    running: Running
    tokens: Tokens
    assets: Assets

    def release(self) -> Release:
        """The release that the address names, else HEAD; raises what the store does."""
        return self.store.release(g.get("at"))

    def look(self) -> Look:
        """That release, to be looked at for this request; raises TooManyRequests."""
        exchange = Exchange.of(request)
        exchange.admit()
        return Look(self.store, self.settings, self.release(), exchange.ticket)

    def page(
        self, template: str, make: Callable[[Look], dict[str, Any]], *, state: str = ""
    ) -> Response:
        """The page of this address: the template with what `make` finds in the release.

        A client that has it already gets 304, and nothing is evaluated: so the page may rest on
        the release and the address alone, and on what `state` tells besides.
        """
        release = self.release()
        packing = coding(request.headers.get("Accept-Encoding"))
        tag = _tag(release, packing, self.assets, state)
        if request.if_none_match.contains_weak(tag):
            return _described(Response(status=304), release, tag)
        g.prefixes = prefixes_of(release)
        content = render_template(template, release=release, **make(self.look()))
        return _described(_packed(content, packing), release, tag)

    def own_page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page for this reader alone, which nobody keeps."""
        packing = coding(request.headers.get("Accept-Encoding"))
        release = self.release()
        g.prefixes = prefixes_of(release)
        response = _packed(render_template(template, release=release, **values), packing)
        response.status_code = status
        response.headers["Cache-Control"] = _OWN
        response.headers["Vary"] = "Accept, Accept-Encoding, Cookie"
        return response


Routes = Callable[[Blueprint, Site], None]


def _tag(release: Release, packing: Coding, assets: Assets, state: str) -> str:
    rests_on = (_VERSION, assets.digest, release.name, request.full_path, packing.value, state)
    return hashlib.sha256("\0".join((*rests_on, request.host_url)).encode()).hexdigest()[:32]


def _packed(content: str, packing: Coding) -> Response:
    body = content.encode()
    if packing is not Coding.IDENTITY:
        body = packed_bytes(body, packing)
    response = Response(body, content_type=HTML)
    if packing is not Coding.IDENTITY:
        response.headers["Content-Encoding"] = packing.value
    return response


def _described(response: Response, release: Release, tag: str) -> Response:
    response.headers["KG-Release"] = release.name
    response.headers["Vary"] = "Accept, Accept-Encoding, Cookie"
    response.headers["Cache-Control"] = _UNCHANGING if g.get("immutable") else _FRESH
    response.set_etag(tag, weak=True)
    return response
