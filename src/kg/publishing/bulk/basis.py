"""What the units of a bulk publish are checked with and against, as one digest."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from kg.publishing.staging import is_reference
from kg.store.base import Release
from kg.store.release_files import carried_files

_USED: Final = ("context.jsonld", "shapes.nt")
_RULES: Final = "rules/"


def basis_of(head: Release) -> str:
    """The digest of what units are checked with and against."""
    files = carried_files(head.folder)
    reference = {state.iri: state.digest for state in head.graphs if is_reference(state.iri)}
    used = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if name in _USED or name.startswith(_RULES)
    }
    return digest_of([head.shapes_digest, used, reference])


def digest_of(value: object) -> str:
    """SHA-256 in hex of what can be written as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
