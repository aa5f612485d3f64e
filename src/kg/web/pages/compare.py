"""`/compare`: every number that is reported for one area, cohort and measure, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from kg.errors import BadArgument
from kg.namespaces import CODE
from kg.query.views.compare import (
    CHOICES,
    MATRIX,
    NONE,
    Asked,
    Choice,
    Compared,
    Slot,
    choices,
    compared,
    pairs_query_of,
    query_of,
)
from kg.query.views.look import Label, Look
from kg.web.pages.asking import asked_iri, asked_page
from kg.web.pages.intervals_drawn import Kind, marks_of, says, scale_of, told_interval
from kg.web.pages.keeping import Kept
from kg.web.pages.linking import has, place
from kg.web.pages.site import Site

_CHOSEN: Final = ("area", "cohort", "measure", "group", "base", "unit")
_RATIO: Final = CODE + "ratio"
_NO: Final = "none"
_MOST_OPTIONS: Final = 400
ALIKE: Final = 20
"""Combinations that are named beside the one that is shown; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Option:
    """A value that a reader may choose, with how many figures it leads to."""

    value: str
    label: str
    figures: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A list to choose one value from; `left_out` are those with fewest figures."""

    name: str
    options: tuple[Option, ...]
    left_out: int


def routes(reads: Blueprint, site: Site) -> None:
    """Register `/compare`."""
    kept = Kept[Sequence[Choice]](site.settings.deadline)

    def known(look: Look) -> Sequence[Choice]:
        return kept.get(look.release.name, lambda: choices(look))

    @reads.get("/compare")
    def compare() -> Response:
        return site.page("compare.html", lambda look: _made(look, site, known(look)))


def _made(look: Look, site: Site, all_choices: Sequence[Choice]) -> dict[str, Any]:
    asked, page = _asked(look), asked_page()
    fitting = [choice for choice in all_choices if asked.fits(choice.slot)]
    slot = _slot(asked, fitting)
    made = {
        "asked": asked,
        "selects": _selects(look, asked, all_choices),
        "page": page,
        "link": _link,
        "params": lambda slot: _params(look, slot),
        "unsaid": NONE,
        "readings": _flag("readings"),
    }
    if slot is None:
        listed = _listed(asked, fitting, all_choices, page)
        labels = _labels(look, listed["listed"])
        return {**made, "compared": None, "labels": labels, **listed}
    shown = compared(look, slot, all_choices, page)
    alike = [it for it in all_choices if it.slot != slot and _are_alike(it.slot, slot)]
    near = [it.choice for it in shown.related if it.choice]
    return {
        **made,
        "labels": {**_labels(look, (*alike[:ALIKE], *near)), **shown.labels},
        "alike": alike,
        **_shown(look, shown, site),
    }


def _labels(look: Look, shown: Iterable[Choice]) -> Mapping[str, Label]:
    return look.labels({iri for choice in shown for iri in choice.slot.iris})


def _are_alike(one: Slot, other: Slot) -> bool:
    """Whether they differ in group, base or unit alone."""
    parts = ("area", "cohort", "measure")
    return all(getattr(one, part) == getattr(other, part) for part in parts)


def _shown(look: Look, shown: Compared, site: Site) -> dict[str, Any]:
    percent, readings = shown.slot.unit == _RATIO, _flag("readings")
    scale = scale_of(shown.figures, percent=percent, readings=readings, asked=_kind())
    query, pairs = query_of(shown.slot), pairs_query_of(shown.slot)
    by_iri = {figure.number: figure for figure in shown.figures}
    return {
        "compared": shown,
        "alike_shown": ALIKE,
        "scale": scale,
        "kinds": list(Kind),
        "marks": marks_of(shown.figures, scale, readings=readings),
        "says": lambda figure: says(figure, percent=percent),
        "told": lambda bounds: told_interval(bounds, percent=percent),
        "figure": by_iri.get,
        "square": len(shown.figures) <= MATRIX and bool(shown.matrix),
        "again": lambda **changed: _again(look, shown.slot, **changed),
        "query": query,
        "ask": _ask(query),
        "all_pairs": _ask(pairs),
        "csv": place("sparql", query=query, format="csv"),
        "permalink": url_for(
            "release.compare", at=look.release.name, _external=True, **_params(look, shown.slot)
        ),
        "may_cite": site.settings.open_citations,
    }


def _ask(query: str) -> str:
    return place("query" if has("query") else "sparql", query=query)


def _listed(
    asked: Asked, fitting: Sequence[Choice], known: Sequence[Choice], page: int
) -> dict[str, Any]:
    """The combinations to choose from; where none fits, those that come near."""
    near = [it for it in known if (it.slot.area == asked.area or it.slot.cohort == asked.cohort)]
    listed = list(fitting) or near
    pages = max(1, -(-len(listed) // CHOICES))
    if page > pages:
        raise BadArgument(f"there is no page {page} of them", remedy=f"There are {pages}.")
    return {
        "listed": listed[(page - 1) * CHOICES : page * CHOICES],
        "found": len(listed),
        "pages": pages,
        "is_near": not fitting and not asked.is_nothing,
    }


def _slot(asked: Asked, fitting: Sequence[Choice]) -> Slot | None:
    """What is compared: what was asked for in full, or the only thing that it can mean."""
    if asked.area and asked.cohort and len(fitting) == 1:
        return fitting[0].slot
    return None


# --- what was asked -----------------------------------------------------------------------


def _asked(look: Look) -> Asked:
    given = {}
    for name in _CHOSEN:
        none = name in ("group", "base") and request.args.get(name) == _NO
        given[name] = NONE if none else asked_iri(name, look.prefixes)
    return Asked(**given)


def _kind() -> Kind | None:
    text = request.args.get("scale", "")
    try:
        return Kind(text) if text else None
    except ValueError as error:
        known = ", ".join(Kind)
        raise BadArgument(f"“scale” is “{text[:40]}”", remedy=f"It is one of {known}.") from error


def _flag(name: str) -> bool:
    return request.args.get(name) == "yes"


def _params(look: Look, slot: Slot) -> dict[str, str]:
    """The parameters that ask for a slot and for no other."""
    given = {name: look.compact(getattr(slot, name)) for name in _CHOSEN}
    return {
        name: _NO if getattr(slot, name) == NONE else value
        for name, value in given.items()
        if getattr(slot, name) != NONE or name in ("group", "base")
    }


def _again(look: Look, slot: Slot, **changed: str | None) -> str:
    kept = {name: request.args.get(name) or None for name in ("scale", "readings")}
    return place("compare", **{**_params(look, slot), **kept, **changed})


def _link(page: int) -> str:
    kept = {name: request.args.get(name) or None for name in (*_CHOSEN, "scale", "readings")}
    return place("compare", **kept, page=page if page > 1 else None)


# --- what there is to choose --------------------------------------------------------------


def _selects(look: Look, asked: Asked, known: Sequence[Choice]) -> tuple[Select, ...]:
    """Of each part the values that have figures beside what else is chosen.

    Group, base and unit are offered where there is a choice, once an area and a cohort are chosen.
    """
    narrow = bool(asked.area and asked.cohort)
    figures = {name: _figures(asked, known, name) for name in _CHOSEN}
    shown = {
        name: counts
        for name, counts in figures.items()
        if name in _CHOSEN[:3] or (narrow and len(counts) > 1) or getattr(asked, name)
    }
    kept = {
        name: {iri for iri, _ in counts.most_common(_MOST_OPTIONS)} | {getattr(asked, name)} - {""}
        for name, counts in shown.items()
    }
    labels = look.labels(iri for iris in kept.values() for iri in iris if iri != NONE)
    return tuple(
        Select(
            name,
            _options(look, {iri: counts[iri] for iri in kept[name]}, getattr(asked, name), labels),
            len(counts) - len(kept[name]),
        )
        for name, counts in shown.items()
    )


def _figures(asked: Asked, known: Sequence[Choice], name: str) -> Counter[str]:
    """How many figures each value of a part leads to beside what else is chosen."""
    figures: Counter[str] = Counter()
    for choice in known:
        if asked.fits(choice.slot, but=name):
            figures[getattr(choice.slot, name)] += choice.figures
    chosen = getattr(asked, name)
    if chosen:
        figures.setdefault(chosen, 0)
    return figures


def _options(
    look: Look, figures: Mapping[str, int], chosen: str, labels: Mapping[str, Label]
) -> tuple[Option, ...]:
    options = [
        Option(
            _NO if iri == NONE else look.compact(iri),
            _named(look, iri, labels),
            count,
            iri == chosen,
        )
        for iri, count in figures.items()
    ]
    return tuple(sorted(options, key=lambda it: it.label.casefold()))


def _named(look: Look, iri: str, labels: Mapping[str, Label]) -> str:
    if iri == NONE:
        return "none"
    return labels[iri].text if iri in labels else look.compact(iri)
