"""JSON-LD made short with a release's context (JSON-LD 1.1 Processing Algorithms, 5.6)."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from pyld import jsonld


def compacted(expanded: bytes, context: bytes) -> bytes:
    """The document with this context in it; raises ValueError where the context is unusable."""
    options = {"documentLoader": _refused}
    try:
        document = jsonld.compact(json.loads(expanded), json.loads(context), options)
    except jsonld.JsonLdError as error:
        raise ValueError(f"the release's JSON-LD context cannot be used: {error}") from error
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _refused(url: str, options: dict[str, Any]) -> NoReturn:
    raise jsonld.JsonLdError(
        f"{url} would have to be fetched",
        "jsonld.LoadDocumentError",
        code="loading document failed",
    )
