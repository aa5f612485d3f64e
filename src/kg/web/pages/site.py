"""What every page is made with, and how a page becomes a response."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from kg.media import RECORD
from kg.query.prefixes import prefixes_of
from kg.query.views.look import Look
from kg.settings import Settings
from kg.store.base import Coding, Release
from kg.store.embedded import EmbeddedStore
from kg.store.packing import packed_bytes
from kg.store.restricted import RestrictedStatement, restricted_statements
from kg.store.tokens import Tokens
from kg.web.assets import Assets
from kg.web.exchange import Exchange
from kg.web.negotiation import coding
from kg.web.readers import Reader, Readers
from kg.web.running import Running
from kg.web.texts import Texts

HTML: Final = "text/html; charset=utf-8"
_VERSION: Final = version("kg")
_UNCHANGING: Final = "public, max-age=3600"
_FRESH: Final = "no-cache"
"""HEAD may move at any moment: keep the page, and ask whether it still holds."""
_VARY: Final = "Accept, Accept-Encoding, Authorization, Cookie"
_OWN_FIELDS: Final = {
    "Cache-Control": "private, no-store",
    "Vary": _VARY,
    "Cross-Origin-Resource-Policy": "same-origin",
    # So that a browser says that a form of it was sent from here.
    "Referrer-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Site:
    """What the routes of pages are made with."""

    store: EmbeddedStore
    settings: Settings
    running: Running
    tokens: Tokens
    assets: Assets
    readers: Readers
    texts: Texts

    def release(self) -> Release:
        """The release that the address names, else HEAD; raises what the store does.

        It is the same one throughout a request, also when another becomes HEAD meanwhile.
        """
        if "release" not in g:
            g.release = self.store.release(g.get("at"))
        release: Release = g.release
        return release

    def reader(self) -> Reader:
        """Who reads this page; raises Unauthorized for a bearer token that is not good."""
        if "reader" not in g:
            g.reader = self.readers.of(request)
        reader: Reader = g.reader
        return reader

    def restricted(self, release: Release, *iris: str) -> tuple[RestrictedStatement, ...]:
        """What restricted graphs say of these resources; nothing to one without the scope."""
        if not self.reader().sees_restricted:
            return ()
        return restricted_statements(release, iris)

    def look(self) -> Look:
        """That release, to be looked at for this request, which counts once it asks something."""
        exchange = Exchange.of(request)
        return Look(self.store, self.settings, self.release(), exchange.ticket, exchange.admit)

    def page(
        self, template: str, make: Callable[[Look], dict[str, Any]], *, state: str = ""
    ) -> Response:
        """The page of this address: the template with what `make` finds in the release.

        A client that has it already gets 304, and nothing is evaluated: so the page may rest on
        the release and the address alone, and on what `state` tells besides. One that is made for a
        reader who is known is that reader's own. What `make` gives as `template` is the template
        in place of this one.
        """
        if self.reader().token:
            return self._own(template, 200, lambda: make(self.look()))
        return self._kept(HTML, lambda look: _rendered(template, look, make(look)), state)

    def data(self, make: Callable[[Look], Any]) -> Response:
        """What a script of a page gets at this address, as JSON; it may rest on what a page may."""
        self.reader()
        return self._kept(
            RECORD.content_type, lambda look: json.dumps(make(look), ensure_ascii=False), ""
        )

    def _kept(self, content_type: str, write: Callable[[Look], str], state: str) -> Response:
        release = self.release()
        packing = coding(request.headers.get("Accept-Encoding"))
        tag = self._tag(release, packing, f"{content_type} {state}")
        if state:  # it tells what changes, also of a release that does not
            g.immutable = False
        if request.if_none_match.contains_weak(tag):
            return _described(Response(status=304), release, tag)
        g.prefixes = prefixes_of(release)
        content = write(self.look())
        return _described(_packed(content, packing, content_type), release, tag)

    def _tag(self, release: Release, packing: Coding, state: str) -> str:
        rests_on = (
            _VERSION,
            self.assets.digest,
            repr(self.settings),
            release.name,
            request.host_url,
            request.full_path,
            packing.value,
            state,
        )
        return hashlib.sha256("\0".join(rests_on).encode()).hexdigest()[:32]

    def own_page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page for this reader alone, which nobody keeps."""
        return self._own(template, status, lambda: values)

    def _own(self, template: str, status: int, make: Callable[[], dict[str, Any]]) -> Response:
        self.reader()
        packing = coding(request.headers.get("Accept-Encoding"))
        release = self.release()
        g.prefixes = prefixes_of(release)
        values = make()
        template = values.pop("template", template)
        response = _packed(render_template(template, release=release, **values), packing)
        response.status_code = status
        response.headers.update(_OWN_FIELDS)
        response.headers["KG-Release"] = release.name
        return response


Routes = Callable[[Blueprint, Site], None]


def _rendered(template: str, look: Look, values: dict[str, Any]) -> str:
    template = values.pop("template", template)
    return render_template(template, release=look.release, **values)


def _packed(content: str, packing: Coding, content_type: str = HTML) -> Response:
    body = content.encode()
    if packing is not Coding.IDENTITY:
        body = packed_bytes(body, packing)
    response = Response(body, content_type=content_type)
    if packing is not Coding.IDENTITY:
        response.headers["Content-Encoding"] = packing.value
    return response


def _described(response: Response, release: Release, tag: str) -> Response:
    response.headers["KG-Release"] = release.name
    response.headers["Vary"] = _VARY
    response.headers["Cache-Control"] = _UNCHANGING if g.get("immutable") else _FRESH
    response.set_etag(tag, weak=True)
    return response
