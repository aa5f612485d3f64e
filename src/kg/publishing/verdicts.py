"""The verdicts that a release keeps, so that the next build need not ask for them again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

from kg.errors import NoRelease, StoreError
from kg.store.release_files import carried_files
from kg.store.releases import Releases
from kg.validation.conformance import Shapes

FILE: Final = "conforming.json"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What conformed to which shapes, by the fingerprints of `kg.publishing.gate`."""

    release: str = ""
    shapes: str = ""
    conforming: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_head(cls, store: Path) -> Verdicts:
        """Those that HEAD of the store keeps; none where there is no release, or it keeps none."""
        try:
            head = Releases.open(store).head()
            return cls.read(carried_files(head.folder).get(FILE, b"{}"), head.name)
        except (NoRelease, StoreError, ValueError, OSError):
            return cls()  # the commit, which follows, says what is wrong with the store

    @classmethod
    def read(cls, content: bytes, release: str = "") -> Verdicts:
        """Those in the file that `kept` wrote. Raises ValueError."""
        found = json.loads(content)
        return cls(release, str(found.get("shapes", "")), dict(found.get("conforming", {})))

    def known(self, shapes: Shapes) -> Collection[str]:
        """The fingerprints that need no check by these shapes."""
        return () if self._are_of_others(shapes) else frozenset(self.conforming.values())

    def are_of_other_shapes(self, shapes: Shapes) -> bool:
        """Whether there are verdicts, and the shapes or the program that gave them changed."""
        return bool(self.conforming) and self._are_of_others(shapes)

    def _are_of_others(self, shapes: Shapes) -> bool:
        # The authority's word is good where a fast engine would do, and not the other way round.
        return self.shapes not in (_authority(shapes), _checker(shapes))


def kept(shapes: Shapes, conforming: Mapping[str, str]) -> bytes:
    """The file that keeps these verdicts, the same bytes for the same."""
    document = {"conforming": dict(sorted(conforming.items())), "shapes": _checker(shapes)}
    return json.dumps(document, indent=1).encode() + b"\n"


def _authority(shapes: Shapes) -> str:
    """What a verdict rests on beside the data: the shapes, and the program that applies them."""
    return f"{shapes.digest} kg {version('kg')} pyshacl {version('pyshacl')}"


def _checker(shapes: Shapes) -> str:
    """The same, with the fast engine where it may accept."""
    fast = shapes.accelerated
    return _authority(shapes) if fast is None else f"{_authority(shapes)} {fast.engine}"
