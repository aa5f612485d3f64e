"""`/.well-known/void` and `/catalog`: every number is what SPARQL counts in the same release."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from urllib.parse import urlsplit

import pytest
from rdflib import RDF, RDFS, XSD, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from kg.media import GRAPH_FORMATS, N_TRIPLES
from kg.namespaces import BASE, GRAPH
from kg.settings import Settings
from kg.store.base import Release
from kg.store.dumps import DUMP_FORMATS
from kg.store.embedded import EmbeddedStore, commit
from kg.store.releases import Releases
from kg.store.rewriting import rewritten
from kg.store.tags import Tag, write_tag
from kg_server import Server, running
from store_parts import CONTEXT, NOW, change, committed, graph
from web.writable import Writable, writable_server

DCAT = Namespace("http://www.w3.org/ns/dcat#")
DCTERMS = Namespace("http://purl.org/dc/terms/")
FOAF = Namespace("http://xmlns.com/foaf/0.1/")
SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VOID = Namespace("http://rdfs.org/ns/void#")
SERVICE = Namespace(BASE + "service#")
LICENCE = URIRef("https://creativecommons.org/licenses/by/4.0/")
VOID_PATH = "/.well-known/void"


@pytest.fixture(scope="module")
def ours(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writable]:
    """A server of our own project, which may be written."""
    folder = copytree(real_store, tmp_path_factory.mktemp("ours") / "store")
    with writable_server(folder, folder.parent / "log", workers=1) as server:
        yield server


def read(server: Server, path: str, accept: str = "*/*") -> Graph:
    reply = server.send(path, headers={"Accept": accept})
    assert reply.status == 200, reply.body
    media_type = reply.headers["content-type"].partition(";")[0]
    (format,) = [each for each in GRAPH_FORMATS if each.media_type == media_type]
    return Graph().parse(data=rewritten(reply.body, format, N_TRIPLES), format="nt")


def count(server: Server, query: str, at: str = "") -> list[list[str]]:
    """The rows of a query, a blank node as an empty string."""
    reply = server.send(
        f"{at}/sparql",
        method="POST",
        body=query.encode(),
        headers={
            "Content-Type": "application/sparql-query",
            "Accept": "application/sparql-results+json",
        },
    )
    answer = json.loads(reply.body)
    return [
        [row[name]["value"] for name in answer["head"]["vars"]]
        for row in answer["results"]["bindings"]
    ]


def topic(graph: Graph) -> Node:
    """The release that a VoID document is about."""
    (dataset,) = graph.objects(None, FOAF.primaryTopic)
    return dataset


def partitions(graph: Graph, part: URIRef, by: URIRef, counted: URIRef) -> dict[str, int]:
    return {
        str(graph.value(node, by)): int(str(graph.value(node, counted)))
        for node in graph.objects(topic(graph), part)
    }


def check_numbers(server: Server, at: str = "") -> None:
    """Compare everything that VoID counts with what SPARQL counts."""
    graph = read(server, at + VOID_PATH)
    node = topic(graph)
    numbers = {name: graph.value(node, VOID[name]) for name in ("triples", "properties", "classes")}
    ((triples, properties),) = count(
        server, "SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?p) AS ?m) { ?s ?p ?o }", at
    )
    ((classes,),) = count(
        server, "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c FILTER(isIRI(?c)) }", at
    )
    told = {name: int(str(value)) for name, value in numbers.items()}
    assert told == {
        "triples": int(triples),
        "properties": int(properties),
        "classes": int(classes),
    }
    rows = count(server, "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p", at)
    by_property = partitions(graph, VOID.propertyPartition, VOID.property, VOID.triples)
    assert by_property == {name: int(number) for name, number in rows}
    of_class = "SELECT ?c (COUNT(DISTINCT ?s) AS ?n) { ?s a ?c FILTER(isIRI(?c)) } GROUP BY ?c"
    by_class = partitions(graph, VOID.classPartition, VOID["class"], VOID.entities)
    assert by_class == {name: int(number) for name, number in count(server, of_class, at)}
    rows = count(server, "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g", at)
    by_graph = {
        str(graph.value(subset, SD.name)): int(str(graph.value(subset, VOID.triples)))
        for subset in graph.subjects(RDF.type, SD.NamedGraph)
    }
    assert by_graph == {name: int(number) for name, number in rows}


# --- VoID ---------------------------------------------------------------------------------


def test_the_numbers_of_a_build_are_those_of_sparql(ours: Writable) -> None:
    check_numbers(ours.server)


def test_a_triple_of_two_graphs_is_counted_once(server: Server) -> None:
    check_numbers(server)


def test_the_numbers_follow_writes_and_a_delete_and_each_release_keeps_its_own(
    ours: Writable,
) -> None:
    before = ours.release()
    both = "<http://ex/s> a <http://ex/Class> ; <http://ex/p> 1, 2 ."
    assert ours.put("/graphs/one", both + "<http://ex/t> a <http://ex/Class> .").status == 201
    assert ours.put("/graphs/two", both).status == 201
    check_numbers(ours.server)
    insert = "INSERT DATA { GRAPH <http://ex/three> { <http://ex/u> a <http://ex/Class> } }"
    assert ours.update(insert).status == 204
    check_numbers(ours.server)
    assert ours.send("DELETE", "/graphs/one").status == 204
    check_numbers(ours.server)
    graph = read(ours.server, VOID_PATH)
    assert (
        partitions(graph, VOID.classPartition, VOID["class"], VOID.entities)["http://ex/Class"] == 2
    )
    check_numbers(ours.server, f"/r/{before}")


def test_linksets_have_target_predicate_and_number_of_links(ours: Writable) -> None:
    graph = read(ours.server, VOID_PATH)
    found = {
        str(node): int(str(graph.value(node, VOID.triples)))
        for node in graph.subjects(RDF.type, VOID.Linkset)
    }
    rows = count(
        ours.server,
        "PREFIX void: <http://rdfs.org/ns/void#> SELECT ?g (COUNT(*) AS ?n)"
        " { GRAPH ?g { ?g a void:Linkset ; void:linkPredicate ?p . ?s ?p ?o } } GROUP BY ?g",
    )
    assert len(found) == 3
    assert found == {name: int(number) for name, number in rows}
    for linkset in map(URIRef, found):
        assert (topic(graph), VOID.subset, linkset) in graph
        target = graph.value(linkset, VOID.objectsTarget)
        assert graph.value(linkset, VOID.linkPredicate)
        assert graph.value(target, VOID.uriSpace)


def test_void_says_whose_it_is_and_where_it_is_got(ours: Writable) -> None:
    graph, url = read(ours.server, VOID_PATH), ours.server.url
    node, name = topic(graph), ours.release()
    assert (URIRef(url + ".well-known/void"), RDF.type, VOID.DatasetDescription) in graph
    assert node == URIRef(f"{url}r/{name}/catalog#dataset")
    release = Releases.open(ours.folder).named(name)
    said = {
        VOID.sparqlEndpoint: {URIRef(url + "sparql")},
        VOID.dataDump: {URIRef(f"{url}dump/{name}.{format.suffix}.gz") for format in DUMP_FORMATS},
        VOID.uriSpace: {Literal(BASE)},
        DCTERMS.license: {LICENCE},
        SERVICE.digest: {Literal(release.digest)},
        DCAT.version: {Literal(name)},
    }
    assert {term: set(graph.objects(node, term)) for term in said} == said
    assert graph.value(graph.value(node, DCTERMS.publisher), FOAF.name) == Literal("the kg project")
    assert URIRef("http://www.w3.org/2004/02/skos/core#") in set(
        graph.objects(node, VOID.vocabulary)
    )


def test_restricted_graphs_are_in_no_description(server: Server) -> None:
    for path in (VOID_PATH, "/catalog"):
        graph = read(server, path)
        assert not any("secret" in str(term) for triple in graph for term in triple)


@pytest.mark.parametrize("path", [VOID_PATH, "/catalog"])
@pytest.mark.parametrize("format", GRAPH_FORMATS, ids=lambda format: format.name)
def test_a_description_comes_in_every_format_of_graphs(
    server: Server, path: str, format: object
) -> None:
    (chosen,) = [each for each in GRAPH_FORMATS if each is format]
    same = read(server, path)
    assert len(read(server, path, chosen.media_type)) == len(same) > 20
    assert (
        server.send(f"{path}?format={chosen.name}")
        .headers["content-type"]
        .startswith(chosen.media_type)
    )


@pytest.mark.parametrize("path", [VOID_PATH, "/catalog", "/r/1/catalog", "/r/1" + VOID_PATH])
def test_a_description_behaves_as_other_paths_do(server: Server, path: str) -> None:
    get, head = server.send(path), server.send(path, method="HEAD")
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", get.headers["etag"])
    assert server.send(path, headers={"If-None-Match": get.headers["etag"]}).status == 304
    assert server.send(path, headers={"Accept": "image/png"}).status == 406
    assert server.send(path, method="PUT", body=b"").status == 405
    assert get.headers["cache-control"] == "no-cache"
    assert get.headers["vary"] == "Accept"


def test_a_description_of_an_unknown_release_is_404(server: Server) -> None:
    assert server.send("/r/99/catalog").status == server.send("/r/99" + VOID_PATH).status == 404


# --- DCAT ---------------------------------------------------------------------------------


def test_the_catalog_has_what_dcat_ap_requires(ours: Writable) -> None:
    """DCAT-AP 3: the mandatory properties of each class that occurs."""
    graph = read(ours.server, "/catalog")
    required = {
        DCAT.Catalog: (DCTERMS.title, DCTERMS.description, DCTERMS.publisher),
        DCAT.Dataset: (DCTERMS.title, DCTERMS.description),
        DCAT.Distribution: (DCAT.accessURL,),
        DCAT.DataService: (DCTERMS.title, DCAT.endpointURL),
        FOAF.Agent: (FOAF.name,),
    }
    for kind, properties in required.items():
        nodes = list(graph.subjects(RDF.type, kind))
        assert nodes, kind
        lacking = [
            (node, each) for node in nodes for each in properties if graph.value(node, each) is None
        ]
        assert lacking == []
    for versions in graph.subjects(RDF.type, DCAT.Dataset):
        assert len(list(graph.objects(versions, DCTERMS.title))) == 1


def test_the_checksums_are_those_of_the_bytes_that_are_downloaded(ours: Writable) -> None:
    """They are known once the dumps were made; a build makes them, a write does not."""
    assert ours.put("/graphs/checked", "<http://ex/a> <http://ex/b> 5 .").status in (201, 204)
    release = ours.release()
    unmade = list(read(ours.server, "/catalog").objects(None, RDFS.comment))
    assert len(unmade) == 2 and all("made when it is first asked for" in str(it) for it in unmade)
    assert list(read(ours.server, "/catalog").objects(None, SPDX.checksum)) == []
    with EmbeddedStore(ours.folder, Settings(workers=1)) as store:
        for format in DUMP_FORMATS:
            store.dump(store.release(release), format)
    graph = read(ours.server, "/catalog")
    distributions = list(graph.subjects(RDF.type, DCAT.Distribution))
    assert len(distributions) == 2
    for node in distributions:
        url = str(graph.value(node, DCAT.downloadURL))
        body = ours.server.send(urlsplit(url).path).body
        checksum = graph.value(node, SPDX.checksum)
        assert int(str(graph.value(node, DCAT.byteSize))) == len(body)
        value = graph.value(checksum, SPDX.checksumValue)
        assert str(value) == hashlib.sha256(body).hexdigest()
        assert graph.value(checksum, SPDX.algorithm) == SPDX.checksumAlgorithm_sha256
        assert graph.value(node, DCTERMS.license) == LICENCE


def test_the_catalog_leads_from_version_to_version(ours: Writable) -> None:
    server, url = ours.server, ours.server.url
    first = Releases.open(ours.folder).named("1")
    ours.put("/graphs/newer", "<http://ex/a> <http://ex/b> 6 .")
    releases = Releases.open(ours.folder)
    write_tag(ours.folder, Tag("cited", first.name, first.time, "tests", ""), move=True)
    graph = read(server, "/catalog")
    whole, newest = URIRef(url + "catalog#dataset"), releases.head()

    def version(release: Release) -> URIRef:
        return URIRef(f"{url}r/{release.name}/catalog#dataset")

    assert set(graph.objects(whole, DCAT.hasVersion)) == {version(it) for it in releases.all()}
    assert list(graph.objects(whole, DCAT.hasCurrentVersion)) == [version(newest)]
    for release in releases.all():
        parent = [version(releases.named(release.parent))] if release.parent else []
        assert list(graph.objects(version(release), DCAT.previousVersion)) == parent
        assert graph.value(version(release), DCAT.version) == Literal(release.name)
    assert list(graph.objects(version(first), SERVICE.tag)) == [Literal("cited")]
    for service in graph.subjects(RDF.type, DCAT.DataService):
        assert graph.value(service, DCAT.endpointURL) == URIRef(url + "sparql")
        assert graph.value(service, DCAT.servesDataset) == version(newest)


def test_the_catalog_of_a_release_is_about_it_alone(ours: Writable) -> None:
    first = Releases.open(ours.folder).named("1")
    server, url = ours.server, ours.server.url
    graph = read(server, f"/r/{first.name}/catalog")
    assert {str(value) for value in graph.objects(None, DCAT.version)} == {first.name}
    assert [str(value) for value in graph.objects(None, DCAT.endpointURL)] == [
        f"{url}r/{first.name}/sparql"
    ]
    assert list(graph.objects(None, DCAT.hasCurrentVersion)) == []


def test_a_release_that_says_nothing_of_itself_is_described_all_the_same(server: Server) -> None:
    graph = read(server, "/catalog")
    assert set(graph.objects(None, DCTERMS.license)) == set()
    assert "a kg dataset" in {str(title) for title in graph.objects(None, DCTERMS.title)}


def test_a_host_that_makes_no_iri_is_refused(server: Server) -> None:
    for path in (VOID_PATH, "/catalog"):
        assert server.send(path, headers={"Host": "a<b>"}).status == 400


def test_a_plain_store_is_described_without_numbers(tmp_path: Path) -> None:
    with running(tmp_path / "store", tmp_path / "log", plain=True, workers=1) as server:
        graph = read(server, VOID_PATH)
        assert graph.value(topic(graph), VOID.triples) is None
        assert len(read(server, "/catalog")) > 10
    assert GRAPH not in str(graph)


def test_of_very_many_properties_those_with_the_most_triples_are_described(tmp_path: Path) -> None:
    lines = [f":a :p{number} :x" for number in range(1001)]
    lines += [f":b :p{number} :x" for number in range(1, 1001)]
    committed(tmp_path / "store", graph("many", *lines))
    with running(tmp_path / "store", tmp_path / "log", workers=1) as server:
        described = read(server, VOID_PATH)
    told = {str(name) for name in described.objects(None, VOID.property)}
    assert told == {f"http://ex/p{number}" for number in range(1, 1001)}
    assert described.value(topic(described), VOID.properties) == Literal(1001)
    assert "the 1000 with the most" in str(described.value(topic(described), RDFS.comment))


def test_the_date_of_the_dataset_is_as_rough_as_it_was_said(tmp_path: Path) -> None:
    said = f'<a:b> a <{DCAT.Dataset}> ; <{DCTERMS.title}> "T" ; <{DCTERMS.issued}> "2020-02" .'
    made = replace(
        change(graph("one", ":a :b :c")),
        files={"context.jsonld": CONTEXT, "catalog.ttl": said.encode()},
    )
    commit(tmp_path / "store", made, now=NOW)
    with running(tmp_path / "store", tmp_path / "log", workers=1) as server:
        described = read(server, "/catalog")
        whole = URIRef(f"{server.url}catalog#dataset")
    assert described.value(whole, DCTERMS.issued) == Literal("2020-02", datatype=XSD.gYearMonth)
