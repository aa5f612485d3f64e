"""Reported facts as a knowledge graph: build releases from sources, and query them.

import kg

with kg.open("store") as store:
    for solution in store.query("SELECT ?area ?value { … }"):
        print(solution["area"], solution["value"].toPython())
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from kg.errors import KgError

if TYPE_CHECKING:
    from kg.query.reading import Store

__all__ = ["KgError", "open"]


def open(folder: str | PathLike[str] = "store", *, deadline: float | None = None) -> Store:
    """The store in `folder`, open for reading: see kg.query.reading.Store.

    `deadline` is the most seconds that a query may take. Raises NotAStore, NoRelease,
    OtherStoreFormat, BadSetting.
    """
    # Imported here, since the workers import this package, too, and start in a fraction of it.
    from kg.query.reading import Store
    from kg.settings import Settings

    return Store(Path(folder), Settings.read(deadline=deadline, workers=1))
