"""The terms and the codes of a release as the release itself tells them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from kg.namespaces import GRAPH
from kg.query.views.look import Label, Look, Row, Term
from kg.store.base import Release
from kg.store.statistics import NOTHING, read_statistics

ONTOLOGY: Final = GRAPH + "ontology"

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
_OWL: Final = "http://www.w3.org/2002/07/owl#"
_SKOS: Final = "http://www.w3.org/2004/02/skos/core#"
_DCTERMS: Final = "http://purl.org/dc/terms/"
_TYPE: Final = _RDF + "type"
_LABELS: Final = (_SKOS + "prefLabel", _RDFS + "label", _DCTERMS + "title")
_DEFINITIONS: Final = (_SKOS + "definition", _DCTERMS + "description", _RDFS + "comment")

Told = Mapping[str, Sequence[Term]]
"""What is said of one subject: values by the IRI of their property."""


class Kind(Enum):
    """What a term is for; the value is its name for people."""

    CLASS = "class"
    OBJECT = "property that leads to a resource"
    DATA = "property that has a literal"
    PROPERTY = "property"
    DATATYPE = "datatype"
    CONCEPT = "concept"


_KINDS: Final = {
    _OWL + "Class": Kind.CLASS,
    _RDFS + "Class": Kind.CLASS,
    _OWL + "ObjectProperty": Kind.OBJECT,
    _OWL + "DatatypeProperty": Kind.DATA,
    _OWL + "AnnotationProperty": Kind.DATA,
    _RDF + "Property": Kind.PROPERTY,
    _RDFS + "Datatype": Kind.DATATYPE,
}
"""The more telling type first: a term has several."""


@dataclass(frozen=True, slots=True)
class OntologyTerm:
    """A class, a property, a datatype or a concept; `used` counts what the release has of it."""

    iri: str
    kind: Kind
    label: Label
    definition: str
    scope_note: str
    examples: tuple[str, ...]
    domains: tuple[str, ...]
    ranges: tuple[str, ...]
    parents: tuple[str, ...]
    close: tuple[str, ...]
    retired: bool
    replacements: tuple[str, ...]
    used: int = 0


@dataclass(frozen=True, slots=True)
class Ontology:
    """The ontology of a release: what it is called, its version, its terms by label."""

    iri: str
    title: str
    description: str
    version: str
    version_iri: str
    prefix: str
    namespace: str
    terms: tuple[OntologyTerm, ...]

    def of(self, *kinds: Kind) -> list[OntologyTerm]:
        """The terms of these kinds, by label; retired ones come last."""
        chosen = (term for term in self.terms if term.kind in kinds)
        return sorted(chosen, key=lambda term: (term.retired, *_by_label(term)))

    @property
    def properties(self) -> list[OntologyTerm]:
        """Its properties, by label."""
        return self.of(Kind.OBJECT, Kind.DATA, Kind.PROPERTY)

    def labels(self) -> dict[str, Label]:
        """What its terms are called."""
        return {term.iri: term.label for term in self.terms if term.label.text}


@dataclass(frozen=True, slots=True)
class Scheme:
    """A concept scheme with the first of its concepts; `total` is how many it has."""

    about: OntologyTerm
    total: int
    concepts: tuple[OntologyTerm, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the ontology, and the first release of those that are kept which has it."""

    name: str
    release: Release
    terms: int


def ontology(look: Look) -> Ontology:
    """What the release says of its terms; raises what `Look.rows` raises."""
    told = _told(look.rows("ontology-terms"))
    statistics = read_statistics(look.release.folder) or NOTHING
    counts = {**statistics.properties, **statistics.classes}
    header = next((iri for iri, said in told.items() if _is(said, _OWL + "Ontology")), "")
    about = told.get(header, {})
    found = (_term(iri, said, counts.get(iri, 0)) for iri, said in told.items())
    return Ontology(
        iri=header,
        title=_label(about).text,
        description=_text(about, *_DEFINITIONS),
        version=_text(about, _OWL + "versionInfo"),
        version_iri=_text(about, _OWL + "versionIRI"),
        prefix=_text(about, "http://purl.org/vocab/vann/preferredNamespacePrefix"),
        namespace=_text(about, "http://purl.org/vocab/vann/preferredNamespaceUri"),
        terms=tuple(sorted((term for term in found if term), key=_by_label)),
    )


def schemes(look: Look, *, limit: int, offset: int, each: int) -> list[Scheme]:
    """Concept schemes by IRI, each with its first concepts by label."""
    rows = look.rows("ontology-schemes", limit=limit, offset=offset)
    about = _about(look, (row["scheme"].value for row in rows))
    return [
        Scheme(
            about=about[row["scheme"].value],
            total=int(row["concepts"].value),
            concepts=tuple(concepts(look, row["scheme"].value, limit=each, offset=0)),
        )
        for row in rows
        if row["scheme"].value in about
    ]


def scheme(look: Look, iri: str) -> OntologyTerm | None:
    """What a scheme is called; None where nothing is in it."""
    if not look.rows("ontology-concepts", limit=1, scheme=[iri]):
        return None
    return _about(look, [iri]).get(iri) or _term(iri, {}, 0, Kind.CONCEPT)


def concepts(look: Look, of: str, *, limit: int, offset: int) -> list[OntologyTerm]:
    """Concepts of a scheme, by label."""
    rows = look.rows("ontology-concepts", limit=limit, offset=offset, scheme=[of])
    iris = [row["concept"].value for row in rows if row["concept"].is_iri]
    about = _about(look, iris)
    return [about[iri] for iri in iris if iri in about]


def versions(releases: Sequence[Release], ontologies: Iterable[Ontology]) -> list[Version]:
    """The versions that these releases, which `beginnings` gave, have; the newest first."""
    found = [
        Version(told.version or release.name, release, len(told.terms))
        for release, told in zip(releases, ontologies, strict=True)
    ]
    return found[::-1]


def beginnings(releases: Iterable[Release], most: int) -> list[Release]:
    """Each release whose ontology differs from that of the release before, the last so many."""
    found: list[Release] = []
    before = None
    for release in releases:
        digest = next((state.digest for state in release.graphs if state.iri == ONTOLOGY), None)
        if digest and digest != before:
            found.append(release)
        before = digest
    return found[-most:]


# --- reading ------------------------------------------------------------------------------


def _about(look: Look, iris: Iterable[str]) -> dict[str, OntologyTerm]:
    wanted = sorted(set(iris))
    rows = look.rows("ontology-about", term=wanted) if wanted else []
    found = {}
    for iri, said in _told(rows).items():
        term = _term(iri, said, 0, Kind.CONCEPT)
        if term:
            found[iri] = term
    return found


def _told(rows: Iterable[Row]) -> dict[str, Told]:
    found: dict[str, dict[str, list[Term]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row["term"].value][row["property"].value].append(row["value"])
    return {iri: dict(said) for iri, said in found.items()}


def _term(iri: str, said: Told, used: int, kind: Kind | None = None) -> OntologyTerm | None:
    kind = kind or next((kind for type, kind in _KINDS.items() if _is(said, type)), None)
    if kind is None:
        return None
    return OntologyTerm(
        iri=iri,
        kind=kind,
        label=_label(said),
        definition=_text(said, *_DEFINITIONS),
        scope_note=_text(said, _SKOS + "scopeNote"),
        examples=tuple(_english(said.get(_SKOS + "example", ()))),
        domains=_iris(said, _RDFS + "domain"),
        ranges=_iris(said, _RDFS + "range"),
        parents=_iris(said, _RDFS + "subClassOf", _RDFS + "subPropertyOf"),
        close=_iris(said, _SKOS + "closeMatch", _SKOS + "exactMatch"),
        retired=_text(said, _OWL + "deprecated") in ("true", "1"),
        replacements=_iris(said, _DCTERMS + "isReplacedBy"),
        used=used,
    )


def _is(said: Told, type: str) -> bool:
    return any(value.value == type for value in said.get(_TYPE, ()))


def _iris(said: Told, *properties: str) -> tuple[str, ...]:
    return tuple(
        value.value for property in properties for value in said.get(property, ()) if value.is_iri
    )


def _text(said: Told, *properties: str) -> str:
    return next((text for each in properties for text in _english(said.get(each, ()))), "")


def _english(values: Iterable[Term]) -> list[str]:
    """The values, those in English first."""
    return [value.value for value in sorted(values, key=_language)]


def _label(said: Told) -> Label:
    values = [value for each in _LABELS for value in sorted(said.get(each, ()), key=_language)]
    return Label(values[0].value, values[0].language) if values else Label("", "")


def _language(value: Term) -> tuple[bool, str]:
    return value.language != "en", value.language


def _by_label(term: OntologyTerm) -> tuple[str, str]:
    return term.label.text.lower(), term.iri
