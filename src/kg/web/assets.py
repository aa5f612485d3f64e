"""The built files of the pages: which address each entry has, by what Vite wrote down."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

STATIC: Final = Path(__file__).parent / "static"
_BUILT: Final = STATIC / "ui"
_TEMPLATES: Final = STATIC.parent / "templates"


@dataclass(frozen=True, slots=True)
class Assets:
    """The entries by name, as paths below `/static/`, and what is bundled in them.

    Those in `hashed` have a digest of their content in their names. Empty where nothing was built:
    then pages come without islands.
    """

    entries: dict[str, str]
    licences: tuple[Licence, ...]
    digest: str
    hashed: frozenset[str] = frozenset()

    @classmethod
    def read(cls, built: Path = _BUILT) -> Assets:
        """What was built; read once in a process, since it never changes while one serves."""
        return _read(built)


@dataclass(frozen=True, slots=True)
class Licence:
    """A package that is bundled, and under which licence; `text` may be empty."""

    name: str
    version: str
    licence: str
    text: str


@lru_cache(maxsize=4)
def _read(built: Path) -> Assets:
    style = (STATIC / "style.css").read_bytes()
    try:
        manifest = (built / ".vite" / "manifest.json").read_bytes()
        licences = (built / "licences.json").read_bytes()
    except FileNotFoundError:
        return Assets({}, (), _digest(style))
    chunks: dict[str, Any] = json.loads(manifest)
    entries = {
        chunk["name"]: f"ui/{chunk['file']}" for chunk in chunks.values() if chunk.get("isEntry")
    }
    packages = (
        Licence(each["name"], each["version"], each["license"], each.get("text") or "")
        for each in json.loads(licences)
    )
    digest = _digest(style, manifest, licences)
    hashed = frozenset(f"ui/{chunk['file']}" for chunk in chunks.values())
    return Assets(entries, tuple(sorted(packages, key=lambda each: each.name)), digest, hashed)


def mark(path: str) -> str:
    """What is another with other content of this file below `/static/`."""
    return _mark(path, (STATIC / path).stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _mark(path: str, _changed: int) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:16]


def _digest(*parts: bytes) -> str:
    """A digest of these and of the templates: what a page looks like, whatever it tells."""
    templates = (file.read_bytes() for file in sorted(_TEMPLATES.glob("*.html")))
    return hashlib.sha256(b"\0".join((*parts, *templates))).hexdigest()
