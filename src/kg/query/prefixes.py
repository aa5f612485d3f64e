"""The prefixes that are declared for a query which does not declare them itself."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from kg.namespaces import USUAL_PREFIXES
from kg.store.base import Release
from kg.store.release_context import context_of


def prefixes_of(release: Release) -> Mapping[str, str]:
    """The usual prefixes and those of the context that the release carries.

    Raises StoreDamaged.
    """
    return _prefixes(release.folder)


@lru_cache(maxsize=16)
def _prefixes(release: Path) -> Mapping[str, str]:
    return USUAL_PREFIXES | dict(context_of(release).prefixes)
