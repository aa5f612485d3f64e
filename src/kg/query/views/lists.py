"""Lists of a release as pages show them: rows in words, facets with names and counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kg.namespaces import BASE
from kg.query.claims import local_name
from kg.query.telling import day, reading
from kg.query.views.look import Label, Look
from kg.query.views.search import source_names
from kg.store.differences import kept
from kg.store.iris import absolute_iri
from kg.store.listing import GENERAL, UNDATED, Item, Listing, Order, listed

_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PARTS: Final = {
    "origin": "claims end with them",
    "speaker": "they are quoted",
    "publisher": "they publish",
}
_FIRST: Final = 8
"""Values of a facet that are seen at once; the others can be unfolded."""


@dataclass(frozen=True, slots=True)
class Told:
    """A claim with all that hedges and attributes it, on one line."""

    claim: str
    text: str


@dataclass(frozen=True, slots=True)
class ListRow:
    """One resource of a list; `kind` and `publisher` are names, `date` is a date or “undated”."""

    item: Item
    name: Label
    publisher: str
    date: str
    lowest: Told | None
    highest: Told | None


@dataclass(frozen=True, slots=True)
class Option:
    """A value of a facet as an address has it, its name, and how much it would leave."""

    value: str
    name: Label
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class FacetShown:
    """A facet: `first` are the values that matter, `rest` can be unfolded, `left_out` are not."""

    name: str
    first: tuple[Option, ...]
    rest: tuple[Option, ...]
    left_out: int

    @property
    def is_chosen(self) -> bool:
        """Whether the list is narrowed by it."""
        return any(option.chosen for option in (*self.first, *self.rest))


@dataclass(frozen=True, slots=True)
class ListShown:
    """A part of a list and its facets; see `kg.store.listing.Listed`."""

    rows: tuple[ListRow, ...]
    total: int
    matching: int
    facets: tuple[FacetShown, ...]
    more: bool
    complete: bool


def shown(
    look: Look,
    listing: Listing,
    *,
    chosen: Mapping[str, Sequence[str]],
    words: str,
    order: Order,
    limit: int,
    offset: int,
) -> ListShown:
    """A part of this list; what is chosen is as addresses have it.

    Raises what `kg.store.listing.listed` and questions to the release raise.
    """
    texts = ("year", "part")
    wanted = {
        name: [value if name in texts else _iri(value, look) for value in values]
        for name, values in chosen.items()
    }
    look.begin()
    with kept(look.release):
        found = listed(
            look.release.folder,
            listing,
            chosen=wanted,
            words=words,
            order=order,
            limit=limit,
            offset=offset,
        )
    values = {value.value for values in found.facets.values() for value in values}
    publishers = {item.publisher for item in found.items if item.publisher}
    iris = {item.iri for item in found.items}
    labels = look.labels(each for each in values | publishers | iris if absolute_iri(each))
    sources = source_names(look, iris - labels.keys()) if listing.name == "sources" else {}
    ends = {iri for item in found.items for iri in (item.lowest, item.highest) if iri}
    readings = {iri: Told(iri, reading(claim)) for iri, claim in look.told(ends).items()}
    facets = (
        _facet(
            name,
            tuple(
                Option(_written(each.value), _name(each.value, labels), each.count, each.chosen)
                for each in found.facets[name]
            ),
            found.left_out[name],
        )
        for name in (facet.name for facet in listing.facets)
    )
    return ListShown(
        rows=tuple(_row(item, labels, sources, readings) for item in found.items),
        total=found.total,
        matching=found.matching,
        facets=tuple(facets),
        more=offset + len(found.items) < found.matching,
        complete=found.complete,
    )


def _facet(name: str, options: tuple[Option, ...], left_out: int) -> FacetShown:
    if name == "year":
        options = tuple(sorted(options, key=lambda it: (it.value == UNDATED, it.value)))
    first = [each for number, each in enumerate(options) if number < _FIRST or each.chosen]
    rest = [each for each in options if each not in first]
    return FacetShown(name, tuple(first), tuple(rest), left_out)


def _row(
    item: Item,
    labels: Mapping[str, Label],
    sources: Mapping[str, str],
    readings: Mapping[str, Told],
) -> ListRow:
    known = labels.get(item.iri)
    return ListRow(
        item=item,
        name=known or Label(sources.get(item.iri) or item.iri.removeprefix(BASE), ""),
        publisher=_name(item.publisher, labels).text if item.publisher else "",
        date=day(item.published) if item.published else UNDATED,
        lowest=readings.get(item.lowest),
        highest=readings.get(item.highest),
    )


def _name(value: str, labels: Mapping[str, Label]) -> Label:
    """What a value is called; a class of others by its own name, as words."""
    if value in GENERAL:
        return Label("other", "")
    if value in labels:
        return labels[value]
    if not absolute_iri(value):
        return Label(_PARTS.get(value, value), "")
    return Label(_WORDS.sub(" ", local_name(value)).lower(), "")


def _written(value: str) -> str:
    """A value as addresses have it: one of our IRIs without its base, unless it has a colon."""
    local = value.removeprefix(BASE)
    return value if ":" in local else local


def _iri(value: str, look: Look) -> str:
    prefix, colon, local = value.partition(":")
    if colon and prefix in look.prefixes:
        return look.prefixes[prefix] + local
    return value if colon else BASE + value
