"""A whole release as a file."""

from __future__ import annotations

import base64
import re
import threading
from typing import Final
from urllib.parse import quote

from flask import request
from werkzeug.wrappers import Response

from kg.errors import QueueFull, ReleaseMissing, ReleaseRemoved, UnknownResource
from kg.media import Format
from kg.store.base import Release
from kg.store.catalog import read_catalog
from kg.store.dumps import DumpFile, digested
from kg.store.embedded import EmbeddedStore
from kg.web.bodies import Body, NamedFile

_AT_ONCE: Final = 8
_ONE_RANGE: Final = re.compile(r"bytes=[ \t]*(?:\d{1,18}-\d{0,18}|-\d{1,18})[ \t]*", re.IGNORECASE)
"""What else stands in the field is ignored: the whole is sent (RFC 9110, section 14.2)."""
_IN_URLS: Final = ":/?#[]@!$&'()*+,;=%"
"""What stands for itself in a URL (RFC 3986, section 2.2)."""
_UNCHANGING: Final = "public, max-age=31536000, immutable"


class Dumps:
    """The dumps of a store, of which few are made or looked for at one moment."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    def response(self, name: str, written: Format) -> Response:
        """The public graphs of a release, gzipped, with digests (RFC 9530) and its licence, if any.

        Raises UnknownResource where no release has this name or number, and QueueFull where
        others wait for a dump to be made already: each of them holds a thread.
        """
        release = known_release(self._store, name)
        if not self._turns.acquire(blocking=False):
            raise QueueFull(0)
        try:
            dump = digested(self._store.dump(release, written))
        finally:
            self._turns.release()
        return _response(release, dump, immutable=name == release.name)


def _response(release: Release, dump: DumpFile, *, immutable: bool) -> Response:
    digest, size = bytes.fromhex(dump.sha256), dump.size
    response = Response(content_type="application/gzip", direct_passthrough=True)
    response.headers["Content-Disposition"] = f"attachment; filename={dump.file.name}"
    response.headers["Cache-Control"] = _UNCHANGING if immutable else "no-cache"
    response.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(digest).decode()}:"
    response.headers["KG-Digest"] = release.digest
    response.headers["KG-Release"] = release.name
    licence = read_catalog(release.folder).licence
    if licence:
        response.headers["Link"] = f'<{quote(licence, safe=_IN_URLS)}>; rel="license"'
    response.set_etag(digest.hex())
    response.content_length = size
    ranged = _ONE_RANGE.fullmatch(request.headers.get("Range", "")) is not None
    response.make_conditional(request.environ, accept_ranges=ranged, complete_length=size)
    response.headers["Accept-Ranges"] = "bytes"
    return _with_body(response, str(dump.file), size)


def known_release(store: EmbeddedStore, name: str | None) -> Release:
    """The release of this name or number, with this tag, or HEAD's.

    Raises UnknownResource where there is none, and ReleaseRemoved where it is no longer there.
    """
    try:
        return store.release(name)
    except ReleaseRemoved:
        raise
    except ReleaseMissing as error:
        if name is None:
            raise
        raise UnknownResource(error.message, remedy=error.remedy) from error


def _with_body(response: Response, path: str, size: int) -> Response:
    """The response with the part of the file that its status and its fields promise."""
    part = response.content_range
    if response.status_code == 206 and part.start is not None and part.stop is not None:
        body = Body(NamedFile(path, part.stop - part.start, part.start))
        response.response = body
    elif response.status_code == 200:
        response.response = Body(NamedFile(path, size))
    return response
