"""What a release says of itself as a dataset: title, description, publisher, licence (DCAT 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Store

from kg.errors import MalformedFile, Place, StoreDamaged

FILE: Final = "catalog.ttl"
"""Its name in a release, and below `data/` in a project."""
_DCAT: Final = "http://www.w3.org/ns/dcat#"
_DCTERMS: Final = "http://purl.org/dc/terms/"
_FOAF: Final = "http://xmlns.com/foaf/0.1/"
_TYPE: Final = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_WHAT: Final = "a description of a dataset"

_DATE: Final = re.compile(
    r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
    r"(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
"""A year, a month, a day, or a time (DCAT 3, section 6.4.7)."""

_Term = NamedNode | BlankNode | Literal


@dataclass(frozen=True, slots=True)
class Catalog:
    """The dataset in words; a member is empty where nothing is said.

    `publisher` and `creators` are names, `licence`, `homepage` and `publisher_iri` are IRIs,
    `issued` is a year, a month, a day or a time.
    """

    title: str = "a kg dataset"
    description: str = ""
    publisher: str = ""
    publisher_iri: str = ""
    creators: tuple[str, ...] = ()
    licence: str = ""
    homepage: str = ""
    identifier: str = ""
    issued: str = ""


def read_catalog(release: Path) -> Catalog:
    """What the release in this folder carries; raises StoreDamaged where that cannot be read."""
    file = release / FILE
    try:
        return parse_catalog(file.read_bytes(), file)
    except FileNotFoundError:
        return Catalog()
    except (OSError, MalformedFile) as error:
        raise StoreDamaged(
            f"the description of this release cannot be read: {error}",
            remedy="Restore this file from a copy, or build a new store: kg build --store OTHER.",
            place=Place(file),
        ) from error


def parse_catalog(content: bytes, file: Path) -> Catalog:
    """The one dcat:Dataset of a Turtle document.

    `file` is where it stands. Raises MalformedFile, with the line where it is no Turtle.
    """
    store = Store()
    try:
        store.load(content, RdfFormat.TURTLE)
    except SyntaxError as error:
        place = Place(file, error.lineno, error.offset)
        raise MalformedFile(place, "Turtle", str(error.args[0])) from error
    return _Reader(store, file).catalog()


class _Reader:
    """The values of the properties of one node after the other."""

    def __init__(self, store: Store, file: Path) -> None:
        self._store = store
        self._file = file

    def catalog(self) -> Catalog:
        node = self._dataset()
        publisher = self._one(node, _DCTERMS + "publisher")
        return Catalog(
            title=self._text(node, _DCTERMS + "title", needed=True),
            description=self._text(node, _DCTERMS + "description"),
            publisher=self._name(publisher),
            publisher_iri=publisher.value if isinstance(publisher, NamedNode) else "",
            creators=tuple(sorted(map(self._name, self._all(node, _DCTERMS + "creator")))),
            licence=self._iri(node, _DCTERMS + "license"),
            homepage=self._iri(node, _FOAF + "homepage") or self._iri(node, _DCAT + "landingPage"),
            identifier=self._text(node, _DCTERMS + "identifier"),
            issued=self._date(node, _DCTERMS + "issued"),
        )

    def _dataset(self) -> NamedNode | BlankNode:
        quads = self._store.quads_for_pattern(None, _TYPE, NamedNode(_DCAT + "Dataset"))
        subjects = (quad.subject for quad in quads)
        found = [node for node in subjects if isinstance(node, NamedNode | BlankNode)]
        if len(found) != 1:
            raise self._malformed(f"it has {len(found)} resources of type dcat:Dataset, not one")
        return found[0]

    def _all(self, node: NamedNode | BlankNode, iri: str) -> list[_Term]:
        quads = self._store.quads_for_pattern(node, NamedNode(iri), None)
        objects = (quad.object for quad in quads)
        return [term for term in objects if isinstance(term, NamedNode | BlankNode | Literal)]

    def _one(self, node: NamedNode | BlankNode, iri: str) -> _Term | None:
        found = self._all(node, iri)
        if len(found) > 1:
            raise self._malformed(f"its dataset has {len(found)} values of <{iri}>, not one")
        return found[0] if found else None

    def _text(self, node: NamedNode | BlankNode, iri: str, *, needed: bool = False) -> str:
        term = self._one(node, iri)
        if needed and term is None:
            raise self._malformed(f"its dataset lacks <{iri}>")
        if isinstance(term, BlankNode):
            raise self._malformed(f"<{iri}> of its dataset is a blank node, not a text")
        return term.value if term else ""

    def _date(self, node: NamedNode | BlankNode, iri: str) -> str:
        value = self._text(node, iri)
        if value and not _DATE.fullmatch(value):
            problem = f"<{iri}> of its dataset is {Literal(value)}, not a date such as 2017-10-25"
            raise self._malformed(problem)
        return value

    def _iri(self, node: NamedNode | BlankNode, iri: str) -> str:
        term = self._one(node, iri)
        if term is not None and not isinstance(term, NamedNode):
            raise self._malformed(f"<{iri}> of its dataset is {term}, not an IRI")
        return term.value if term else ""

    def _name(self, agent: _Term | None) -> str:
        """The name of an agent; one that has none is called by its IRI."""
        if agent is None or isinstance(agent, Literal):
            return agent.value if agent else ""
        name = self._text(agent, _FOAF + "name")
        if not name and isinstance(agent, BlankNode):
            raise self._malformed("a publisher or creator has neither an IRI nor a foaf:name")
        return name or agent.value

    def _malformed(self, problem: str) -> MalformedFile:
        return MalformedFile(Place(self._file), _WHAT, problem)
