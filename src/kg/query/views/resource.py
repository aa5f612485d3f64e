"""One resource as its page shows it: what is stated of it, what leads to it, since which release.

A page shows the first statements of each property; the rest is paged. However large the resource
is, no query looks at more than some hundred of its statements, so that all of this stays fast.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final

from kg.namespaces import GRAPH, RF, SCHEMA
from kg.query.views.look import WITHHELD, Label, Look, Row, Term, is_withheld
from kg.store.base import GraphState, Release

RDF_TYPE: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
SKOS: Final = "http://www.w3.org/2004/02/skos/core#"
RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
DCTERMS: Final = "http://purl.org/dc/terms/"
PROV: Final = "http://www.w3.org/ns/prov#"
CLAIM: Final = RF + "Claim"

FIRST: Final = 200
"""Statements that are looked at before it counts as large."""
SHOWN: Final = 8
"""Values of a property, and subjects that lead here by one, that the page itself shows."""
A_PAGE: Final = 50
COUNTED: Final = 1000
"""More than these are told as such."""
RELEASES: Final = 50
"""The newest releases, in which a graph's history is looked for."""

_LABELS: Final = (
    SKOS + "prefLabel",
    SCHEMA + "headline",
    SCHEMA + "name",
    RDFS + "label",
    DCTERMS + "title",
)
_DESCRIPTIONS: Final = (
    SKOS + "definition",
    SCHEMA + "description",
    DCTERMS + "description",
    RDFS + "comment",
    RF + "message",
    RF + "paraphrase",
)
_FIRST_PROPERTIES: Final = (RDF_TYPE, *_LABELS, *_DESCRIPTIONS, SKOS + "scopeNote")
_NAMES: Final = {
    RDF_TYPE: "type",
    SKOS + "prefLabel": "label",
    SKOS + "altLabel": "other label",
    SKOS + "definition": "definition",
    SKOS + "scopeNote": "scope note",
    SKOS + "note": "note",
    SKOS + "example": "example",
    SKOS + "notation": "code",
    SKOS + "inScheme": "in the scheme",
    SKOS + "topConceptOf": "top concept of",
    SKOS + "exactMatch": "the same elsewhere",
    SKOS + "closeMatch": "nearly the same elsewhere",
    RDFS + "label": "label",
    RDFS + "comment": "comment",
    RDFS + "subClassOf": "subclass of",
    RDFS + "subPropertyOf": "subproperty of",
    RDFS + "domain": "domain",
    RDFS + "range": "range",
    RDFS + "isDefinedBy": "defined by",
    DCTERMS + "identifier": "identifier",
    DCTERMS + "title": "title",
    DCTERMS + "description": "description",
    SCHEMA + "headline": "headline",
    SCHEMA + "name": "name",
    SCHEMA + "author": "author",
    SCHEMA + "publisher": "publisher",
    SCHEMA + "datePublished": "published",
    SCHEMA + "dateModified": "modified",
    SCHEMA + "inLanguage": "language",
    SCHEMA + "url": "address",
    SCHEMA + "isPartOf": "part of",
    SCHEMA + "hasPart": "has the part",
    SCHEMA + "location": "place",
    SCHEMA + "containedInPlace": "contained in",
    SCHEMA + "contentLocation": "shows the place",
    SCHEMA + "version": "edition",
    PROV + "wasQuotedFrom": "quoted from",
    PROV + "qualifiedAttribution": "attribution",
    PROV + "agent": "agent",
    PROV + "actedOnBehalfOf": "acted on behalf of",
    "http://purl.org/linked-data/sdmx/2009/dimension#refArea": "area",
    "http://purl.org/linked-data/sdmx/2009/measure#obsValue": "value",
    "http://purl.org/linked-data/sdmx/2009/attribute#unitMeasure": "unit",
    "http://www.w3.org/ns/shacl#resultSeverity": "severity",
    "http://www.w3.org/ns/oa#hasSource": "source",
    "http://www.w3.org/ns/oa#hasSelector": "place",
    "http://www.w3.org/ns/oa#start": "first code point",
    "http://www.w3.org/ns/oa#end": "after the last code point",
    "http://www.w3.org/ns/org#hasMembership": "membership",
    "http://www.w3.org/ns/org#member": "member",
    "http://www.w3.org/ns/org#organization": "organisation",
}
"""Properties that the ontology takes from others, and so does not name itself."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The other end of a statement, and the named graphs that have it."""

    term: Term
    graphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Statements with the property `iri`, the first of `total`; `or_more` where that is a bound."""

    iri: str
    name: str
    statements: tuple[Statement, ...]
    total: int
    or_more: bool = False

    @property
    def graphs(self) -> tuple[str, ...]:
        """The named graphs, where all statements are in the same ones; else none."""
        kinds = {statement.graphs for statement in self.statements}
        return next(iter(kinds)) if len(kinds) == 1 else ()

    @property
    def more(self) -> str:
        """How many are not among those, in words; empty for none."""
        left = self.total - len(self.statements)
        if self.or_more:
            return f"more than {COUNTED - len(self.statements):,} more"
        return f"{left} more" if left > 0 else ""


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """A named graph: what the release says of it, and since when it holds what it holds."""

    iri: str
    name: str
    state: GraphState | None
    since: Release | None
    """The first release of those looked at that has it so; `earlier` where it may be older."""
    earlier: bool


@dataclass(frozen=True, slots=True)
class Version:
    """A release in which a graph that speaks of the resource is another than before it."""

    release: Release
    before: Release | None


@dataclass(frozen=True, slots=True)
class Uses:
    """The first statements that have it as their property, and how many there are."""

    statements: tuple[tuple[Term, Term], ...] = ()
    total: int = 0

    @property
    def counted(self) -> str:
        """How many there are, in words."""
        if self.total > COUNTED:
            return f"more than {COUNTED:,} statements"
        return "1 statement" if self.total == 1 else f"{self.total} statements"


@dataclass(frozen=True, slots=True)
class Resource:
    """What is shown of a resource; `incomplete` where rare properties may be left out."""

    iri: str
    title: Label
    named: bool
    withheld: bool
    description: Term | None
    types: tuple[str, ...]
    stated: tuple[Group, ...]
    links: tuple[Group, ...]
    uses: Uses
    incomplete: bool

    @property
    def is_claim(self) -> bool:
        """Whether it is a claim of an article."""
        return CLAIM in self.types

    def terms(self, property: str) -> tuple[Term, ...]:
        """The first values of a property."""
        found = (group for group in self.stated if group.iri == property)
        return tuple(each.term for group in found for each in group.statements)

    def graphs(self) -> tuple[str, ...]:
        """The named graphs of all statements about it that are shown."""
        each = (statement.graphs for group in self.stated for statement in group.statements)
        return tuple(sorted({graph for graphs in each for graph in graphs}))

    def iris(self) -> tuple[str, ...]:
        """Every IRI that is shown, for their labels: those of values as they stand, each once."""
        groups = (*self.stated, *self.links)
        terms = [statement.term for group in groups for statement in group.statements]
        terms += [term for each in self.uses.statements for term in each]
        shown = [term.value for term in terms if term.is_iri]
        return tuple(dict.fromkeys([*shown, *(group.iri for group in groups)]))


def resource(look: Look, iri: str, *, links: bool = True) -> Resource | None:
    """What the release says of it; None where nothing is stated of it, and nothing leads to it.

    Without `links` what leads to it is not looked for.
    """
    stated, more = _groups(look, iri, "values")
    leading, more_links = _groups(look, iri, "subjects") if links else ((), False)
    uses = _uses(look, iri, stated)
    if not stated and not leading and not uses.total:
        return None
    terms = {group.iri: [each.term for each in group.statements] for group in stated}
    types = tuple(term.value for term in terms.get(RDF_TYPE, ()) if term.is_iri)
    label = _best(terms, _LABELS)
    withheld = label is None and is_withheld(iri)
    title = Label(label.value, label.language) if label else Label(_called(look, iri, types), "")
    return Resource(
        iri=iri,
        title=title,
        named=label is not None,
        withheld=withheld,
        description=_best(terms, _DESCRIPTIONS),
        types=types,
        stated=stated,
        links=leading,
        uses=uses,
        incomplete=more or more_links,
    )


def part(look: Look, iri: str, property: str, page: int, *, into: bool) -> tuple[Group, bool]:
    """So many statements with one property, and whether there are more after them.

    They are those that lead to it (`into`), or are made of it.
    """
    file = "resource-subjects" if into else "resource-values"
    offset = (page - 1) * A_PAGE
    rows = look.rows(file, limit=A_PAGE + 1, offset=offset, it=[iri], property=[property])
    found = _statements(rows)
    statements = found[:A_PAGE]
    group = Group(property, property_name(property, {}), statements, len(statements))
    return group, len(found) > A_PAGE


def named(groups: Iterable[Group], labels: Mapping[str, Label]) -> tuple[Group, ...]:
    """The groups with the names of their properties."""
    return tuple(replace(each, name=property_name(each.iri, labels)) for each in groups)


# --- history ------------------------------------------------------------------------------


def graph_facts(iris: Iterable[str], release: Release, past: Sequence[Release]) -> list[GraphFacts]:
    """What the manifests tell of these graphs; `past` are the newest releases, oldest first."""
    upto = [each for each in past if each.number <= release.number] or [release]
    return [_facts(iri, release, upto) for iri in iris]


def versions(iris: Sequence[str], past: Sequence[Release]) -> list[Version]:
    """The releases in which one of these graphs became what it is, the newest first."""
    found: list[Version] = []
    before: Release | None = None
    known: tuple[str, ...] | None = None
    for release in past:
        digests = tuple(_digest(release, iri) for iri in iris)
        if digests != known and any(digests):
            found.append(Version(release, before))
        known, before = digests, release
    return found[::-1]


def graph_name(iri: str) -> str:
    """A short name of a named graph."""
    return iri.removeprefix(GRAPH) if iri.startswith(GRAPH) else iri


def _facts(iri: str, release: Release, upto: Sequence[Release]) -> GraphFacts:
    digest, since = _digest(release, iri), release
    for earlier in reversed(upto):
        if _digest(earlier, iri) != digest:
            break
        since = earlier
    is_first = since is upto[0] and since.parent is not None
    return GraphFacts(iri, graph_name(iri), state_of(release, iri), since, is_first)


def state_of(release: Release, iri: str) -> GraphState | None:
    """What the manifest says of the graph, whose graphs are sorted by IRI."""
    at = bisect_left(release.graphs, iri, key=attrgetter("iri"))
    found = release.graphs[at : at + 1]
    return found[0] if found and found[0].iri == iri else None


def _digest(release: Release, iri: str) -> str:
    state = state_of(release, iri)
    return state.digest if state else ""


# --- statements ---------------------------------------------------------------------------


def _groups(look: Look, iri: str, side: str) -> tuple[tuple[Group, ...], bool]:
    """The statements by property, and whether there may be properties that are not among them."""
    file = "resource-statements" if side == "values" else "resource-links"
    first = {
        row["property"].value: int(row["count"].value)
        for row in look.rows(f"{file}-count", limit=FIRST + 1, it=[iri])
    }
    if sum(first.values()) <= FIRST:
        return _all(look.rows(file, limit=FIRST, it=[iri]) if first else ()), False
    known = {row["property"].value for row in look.rows(f"resource-known-{side}", it=[iri])}
    groups = [_beginning(look, iri, property, side) for property in known | first.keys()]
    return _sorted(groups), True


def _all(rows: Iterable[Row]) -> tuple[Group, ...]:
    by_property: dict[str, list[Row]] = {}
    for row in rows:
        by_property.setdefault(row["property"].value, []).append(row)
    return _sorted(_whole(property, each) for property, each in by_property.items())


def _uses(look: Look, iri: str, stated: Sequence[Group]) -> Uses:
    """Where it may be a property: where it is said to be one, or nothing is said of it."""
    types = {
        each.term.value for group in stated if group.iri == RDF_TYPE for each in group.statements
    }
    if stated and not any(type.endswith("Property") for type in types):
        return Uses()
    rows = look.rows("resource-uses", limit=SHOWN, it=[iri])
    counted = look.rows("resource-uses-count", it=[iri]) if rows else []
    total = int(counted[0]["count"].value) if counted else 0
    return Uses(tuple((row["subject"], row["value"]) for row in rows), total)


def _whole(property: str, rows: Sequence[Row]) -> Group:
    statements = sorted(_statements(rows), key=_order)
    return Group(property, "", tuple(statements[:SHOWN]), len(statements))


def _beginning(look: Look, iri: str, property: str, side: str) -> Group:
    shown = _statements(look.rows(f"resource-{side}", limit=SHOWN, it=[iri], property=[property]))
    if len(shown) < SHOWN:
        return Group(property, "", shown, len(shown))
    counted = look.rows(f"resource-{side}-count", it=[iri], property=[property])
    total = int(counted[0]["count"].value) if counted else 0
    return Group(property, "", shown, min(total, COUNTED), or_more=total > COUNTED)


def _statements(rows: Iterable[Row]) -> tuple[Statement, ...]:
    """Each statement once, with its graphs, as the rows have them."""
    graphs: dict[Term, list[str]] = {}
    for row in rows:
        graphs.setdefault(row["term"], []).append(row["graph"].value)
    return tuple(Statement(term, tuple(sorted(iris))) for term, iris in graphs.items())


def _order(statement: Statement) -> tuple[bool, bool, str, str]:
    term = statement.term
    return term.is_iri, term.language != "en", term.language, term.value


def _sorted(groups: Iterable[Group]) -> tuple[Group, ...]:
    first = {property: number for number, property in enumerate(_FIRST_PROPERTIES)}
    return tuple(sorted(groups, key=lambda each: (first.get(each.iri, len(first)), each.iri)))


# --- names --------------------------------------------------------------------------------


def _best(terms: Mapping[str, Sequence[Term]], properties: Sequence[str]) -> Term | None:
    """The first value of the first of these properties, English before others."""
    for property in properties:
        texts = [term for term in terms.get(property, ()) if term.kind == "literal"]
        if texts:
            return min(texts, key=lambda term: (term.language != "en", term.language))
    return None


def _called(look: Look, iri: str, types: Sequence[str]) -> str:
    """What a resource without a label is called."""
    if is_withheld(iri):
        return WITHHELD.text.capitalize()
    if state_of(look.release, iri):
        return f"The named graph {graph_name(iri)}"
    return look.compact(iri)


def property_name(property: str, labels: Mapping[str, Label]) -> str:
    """What a property is called; empty where neither these labels nor we name it."""
    label = labels.get(property)
    return label.text if label else _NAMES.get(property, "")


# --- claims -------------------------------------------------------------------------------


def claim_groups(look: Look, iri: str) -> tuple[tuple[tuple[str, str], tuple[str, ...]], ...]:
    """Claims that lead to it by what they measure, else by their kind, the largest groups first."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for row in look.rows("resource-claims", it=[iri]):
        by = "measure" if "measure" in row else "kind"
        found.setdefault((RF + by, row[by].value), {})[row["claim"].value] = None
    ordered = sorted(found.items(), key=lambda each: (-len(each[1]), each[0]))
    return tuple((key, tuple(sorted(claims))) for key, claims in ordered)


def more_lead_to_it(look: Look, iri: str) -> bool:
    """Whether more leads to it than claims are looked for among."""
    return bool(look.rows("resource-leading", limit=1, offset=LEADING_LOOKED_AT - 1, it=[iri]))


def claims_of_group(look: Look, iri: str, by: str, group: str, page: int) -> list[str]:
    """Claims that lead to it with that measure or kind, and one more than a page has."""
    offset = (page - 1) * CLAIMS_A_PAGE
    limit = CLAIMS_A_PAGE + 1
    rows = look.rows(
        "resource-claims-of", limit=limit, offset=offset, it=[iri], by=[by], group=[group]
    )
    return [row["claim"].value for row in rows]


CLAIMS_LOOKED_AT: Final = 200
LEADING_LOOKED_AT: Final = 2000
"""Of what leads to a resource, what claims are looked for among; both are in resource-claims.rq."""
CLAIMS_SHOWN: Final = 6
"""Claims of one group that the page itself shows."""
CLAIMS_IN_ALL: Final = 18
CLAIMS_A_PAGE: Final = 50


def taken(groups: Sequence[tuple[tuple[str, str], Sequence[str]]]) -> Iterator[tuple[str, ...]]:
    """The claims of each group that the page shows: as many as it has room for."""
    left = CLAIMS_IN_ALL
    for _, claims in groups:
        shown = tuple(claims[: min(CLAIMS_SHOWN, left)])
        left -= len(shown)
        yield shown
