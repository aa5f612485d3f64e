"""The JSON-LD context that a release carries."""

from __future__ import annotations

from pathlib import Path

from kg.context import Context
from kg.errors import Place, ProjectError, StoreDamaged
from kg.store.removals import missing_at


def context_of(release: Path) -> Context:
    """The context that the release in this folder was made with; raises StoreDamaged, and
    ReleaseMissing where the folder is gone.
    """
    file = release / "context.jsonld"
    try:
        return Context.read(file)
    except (OSError, ProjectError, UnicodeDecodeError) as error:
        if not release.is_dir():
            raise missing_at(release) from None
        raise StoreDamaged(
            "the context of this release cannot be read",
            remedy="Restore this file from a copy, or build a new store: kg build --store OTHER.",
            place=Place(file),
        ) from error
