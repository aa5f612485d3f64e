"""What the first page shows of a release: its size, the areas of its figures, what to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from kg.namespaces import BASE, FINDINGS, RF
from kg.query.views.look import Label, Look, Row
from kg.store.base import GraphState
from kg.store.catalog import Catalog, read_catalog
from kg.store.statistics import NOTHING, read_statistics

MOST_FINDINGS: Final = 4
MOST_AREAS: Final = 250
"""Areas of which the map is told: there are about as many countries."""
_LOOKED_AT: Final = 2000
"""Findings among which new ones are looked for."""
_NO_LABEL: Final = Label("", "")
_NO_AREA: Final = f"{BASE}area/unstated"
"""What figures are of whose area nobody states; it is listed, and no area."""


@dataclass(frozen=True, slots=True)
class Area:
    """An area that figures are of: how many, in how many articles; `m49` is its code, or empty."""

    iri: str
    label: Label
    m49: str
    figures: int
    articles: int


@dataclass(frozen=True, slots=True)
class Noted:
    """A finding of the audit in its own sentence."""

    iri: str
    rule: str
    warning: bool
    verdict: str
    message: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a release holds."""

    claims: int
    figures: int
    articles: int
    areas: int


@dataclass(frozen=True, slots=True)
class Home:
    """The first page. `areas` are those with most figures; `new` says that the release before
    had none of the findings; `audited` is the release of the findings where that is an older one.
    """

    about: Catalog
    counts: Counts
    areas: Sequence[Area]
    findings: Sequence[Noted]
    new: bool
    audited: str


def home(look: Look, before: Look | None = None) -> Home:
    """What the first page shows; `before` is the release before this one, where it is still there.

    Raises what `Look.rows` and `read_catalog` raise.
    """
    areas = look.rows("home-areas")
    audited = [row["name"].value for row in look.rows("home-audited", limit=1)]
    findings, new = _findings(look, before)
    return Home(
        about=_about(look.release.folder),
        counts=_counts(look, sum(row["area"].value != _NO_AREA for row in areas)),
        areas=_areas(look, areas[:MOST_AREAS]),
        findings=findings,
        new=new,
        audited=next((name for name in audited if name != look.release.name), ""),
    )


def _counts(look: Look, areas: int) -> Counts:
    classes = (read_statistics(look.release.folder) or NOTHING).classes
    (articles,) = look.rows("home-articles")
    return Counts(
        claims=classes.get(RF + "Claim", 0),
        figures=classes.get(RF + "FigureClaim", 0),
        articles=int(articles["articles"].value),
        areas=areas,
    )


def _areas(look: Look, rows: Sequence[Row]) -> list[Area]:
    iris = [row["area"].value for row in rows if row["area"].is_iri]
    labels = look.labels(iris)
    codes = {row["area"].value: row["code"].value for row in _codes(look, iris)}
    return [
        Area(
            iri=row["area"].value,
            label=labels.get(row["area"].value, _NO_LABEL),
            m49=codes.get(row["area"].value, ""),
            figures=int(row["figures"].value),
            articles=int(row["articles"].value),
        )
        for row in rows
        if row["area"].is_iri
    ]


def _codes(look: Look, iris: Sequence[str]) -> list[Row]:
    return look.rows("home-codes", area=iris) if iris else []


def _findings(look: Look, before: Look | None) -> tuple[list[Noted], bool]:
    """Those that are new in this release, else the foremost; and whether they are new."""
    known = _known(look, before)
    rows = look.rows("home-findings", limit=MOST_FINDINGS if known is None else _LOOKED_AT)
    fresh = [row for row in rows if row["finding"].value not in known] if known is not None else []
    return [_noted(row) for row in (fresh or rows)[:MOST_FINDINGS]], bool(fresh)


def _known(look: Look, before: Look | None) -> frozenset[str] | None:
    """The findings of the release before; None where none can be new."""
    if before is None or _states(look) == _states(before):
        return None
    return frozenset(row["finding"].value for row in before.rows("home-finding-names"))


def _states(look: Look) -> list[GraphState]:
    return [graph for graph in look.release.graphs if graph.iri.startswith(FINDINGS)]


def _noted(row: Row) -> Noted:
    return Noted(
        iri=row["finding"].value,
        rule=row["rule"].value,
        warning=row["severity"].value.endswith("#Warning"),
        verdict=row["verdict"].value if "verdict" in row else "",
        message=row["message"].value,
    )


@lru_cache(maxsize=8)
def _about(release: Path) -> Catalog:
    """What never changes of a release."""
    return read_catalog(release)
