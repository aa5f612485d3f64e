"""The files below `/static/`, packed as a client takes them, and kept by it where it may."""

from __future__ import annotations

import mimetypes
from functools import lru_cache
from pathlib import Path
from typing import Final

from flask import Response, abort, request
from werkzeug.security import safe_join

from kg.store.base import Coding
from kg.store.packing import packed_bytes
from kg.web.assets import STATIC, Assets, mark
from kg.web.negotiation import coding

_UNCHANGING: Final = "public, max-age=31536000, immutable"
_FRESH: Final = "no-cache"
_REMEMBERED: Final = 64
"""Files in one coding; there are ten of ours, in three codings each."""


def static_file(name: str, assets: Assets) -> Response:
    """The file of that name, or 304 where the client has it; 404 where there is none.

    Where its address changes with its content a browser need not ask again (RFC 8246).
    """
    found = safe_join(str(STATIC), name)
    if found is None or not Path(found).is_file():
        abort(404)
    packing = coding(request.headers.get("Accept-Encoding"))
    marked = mark(name)
    lasts = name in assets.hashed or request.args.get("v") == marked
    response = Response(_content(found, marked, packing), content_type=_media_type(name))
    if packing is not Coding.IDENTITY:
        response.content_encoding = packing.value
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = _UNCHANGING if lasts else _FRESH
    response.set_etag(f"{marked}-{packing.value}")
    response.make_conditional(request)
    return response


@lru_cache(maxsize=_REMEMBERED)
def _content(file: str, _mark: str, packing: Coding) -> bytes:
    content = Path(file).read_bytes()
    return content if packing is Coding.IDENTITY else packed_bytes(content, packing)


def _media_type(name: str) -> str:
    """Ours are texts, and pictures that are texts."""
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed
