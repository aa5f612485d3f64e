"""Who reads a page: nobody known, or the holder of a token, sent as such or signed in with it.

A session stands for a token in a browser's cookie. It is kept in memory alone, so that it ends
with the server, and it is good for no longer than its token. The cookie counts where a page is
read, never where something is written: that takes the token itself.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from flask import Request
from werkzeug.wrappers import Response

from kg.errors import Forbidden
from kg.store.tokens import Scope, Token, Tokens
from kg.web.tokens import bearer

COOKIE: Final = "kg-session"
SECONDS: Final = 12 * 3600.0
"""How long a session lasts at most; it ends before with the browser's."""
_SESSIONS: Final = 10_000
"""Sessions that are kept; the oldest goes first."""
_READING: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Reader:
    """The holder of a token, or nobody known."""

    token: Token | None = None
    by_cookie: bool = False

    def may(self, scope: Scope) -> bool:
        """Whether the reader's token is good for that."""
        return self.token is not None and scope.value in self.token.scopes

    @property
    def sees_restricted(self) -> bool:
        """Whether restricted statements and supplied texts are shown."""
        return self.may(Scope.RESTRICTED)

    @property
    def is_operator(self) -> bool:
        """Whether the token is one of an operator."""
        return self.may(Scope.ADMIN)


NOBODY: Final = Reader()


@dataclass(frozen=True, slots=True)
class _Session:
    token: Token
    until: float


class Readers:
    """The readers of one server's pages; for any thread."""

    def __init__(self, tokens: Tokens, clock: Callable[[], float] = time.monotonic) -> None:
        self._tokens = tokens
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def of(self, request: Request) -> Reader:
        """Who reads, by the field Authorization, else by the cookie.

        Raises Unauthorized for a bearer token that is not good: whoever sends one would take the
        public page for all there is.
        """
        secret = bearer(request)
        if secret is not None:
            return Reader(self._tokens.holder(secret, datetime.now(UTC)))
        return self.signed_in(request) if request.method in _READING else NOBODY

    def signed_in(self, request: Request) -> Reader:
        """Who is signed in by the cookie; what is posted with it alone must be no write."""
        token = self._held(request.cookies.get(COOKIE))
        return Reader(token, by_cookie=True) if token else NOBODY

    def sign_in(self, secret: str) -> str:
        """A new session for the holder of this token; raises Unauthorized and Forbidden."""
        token = self._tokens.holder(secret, datetime.now(UTC))
        if not {Scope.RESTRICTED.value, Scope.ADMIN.value} & set(token.scopes):
            raise Forbidden(
                f"the token {token.name} shows nothing more on pages",
                remedy="An operator makes one: kg token create NAME --scope restricted.",
            )
        session = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[_digest(session)] = _Session(token, self._clock() + SECONDS)
            while len(self._sessions) > _SESSIONS:
                self._sessions.popitem(last=False)
        return session

    def sign_out(self, request: Request) -> None:
        """End the session of this request, where it has one."""
        with self._lock:
            self._sessions.pop(_digest(request.cookies.get(COOKIE) or ""), None)

    def _held(self, session: str | None) -> Token | None:
        """The token of a session, where both are still good."""
        if not session:
            return None
        # Looked up by digest, so that the time of the search tells nothing of those there are.
        with self._lock:
            found = self._sessions.get(_digest(session))
        if found is None or found.until <= self._clock():
            return None
        now = datetime.now(UTC)
        known = (each for each in self._tokens.all() if each.digest == found.token.digest)
        token = next(known, None)
        return token if token and not token.expired(now) else None


def give(response: Response, session: str, request: Request) -> None:
    """Put the session into a cookie that no script reads and no other site sends."""
    response.set_cookie(
        COOKIE,
        session,
        path=_path(request),
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )


def take(response: Response, request: Request) -> None:
    """Take the cookie away."""
    response.delete_cookie(
        COOKIE, path=_path(request), secure=request.is_secure, httponly=True, samesite="Strict"
    )


def own_form(request: Request) -> None:
    """Raises Forbidden for a form that may have been sent by a page of another site.

    A browser says where a form was (Fetch Metadata, section 2.3; RFC 6454, section 7).
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = request.host_url.rstrip("/").lower()
    if site in (None, "same-origin") and (origin or "").lower() in (ours, "") and (site or origin):
        return
    raise Forbidden(
        "the form was not sent by a page of this server",
        remedy="Open the page here, in a browser that tells where a form was, and send it again.",
    )


def not_of_another_site(request: Request) -> None:
    """Raises Forbidden for a form of another site's page; a program does not say where it was."""
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise Forbidden(
            "the form was sent by a page of another site",
            remedy="Cite from a page of this server, or by a program.",
        )


def _path(request: Request) -> str:
    return request.script_root or "/"


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode("utf-8", "surrogateescape")).hexdigest()
