"""The bearer token of a request, and what it is good for (RFC 6750, section 2.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from flask import Request

from kg.errors import Forbidden, Unauthorized
from kg.settings import Settings
from kg.store.tokens import Scope, Token, Tokens

_CREDENTIALS: Final = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)

_NOBODY: Final = Token("plain", digest="", scopes=(Scope.WRITE.value,), created="", expires="")
"""Whoever writes to a plain store, which asks for no token."""


def writer_of(request: Request, tokens: Tokens, settings: Settings) -> Token:
    """The token with which a request may write.

    Raises Forbidden where the store has no tokens, so that nobody may write, and where the token
    is not good for writing; Unauthorized where there is none, or one that is unknown or expired.
    """
    if settings.plain:
        return _NOBODY
    if not tokens.all():
        raise Forbidden(
            "nobody may write here: the store has no tokens",
            remedy="An operator makes one: kg token create NAME.",
        )
    token = tokens.holder(_secret(request), datetime.now(UTC))
    token.check_scope(Scope.WRITE)
    return token


def operator_of(request: Request, tokens: Tokens) -> Token:
    """The token of an operator; raises Unauthorized and Forbidden."""
    token = tokens.holder(_secret(request, "this"), datetime.now(UTC))
    token.check_scope(Scope.ADMIN)
    return token


def bearer(request: Request) -> str | None:
    """The bearer token of a request, where it has one; another scheme is not looked at."""
    credentials = _CREDENTIALS.fullmatch(request.headers.get("Authorization", "").strip())
    return credentials[1] if credentials else None


def _secret(request: Request, what: str = "a write") -> str:
    field = request.headers.get("Authorization")
    if field is None:
        raise Unauthorized(f"{what} needs a token")
    credentials = _CREDENTIALS.fullmatch(field.strip())
    if not credentials:  # what it holds may be a secret: it is not repeated
        raise Unauthorized(
            "the field Authorization has no bearer token",
            challenge='Bearer error="invalid_token"',
        )
    return credentials[1]
