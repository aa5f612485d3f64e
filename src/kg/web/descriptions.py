"""The dataset described: VoID 1 at `/.well-known/void`, DCAT 3 at `/catalog`.

A release is a dataset of its own, `/r/<release>/catalog#dataset`, whose numbers never change; it is
a version of the dataset `/catalog#dataset`. All counts are those that the commit wrote down.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from flask import Request
from werkzeug.wrappers import Response

from kg.media import GRAPH_FORMATS, N_QUADS, Format
from kg.namespaces import BASE
from kg.query.linksets import linksets
from kg.settings import Settings
from kg.store.base import GraphState, Release
from kg.store.catalog import Catalog, read_catalog
from kg.store.dumps import DUMP_FORMATS, dump_path, made_dump
from kg.store.embedded import EmbeddedStore
from kg.store.graphs import DEFAULT_GRAPH
from kg.store.statistics import read_statistics
from kg.store.tags import Tag, all_tags
from kg.web.service import FORMAT_NAMES, MOST_GRAPHS
from kg.web.statements import iri, number, root_url, stated, statement, text, typed

_MOST_RELEASES: Final = 100
_MOST_PARTS: Final = 1000
_KEPT: Final = 16
_MEDIA_TYPES: Final = "https://www.iana.org/assignments/media-types/"
_PROTOCOL: Final = iri("http://www.w3.org/TR/sparql11-protocol/")
_DATES: Final = {4: "gYear", 7: "gYearMonth", 10: "date"}
_NOT_MADE: Final = (
    "This dump is made when it is first asked for; its size and checksum are told from then on."
)


class Descriptions:
    """The descriptions of a store's releases; those of links are kept, since they are queried."""

    def __init__(self, store: EmbeddedStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._links: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def void(
        self, request: Request, at: str | None, choose: Callable[[Sequence[Format]], Format]
    ) -> Response:
        """The VoID description of a release, or of HEAD. Raises NotAcceptable and BadArgument."""
        release = self._store.release(at)
        told = self._told(request, release, at)
        return stated(request, _void(told, self._linksets(release)), release, choose)

    def catalog(
        self, request: Request, at: str | None, choose: Callable[[Sequence[Format]], Format]
    ) -> Response:
        """The DCAT catalog of the store, or of one release. Raises as `void`."""
        release = self._store.release(at)
        told = self._told(request, release, at)
        versions = [release] if at else self._versions(release)
        tags = all_tags(self._store.folder)
        return stated(request, _catalog(told, versions, tags), release, choose)

    def _told(self, request: Request, release: Release, at: str | None) -> _Told:
        return _Told(
            release=release,
            catalog=read_catalog(release.folder),
            base=root_url(request, None),
            root=root_url(request, at),
            store=self._store,
        )

    def _versions(self, head: Release) -> list[Release]:
        """The newest releases, the tagged ones and HEAD."""
        tagged = {tag.release for tag in all_tags(self._store.folder)} | {head.name}
        releases = self._store.releases()
        newest = {release.name for release in releases[-_MOST_RELEASES:]}
        return [release for release in releases if release.name in newest | tagged]

    def _linksets(self, release: Release) -> list[str]:
        with self._lock:
            known = self._links.get(release.name)
        if known is None:
            known = linksets(release.name, self._store, self._settings)
            with self._lock:
                self._links[release.name] = known
                while len(self._links) > _KEPT:
                    del self._links[next(iter(self._links))]
        return known


@dataclass(frozen=True, slots=True)
class _Told:
    """What is described: a release, the URL of the server, and that below which it is read."""

    release: Release
    catalog: Catalog
    base: str
    root: str
    store: EmbeddedStore

    @property
    def dataset(self) -> str:
        """The release as a dataset, as a term."""
        return self.version(self.release.name)

    @property
    def whole(self) -> str:
        """The dataset of which releases are versions, as a term."""
        return iri(f"{self.base}catalog#dataset")

    @property
    def sparql(self) -> str:
        """The endpoint that answers from the release."""
        return f"{self.root}sparql"

    @property
    def at(self) -> str:
        """Where the release is read, whatever HEAD names."""
        return f"{self.base}r/{self.release.name}/"

    def version(self, release: str) -> str:
        """A release as a dataset, as a term."""
        return iri(f"{self.base}r/{release}/catalog#dataset")

    def dump(self, format: Format) -> str:
        """Where a dump is got."""
        return f"{self.base}dump/{self.release.name}.{format.suffix}.gz"


# --- what both say ------------------------------------------------------------------------


def _in_words(node: str, catalog: Catalog, title: str = "") -> Iterator[str]:
    """Title, description, licence, publisher and creators."""
    yield statement(node, "dcterms:title", text(title or catalog.title))
    if catalog.description:
        yield statement(node, "dcterms:description", text(catalog.description))
    if catalog.licence:
        yield statement(node, "dcterms:license", iri(catalog.licence))
    if catalog.homepage:
        yield statement(node, "foaf:homepage", iri(catalog.homepage))
    if catalog.publisher:
        publisher = iri(catalog.publisher_iri) if catalog.publisher_iri else "_:publisher"
        yield statement(node, "dcterms:publisher", publisher)
        yield from _agent(publisher, catalog.publisher)
    for place, name in enumerate(catalog.creators):
        yield statement(node, "dcterms:creator", f"_:creator{place}")
        yield from _agent(f"_:creator{place}", name)


def _agent(node: str, name: str) -> Iterator[str]:
    yield statement(node, "rdf:type", "foaf:Agent")
    yield statement(node, "foaf:name", text(name))


def _version(told: _Told, release: Release) -> Iterator[str]:
    """What each release is as a version of the dataset."""
    node = told.version(release.name)
    yield statement(node, "rdf:type", "dcat:Dataset")
    yield statement(node, "dcat:isVersionOf", told.whole)
    yield statement(node, "dcat:version", text(release.name))
    yield statement(node, "dcterms:issued", typed(release.time, "dateTime"))
    yield statement(node, "service:digest", text(release.digest))
    if release.parent:
        yield statement(node, "dcat:previousVersion", told.version(release.parent))


# --- VoID ---------------------------------------------------------------------------------


def _void(told: _Told, links: Iterable[str]) -> Iterator[str]:
    document, node = iri(f"{told.root}.well-known/void"), told.dataset
    yield statement(document, "rdf:type", "void:DatasetDescription")
    yield statement(document, "dcterms:title", text(f"{told.catalog.title}, described"))
    yield statement(document, "foaf:primaryTopic", node)
    yield statement(node, "rdf:type", "void:Dataset")
    yield statement(node, "void:sparqlEndpoint", iri(told.sparql))
    yield statement(node, "void:uriSpace", text(BASE))
    for format in DUMP_FORMATS:
        yield statement(node, "void:dataDump", iri(told.dump(format)))
    for format in GRAPH_FORMATS:
        yield statement(node, "void:feature", f"formats:{FORMAT_NAMES[format]}")
    yield from _in_words(node, told.catalog, _title(told, told.release))
    yield from _version(told, told.release)
    yield from _counts(told)
    yield from _subsets(told)
    yield from _linked(node, links)


def _counts(told: _Told) -> Iterator[str]:
    """The triples of the default graph, by property and by class (VoID 1, sections 4.6, 4.7)."""
    statistics, node = read_statistics(told.release.folder), told.dataset
    if statistics is None:
        return
    yield statement(node, "void:triples", number(statistics.triples))
    yield statement(node, "void:classes", number(len(statistics.classes)))
    yield statement(node, "void:properties", number(len(statistics.properties)))
    classes, properties = _most(statistics.classes), _most(statistics.properties)
    for place, (name, count) in enumerate(classes):
        part = f"_:class{place}"
        yield statement(node, "void:classPartition", part)
        yield statement(part, "void:class", iri(name))
        yield statement(part, "void:entities", number(count))
    for place, (name, count) in enumerate(properties):
        part = f"_:property{place}"
        yield statement(node, "void:propertyPartition", part)
        yield statement(part, "void:property", iri(name))
        yield statement(part, "void:triples", number(count))
    for vocabulary in sorted({_namespace(name) for name, _ in (*classes, *properties)} - {""}):
        yield statement(node, "void:vocabulary", iri(vocabulary))
    if len(statistics.classes) > _MOST_PARTS or len(statistics.properties) > _MOST_PARTS:
        said = f"Of its classes, and of its properties, the {_MOST_PARTS} with the most are here."
        yield statement(node, "rdfs:comment", text(said))


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Those with the greatest counts: data may have as many as it has triples."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:_MOST_PARTS]


def _namespace(name: str) -> str:
    """What an IRI has before its last name; empty where it has none."""
    return name[: max(name.rfind("#"), name.rfind("/")) + 1]


def _subsets(told: _Told) -> Iterator[str]:
    named = [state for state in told.release.graphs if state.iri != DEFAULT_GRAPH]
    for state in named[:MOST_GRAPHS]:
        yield from _subset(told, state)
    if len(named) > MOST_GRAPHS:
        said = f"{MOST_GRAPHS} of its {len(named)} named graphs are described here as subsets."
        yield statement(told.dataset, "rdfs:comment", text(said))


def _subset(told: _Told, state: GraphState) -> Iterator[str]:
    """A named graph by the address where it is read, as it may be another in another release."""
    node = iri(f"{told.at}graphs?graph={quote(state.iri, safe='')}")
    yield statement(told.dataset, "void:subset", node)
    yield statement(node, "rdf:type", "void:Dataset")
    yield statement(node, "rdf:type", "sd:NamedGraph")
    yield statement(node, "sd:name", iri(state.iri))
    yield statement(node, "void:triples", number(state.quads))
    yield statement(node, "service:digest", text(state.digest))


def _linked(node: str, links: Iterable[str]) -> Iterator[str]:
    declared = statement("", "rdf:type", "void:Linkset")
    for line in links:
        yield line
        if line.endswith(declared):
            yield statement(node, "void:subset", line.removesuffix(declared))


# --- DCAT ---------------------------------------------------------------------------------


def _catalog(told: _Told, versions: Sequence[Release], tags: Sequence[Tag]) -> Iterator[str]:
    """The catalog with one dataset, its versions, their distributions and the endpoint."""
    node, service = iri(f"{told.root}catalog"), iri(f"{told.sparql}#service")
    yield statement(node, "rdf:type", "dcat:Catalog")
    yield from _in_words(node, told.catalog)
    yield statement(node, "dcterms:modified", typed(told.release.time, "dateTime"))
    yield statement(node, "dcat:service", service)
    yield statement(node, "dcat:dataset", told.whole)
    yield statement(node, "dcat:dataset", told.dataset)
    yield from _whole(told, versions)
    for release in versions:
        # In the words of the release that is described; each has its own at its own catalog.
        yield from _in_words(told.version(release.name), told.catalog, _title(told, release))
        yield from _version(told, release)
    for tag in tags:
        if tag.release in {release.name for release in versions}:
            yield statement(told.version(tag.release), "service:tag", text(tag.name))
    for format in DUMP_FORMATS:
        yield from _distribution(told, format)
    yield from _service(told, service)


def _title(told: _Told, release: Release) -> str:
    return f"{told.catalog.title}, release {release.name}"


def _whole(told: _Told, versions: Sequence[Release]) -> Iterator[str]:
    node = told.whole
    yield from _in_words(node, told.catalog)
    yield statement(node, "rdf:type", "dcat:Dataset")
    yield statement(node, "dcterms:modified", typed(told.release.time, "dateTime"))
    if told.catalog.identifier:
        yield statement(node, "dcterms:identifier", text(told.catalog.identifier))
    if told.catalog.issued:
        yield statement(node, "dcterms:issued", _date(told.catalog.issued))
    if told.root == told.base:
        yield statement(node, "dcat:hasCurrentVersion", told.dataset)
    for release in versions:
        yield statement(node, "dcat:hasVersion", told.version(release.name))


def _date(value: str) -> str:
    return typed(value, "dateTime" if "T" in value else _DATES[len(value)])


def _distribution(told: _Told, format: Format) -> Iterator[str]:
    """A dump; what is known of it is known once it was made."""
    node, url = iri(f"{told.at}catalog#{format.name}"), iri(told.dump(format))
    yield statement(told.dataset, "dcat:distribution", node)
    yield statement(node, "rdf:type", "dcat:Distribution")
    yield statement(node, "dcterms:title", text(f"The public graphs as {_written(format)}"))
    yield statement(node, "dcat:accessURL", url)
    yield statement(node, "dcat:downloadURL", url)
    yield statement(node, "dcat:mediaType", iri(_MEDIA_TYPES + format.media_type))
    yield statement(node, "dcat:compressFormat", iri(_MEDIA_TYPES + "application/gzip"))
    yield statement(node, "dcterms:issued", typed(told.release.time, "dateTime"))
    if told.catalog.licence:
        yield statement(node, "dcterms:license", iri(told.catalog.licence))
    made = made_dump(dump_path(told.store.folder, told.release.name, format))
    if made is None:
        yield statement(node, "rdfs:comment", text(_NOT_MADE))
        return
    checksum = f"_:checksum-{format.name}"
    yield statement(node, "dcat:byteSize", number(made.size, "nonNegativeInteger"))
    yield statement(node, "spdx:checksum", checksum)
    yield statement(checksum, "rdf:type", "spdx:Checksum")
    yield statement(checksum, "spdx:algorithm", "spdx:checksumAlgorithm_sha256")
    yield statement(checksum, "spdx:checksumValue", typed(made.sha256, "hexBinary"))


def _written(format: Format) -> str:
    return "N-Quads" if format is N_QUADS else "TriG"


def _service(told: _Told, node: str) -> Iterator[str]:
    yield statement(node, "rdf:type", "dcat:DataService")
    yield statement(node, "dcterms:title", text(f"SPARQL endpoint of {told.catalog.title}"))
    yield statement(node, "dcat:endpointURL", iri(told.sparql))
    yield statement(node, "dcat:endpointDescription", iri(told.sparql))
    yield statement(node, "dcterms:conformsTo", _PROTOCOL)
    yield statement(node, "dcat:servesDataset", told.dataset)
    if told.catalog.licence:
        yield statement(node, "dcterms:license", iri(told.catalog.licence))
