"""How many triples, of which properties and classes, the union of the public graphs has."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.errors import Place, StoreDamaged

_FILE: Final = "statistics.json"
_TYPE: Final = b"<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of the default graph, in which a triple that two graphs hold is one.

    `properties` has the triples of each predicate, `classes` the instances of each class that is
    an IRI; none of them is zero.
    """

    triples: int
    properties: Mapping[str, int]
    classes: Mapping[str, int]


NOTHING: Final = Statistics(0, {}, {})


class Tally:
    """Statistics that follow what is added and what is removed."""

    def __init__(self, start: Statistics = NOTHING) -> None:
        self._triples = start.triples
        self._properties = Counter(start.properties)
        self._classes = Counter(start.classes)

    def add(self, lines: Iterable[bytes]) -> None:
        """Count these N-Triples lines, none of which was there."""
        self._count(lines, 1)

    def remove(self, lines: Iterable[bytes]) -> None:
        """Count these N-Triples lines no more, all of which were there."""
        self._count(lines, -1)

    def statistics(self) -> Statistics:
        """The counts as they are now."""
        return Statistics(self._triples, _sorted(self._properties), _sorted(self._classes))

    def _count(self, lines: Iterable[bytes], by: int) -> None:
        # A line as the engine writes it: no term before the object holds a space.
        predicates, types = Counter[bytes](), Counter[bytes]()
        for line in lines:
            _, predicate, object = line.split(b" ", 2)
            predicates[predicate] += 1
            if predicate == _TYPE and object.startswith(b"<"):
                types[object.rstrip(b" .\n")] += 1
        self._triples += by * predicates.total()
        for counts, found in ((self._properties, predicates), (self._classes, types)):
            for name, count in found.items():
                counts[name[1:-1].decode()] += by * count


def read_statistics(release_folder: Path) -> Statistics | None:
    """The statistics of a release; None for one of a plain store, which has none.

    Raises StoreDamaged where the file cannot be read.
    """
    file = release_folder / _FILE
    try:
        found = json.loads(file.read_bytes())
        return Statistics(int(found["triples"]), dict(found["properties"]), dict(found["classes"]))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        problem = f"the statistics lack or garble {error}"
        remedy = "Restore this file from a copy, or build a new store: kg build --store OTHER."
        raise StoreDamaged(problem, remedy=remedy, place=Place(file)) from error


def write_statistics(release_folder: Path, statistics: Statistics) -> None:
    """Put the statistics into the folder of a release that is being made."""
    members = {
        "triples": statistics.triples,
        "properties": statistics.properties,
        "classes": statistics.classes,
    }
    content = json.dumps(members, ensure_ascii=False, indent=1) + "\n"
    (release_folder / _FILE).write_text(content, "utf-8")


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts) if counts[name]}
