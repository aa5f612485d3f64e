"""The tokens with which clients may do more over HTTP, kept as digests in `tokens.json`."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Final

from kg.errors import BadArgument, Forbidden, Place, StoreDamaged, StoreError, Unauthorized
from kg.store.durable import write_durably
from kg.store.iris import absolute_iri

MOST_DAYS: Final = 3650
_FILE: Final = "tokens.json"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_BYTES: Final = 32


class Scope(Enum):
    """What a token is good for."""

    WRITE = "write"
    """Graphs may be written."""
    ADMIN = "admin"
    """What an operator may do over HTTP; writing graphs is not among it."""
    RESTRICTED = "restricted"
    """What restricted graphs say of persons may be seen, and the texts that were supplied."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of one token: its digest, not itself. Times are RFC 3339 in UTC."""

    name: str
    digest: str
    scopes: tuple[str, ...]
    created: str
    expires: str
    graphs: tuple[str, ...] = ()
    """What the IRI of a graph must begin with to be written; empty for any."""

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return datetime.fromisoformat(self.expires) <= now

    def check_scope(self, scope: Scope) -> None:
        """Raises Forbidden where the token is not good for that."""
        if scope.value not in self.scopes:
            raise Forbidden(
                f"the token {self.name} has not the scope {scope.value}",
                remedy=f"An operator makes one: kg token create NAME --scope {scope.value}.",
            )

    def check_graph(self, iri: str | None) -> None:
        """Raises Forbidden where the token may not write this graph; None: the default graph."""
        check_begins(iri, self.graphs, self.name)


def check_begins(iri: str | None, starts: tuple[str, ...], who: str) -> None:
    """Raises Forbidden where the token of this name may write other graphs only.

    `starts` are what those begin with, empty for any; `iri` is None for the default graph.
    """
    if starts and not (iri and iri.startswith(starts)):
        raise Forbidden(
            f"the token {who} may not write {f'<{iri}>' if iri else 'the default graph'}",
            remedy="It writes graphs that begin with: " + ", ".join(starts) + ".",
        )


class Tokens:
    """The tokens of the store in a folder, read anew whenever their file has changed.

    All methods raise StoreError where the file cannot be read or written, and may be called from
    any thread.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / _FILE
        self._read: tuple[object, tuple[Token, ...]] = (None, ())
        self._reading = threading.Lock()

    def all(self) -> tuple[Token, ...]:
        """Every token by name, expired ones too; none where there is no file."""
        with self._reading, _failing(self._file):
            try:
                status = self._file.stat()
            except FileNotFoundError:
                return ()
            state = (status.st_mtime_ns, status.st_ino, status.st_size)
            if self._read[0] != state:
                self._read = (state, _parsed(self._file))
            return self._read[1]

    def holder(self, secret: str, now: datetime) -> Token:
        """The token that this is; raises Unauthorized for none, and for one that has expired."""
        digest = _digest(secret)
        # Every one is compared, so that the time tells nothing of which it was.
        found = [each for each in self.all() if hmac.compare_digest(each.digest, digest)]
        if not found:
            raise _invalid("the token is not known here")
        if found[0].expired(now):
            raise _invalid(f"the token {found[0].name} expired at {found[0].expires}")
        return found[0]

    def create(
        self,
        name: str,
        scopes: tuple[Scope, ...],
        *,
        days: int,
        graphs: tuple[str, ...] = (),
        now: datetime,
    ) -> str:
        """A new token, which is kept nowhere; raises BadArgument.

        `days` is how long it is valid, `graphs` what the IRIs of the graphs begin with that it may
        write.
        """
        _check(name, scopes, days, graphs)
        secret = f"kg_{secrets.token_urlsafe(_BYTES)}"
        made = Token(
            name=name,
            digest=_digest(secret),
            scopes=tuple(scope.value for scope in scopes),
            created=_time(now),
            expires=_time(now + timedelta(days=days)),
            graphs=graphs,
        )
        with self._changing() as known:
            if name in known:
                raise BadArgument(
                    f"there is a token {name!r} already",
                    remedy=f"Choose another name, or end it first: kg token revoke {name}.",
                )
            known[name] = made
        return secret

    def revoke(self, name: str) -> None:
        """End a token: the next request with it is refused. Raises BadArgument for an unknown."""
        with self._changing() as known:
            if name not in known:
                names = ", ".join(known) or "none"
                raise BadArgument(f"there is no token {name!r}", remedy=f"There are: {names}.")
            del known[name]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Token]]:
        """The tokens by name, to be changed: what the block leaves is written."""
        with _failing(self._file), _alone_in(self._file.parent):
            known = {token.name: token for token in self.all()}
            yield known
            tokens = [asdict(known[name]) for name in sorted(known)]
            content = json.dumps({"tokens": tokens}, indent=2, ensure_ascii=False) + "\n"
            write_durably(self._file, [content.encode()], mode=0o600)


def _digest(secret: str) -> str:
    # A plain hash is enough: the secret is 256 random bits, which nobody guesses.
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _invalid(problem: str) -> Unauthorized:
    return Unauthorized(problem, challenge='Bearer error="invalid_token"')


def _check(name: str, scopes: tuple[Scope, ...], days: int, graphs: tuple[str, ...]) -> None:
    if not _NAME.fullmatch(name):
        raise BadArgument(
            f"the name of the token is {name!r}",
            remedy="It takes up to 64 letters, digits and ._@-, the first a letter or digit.",
        )
    if not scopes:
        raise BadArgument("the token has no scope", remedy="Give it one with --scope.")
    if not 0 < days <= MOST_DAYS:
        raise BadArgument(f"the token is to be valid for {days} days", remedy="From 1 to 3650.")
    for prefix in graphs:
        if not absolute_iri(prefix):
            raise BadArgument(
                f"{prefix!r} begins no graph's IRI", remedy="It takes an absolute IRI."
            )


def _parsed(file: Path) -> tuple[Token, ...]:
    try:
        read = json.loads(file.read_bytes())
        return tuple(_token(each) for each in read["tokens"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreDamaged(
            "the file of tokens cannot be read, so nothing can be written",
            remedy="Remove it, and make new tokens with kg token create.",
            place=Place(file),
        ) from error


def _token(read: Mapping[str, Any]) -> Token:
    token = Token(
        name=str(read["name"]),
        digest=str(read["digest"]),
        scopes=tuple(map(str, read["scopes"])),
        created=str(read["created"]),
        expires=str(read["expires"]),
        graphs=tuple(map(str, read["graphs"])),
    )
    if datetime.fromisoformat(token.expires).tzinfo is None or not token.digest.isascii():
        raise ValueError(token.name)
    return token


@contextmanager
def _failing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{file} cannot be read or written: {error.strerror}",
            remedy="The account that made the tokens must be the one that serves them.",
        ) from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """No other process changes the tokens until the block ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
