"""A server whose store may be written, with tokens of several kinds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from kg.namespaces import GRAPH
from kg.store.tokens import Scope, Tokens
from kg_server import Reply, Server, running

TURTLE: Final = "text/turtle"
LIMITED: Final = GRAPH + "mine/"
CLAIM: Final = b"<http://ex/claim> a <https://w3id.org/reported-figures/ns/FigureClaim> ."
"""What no shape lets pass: a claim without anything that a claim has."""


@dataclass(frozen=True, slots=True)
class Writable:
    """A running server, its store folder, and the secrets of its tokens by name."""

    server: Server
    folder: Path
    secrets: Mapping[str, str]

    def send(
        self,
        method: str,
        path: str,
        body: str | bytes = b"",
        media_type: str | None = TURTLE,
        *,
        token: str | None = "ann",  # noqa: S107 - a name
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """A request with this token."""
        fields = dict(headers or {})
        if token is not None:
            fields["Authorization"] = f"Bearer {self.secrets[token]}"
        if media_type and method in ("PUT", "POST"):
            fields["Content-Type"] = media_type
        content = body.encode() if isinstance(body, str) else body
        return self.server.send(path, method=method, body=content, headers=fields)

    def put(self, path: str, body: str | bytes, **headers: str) -> Reply:
        """Replace a graph with Turtle."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("PUT", path, body, headers=fields)

    def update(self, text: str, token: str = "ann", **parameters: str) -> Reply:  # noqa: S107
        """An update by POST direct."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        media_type = "application/sparql-update"
        return self.send("POST", f"/sparql{query}", text, media_type, token=token)

    def triples(self, path: str) -> list[str]:
        """The sorted N-Triples of a graph."""
        reply = self.server.send(path, headers={"Accept": "application/n-triples"})
        assert reply.status == 200, reply.body
        return sorted(reply.body.decode().splitlines())

    def release(self) -> str:
        """The name of HEAD."""
        return self.server.send("/").headers["kg-release"]

    def ask(self, pattern: str) -> bool:
        """Whether HEAD has what the pattern says."""
        reply = self.server.query(f"ASK {{ {pattern} }}", accept="application/json")
        return bool(json.loads(reply.body)["boolean"])


def indirect(iri: str) -> str:
    """The address of a graph by indirect identification."""
    return f"/graphs?graph={quote(iri, safe='')}"


@contextmanager
def writable_server(folder: Path, log: Path, **settings: float | str) -> Iterator[Writable]:
    """A server of the store in `folder`, which gets tokens."""
    with running(folder, log, **settings) as server:
        yield Writable(server, folder, _secrets(folder))


def _secrets(folder: Path) -> dict[str, str]:
    tokens, now = Tokens(folder), datetime.now(UTC)
    write = (Scope.WRITE,)
    return {
        "ann": tokens.create("ann", write, days=1, now=now),
        "limited": tokens.create("limited", write, days=1, graphs=(LIMITED,), now=now),
        "operator": tokens.create("operator", (Scope.ADMIN,), days=1, now=now),
        "old": tokens.create("old", write, days=1, now=now - timedelta(days=2)),
        "unknown": "kg_unknown",
    }
