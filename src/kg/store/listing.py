# ruff: noqa: S608 - the parts that SQL is put together from are all of this module
"""Lists of a release's sources, areas, cohorts and people: narrowed, counted, sorted, in parts.

The order of a CROSS JOIN is kept by SQLite, which knows nothing of how much there is of what.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from kg.errors import DeadlineExceeded
from kg.namespaces import CODE, RF, SCHEMA
from kg.store.index import (
    CLASSES,
    KIND_OF,
    LABELS,
    PROPERTIES,
    TooSlow,
    number_of,
    opened,
    within,
)
from kg.store.search import find

UNDATED: Final = "undated"
MOST_VALUES: Final = 100
"""Values of one facet that are given, those with most first."""
_SECONDS: Final = 5.0
GENERAL: Final = f"{SCHEMA}Place", "http://www.w3.org/ns/prov#Agent"
"""Classes that everything of a list is of: as a kind they stand for what has no other."""


class Order(Enum):
    """What a list is sorted by."""

    NAME = "name"
    CLAIMS = "claims"
    DATE = "date"


class _Is(Enum):
    """What the values of a facet are."""

    TERM = "a resource"
    CLASS = "a class"
    TEXT = "a text"


@dataclass(frozen=True, slots=True)
class Facet:
    """What a list can be narrowed by: `rows` gives `it` and `value`, in SQL."""

    name: str
    rows: str
    values: _Is = _Is.TERM


@dataclass(frozen=True, slots=True)
class Listing:
    """One list: the kinds of what is in it, the link from a claim to it, its facets and counts.

    `reached_by` gives further items for what a search found, `counts` the number of `:it` by name.
    """

    name: str
    kinds: tuple[str, ...]
    link: str
    facets: tuple[Facet, ...]
    counts: Mapping[str, str]
    orders: tuple[Order, ...]
    reached_by: str = ""
    has_range: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One row: its counts by name, the claims with its lowest and its highest count of people.

    `codes` are its notations, `publisher` and `published` are those of a source.
    """

    iri: str
    claims: int
    counts: Mapping[str, int]
    codes: tuple[str, ...]
    definition: str
    publisher: str
    published: str
    lowest: str
    highest: str


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a facet, and how much of the list it would leave beside the other facets."""

    value: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A part of a list; `total` counts all of it, `matching` what it was narrowed to.

    `facets` gives the values of each, `left_out` how many values are not given. Where it is not
    `complete`, more has the words that were looked for than could be ranked.
    """

    items: tuple[Item, ...]
    total: int
    matching: int
    facets: Mapping[str, tuple[Value, ...]]
    left_out: Mapping[str, int]
    complete: bool


def listed(
    release: Path,
    listing: Listing,
    *,
    chosen: Mapping[str, Sequence[str]],
    words: str,
    order: Order,
    limit: int,
    offset: int,
) -> Listed:
    """What of the list has one of the values that are chosen of each facet, and the words.

    Whoever calls this holds the release. Raises BadArgument for too many words, NoSearchIndex,
    StoreDamaged and DeadlineExceeded.
    """
    with opened(release) as index:
        complete = find(index, words, _SECONDS / 5) if words else True
        try:
            with within(index, _SECONDS):
                made = _Made(index, listing, chosen, searched=bool(words))
                facets = {facet.name: made.values(facet) for facet in listing.facets}
                return Listed(
                    items=tuple(made.items(order, limit, offset)),
                    total=made.count(narrowed=False),
                    matching=made.count(narrowed=True),
                    facets={name: _foremost(values) for name, values in facets.items()},
                    left_out={n: len(v) - len(_foremost(v)) for n, v in facets.items()},
                    complete=complete,
                )
        except TooSlow as error:
            raise DeadlineExceeded(_SECONDS) from error


def _foremost(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """The values that are given: what is chosen is among them, or a form would let go of it."""
    return tuple(each for n, each in enumerate(values) if n < MOST_VALUES or each.chosen)


# --- the lists ----------------------------------------------------------------------------


def _linked(name: str) -> str:
    """What a resource itself is linked to."""
    return f"SELECT subject AS it, object AS value FROM link WHERE property = {number_of(name)}"


def _of_claims(to: str, name: str) -> str:
    """What the claims are linked to that are linked to a resource by `to`."""
    return (
        "SELECT a.object AS it, b.object AS value FROM link a CROSS JOIN link b"
        f" ON b.property = {number_of(name)} AND b.subject = a.subject"
        f" WHERE a.property = {number_of(to)}"
    )


def _publishers(to: str) -> str:
    """The publishers of the articles of those claims."""
    return (
        "SELECT a.object AS it, p.object AS value FROM link a"
        f" CROSS JOIN link q ON q.property = {number_of('article')} AND q.subject = a.subject"
        f" CROSS JOIN link p ON p.property = {number_of('publisher')} AND p.subject = q.object"
        f" WHERE a.property = {number_of(to)}"
    )


def _findings(to: str) -> str:
    """The severities of the findings that concern those claims."""
    return (
        "SELECT a.object AS it, s.object AS value FROM link f"
        f" CROSS JOIN link s ON s.property = {number_of('severity')} AND s.subject = f.subject"
        f" CROSS JOIN link a ON a.property = {number_of(to)} AND a.subject = f.object"
        f" WHERE f.property = {number_of('concerns')}"
    )


def _distinct(to: str, name: str) -> str:
    """How many resources the claims of `:it` are linked to."""
    return (
        "SELECT COUNT(DISTINCT b.object) FROM link a CROSS JOIN link b"
        f" ON b.property = {number_of(name)} AND b.subject = a.subject"
        f" WHERE a.property = {number_of(to)} AND a.object = :it"
    )


_GENERAL_NUMBERS: Final = ", ".join(str(CLASSES.index(iri)) for iri in GENERAL)
_KIND: Final = Facet(
    "kind",
    "SELECT subject AS it, class AS value FROM type AS here"
    f" WHERE class NOT IN ({_GENERAL_NUMBERS}) OR NOT EXISTS (SELECT 1 FROM type AS other WHERE"
    f" other.subject = here.subject AND other.class NOT IN ({_GENERAL_NUMBERS}))",
    _Is.CLASS,
)
_YEAR: Final = Facet(
    "year",
    "SELECT item.it AS it, COALESCE((SELECT substr(value, 1, 4) FROM value WHERE"
    f" property = {number_of('published')} AND subject = item.it), '{UNDATED}') AS value FROM item",
    _Is.TEXT,
)
_PART: Final = Facet(
    "part",
    f"SELECT object AS it, 'origin' AS value FROM link WHERE property = {number_of('origin')}"
    f" UNION SELECT object, 'speaker' FROM link WHERE property = {number_of('speaker')}"
    f" UNION SELECT object, 'publisher' FROM link WHERE property = {number_of('publisher')}",
    _Is.TEXT,
)

SOURCES: Final = Listing(
    "sources",
    ("source",),
    "article",
    (
        _KIND,
        Facet("publisher", _linked("publisher")),
        _YEAR,
        Facet("area", _of_claims("article", "area")),
        Facet("cohort", _of_claims("article", "cohort")),
        Facet("findings", _findings("article")),
    ),
    {"areas": _distinct("article", "area"), "origins": _distinct("article", "origin")},
    (Order.DATE, Order.CLAIMS, Order.NAME),
    reached_by=(
        f"SELECT subject FROM link WHERE property = {number_of('publisher')}"
        " AND object IN (SELECT subject FROM hit)"
    ),
)
AREAS: Final = Listing(
    "areas",
    ("area",),
    "area",
    (
        _KIND,
        Facet("region", _linked("region")),
        Facet("cohort", _of_claims("area", "cohort")),
        Facet("measure", _of_claims("area", "measure")),
        Facet("publisher", _publishers("area")),
        Facet("findings", _findings("area")),
    ),
    {"sources": _distinct("area", "article"), "cohorts": _distinct("area", "cohort")},
    (Order.CLAIMS, Order.NAME),
    has_range=True,
)
COHORTS: Final = Listing(
    "cohorts",
    ("cohort",),
    "cohort",
    (
        Facet("area", _of_claims("cohort", "area")),
        Facet("measure", _of_claims("cohort", "measure")),
        Facet("publisher", _publishers("cohort")),
        Facet("findings", _findings("cohort")),
    ),
    {"sources": _distinct("cohort", "article"), "areas": _distinct("cohort", "area")},
    (Order.CLAIMS, Order.NAME),
    has_range=True,
)
PEOPLE: Final = Listing(
    "people",
    ("person", "organization", "agent"),
    "origin",
    (
        _KIND,
        _PART,
        Facet("area", _of_claims("origin", "area")),
        Facet("publisher", _publishers("origin")),
        Facet("findings", _findings("origin")),
    ),
    {
        "sources": _distinct("origin", "article"),
        "quotes": f"SELECT COUNT(*) FROM link WHERE property = {number_of('speaker')}"
        " AND object = :it",
    },
    (Order.CLAIMS, Order.NAME),
)
LISTINGS: Final = {each.name: each for each in (SOURCES, AREAS, COHORTS, PEOPLE)}


# --- making one ---------------------------------------------------------------------------

_CLAIM: Final = CLASSES.index(f"{RF}Claim")
_NOTATION: Final = len(LABELS) - 1
_NAMES: Final = ", ".join(map(str, range(_NOTATION)))
_DEFINITION: Final = PROPERTIES.index("http://www.w3.org/2004/02/skos/core#definition")
_NAME: Final = (
    f"SELECT text FROM entry WHERE subject = {{}} AND property IN ({_NAMES})"
    " ORDER BY property, language <> 'en', text LIMIT 1"
)
_BOUNDED: Final = "EXISTS (SELECT 1 FROM value WHERE property = {} AND subject = v.subject)"
# "Less than 3,000" is no count of 3,000: such a figure is an end only where there is no other.
_RANGE: Final = (
    "WITH figure AS MATERIALIZED (SELECT term.iri AS iri, v.value AS value,"
    f" {_BOUNDED.format(number_of('lower'))} AS lower,"
    f" {_BOUNDED.format(number_of('upper'))} AS upper FROM link a"
    f" CROSS JOIN link m ON m.property = {number_of('measure')} AND m.subject = a.subject"
    f" AND m.object = (SELECT id FROM term WHERE iri = '{CODE}count')"
    f" CROSS JOIN link u ON u.property = {number_of('unit')} AND u.subject = a.subject"
    f" AND u.object = (SELECT id FROM term WHERE iri = '{CODE}person')"
    f" CROSS JOIN type t ON t.subject = a.subject AND t.class = {_CLAIM}"
    f" CROSS JOIN value v ON v.property = {number_of('value')} AND v.subject = a.subject"
    " AND typeof(v.value) = 'real'"
    " CROSS JOIN term ON term.id = a.subject WHERE a.property = :link AND a.object = :it)"
    " SELECT (SELECT iri FROM figure ORDER BY lower AND NOT upper, value, iri LIMIT 1),"
    " (SELECT iri FROM figure ORDER BY upper AND NOT lower, value DESC, iri LIMIT 1)"
)
_ORDERS: Final = {
    Order.NAME: "name IS NULL, name COLLATE NOCASE, iri",
    Order.CLAIMS: "claims DESC, name IS NULL, name COLLATE NOCASE, iri",
    Order.DATE: "date IS NULL, date DESC, name COLLATE NOCASE, iri",
}


class _Made:
    """A list in tables of its own, beside those of the index.

    All that is put together into SQL is of this module; what is chosen goes in as values.
    """

    def __init__(
        self,
        index: sqlite3.Connection,
        listing: Listing,
        chosen: Mapping[str, Sequence[str]],
        *,
        searched: bool,
    ) -> None:
        self._index = index
        self._listing = listing
        self._chosen = {
            facet.name: [_stored(index, facet, value) for value in chosen.get(facet.name, ())]
            for facet in listing.facets
        }
        self._asked = chosen
        self._searched = searched
        self._fill()

    def _fill(self) -> None:
        classes = [number for number, kind in KIND_OF.items() if kind in self._listing.kinds]
        first = min(classes), max(classes)
        self._index.execute(
            "CREATE TEMP TABLE item AS SELECT DISTINCT subject AS it FROM type AS here"
            " WHERE class BETWEEN ? AND ?",
            first,
        )
        self._index.execute("CREATE UNIQUE INDEX temp.item_it ON item (it)")
        for facet in self._listing.facets:
            self._index.execute(
                f"CREATE TEMP TABLE facet_{facet.name} AS SELECT DISTINCT it, value"
                f" FROM ({facet.rows}) WHERE +it IN (SELECT it FROM item)"
            )

    def count(self, *, narrowed: bool) -> int:
        """How many items there are."""
        where, values = self._narrowed() if narrowed else ("1", [])
        row = self._index.execute(f"SELECT COUNT(*) FROM item WHERE {where}", values)
        return int(row.fetchone()[0])

    def values(self, facet: Facet) -> tuple[Value, ...]:
        """The values that would leave something, and those that are chosen."""
        where, narrowing = self._narrowed(but=facet.name)
        rows = self._index.execute(
            f"SELECT value, COUNT(*) FROM facet_{facet.name} WHERE {where}"
            " GROUP BY value ORDER BY COUNT(*) DESC, value",
            narrowing,
        ).fetchall()
        chosen = set(self._asked.get(facet.name, ()))
        found = [(_written(self._index, facet, value), count) for value, count in rows]
        there = {value for value, _ in found}
        found += [(value, 0) for value in sorted(chosen - there)]
        return tuple(Value(value, count, value in chosen) for value, count in found)

    def items(self, order: Order, limit: int, offset: int) -> Iterator[Item]:
        """A part of what is left."""
        where, values = self._narrowed()
        rows = self._index.execute(
            "WITH counted AS MATERIALIZED (SELECT object, COUNT(*) AS n FROM link"
            f" JOIN type ON type.subject = link.subject AND class = {_CLAIM}"
            f" WHERE property = {number_of(self._listing.link)} GROUP BY object)"
            f" SELECT it, iri, COALESCE(n, 0) AS claims, ({_NAME.format('it')}) AS name,"
            f" (SELECT value FROM value WHERE property = {number_of('published')}"
            "  AND subject = it) AS date"
            " FROM item JOIN term ON term.id = it LEFT JOIN counted ON counted.object = it"
            f" WHERE {where} ORDER BY {_ORDERS[order]} LIMIT ? OFFSET ?",
            (*values, limit, offset),
        ).fetchall()
        for it, iri, claims, _, date in rows:
            yield self._item(it, iri, claims, date)

    def _item(self, it: int, iri: str, claims: int, date: object) -> Item:
        def one(query: str, **values: object) -> str:
            row = self._index.execute(query, {"it": it, **values}).fetchone()
            return str(row[0]) if row and row[0] is not None else ""

        text = "SELECT text FROM entry WHERE subject = :it AND property = :property"
        codes = self._index.execute(
            f"{text} ORDER BY length(text), text", {"it": it, "property": _NOTATION}
        )
        lowest, highest = self._range(it) if self._listing.has_range else ("", "")
        return Item(
            iri=iri,
            claims=claims,
            counts={n: int(one(query)) for n, query in self._listing.counts.items()},
            codes=tuple(str(row[0]) for row in codes),
            definition=one(f"{text} ORDER BY language <> 'en', text LIMIT 1", property=_DEFINITION),
            publisher=one(
                "SELECT iri FROM link JOIN term ON term.id = object WHERE subject = :it"
                f" AND property = {number_of('publisher')} ORDER BY iri LIMIT 1"
            ),
            published="" if date is None else str(date),
            lowest=lowest,
            highest=highest,
        )

    def _range(self, it: int) -> tuple[str, str]:
        """The claims with its lowest and its highest count of people."""
        values = {"it": it, "link": number_of(self._listing.link)}
        lowest, highest = self._index.execute(_RANGE, values).fetchone()
        return lowest or "", highest or ""

    def _narrowed(self, but: str = "") -> tuple[str, list[int | str]]:
        """The condition on `it` of all facets but one, and its values."""
        conditions, values = ["1"], list[int | str]()
        for name, chosen in self._chosen.items():
            if chosen and name != but:
                marks = ", ".join("?" * len(chosen))
                conditions.append(f"it IN (SELECT it FROM facet_{name} WHERE value IN ({marks}))")
                values += chosen
        if self._searched:
            more = f" UNION {self._listing.reached_by}" if self._listing.reached_by else ""
            conditions.append(f"it IN (SELECT subject FROM hit{more})")
        return " AND ".join(conditions), values


def _stored(index: sqlite3.Connection, facet: Facet, value: str) -> int | str:
    """A value as the table of the facet has it; -1 for one that is nowhere."""
    if facet.values is _Is.TEXT:
        return value
    if facet.values is _Is.CLASS:
        return CLASSES.index(value) if value in CLASSES else -1
    row = index.execute("SELECT id FROM term WHERE iri = ?", (value,)).fetchone()
    return int(row[0]) if row else -1


def _written(index: sqlite3.Connection, facet: Facet, value: int | str) -> str:
    if facet.values is _Is.TEXT:
        return str(value)
    if facet.values is _Is.CLASS:
        return CLASSES[int(value)]
    return str(index.execute("SELECT iri FROM term WHERE id = ?", (value,)).fetchone()[0])
