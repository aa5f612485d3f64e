"""The prefixes that are declared for a query which does not declare them itself."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from kg.context import Context
from kg.namespaces import USUAL_PREFIXES
from kg.store.base import Release


def prefixes_of(release: Release) -> Mapping[str, str]:
    """The usual prefixes and those of the context that the release carries."""
    return _prefixes(release.folder / "context.jsonld")


@lru_cache(maxsize=16)
def _prefixes(context: Path) -> Mapping[str, str]:
    return USUAL_PREFIXES | dict(Context.read(context).prefixes)
