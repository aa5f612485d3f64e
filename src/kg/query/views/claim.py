"""One claim as its page shows it: its number, its chain, its words' places, what rests on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kg.namespaces import CODE, RF
from kg.query.changes import AREA, UNIT, VALUE, WORDING
from kg.query.claims import Claim, Statements, Value
from kg.query.telling import day, doubts, reading, subject, word, wording
from kg.query.views.look import WITHHELD, Look, Row, is_withheld
from kg.query.views.resource import Resource

MOST_COMPARISONS: Final = 24
MOST_FINDINGS: Final = 12
MOST_DERIVED: Final = 12
MOST_CORRECTIONS: Final = 24
QUOTE: Final = RF + "Quote"
_SPEAKER_BASIS: Final = RF + "speakerBasis"
_EXPLICIT: Final = f"<{CODE}explicit>"
_FIRST_VERDICTS: Final = ("contradict", "superseded", "compatible", "agree")

_NUMBER: Final = (
    (VALUE, "Value"),
    (RF + "qualifier", "Qualifier"),
    (RF + "qualifierScope", "The qualifier is"),
    (RF + "boundBasis", "The bounds come from"),
    (UNIT, "Unit"),
    (RF + "displayedUnit", "Shown in"),
    (RF + "valueStatus", "The value is"),
)
_WHAT: Final = (
    (RF + "measure", "Measure"),
    (RF + "cohort", "Cohort"),
    (RF + "baseCohort", "As a share of"),
    (AREA, "Area"),
    (RF + "populationGroup", "Population group"),
    (RF + "refTime", "Time it is of"),
    (RF + "statedTime", "Time it was stated"),
    (RF + "kind", "Kind"),
    (RF + "about", "About"),
)
_QUESTION: Final = {
    "area": AREA,
    "cohort": RF + "cohort",
    "measure": RF + "measure",
    "group": RF + "populationGroup",
    "base": RF + "baseCohort",
    "unit": UNIT,
}
_MAY_LACK: Final = ("group", "base")
_DOUBT: Final = (
    (RF + "modality", "Put as"),
    (RF + "hedge", "Hedged by the words"),
    (RF + "hedgeInherited", "The hedge is carried over from an earlier claim"),
    (RF + "evidential", "Evidence"),
    (RF + "stance", "Stance"),
)
_ROLES: Final = {
    RF + "anchor": "the claim",
    RF + "valueAnchor": "the number",
    RF + "hedgeAnchor": "the hedge",
    RF + "stanceAnchor": "the stance",
    RF + "cue": "the attribution",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a list: its name, and the values, each with an IRI where it is a resource."""

    name: str
    values: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A value in words; `iri` is empty where it is no resource."""

    iri: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the chain of attribution."""

    agents: tuple[Named, ...]
    documents: tuple[Named, ...]
    basis: str
    cue: str


@dataclass(frozen=True, slots=True)
class Place:
    """Words that the claim rests on, by their place in the article's text."""

    what: str
    start: int
    end: int
    digest: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison with another claim."""

    iri: str
    verdict: str
    reasons: tuple[str, ...]
    cohorts: str
    other: str
    reading: str
    correction: str
    """Which of the two corrects the other, in words; empty where neither does."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Another claim in words, with its hedges, its source and on whose word it is."""

    iri: str
    text: str


@dataclass(frozen=True, slots=True)
class FindingAbout:
    """A finding of the audit that names it."""

    iri: str
    rule: str
    is_warning: bool
    verdict: str
    message: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A figure that is computed from it, never reported."""

    iri: str
    method: str
    number: str
    others: tuple[Reading, ...]
    """The claims that it is computed from beside this one."""


@dataclass(frozen=True, slots=True)
class ClaimPage:
    """A claim with all that its page shows of it."""

    claim: Claim
    heading: str
    reading: str
    doubts: tuple[str, ...]
    number: tuple[Fact, ...]
    interval: str
    what: tuple[Fact, ...]
    hedging: tuple[Fact, ...]
    steps: tuple[Step, ...]
    places: tuple[Place, ...]
    published: str
    compared: tuple[Compared, ...]
    compared_in_all: int
    corrects: tuple[Reading, ...]
    corrected_by: tuple[Reading, ...]
    findings: tuple[FindingAbout, ...]
    findings_in_all: int
    derived: tuple[Derived, ...]
    independent: int | None
    ends: tuple[str, ...]
    compare: Mapping[str, str]
    """What the page of comparisons takes to show the figures on the same question."""

    def iris(self) -> set[str]:
        """The IRIs that are shown without a name of their own."""
        return {self.claim.source.article, *self.ends} - {""}


@dataclass(frozen=True, slots=True)
class QuotePage:
    """A quote as its page begins: on whose word, and what it says in our words."""

    heading: str
    source: str
    article: str

    @property
    def reading(self) -> str:
        """All of it on one line."""
        return f"{self.heading}; {self.source}"


def claim_page(look: Look, iri: str) -> ClaimPage | None:
    """The claim of that IRI; None where the release has none."""
    claim = look.claims([iri]).get(iri)
    if claim is None:
        return None
    compared = _compared(look, iri)
    findings = look.rows("claim-findings", limit=MOST_FINDINGS * 4, it=[iri])
    known = {row["finding"].value: _finding(row) for row in findings}
    counts = {row["what"].value: int(row["count"].value) for row in _counted(look, iri)}
    corrections = look.rows("claim-corrections", limit=MOST_CORRECTIONS, it=[iri])
    corrects = [row["other"].value for row in corrections if row["how"].value == "corrects"]
    corrected_by = [row["other"].value for row in corrections if row["how"].value == "corrected"]
    independence = look.rows("claim-independence", limit=20, it=[iri])
    return ClaimPage(
        claim=claim,
        heading=_heading(claim),
        reading=reading(claim),
        doubts=tuple(doubts(claim)),
        number=_facts(claim, _NUMBER) if claim.values(WORDING) else (),
        interval=interval(claim),
        what=_facts(claim, _WHAT),
        hedging=_facts(claim, _DOUBT),
        steps=tuple(map(_step, claim.steps)),
        places=tuple(_place(row) for row in look.rows("claim-anchors", limit=40, it=[iri])),
        published=day(claim.source.published),
        compared=_shown(look, compared, corrects, corrected_by),
        compared_in_all=counts.get("comparisons", 0),
        corrects=_readings(look, corrects),
        corrected_by=_readings(look, corrected_by),
        findings=tuple(known.values())[:MOST_FINDINGS],
        findings_in_all=counts.get("findings", 0),
        derived=_computed(look, iri),
        independent=max((int(row["count"].value) for row in independence), default=None),
        ends=tuple(sorted({row["end"].value for row in independence if "end" in row})),
        compare=_question(claim),
    )


def quote_page(look: Look, iri: str) -> QuotePage | None:
    """The quote of that IRI; None where the release has none."""
    quote = look.claims([iri]).get(iri)
    return quote_told(quote) if quote else None


def quote_told(quote: Claim) -> QuotePage:
    """A quote that is read, in words."""
    publisher, published = quote.source.publisher, day(quote.source.published)
    return QuotePage(
        heading=f"A quote, {_speaker(quote)}, in our words: {wording(quote)}",
        source=f"{publisher or 'no publisher'}, {published or 'undated'}{word(quote)}",
        article=quote.source.article,
    )


def inputs_of(look: Look, found: Resource) -> tuple[Reading, ...]:
    """The claims that a figure is computed from; none where it is no derived figure."""
    if RF + "DerivedFigure" not in found.types:
        return ()
    return _readings(look, [term.value for term in found.terms(RF + "derivedFrom")])


def interval(claim: Claim) -> str:
    """The bounds in words; empty where there are none."""
    lower, upper = claim.text(RF + "lower"), claim.text(RF + "upper")
    if lower and lower == upper:
        return f"{lower}, taken as it is stated"
    open_below = claim.text(RF + "lowerOpen") == "true"
    open_above = claim.text(RF + "upperOpen") == "true"
    parts = [
        f"{'above' if open_below else 'at least'} {lower}" if lower else "",
        f"{'below' if open_above else 'at most'} {upper}" if upper else "",
    ]
    return ", ".join(part for part in parts if part)


def _question(claim: Claim) -> Mapping[str, str]:
    found = {name: claim.values(property) for name, property in _QUESTION.items()}
    needed = (values for name, values in found.items() if name not in _MAY_LACK)
    if not claim.values(WORDING) or not all(needed):
        return {}
    return {name: values[0].term[1:-1] if values else "none" for name, values in found.items()}


def _heading(claim: Claim) -> str:
    words = wording(claim)
    return f"“{words}”: {subject(claim)}" if claim.values(WORDING) else words


def _speaker(quote: Claim) -> str:
    """Who speaks, on what ground where the sentence does not name them, or that it is left open."""
    names, candidates = (
        [told_as(value) for value in quote.values(RF + name)]
        for name in ("speaker", "speakerCandidate")
    )
    if names:
        explicit = {value.term for value in quote.values(_SPEAKER_BASIS)} <= {_EXPLICIT}
        return ", ".join(names) + ("" if explicit else f" ({quote.text(_SPEAKER_BASIS)})")
    return f"speaker left open{', perhaps ' if candidates else ''}{' or '.join(candidates)}"


def _facts(claim: Claim, named: Sequence[tuple[str, str]]) -> tuple[Fact, ...]:
    found = ((name, claim.values(property)) for property, name in named)
    return tuple(Fact(name, _named(values)) for name, values in found if values)


def _named(values: Sequence[Value]) -> tuple[Named, ...]:
    return tuple(map(_named_one, values))


def _named_one(value: Value) -> Named:
    return Named(_iri(value), told_as(value))


def told_as(value: Value) -> str:
    """A value in words; of a person whose name is withheld, that it is."""
    return WITHHELD.text if is_withheld(_iri(value)) else _yes(value.text)


def _iri(value: Value) -> str:
    return value.term[1:-1] if value.term.startswith("<") else ""


def _yes(text: str) -> str:
    return {"true": "yes", "false": "no"}.get(text, text)


def _step(step: Statements) -> Step:
    return Step(
        agents=_named(step.get("http://www.w3.org/ns/prov#agent", ())),
        documents=_named(step.get(RF + "via", ())),
        basis=", ".join(value.text for value in step.get(RF + "basis", ())),
        cue=", ".join(value.text for value in step.get(RF + "cueText", ())),
    )


def _place(row: Row) -> Place:
    return Place(
        _ROLES[row["role"].value],
        int(row["start"].value),
        int(row["end"].value),
        row["digest"].value if "digest" in row else "",
    )


def _compared(look: Look, iri: str) -> Mapping[tuple[str, str], list[Row]]:
    """The rows by comparison and other claim; contradictions first."""
    found: dict[tuple[str, str], list[Row]] = {}
    rows = look.rows("claim-comparisons", limit=400, it=[iri])
    for row in sorted(rows, key=lambda row: _rank(_text(row, "label"))):
        found.setdefault((row["comparison"].value, row["other"].value), []).append(row)
    return found


def _rank(verdict: str) -> int:
    known = _FIRST_VERDICTS
    return known.index(verdict) if verdict in known else len(known)


def _counted(look: Look, iri: str) -> list[Row]:
    """How many comparisons and findings there are, however many the page shows."""
    return look.rows("claim-counts", it=[iri])


def _shown(
    look: Look,
    compared: Mapping[tuple[str, str], Sequence[Row]],
    corrects: Sequence[str],
    corrected_by: Sequence[str],
) -> tuple[Compared, ...]:
    first = list(compared.items())[:MOST_COMPARISONS]
    others = look.told(other for (_, other), _ in first)
    return tuple(
        Compared(
            iri=iri,
            verdict=_text(rows[0], "label") or "no verdict",
            reasons=tuple(sorted({_text(row, "reason") for row in rows} - {""})),
            cohorts=_text(rows[0], "cohorts"),
            other=other,
            reading=reading(others[other]) if other in others else "",
            correction="this claim corrects it"
            if other in corrects
            else "it corrects this claim"
            if other in corrected_by
            else "",
        )
        for (iri, other), rows in first
    )


def _finding(row: Row) -> FindingAbout:
    return FindingAbout(
        iri=row["finding"].value,
        rule=row["rule"].value,
        is_warning=_text(row, "severity").endswith("#Warning"),
        verdict=_text(row, "verdict"),
        message=row["message"].value,
    )


def _readings(look: Look, iris: Sequence[str]) -> tuple[Reading, ...]:
    read = look.told(iris) if iris else {}
    return tuple(Reading(iri, reading(read[iri])) for iri in iris if iri in read)


def _computed(look: Look, iri: str) -> tuple[Derived, ...]:
    """What is computed from it, with what else that is computed from."""
    figures: dict[str, Row] = {}
    others: dict[str, dict[str, None]] = {}
    for row in look.rows("claim-derived", limit=MOST_DERIVED * 4, it=[iri]):
        figure = row["figure"].value
        figures.setdefault(figure, row)
        others.setdefault(figure, {}).update({row["other"].value: None} if "other" in row else {})
    shown = list(figures.items())[:MOST_DERIVED]
    read = look.told({other for figure, _ in shown for other in others[figure]}) if shown else {}
    return tuple(
        _derived(
            row,
            tuple(Reading(each, reading(read[each])) for each in others[figure] if each in read),
        )
        for figure, row in shown
    )


def _derived(row: Row, others: tuple[Reading, ...]) -> Derived:
    value, lower, upper = (_text(row, name) for name in ("value", "lower", "upper"))
    bounds = f"between {lower} and {upper}" if lower and upper and lower != upper else ""
    number = ", ".join(part for part in (value, bounds or (not value and lower) or "") if part)
    return Derived(row["figure"].value, _text(row, "method"), number, others)


def _text(row: Row, name: str) -> str:
    return row[name].value if name in row else ""
