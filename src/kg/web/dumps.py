"""A whole release as a file."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

from flask import send_file
from werkzeug.wrappers import Response

from kg.errors import ReleaseMissing, UnknownResource
from kg.media import Format
from kg.store.base import Release
from kg.store.embedded import EmbeddedStore

LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def dump(store: EmbeddedStore, name: str, written: Format) -> Response:
    """The public graphs of a release, gzipped, with digests (RFC 9530) and licence.

    Raises UnknownResource where no release has this name or number.
    """
    release = _release(store, name)
    file = store.dump(release, written)
    digest = _sha256(file, file.stat().st_mtime_ns)
    response = send_file(
        file,
        mimetype="application/gzip",
        as_attachment=True,
        download_name=file.name,
        etag=digest.hex(),
        max_age=365 * 24 * 3600,  # a release never changes
    )
    response.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(digest).decode()}:"
    response.headers["KG-Digest"] = release.digest
    response.headers["KG-Release"] = release.name
    response.headers["Link"] = f'<{LICENCE}>; rel="license"'
    return response


def _release(store: EmbeddedStore, name: str) -> Release:
    try:
        return store.release(name)
    except ReleaseMissing as error:
        raise UnknownResource(error.message, remedy=error.remedy) from error


@lru_cache(maxsize=64)
def _sha256(file: Path, _changed: int) -> bytes:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").digest()
