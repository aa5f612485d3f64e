"""What the editor completes from: prefixes, and the classes and properties that are in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kg.query.views.look import Label, Look
from kg.store.statistics import NOTHING, read_statistics

_MOST: Final = 1000
"""Classes and properties, each; those that are used most."""


def vocabulary(look: Look) -> dict[str, Any]:
    """The prefixes that need no declaration here, and the names by how often they are used."""
    counts = read_statistics(look.release.folder) or NOTHING
    classes, properties = _most(counts.classes), _most(counts.properties)
    labels = look.labels([*classes, *properties])
    return {
        "prefixes": dict(look.prefixes),
        "classes": _listed(classes, labels),
        "properties": _listed(properties, labels),
    }


def _most(counts: Mapping[str, int]) -> dict[str, int]:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return dict(ordered[:_MOST])


def _listed(counts: Mapping[str, int], labels: Mapping[str, Label]) -> list[dict[str, Any]]:
    return [
        {"iri": iri, "count": count, "label": labels[iri].text if iri in labels else ""}
        for iri, count in counts.items()
    ]
