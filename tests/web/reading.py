"""A server whose readers have tokens, and a browser's way to sign in without a browser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from urllib.parse import urlencode

from kg.store.tokens import Scope, Tokens
from kg_server import Reply, Server, running

HTML = {"Accept": "text/html"}


@dataclass(frozen=True, slots=True)
class Reading:
    """A server, its store, and the secrets of its tokens by scope."""

    server: Server
    folder: Path
    secrets: Mapping[Scope, str]

    def page(self, path: str, *, cookie: str = "", **fields: str) -> Reply:
        """A page, read by whoever holds the cookie."""
        return self.server.send(path, headers=HTML | _cookie(cookie) | fields)

    def by(self, scope: Scope, path: str) -> Reply:
        """A page, read with the token of this scope."""
        return self.page(path, Authorization=f"Bearer {self.secrets[scope]}")

    def post(self, path: str, *, cookie: str = "", site: str = "same-origin", **form: str) -> Reply:
        """A form of a page of this server, or of another `site`, as a browser sends it."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": site}
        body = urlencode(form).encode()
        return self.server.send(
            path, method="POST", body=body, headers=HTML | headers | _cookie(cookie)
        )

    def signed_in(self, scope: Scope) -> str:
        """The cookie of a new session."""
        reply = self.post("/sign-in", token=self.secrets[scope])
        assert reply.status == 303, reply.body
        return reply.headers["set-cookie"].partition(";")[0]


@contextmanager
def readers_of(store: Path, folder: Path, **settings: float | str) -> Iterator[Reading]:
    """A server of a copy of the store, with one token a scope; ended on leaving."""
    copy = copytree(store, folder / "store")
    tokens, now = Tokens(copy), datetime.now(UTC)
    secrets = {scope: tokens.create(scope.value, (scope,), days=1, now=now) for scope in Scope}
    with running(copy, folder / "server.log", workers=1, **settings) as server:
        yield Reading(server, copy, secrets)


def _cookie(cookie: str) -> dict[str, str]:
    return {"Cookie": cookie} if cookie else {}
