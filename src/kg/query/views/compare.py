"""Figures of one area, cohort and measure side by side: what each says, and how they compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from kg.errors import BadArgument
from kg.intervals import Interval, interval, number, point
from kg.namespaces import BASE, CODE, RF
from kg.query.changes import VALUE
from kg.query.claims import Claim, Statements
from kg.query.questions import with_iris
from kg.query.telling import doubts, reading, wording
from kg.query.views.look import WITHHELD, Label, Look, Row

SIZE: Final = 15
"""Figures on a page."""
CHOICES: Final = 24
"""Combinations on a page."""
MATRIX: Final = 12
"""Figures up to which verdicts are shown as a square."""
PAIRS: Final = 6
"""Pairs that are shown of one verdict and reason; the rest are counted."""
NONE: Final = CODE + "unstated"
"""What stands for no group, and for no base."""
SAME: Final = CODE + "sameCohort"
_MOST_VERDICTS: Final = 2000
_PARTS: Final = ("area", "group", "cohort", "measure", "base", "unit")
_AGENT: Final = "http://www.w3.org/ns/prov#agent"
_INHERITED: Final = f"<{CODE}possiblyInherited>"
_KNOWN: Final = frozenset(f"<{CODE}{name}>" for name in ("publisherVoice", "explicit"))
_NO_BOUNDS: Final = interval()
_ORDER: Final = ("contradict", "superseded", "undecidable", "notComparable", "compatible", "agree")
"""Verdicts, those that a reader should see first before others; further ones come last."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What figures count: they may be compared with each other. NONE: no group, no base."""

    area: str
    group: str
    cohort: str
    measure: str
    base: str
    unit: str

    @property
    def iris(self) -> tuple[str, ...]:
        """All of its parts, those that are none left out."""
        parts = (self.area, self.group, self.cohort, self.measure, self.base, self.unit)
        return tuple(part for part in parts if part != NONE)


@dataclass(frozen=True, slots=True)
class Choice:
    """A slot that has figures, with how many; `ends` counts their independent sources."""

    slot: Slot
    figures: int
    ends: int
    contradictions: int


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of a slot that were asked for; empty for one that was not."""

    area: str = ""
    group: str = ""
    cohort: str = ""
    measure: str = ""
    base: str = ""
    unit: str = ""

    def fits(self, slot: Slot, but: str = "") -> bool:
        """Whether the slot has all that was asked for, one part perhaps left aside."""
        return all(
            part == but or getattr(self, part) in ("", getattr(slot, part)) for part in _PARTS
        )

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was asked for."""
        return not any(getattr(self, part) for part in _PARTS)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an attribution chain: who, in what, and how that is known.

    `is_open` says that the text does not plainly name who it is.
    """

    iri: str
    name: str
    via: str
    basis: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """One reported figure as it is compared.

    `bounds` are None where nothing is said of a number; without ends where the number is
    approximate. `derived` is a reading of ours of an approximate number. `sources` is how many
    independent sources give this number, or one that may be the same; `of_nobody`: there is none
    that is named, so they count as one.
    """

    number: int
    claim: Claim
    value: Fraction | None
    bounds: Interval | None
    inherited: bool
    derived: Interval | None
    sources: int | None
    of_nobody: bool

    @property
    def wording(self) -> str:
        """The number as it was reported."""
        return wording(self.claim)

    @property
    def doubts(self) -> tuple[str, ...]:
        """All that keeps it from being a bare assertion."""
        return tuple(doubts(self.claim))

    @property
    def is_approximate(self) -> bool:
        """Whether it has a number, and a word such as “about”."""
        return self.value is not None and self.bounds is not None and self.bounds.is_whole

    @property
    def held(self) -> str:
        """When it held, where the source tells that."""
        untold = f"<{NONE}>" in _terms(self.claim.statements, "refTime")
        return "" if untold else self.claim.text(RF + "refTime")

    @property
    def said(self) -> str:
        """When it was said or counted, where the source tells that."""
        return self.claim.text(RF + "statedTime")

    @property
    def chain(self) -> tuple[Step, ...]:
        """On whose word it stands, the publisher first."""
        return tuple(_step(step) for step in self.claim.steps)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two figures side by side; `other` is None for one that is not on the page.

    `corrects` is the IRI of the one whose source says that it corrects the other, if there is one.
    """

    iri: str
    one: int
    one_iri: str
    other: int | None
    other_iri: str
    other_told: str
    corrects: str
    intervals: str
    cohorts: str
    same_end: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """Pairs of one verdict and reason: `count` are those of all figures of the slot.

    `pairs` are the first of those that have a figure on the page.
    """

    verdict: str
    reason: str
    count: int
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class End:
    """A document or an agent in which chains end, with the figures that end there."""

    iri: str
    is_named: bool
    figures: int


@dataclass(frozen=True, slots=True)
class Related:
    """A cohort that is near this one; `choice` is None where it has no figures here."""

    relation: str
    cohort: str
    choice: Choice | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A page of the figures of a slot, sorted by source, then by date, and how they compare."""

    slot: Slot
    total: int
    pages: int
    figures: tuple[Figure, ...]
    ends: tuple[End, ...]
    judged: tuple[Judged, ...]
    matrix: Mapping[tuple[int, int], str]
    """The verdict of each pair of figures on the page, by their numbers; none if one is missing."""
    related: tuple[Related, ...]
    labels: Mapping[str, Label]
    definitions: Mapping[str, str]

    @property
    def independent(self) -> int:
        """How many count: those where nobody is named only if there is no other."""
        return sum(end.is_named for end in self.ends) or min(1, len(self.ends))

    @property
    def pairs(self) -> int:
        """How many pairs there are, of all figures of the slot."""
        return sum(each.count for each in self.judged)


def choices(look: Look) -> tuple[Choice, ...]:
    """Every slot that has figures: with contradictions first, then with most sources."""
    against = {
        _slot(row): int(row["pairs"].value)
        for row in look.rows("compare-contradictions")
        if "area" in row  # else it is the one row of a count of nothing
    }
    rows = [row for row in look.rows("compare-choices") if "area" in row]
    nobody = [row for row in look.rows("compare-nobody-choices") if "area" in row]
    works = _works(look, (row["document"].value for row in rows if "document" in row))
    named: Counter[tuple[Slot, str]] = Counter()
    figures: Counter[Slot] = Counter()
    for row in rows:
        figures[_slot(row)] += int(row["figures"].value)
        named[_slot(row), _end(row, works)] += int(row["figures"].value)
    for row in nobody:
        named[_slot(row), _end(row, works)] -= int(row["figures"].value)
    ends = Counter(slot for (slot, end), count in named.items() if end and count > 0)
    found = (
        Choice(slot, count, ends[slot] or 1, against.get(slot, 0))
        for slot, count in figures.items()
    )
    return tuple(sorted(found, key=_most_first))


def query_of(slot: Slot) -> str:
    """The query that gives the figures of a slot, as it can be run by anyone."""
    return _filled("compare-figures", slot)


def pairs_query_of(slot: Slot) -> str:
    """The query that gives what the audit says of all pairs of a slot."""
    return _filled("compare-pairs", slot)


def _filled(name: str, slot: Slot) -> str:
    query = (Path(__file__).parent / f"{name}.rq").read_text("utf-8")
    for part in _PARTS:
        query = with_iris(query, part, [getattr(slot, part)])
    return query


def compared(look: Look, slot: Slot, known: Iterable[Choice], page: int = 1) -> Compared:
    """The figures of a slot side by side; raises BadArgument for a page that there is not.

    `known` are the slots that have figures.
    """
    rows = _rows(look, "compare-ends", slot)
    nobody = {row["claim"].value for row in _rows(look, "compare-nobody", slot)}
    names = look.labels(row["end"].value for row in rows if "end" in row)
    rows.sort(key=lambda row: _by_source(row, names))
    pages = max(1, -(-len(rows) // SIZE))
    if page > pages:
        raise BadArgument(f"there is no page {page} of them", remedy=f"There are {pages}.")
    first = (page - 1) * SIZE
    iris = [row["claim"].value for row in rows[first : first + SIZE]]
    ends = _ends(rows, nobody)
    figures = _figures(look, iris, first, {end.iri for end in ends if end.is_named})
    verdicts = _verdicts(look, figures)
    related = _related(look, slot, known)
    judged = _judged(look, figures, verdicts, _counts(look, slot))
    named = {
        *slot.iris,
        *(row["end"].value for row in rows if "end" in row),
        *(each.cohort for each in related),
        *(iri for each in judged for iri in _concepts(each)),
    }
    return Compared(
        slot=slot,
        total=len(rows),
        pages=pages,
        figures=figures,
        ends=ends,
        judged=judged,
        matrix=_matrix(figures, verdicts) if len(verdicts) < _MOST_VERDICTS else {},
        related=related,
        labels=look.labels(iri for iri in named if iri),
        definitions=_definitions(
            look, [slot.cohort, *(i for each in judged for i in _concepts(each))]
        ),
    )


def _rows(look: Look, name: str, slot: Slot) -> list[Row]:
    """The solutions of a query about the figures of a slot."""
    return look.rows(
        name,
        area=[slot.area],
        group=[slot.group],
        cohort=[slot.cohort],
        measure=[slot.measure],
        base=[slot.base],
        unit=[slot.unit],
    )


# --- choices ------------------------------------------------------------------------------


def _works(look: Look, documents: Iterable[str]) -> Mapping[str, str]:
    """What these documents are editions of."""
    wanted = sorted(set(documents))
    rows = look.rows("compare-works", document=wanted) if wanted else ()
    return {row["document"].value: row["work"].value for row in rows}


def _end(row: Row, works: Mapping[str, str]) -> str:
    """What a chain ends in: the document, in whatever edition, or else the agent."""
    if "document" in row:
        document = row["document"].value
        return works.get(document, document)
    return row["source"].value if "source" in row else ""


def _slot(row: Row) -> Slot:
    return Slot(*(row[part].value if part in row else NONE for part in _PARTS))


def _most_first(choice: Choice) -> tuple[object, ...]:
    slot = choice.slot
    return (
        *(-choice.contradictions, -choice.ends, -choice.figures),
        *(getattr(slot, part) for part in _PARTS),
    )


# --- figures ------------------------------------------------------------------------------


def _by_source(row: Row, names: Mapping[str, Label]) -> tuple[str, str, str]:
    """By the name of what the chain ends in, then by date, the undated last."""
    end = row["end"].value if "end" in row else ""
    name = names[end].text.casefold() if end in names else end
    published = row["published"].value if "published" in row else "9999"
    return name, published, row["claim"].value


def _figures(
    look: Look, iris: Sequence[str], before: int, named: Collection[str]
) -> tuple[Figure, ...]:
    if not iris:
        return ()
    claims = look.claims(iris)
    readings = {
        row["claim"].value: _interval_of(row) for row in look.rows("compare-readings", claim=iris)
    }
    independence = look.rows("compare-independence", claim=iris)
    sources = {row["claim"].value: int(row["sources"].value) for row in independence}
    by_name = {row["claim"].value for row in independence if row["end"].value in named}
    return tuple(
        Figure(
            number=before + at,
            claim=claims[iri],
            value=_value(claims[iri]),
            bounds=_bounds(claims[iri]),
            inherited=_INHERITED in _terms(claims[iri].statements, "qualifierScope"),
            derived=readings.get(iri),
            sources=sources.get(iri),
            of_nobody=iri in sources and iri not in by_name,
        )
        for at, iri in enumerate(iris, start=1)
    )


def _value(claim: Claim) -> Fraction | None:
    return next((number(value.text) for value in claim.values(VALUE)), None)


def _bounds(claim: Claim) -> Interval | None:
    """What the words of a claim bound; None where they give no number at all."""
    lower, upper = (_number(claim, end) for end in ("lower", "upper"))
    if lower is None and upper is None:
        return None if _value(claim) is None else _NO_BOUNDS
    if lower is not None and lower == upper:
        return point(lower)
    return interval(
        lower,
        upper,
        lower_open=claim.text(RF + "lowerOpen") == "true",
        upper_open=claim.text(RF + "upperOpen") == "true",
    )


def _number(claim: Claim, property: str) -> Fraction | None:
    return next((number(value.text) for value in claim.values(RF + property)), None)


def _interval_of(row: Row) -> Interval:
    return interval(
        number(row["lower"].value),
        number(row["upper"].value),
        lower_open="lowerOpen" in row and row["lowerOpen"].value == "true",
        upper_open="upperOpen" in row and row["upperOpen"].value == "true",
    )


def _terms(statements: Statements, property: str) -> frozenset[str]:
    return frozenset(value.term for value in statements.get(RF + property, ()))


def _step(step: Statements) -> Step:
    agents = step.get(_AGENT, ())
    iri = agents[0].term.strip("<>") if agents else ""
    name = ", ".join(agent.text for agent in agents) or "somebody"
    if iri.startswith(BASE + "a/") and "/person/" in iri and name == iri.rsplit("/", 1)[-1]:
        name = WITHHELD.text
    via, basis = (
        ", ".join(value.text for value in step.get(RF + part, ())) for part in ("via", "basis")
    )
    known = {value.term for value in step.get(RF + "basis", ())}
    return Step(iri, name, via, basis, is_open=not known <= _KNOWN)


def _ends(rows: Iterable[Row], nobody: Collection[str]) -> tuple[End, ...]:
    """What all chains end in, most figures first; one is named where any chain names it."""
    figures: Counter[str] = Counter()
    named = set()
    for row in rows:
        end = row["end"].value if "end" in row else ""
        figures[end] += 1
        if end and row["claim"].value not in nobody:
            named.add(end)
    ends = [End(iri, iri in named, count) for iri, count in figures.items()]
    return tuple(sorted(ends, key=lambda end: (not end.is_named, -end.figures, end.iri)))


# --- verdicts -----------------------------------------------------------------------------


def _verdicts(look: Look, figures: Sequence[Figure]) -> list[Row]:
    iris = [figure.claim.iri for figure in figures]
    return look.rows("compare-verdicts", limit=_MOST_VERDICTS, claim=iris) if iris else []


def _matrix(figures: Sequence[Figure], verdicts: Iterable[Row]) -> Mapping[tuple[int, int], str]:
    numbers = {figure.claim.iri: figure.number for figure in figures}
    return {
        (numbers[row["claim"].value], numbers[row["other"].value]): row["verdict"].value
        for row in verdicts
        if row["other"].value in numbers
    }


def _counts(look: Look, slot: Slot) -> Mapping[tuple[str, str], int]:
    """How many pairs there are of each verdict and reason."""
    rows = (row for row in _rows(look, "compare-counts", slot) if "verdict" in row)
    return {_verdict(row): int(row["pairs"].value) for row in rows}


def _verdict(row: Row) -> tuple[str, str]:
    return row["verdict"].value, row["reason"].value if "reason" in row else ""


def _judged(
    look: Look,
    figures: Sequence[Figure],
    verdicts: Sequence[Row],
    counts: Mapping[tuple[str, str], int],
) -> tuple[Judged, ...]:
    numbers = {figure.claim.iri: figure.number for figure in figures}
    pairs: dict[tuple[str, str], dict[str, Row]] = {key: {} for key in counts}
    for row in sorted(verdicts, key=lambda row: numbers[row["claim"].value]):
        pairs[_verdict(row)].setdefault(row["comparison"].value, row)
    kept = {
        key: sorted(rows.values(), key=lambda row: _by_numbers(row, numbers))[:PAIRS]
        for key, rows in pairs.items()
    }
    told = look.told(row["other"].value for rows in kept.values() for row in rows)
    judged = (
        Judged(*key, counts[key], tuple(_pair(row, numbers, told) for row in rows))
        for key, rows in kept.items()
    )
    return tuple(sorted(judged, key=_rank))


def _by_numbers(row: Row, numbers: Mapping[str, int]) -> tuple[int, int, str]:
    far = len(numbers) + 1
    other = numbers.get(row["other"].value, far)
    return numbers[row["claim"].value], other, row["other"].value


def _pair(row: Row, numbers: Mapping[str, int], told: Mapping[str, Claim]) -> Pair:
    one, other = row["claim"].value, row["other"].value
    corrects = {one: "corrects", other: "corrected"}
    return Pair(
        iri=row["comparison"].value,
        one=numbers[one],
        one_iri=one,
        other=numbers.get(other),
        other_iri=other,
        other_told=reading(told[other]) if other in told else other,
        corrects=next((it for it, name in corrects.items() if row[name].value == "true"), ""),
        intervals=row["intervals"].value,
        cohorts=row["cohorts"].value,
        same_end=row["sameEnd"].value == "true",
    )


def _rank(judged: Judged) -> tuple[int, str, str]:
    name = judged.verdict.removeprefix(CODE)
    rank = _ORDER.index(name) if name in _ORDER else len(_ORDER)
    return rank, judged.verdict, judged.reason


def _concepts(judged: Judged) -> set[str]:
    own = {judged.verdict, judged.reason} - {""}
    return own | {iri for pair in judged.pairs for iri in (pair.intervals, pair.cohorts)}


# --- what is near -------------------------------------------------------------------------


def _related(look: Look, slot: Slot, known: Iterable[Choice]) -> tuple[Related, ...]:
    rows = look.rows("compare-related", of=[slot.cohort])
    if not rows:
        return ()
    beside: dict[str, Choice] = {}
    for choice in known:
        other = choice.slot
        same = (other.area, other.group, other.measure) == (slot.area, slot.group, slot.measure)
        if same:
            beside.setdefault(other.cohort, choice)
    return tuple(
        Related(row["relation"].value, row["cohort"].value, beside.get(row["cohort"].value))
        for row in rows
        if row["cohort"].is_iri
    )


def _definitions(look: Look, iris: Iterable[str]) -> Mapping[str, str]:
    wanted = sorted(set(iris))
    return {row["it"].value: row["definition"].value for row in look.rows("definitions", it=wanted)}
