"""The findings of the audit as a page shows them, what its rules look for, and what was checked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from kg.errors import BadArgument
from kg.namespaces import BASE, RF
from kg.query.claims import Claim
from kg.query.findings import AuditFinding, read
from kg.query.telling import day, reading
from kg.query.views.look import Look
from kg.store.base import GraphState, Owner, Release
from kg.store.iris import absolute_iri

SIZE: Final = 20
"""Findings on a page."""
FACETS: Final = ("severity", "verdict", "rule", "area", "article")
"""What findings are filtered by, each by several values."""
EVIDENCE: Final = 12
"""Claims that are shown of one finding; its own page has them all."""
_UNCHECKED: Final = 50
_FIRST: Final = 8
_MOST: Final = 200
_HEADER: Final = re.compile(r"# ([A-Za-z][A-Za-z0-9]*): (.+)\n# severity: (.+)\n# (.+)\n")
_SAID: Final = {
    RF + "computedValue": "the number that it comes to",
    RF + "computedLower": "at least",
    RF + "computedUpper": "at most",
    RF + "ratio": "the larger, divided by the smaller",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings are asked for: values of facets, and perhaps what they are about."""

    values: Mapping[str, frozenset[str]]
    about: str = ""

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return not self.about and not any(self.values.values())


@dataclass(frozen=True, slots=True)
class Option:
    """A value of a facet; `count` findings have it besides what the other facets ask for."""

    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet with its options, most findings first."""

    name: str
    options: tuple[Option, ...]

    @property
    def first(self) -> tuple[Option, ...]:
        """Those that are shown at once: the chosen ones are among them."""
        return tuple(it for at, it in enumerate(self.options) if at < _FIRST or it.chosen)

    @property
    def rest(self) -> tuple[Option, ...]:
        """Those that are shown when asked for."""
        return tuple(it for it in self.options[_FIRST:_MOST] if not it.chosen)

    @property
    def left_out(self) -> int:
        """How many are not shown; fewest findings have them."""
        return sum(not it.chosen for it in self.options[_MOST:])

    @property
    def chosen(self) -> bool:
        """Whether one of them is."""
        return any(it.chosen for it in self.options)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule of the audit looks for; it may look in several ways."""

    name: str
    ways: tuple[tuple[str, str], ...]
    """Of each a title, and a sentence on what it must not be taken for."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A claim or a quote that a finding is about, as it is told, and where it stands."""

    iri: str
    told: str
    place: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with the numbers that it computed, each with what it is, and its evidence."""

    finding: AuditFinding
    numbers: tuple[tuple[str, str], ...]
    evidence: tuple[Evidence, ...]

    @property
    def key(self) -> str:
        """What it is called within the page."""
        return self.finding.iri.rsplit("/", 1)[-1]

    @property
    def claims(self) -> int:
        """How many claims and quotes it is about."""
        return len({each.iri for each in self.finding.concerned})

    @property
    def left_out(self) -> int:
        """How many of them are not shown."""
        return self.claims - len(self.evidence)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a release says of its last validation."""

    graphs: int
    conforming: int
    derived: int
    unchecked: tuple[str, ...]
    """The first graphs that were published with the gate off."""
    unchecked_count: int


@dataclass(frozen=True, slots=True)
class Found:
    """One page of findings, with what else there is to choose."""

    total: int
    matching: int
    warnings: int
    shown: tuple[Shown, ...]
    facets: tuple[Facet, ...]
    pages: int
    of_release: str
    """The release that they are of, where it is not this one."""


@dataclass(frozen=True, slots=True)
class About:
    """A finding as the page of a claim names it."""

    iri: str
    rule: str
    severity: str
    verdict: str
    message: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding with the values of its facets."""

    iri: str
    values: Mapping[str, frozenset[str]]

    def matches(self, wanted: Wanted, but: str = "") -> bool:
        """Whether it has what is asked for, one facet perhaps left aside."""
        return all(
            not chosen or name == but or self.values[name] & chosen
            for name, chosen in wanted.values.items()
        )


def findings_about(look: Look, iri: str) -> tuple[About, ...]:
    """The findings that concern a claim or a quote, warnings first."""
    return findings_about_each(look, [iri]).get(iri, ())


def findings_about_each(look: Look, iris: Iterable[str]) -> Mapping[str, tuple[About, ...]]:
    """The findings that concern these claims and quotes, by IRI, warnings first."""
    found: dict[str, tuple[About, ...]] = {}
    wanted = sorted(set(iris))
    for row in look.rows("findings-about", node=wanted) if wanted else ():
        about = About(
            row["finding"].value,
            row["rule"].value,
            _local(row["severity"].value),
            row["verdict"].value,
            row["message"].value,
        )
        found[row["node"].value] = (*found.get(row["node"].value, ()), about)
    return found


def entries(look: Look) -> list[Entry]:
    """All findings of the release: warnings first, then by rule."""
    values: dict[str, dict[str, set[str]]] = {}
    for row in look.rows("findings-index"):
        own = values.setdefault(row["finding"].value, {name: set() for name in FACETS})
        for name in FACETS:
            if name in row:
                value = row[name].value
                own[name].add(_local(value) if name == "severity" else value)
    found = [
        Entry(iri, {name: frozenset(held) for name, held in own.items()})
        for iri, own in values.items()
    ]
    return sorted(found, key=_order)


def found(look: Look, entries: Sequence[Entry], wanted: Wanted, page: int = 1) -> Found:
    """Those of the entries that are asked for; raises BadArgument."""
    within = _within(look, entries, wanted.about)
    matching = [entry for entry in within if entry.matches(wanted)]
    pages = max(1, -(-len(matching) // SIZE))
    if page > pages:
        raise BadArgument(
            f"there is no page {page} of these findings", remedy=f"They have {pages}."
        )
    part = matching[(page - 1) * SIZE : page * SIZE]
    return Found(
        total=len(entries),
        matching=len(matching),
        warnings=sum("Warning" in entry.values["severity"] for entry in matching),
        shown=_shown(look, [entry.iri for entry in part]),
        facets=_facets(look, within, wanted),
        pages=pages,
        of_release=next((row["name"].value for row in look.rows("findings-release")), ""),
    )


def rules(release: Release) -> tuple[Rule, ...]:
    """The rules of the audit that the release carries, by name."""
    return _rules(release.folder / "audit")


def checked(release: Release) -> Checked:
    """What the release says of its graphs: those that conform, and those that nobody checked."""
    unchecked = [graph for graph in release.graphs if not graph.checked]
    derived = sum(graph.owner is Owner.DERIVED for graph in release.graphs)
    return Checked(
        graphs=len(release.graphs),
        conforming=sum(_conforms(graph) for graph in release.graphs),
        derived=derived,
        unchecked=tuple(graph.iri for graph in unchecked[:_UNCHECKED]),
        unchecked_count=len(unchecked),
    )


# --- rules --------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _rules(folder: Path) -> tuple[Rule, ...]:
    """What stands at the head of the files; those whose findings are not W1 and so on are not."""
    ways: dict[str, list[tuple[str, str]]] = {}
    for file in sorted(folder.glob("*.rq")):
        if header := _HEADER.match(file.read_text("utf-8")):
            ways.setdefault(header[1], []).append((header[2], header[4]))
    return tuple(Rule(name, tuple(ways[name])) for name in sorted(ways, key=_by_number))


def _by_number(rule: str) -> tuple[str, int]:
    """W2 comes before W10."""
    letters = rule.rstrip("0123456789")
    return letters, int(rule.removeprefix(letters) or 0)


def _conforms(graph: GraphState) -> bool:
    return graph.checked and graph.owner is not Owner.DERIVED


# --- which --------------------------------------------------------------------------------


def _order(entry: Entry) -> tuple[bool, tuple[str, int], str]:
    rule = min(entry.values["rule"], default="")
    return "Warning" not in entry.values["severity"], _by_number(rule), entry.iri


def _within(look: Look, entries: Sequence[Entry], about: str) -> Sequence[Entry]:
    if not about:
        return entries
    if not absolute_iri(about):
        raise BadArgument(f"“{about}” is no IRI", remedy="Give “about” the IRI of a claim.")
    concerned = {each.iri for each in findings_about(look, about)}
    return [entry for entry in entries if entry.iri in concerned]


def _facets(look: Look, entries: Sequence[Entry], wanted: Wanted) -> tuple[Facet, ...]:
    counts = {
        name: Counter(
            value
            for entry in entries
            if entry.matches(wanted, but=name)
            for value in entry.values[name]
        )
        for name in FACETS
    }
    for name, chosen in wanted.values.items():
        for value in chosen:
            counts[name].setdefault(value, 0)
    iris = {value for name in ("verdict", "area", "article") for value in counts[name]}
    labels = {iri: label.text for iri, label in look.labels(iris).items()}
    labels |= sources(look, counts["article"])
    labels |= {rule.name: f"{rule.name}: {rule.ways[0][0]}" for rule in rules(look.release)}
    return tuple(_facet(look, name, counts[name], labels, wanted) for name in FACETS)


def sources(look: Look, articles: Iterable[str]) -> Mapping[str, str]:
    """These articles by who published them, and when."""
    wanted = sorted(set(articles))
    found: dict[str, str] = {}
    for row in look.rows("article-sources", article=wanted) if wanted else ():
        if "publisher" in row:
            date = day(row["date"].value) if "date" in row else "undated"
            found.setdefault(row["article"].value, f"{row['publisher'].value}, {date}")
    return found


def _facet(
    look: Look, name: str, counts: Mapping[str, int], labels: Mapping[str, str], wanted: Wanted
) -> Facet:
    options = [
        Option(
            look.compact(value),
            labels.get(value, look.compact(value)),
            count,
            value in wanted.values.get(name, ()),
        )
        for value, count in counts.items()
    ]
    if name == "rule":
        return Facet(name, tuple(sorted(options, key=lambda it: _by_number(it.value))))
    options.sort(key=lambda it: (name != "severity" and -it.count, it.label))
    return Facet(name, tuple(reversed(options) if name == "severity" else options))


# --- what ---------------------------------------------------------------------------------


def _shown(look: Look, iris: Sequence[str]) -> tuple[Shown, ...]:
    if not iris:
        return ()
    rows = [
        {name: term.value for name, term in row.items()}
        for row in look.rows("findings-told", finding=iris)
    ]
    told = {finding.iri: finding for finding in read(rows)}
    numbers: dict[str, list[tuple[str, str]]] = {}
    for row in look.rows("findings-numbers", finding=iris):
        said = (_SAID[row["property"].value], row["number"].value)
        numbers.setdefault(row["finding"].value, []).append(said)
    kept = {claim.iri for finding in told.values() for claim in _different(finding)[:EVIDENCE]}
    claims = look.told(kept)
    return tuple(
        Shown(told[iri], tuple(numbers.get(iri, ())), _evidence(told[iri], claims))
        for iri in iris
        if iri in told
    )


def _different(finding: AuditFinding) -> list[_Place]:
    """Each claim once, though it may be told in several languages."""
    places: dict[str, _Place] = {}
    for each in finding.concerned:
        places.setdefault(each.iri, _Place(each.iri, each.place))
    return list(places.values())


@dataclass(frozen=True, slots=True)
class _Place:
    iri: str
    place: str


def _evidence(finding: AuditFinding, claims: Mapping[str, Claim]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            each.iri,
            reading(claims[each.iri]) if each.iri in claims else each.iri.removeprefix(BASE),
            each.place,
        )
        for each in _different(finding)[:EVIDENCE]
    )


def _local(iri: str) -> str:
    return iri.rsplit("#", 1)[-1]
