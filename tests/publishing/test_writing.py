"""Writes from outside: what lands, what is refused and why, and that nothing else changes."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rdflib import RDF, SH, Graph

from conftest import FIXTURES, NOW, REPOSITORY
from kg.context import Context
from kg.errors import (
    BadArgument,
    DeadlineExceeded,
    DefaultGraphRefused,
    Forbidden,
    ForeignGraph,
    GraphChanged,
    KgError,
    MalformedData,
    MemoryExceeded,
    QuerySyntax,
    Rejected,
    RemoteRefused,
    StoreBusy,
    StoreError,
    UnknownFunction,
    UnknownResource,
    WorkerDied,
)
from kg.media import JSON_LD, N_QUADS, N_TRIPLES, RDF_XML, TRIG, TURTLE, Format
from kg.namespaces import GRAPH, RF
from kg.project import Project
from kg.publishing.landing import land
from kg.publishing.messages import encoded_error, written_or_error
from kg.publishing.preparation import Preparer
from kg.publishing.publish import publish
from kg.publishing.staging import stage
from kg.publishing.writing import Document, Method, Write, Writer, Written
from kg.publishing.written_graphs import derived_graph
from kg.settings import Settings
from kg.store.base import Dataset, GraphState, Owner, Release
from kg.store.commits import writing
from kg.store.embedded import EmbeddedStore
from kg.store.releases import Releases

G = "http://ex/g"
LINE = b"<http://ex/s> <http://ex/p> <http://ex/o> .\n"
PREPARER = Preparer()


def turtle(content: str | bytes, format: Format = TURTLE) -> Document:
    return Document(content.encode() if isinstance(content, str) else content, format)


def write(
    store: Path, method: Method, graph: str | None, *documents: Document | str, **options: Any
) -> Written:
    given = tuple(it if isinstance(it, Document) else turtle(it) for it in documents)
    settings = options.pop("settings", Settings())
    asked = Write(method, graph, given, who="a test", **options)
    return land(asked, store, settings, PREPARER, now=NOW)


def update(store: Path, text: str, **options: Any) -> Written:
    return write(store, Method.UPDATE, None, update=text, **options)


def head(store: Path, *, plain: bool = False) -> Release:
    return Releases.open(store, plain=plain).head()


def state(store: Path, graph: str) -> GraphState | None:
    return next((it for it in head(store).graphs if it.iri == graph), None)


def triples(store: Path, graph: str, *, plain: bool = False) -> list[str]:
    """The lines of a graph, with `:x` for `<http://ex/x>`."""
    with writing(store, plain=plain) as held, held.graphs() as graphs:
        content = graphs.triples(graph).decode()
    return content.replace("<http://ex/", ":").replace(">", "").replace(" .", "").splitlines()


# --- one graph ----------------------------------------------------------------------------


def test_put_makes_a_graph_that_api_owns_and_a_release(built: Path) -> None:
    written = write(built, Method.PUT, G, "<http://ex/s> <http://ex/p> <http://ex/o> .")
    release = head(built)
    assert written == Written(release.name, True, True, hashlib.sha256(LINE).hexdigest())
    assert state(built, G) == GraphState(G, Owner.API, 1, hashlib.sha256(LINE).hexdigest())
    assert (release.number, release.who, release.message) == (2, "a test", f"PUT <{G}>")


def test_put_replaces_and_the_same_again_makes_no_release(built: Path) -> None:
    write(built, Method.PUT, G, "<a> <b> <c> .")
    second = write(built, Method.PUT, G, "<http://ex/s> <http://ex/p> <http://ex/o> .")
    again = write(built, Method.PUT, G, "<s> <p> <o> .")
    assert (second.created, again.changed, again.release) == (False, False, second.release)
    assert triples(built, G) == [":s :p :o"]


def test_relative_iris_are_resolved_against_the_graph(built: Path) -> None:
    write(built, Method.PUT, "http://ex/a/b", "<> <#x> <../c> .")
    assert triples(built, "http://ex/a/b") == [":a/b :a/b#x :c"]


def test_post_merges_and_blank_nodes_stay_apart(built: Path) -> None:
    write(built, Method.PUT, G, "_:x <p> 1 . <s> <p> <o> .")
    merged = write(built, Method.POST, G, "_:x <p> 1 .", "_:x <p> 1 . <s> <p> <o> .")
    assert (merged.changed, merged.created) == (True, False)
    assert len(triples(built, G)) == 4


def test_post_makes_a_graph_that_is_not_there(built: Path) -> None:
    assert write(built, Method.POST, G, "<s> <p> <o> .").created
    assert triples(built, G) == [":s :p :o"]


def test_several_documents_of_several_formats_are_one_graph(built: Path) -> None:
    documents = [turtle("<s> <p> 1 ."), turtle('{"@id": "http://ex/s", "http://ex/q": 2}', JSON_LD)]
    write(built, Method.PUT, G, *documents)
    assert len(triples(built, G)) == 2


def test_an_empty_graph_is_no_graph(built: Path) -> None:
    first = head(built).name
    assert write(built, Method.PUT, G, "") == Written(first, False, False, None)
    write(built, Method.PUT, G, "<s> <p> <o> .")
    assert write(built, Method.PUT, G, "").graph_digest is None
    assert state(built, G) is None


def test_delete_takes_the_graph_and_what_is_derived_from_it(built: Path, article: str) -> None:
    before = head(built).digest
    write(built, Method.PUT, G, turtle(article, N_TRIPLES))
    assert state(built, derived_graph(G))
    assert write(built, Method.DELETE, G).changed
    assert head(built).digest == before


def test_a_graph_that_is_not_there_cannot_be_deleted(built: Path) -> None:
    with pytest.raises(UnknownResource, match="there is no graph"):
        write(built, Method.DELETE, G)


@pytest.mark.parametrize(
    ("graph", "owner", "file"),
    [
        ("ontology", "data", "ontology/*.ttl"),
        ("claims/d826bc1f151f0c3d", "data", "data/articles/*/article.yaml"),
        ("derived/d826bc1f151f0c3d", "derived", "ontology/rules/*.rq"),
        ("derived/none", "derived", "ontology/rules/*.rq"),
        ("claims/none-yet", "data", "data/articles/*/article.yaml"),
        ("alignments/none-yet", "data", "data/reference/alignments/"),
    ],
)
@pytest.mark.parametrize("method", [Method.PUT, Method.POST, Method.DELETE])
def test_a_graph_of_another_owner_is_refused_with_what_to_edit(
    built: Path, method: Method, graph: str, owner: str, file: str
) -> None:
    first = head(built)
    with pytest.raises(ForeignGraph, match=f"belongs to {owner}") as caught:
        write(built, method, GRAPH + graph, "<s> <p> <o> .")
    assert file in caught.value.remedy
    assert head(built) == first


@pytest.mark.parametrize("graph", [GRAPH + "a/../ontology", GRAPH + ".", "http://ex/./g?x"])
def test_a_name_that_resolves_to_another_is_refused(built: Path, graph: str) -> None:
    with pytest.raises(BadArgument, match="segment of dots"):
        write(built, Method.PUT, graph, "<http://ex/s> <http://ex/p> 1 .")
    with pytest.raises(BadArgument, match="segment of dots"):
        update(built, f"INSERT DATA {{ GRAPH <{graph}> {{ <http://ex/s> <http://ex/p> 1 }} }}")


def test_names_with_dots_in_them_are_free(built: Path) -> None:
    for graph in (GRAPH + "ontology.v2", GRAPH + "claims", "http://ex/a..b/c.", "http://ex/?/."):
        assert write(built, Method.PUT, graph, "<http://ex/s> <http://ex/p> 1 .").created


def test_a_document_is_parsed_before_the_store_is_locked(built: Path) -> None:
    with writing(built), pytest.raises(MalformedData):
        write(built, Method.PUT, G, "<s> <", settings=Settings(queue_seconds=0.1))


@pytest.mark.parametrize("method", list(Method))
def test_a_restricted_graph_is_not_told_from_one_that_is_not_there(
    built: Path, method: Method
) -> None:
    (hidden,) = Releases.open(built).restricted(head(built))
    said = []
    for graph in (hidden.iri, GRAPH + "sensitive/0000000000000000"):
        text = f"INSERT DATA {{ GRAPH <{graph}> {{ <http://ex/s> <http://ex/p> 1 }} }}"
        with pytest.raises(ForeignGraph) as caught:
            given = {} if method is Method.UPDATE else {"if_match": ("*",)}
            write(built, method, graph, "<s> <p> <o> .", update=text, **given)
        said.append(str(caught.value).replace(graph, "G"))
    assert said[0] == said[1]


def test_the_default_graph_is_nobodys_to_write(built: Path) -> None:
    for method in (Method.PUT, Method.POST, Method.DELETE):
        with pytest.raises(DefaultGraphRefused):
            write(built, method, None, "<http://ex/s> <http://ex/p> 1 .")


@pytest.mark.parametrize(
    ("conditions", "lands"),
    [
        ({"if_match": (hashlib.sha256(LINE).hexdigest(),)}, True),
        ({"if_match": ("0" * 64, hashlib.sha256(LINE).hexdigest())}, True),
        ({"if_match": ("*",)}, True),
        ({"if_match": ("0" * 64,)}, False),
        ({"if_match": ()}, False),
        ({"if_none_match": ("*",)}, False),
        ({"if_none_match": (hashlib.sha256(LINE).hexdigest(),)}, False),
        ({"if_none_match": ("0" * 64,)}, True),
    ],
)
@pytest.mark.parametrize("method", [Method.PUT, Method.POST, Method.DELETE])
def test_a_write_that_expects_another_state_is_refused(
    built: Path, method: Method, conditions: dict[str, Any], lands: bool
) -> None:
    write(built, Method.PUT, G, "<s> <p> <o> .")
    try:
        assert write(built, method, G, "<new> <p> <o> .", **conditions).changed is lands
    except GraphChanged:
        assert not lands
        assert triples(built, G) == [":s :p :o"]


def test_a_graph_that_must_not_be_there_may_be_made_once(built: Path) -> None:
    assert write(built, Method.PUT, G, "<s> <p> <o> .", if_none_match=("*",)).created
    with pytest.raises(GraphChanged):
        write(built, Method.PUT, G, "<s> <p> <o> .", if_none_match=("*",))


@pytest.mark.parametrize(
    ("content", "format", "place"),
    [
        ("<s> <p> <o> .\n<s> p <o> .", TURTLE, (2, 5)),
        ('{"@id": ', JSON_LD, (1, 9)),
        ("<s> <p> <o> .", N_TRIPLES, (1, 1)),
        ("<http://ex/s> <http://ex/p> 1 <http://ex/g> .", N_QUADS, (1, 29)),
    ],
)
def test_what_is_not_of_its_format_is_refused_with_its_place(
    built: Path, content: str, format: Format, place: tuple[int, int]
) -> None:
    first = head(built)
    with pytest.raises(MalformedData) as caught:
        write(built, Method.PUT, G, turtle(content, format))
    assert (caught.value.line, caught.value.column) == place
    assert head(built) == first


@pytest.mark.parametrize(
    ("content", "format"),
    [
        ("<http://ex/s> <http://ex/p> <http://ex/o> <http://ex/other> .", N_QUADS),
        ("<http://ex/other> { <http://ex/s> <http://ex/p> <http://ex/o> }", TRIG),
        ('{"@id": "http://ex/other", "@graph": [{"@id": "http://ex/s", "@type": "a:"}]}', JSON_LD),
    ],
)
@pytest.mark.parametrize("method", [Method.PUT, Method.POST])
def test_a_document_that_names_graphs_is_none_of_one(
    built: Path, method: Method, content: str, format: Format
) -> None:
    with pytest.raises(MalformedData, match="Named graphs are not allowed"):
        write(built, method, G, turtle(content, format))


# --- derived and checked ------------------------------------------------------------------


@pytest.fixture(scope="session")
def article(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The miniature's article, but that its nodes have other IRIs; nothing is derived yet."""
    folder = tmp_path_factory.mktemp("article") / "project"
    shutil.copytree(FIXTURES / "project", folder)
    shutil.copytree(REPOSITORY / "ontology", folder / "ontology")
    (unit,) = stage(Project.at(folder), [], lambda *_: None).units
    text = b"".join(it.triples for it in unit.graphs if not it.restricted).decode()
    renamed = text.replace(f"{unit.key}/", f"{unit.key}/again/")
    return renamed.replace("/again/text>", "/text>")  # the text itself is one


def test_what_rules_derive_goes_into_a_graph_of_its_own(built: Path, article: str) -> None:
    write(built, Method.PUT, G, turtle(article, N_TRIPLES))
    derived = state(built, derived_graph(G))
    assert derived and derived.owner is Owner.DERIVED
    properties = {line.split()[1].rpartition("/")[2] for line in triples(built, derived.iri)}
    assert {"lower", "terminalSource", "comparisonKey", "variable"} <= properties
    own = state(built, G)
    assert own and own.quads == len(set(article.splitlines()))


def test_what_is_derived_follows_the_graph(built: Path, article: str) -> None:
    write(built, Method.PUT, G, turtle(article, N_TRIPLES))
    assert any('"40"' in line for line in triples(built, derived_graph(G)))
    write(built, Method.PUT, G, turtle(article.replace('"40"', '"41"'), N_TRIPLES))
    assert not any('"40"' in line for line in triples(built, derived_graph(G)))


def test_a_violation_is_rejected_with_its_report(built: Path, article: str) -> None:
    first = head(built)
    lost = "".join(line + "\n" for line in article.splitlines() if "/ns/modality>" not in line)
    with pytest.raises(Rejected) as caught:
        write(built, Method.PUT, G, turtle(lost, N_TRIPLES))
    report = Graph().parse(data=caught.value.report, format="turtle")
    assert len(list(report.subjects(RDF.type, SH.ValidationReport))) == 1
    paths = {str(path) for path in report.objects(None, SH.resultPath)}
    assert RF + "modality" in paths
    assert all(line.startswith(f"<{G}>: Violation: ") for line in caught.value.findings)
    assert head(built) == first


def test_a_blank_node_is_checked_as_any_other(built: Path) -> None:
    with pytest.raises(Rejected, match="A figure has exactly one unit"):
        write(built, Method.PUT, G, f"[] a <{RF}FigureClaim> .")


@pytest.mark.parametrize("term", ["<<( <a> <b> <c> )>>", '"text"@en--ltr'])
def test_what_the_shapes_cannot_read_is_rejected(built: Path, term: str) -> None:
    with pytest.raises(Rejected, match="which the shapes cannot check"):
        write(built, Method.PUT, G, f"<s> <p> {term} .")


def test_a_release_without_shapes_takes_no_write(built: Path) -> None:
    (head(built).folder / "shapes.nt").unlink()
    with pytest.raises(StoreError, match="does not carry the shapes") as caught:
        write(built, Method.PUT, G, "<s> <p> <o> .")
    assert "kg build" in caught.value.remedy


def test_shapes_of_a_release_say_what_those_of_the_project_say(built: Path) -> None:
    release = head(built)
    checks = PREPARER.checks(release)
    assert checks.shapes.digest == release.shapes_digest
    assert [rule.target for rule in checks.rules] == sorted(
        (rule.target for rule in checks.rules), key=lambda it: it != "claims"
    )
    assert {rule.file.name for rule in checks.rules} == {
        file.name for file in (REPOSITORY / "ontology" / "rules").iterdir()
    }


# --- updates ------------------------------------------------------------------------------


def test_an_update_writes_the_graphs_that_it_names(built: Path) -> None:
    write(built, Method.PUT, G, "<s> <p> 1 .")
    assert update(
        built,
        "PREFIX : <http://ex/> WITH :g DELETE { ?s :p ?o } INSERT { ?s :p ?n }"
        " WHERE { ?s :p ?o BIND(?o + 1 AS ?n) } ;"
        " INSERT DATA { GRAPH :h { :s :p :o } }",
    ).changed
    assert [it.iri for it in head(built).graphs if it.owner is Owner.API] == [G, "http://ex/h"]
    assert '"2"' in triples(built, G)[0]


def test_an_operation_sees_in_the_default_graph_what_those_before_it_did(built: Path) -> None:
    update(
        built,
        "PREFIX : <http://ex/>"
        " INSERT DATA { GRAPH :g { :a :p 1 . :both :p 1 } GRAPH :h { :b :p 1 . :both :p 1 } } ;"
        " DELETE WHERE { GRAPH :g { ?s ?p ?o } } ;"
        " INSERT { GRAPH :seen { ?s ?p ?o } } WHERE { ?s :p ?o . ?s ?p ?o }",
    )
    assert [line.split()[0] for line in triples(built, "http://ex/seen")] == [":b", ":both"]
    assert state(built, G) is None


def test_after_an_operation_on_any_graph_the_default_graph_is_their_union(built: Path) -> None:
    write(built, Method.PUT, G, "<a> <p> 1 . <b> <p> 1 .")
    update(
        built,
        "PREFIX : <http://ex/>"
        " DELETE { GRAPH ?g { :a :p 1 } } INSERT { GRAPH ?g { :c :p 1 } }"
        " WHERE { GRAPH ?g { :a :p 1 } } ;"
        " INSERT { GRAPH :seen { ?s :p ?o } } WHERE { ?s :p ?o }",
    )
    assert [line.split()[0] for line in triples(built, "http://ex/seen")] == [":b", ":c"]
    assert [line.split()[0] for line in triples(built, G)] == [":b", ":c"]


def test_many_operations_on_a_large_graph_take_time_by_their_number(built: Path) -> None:
    """Bringing the default graph up to date after each took 90 ms for 10,000 triples."""
    write(built, Method.PUT, G, "".join(f"<s{n}> <p> {n} ." for n in range(10_000)))
    inserts = (f"INSERT DATA {{ GRAPH <{G}> {{ :t{n} :p {n} }} }}" for n in range(200))
    start = time.perf_counter()
    update(
        built,
        f"PREFIX : <http://ex/> {' ; '.join(inserts)} ;"
        " INSERT { GRAPH :seen { ?s :q ?o } }"
        " WHERE { ?s :p ?o FILTER(STRSTARTS(STR(?s), STR(:t))) }",
    )
    assert len(triples(built, "http://ex/seen")) == 200
    assert time.perf_counter() - start < 8


@pytest.mark.parametrize("operation", ["COPY", "MOVE", "ADD"])
def test_what_is_copied_must_be_there(built: Path, operation: str) -> None:
    write(built, Method.PUT, G, "<s> <p> <o> .")
    with pytest.raises(BadArgument, match=r"<http://ex/misspelt>.* does not exist") as caught:
        update(built, f"{operation} <http://ex/misspelt> TO <{G}>")
    assert "SILENT" in caught.value.remedy
    assert triples(built, G) == [":s :p :o"]
    silent = update(built, f"{operation} SILENT <http://ex/misspelt> TO <http://ex/h>")
    assert not silent.changed
    made = "INSERT DATA { GRAPH <http://ex/m> { <http://ex/m> <http://ex/p> 1 } }"
    assert update(built, f"{made} ; {operation} <http://ex/m> TO <http://ex/n>").changed
    assert triples(built, "http://ex/n")[0].startswith(":m :p ")


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA { GRAPH <urn:x-kg:default> { <http://ex/s> <http://ex/p> 1 } }",
        "INSERT { GRAPH ?g { <http://ex/s> <http://ex/p> 1 } }"
        " WHERE { BIND(<urn:x-kg:default> AS ?g) }",
    ],
)
@pytest.mark.parametrize("kind", ["built", "plain"])
def test_what_goes_to_the_reserved_graph_is_refused(
    request: pytest.FixtureRequest, kind: str, text: str
) -> None:
    store, settings = request.getfixturevalue(kind), Settings(plain=kind == "plain")
    with pytest.raises(BadArgument, match="reserved"):
        update(store, text, settings=settings)


def test_a_function_that_nobody_knows_is_the_clients_matter(built: Path) -> None:
    text = f"INSERT {{ GRAPH <{G}> {{ <a:> <a:> ?x }} }} WHERE {{ BIND(<http://ex/f>(1) AS ?x) }}"
    with pytest.raises(UnknownFunction, match="http://ex/f"):
        update(built, text)


@pytest.mark.parametrize(
    ("text", "lands"),
    [
        ("INSERT { GRAPH ?g { :s :p 1 } } WHERE { BIND(:mine AS ?g) }", True),
        ("INSERT { GRAPH ?g { :s :p 1 } } WHERE { VALUES ?g { :mine :other } }", False),
        ("INSERT DATA { GRAPH :mine-too { :s :p 1 } }", True),
        ("INSERT DATA { GRAPH :other { :s :p 1 } }", False),
        ("INSERT DATA { GRAPH schema:x { :s :p 1 } }", False),
        ("CLEAR GRAPH :held", False),
        ("DELETE WHERE { GRAPH ?g { :s :p :held } }", False),
    ],
)
def test_an_update_changes_only_what_it_may(built: Path, text: str, lands: bool) -> None:
    write(built, Method.PUT, "http://ex/held", "<s> <p> <held> .")
    first, only = head(built), ("http://ex/mine",)
    try:
        assert update(built, f"PREFIX : <http://ex/> {text}", only=only).changed
    except Forbidden:
        assert not lands
    assert (head(built) != first) is lands


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA {}",
        "",
        "DELETE DATA { GRAPH <http://ex/none> { <http://ex/s> <http://ex/p> 1 } }",
        "DELETE WHERE { GRAPH ?g { ?s <http://ex/none> ?o } }",
        "CREATE GRAPH <http://ex/new>",
    ],
)
def test_an_update_that_changes_nothing_makes_no_release(built: Path, text: str) -> None:
    first = head(built)
    assert update(built, text) == Written(first.name, False, False, None)
    assert head(built) == first


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("DROP NAMED", ForeignGraph),
        ("DELETE WHERE { GRAPH ?g { ?s ?p ?o } }", ForeignGraph),
        (f"CLEAR GRAPH <{GRAPH}ontology>", ForeignGraph),
        ("DROP GRAPH <http://ex/none>", BadArgument),
        ("INSERT DATA { <http://ex/s> <http://ex/p> 1 }", DefaultGraphRefused),
        ("LOAD <http://127.0.0.1:9/> INTO GRAPH <http://ex/g>", RemoteRefused),
        (f"INSERT DATA {{ GRAPH <{G}> {{ [] a <{RF}FigureClaim> }} }}", Rejected),
    ],
)
def test_an_update_that_may_not_be_is_refused_whole(
    built: Path, text: str, error: type[KgError]
) -> None:
    first = head(built)
    with pytest.raises(error):
        update(built, f"INSERT DATA {{ GRAPH <{G}> {{ <http://ex/s> <http://ex/p> 1 }} }} ; {text}")
    assert head(built) == first


def test_a_syntax_error_has_its_place_in_the_whole_update(built: Path) -> None:
    text = f"INSERT DATA {{ GRAPH <{G}> {{ <http://ex/s> <http://ex/p> 1 }} }} ;\n\n"
    with pytest.raises(QuerySyntax) as caught:
        update(built, f"{text}  INSERT {{ GRAPH <{G}> {{ ?s ?p ?o }} }} WHERE {{ ?s ?p }}")
    assert (caught.value.line, caught.value.column and caught.value.column > 40) == (3, True)


USED = Dataset(default_graphs=("http://ex/g",), named_graphs=("http://ex/h",))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("INSERT { GRAPH :n { ?s :q 1 } } WHERE { ?s :p ?o }", [":a :q"]),
        ("INSERT { GRAPH :n { ?s :q 1 } } WHERE { GRAPH ?g { ?s :p ?o } }", [":b :q"]),
        (
            "INSERT { GRAPH :n { ?s :q 1 } } WHERE { {?s :p ?o} UNION {GRAPH :i {?s :p ?o}} }",
            [":a :q"],
        ),
        ("DELETE WHERE { GRAPH ?g { ?s :p ?o } }", []),
        ("INSERT DATA { GRAPH :n { :x :q 'WHERE {}' } }", [":x :q"]),
    ],
)
def test_a_pattern_is_read_from_the_dataset_of_the_protocol(
    built: Path, text: str, left: list[str]
) -> None:
    for name, subject in (("g", "a"), ("h", "b"), ("i", "c")):
        write(built, Method.PUT, f"http://ex/{name}", f"<{subject}> <p> 1 .")
    update(built, f"PREFIX : <http://ex/> {text} # WHERE {{", dataset=USED)
    assert [" ".join(it.split()[:2]) for it in triples(built, "http://ex/n")] == left
    gone = [name for name in "ghi" if state(built, f"http://ex/{name}") is None]
    assert gone == (["h"] if text.startswith("DELETE") else [])


@pytest.mark.parametrize(
    "text",
    [
        "WITH <http://ex/g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
        "INSERT { GRAPH <http://ex/g> { ?s ?p 1 } } USING <http://ex/h> WHERE { ?s ?p ?o }",
    ],
)
def test_a_dataset_is_described_in_one_place_only(built: Path, text: str) -> None:
    with pytest.raises(BadArgument, match="using-graph-uri"):
        update(built, text, dataset=USED)


def test_a_name_in_the_dataset_of_the_protocol_is_an_iri(built: Path) -> None:
    bad = Dataset(default_graphs=("http://ex/> WHERE {} ; DROP ALL #",))
    with pytest.raises(BadArgument, match="is no IRI"):
        update(built, "DELETE WHERE { GRAPH <http://ex/g> { ?s ?p ?o } }", dataset=bad)


# --- builds -------------------------------------------------------------------------------


def build(project: Project, store: Path) -> Release | None:
    return publish(project, store, who="tests", message="", now=NOW)


def test_what_was_written_stays_when_the_project_is_built(
    project: Project, source: Path, built: Path, article: str
) -> None:
    write(built, Method.PUT, G, turtle(article, N_TRIPLES))
    before = state(built, G), state(built, derived_graph(G))
    source.write_text(source.read_text().replace("value: 12\n", "value: 13\n"))
    assert build(project, built)
    assert (state(built, G), state(built, derived_graph(G))) == before
    assert build(project, built) is None


def test_a_build_derives_anew_what_was_written(project: Project, built: Path, article: str) -> None:
    write(built, Method.PUT, G, turtle(article, N_TRIPLES))
    (project.ontology / "rules" / "variable.rq").unlink()
    assert build(project, built)
    assert state(built, derived_graph(G))
    assert not any("/ns/variable " in line for line in triples(built, derived_graph(G)))


def test_a_build_checks_what_was_written_with_its_shapes(project: Project, built: Path) -> None:
    write(built, Method.PUT, G, "<s> a <http://ex/Thing> .")
    first = head(built)
    file = project.ontology / "shapes" / "block.ttl"
    file.write_text(
        file.read_text() + "\nrfsh:Thing a sh:NodeShape ; sh:targetClass <http://ex/Thing> ;"
        " sh:property [ sh:path rf:blockOrder ; sh:minCount 1 ; sh:message 'Put in order.' ] ."
    )
    with pytest.raises(Rejected, match="Put in order") as caught:
        build(project, built)
    assert caught.value.findings[0].startswith(f"<{G}>: ")
    assert "DELETE them" in caught.value.remedy
    assert head(built) == first


def test_a_write_is_checked_with_the_shapes_of_the_build_before_it(
    project: Project, built: Path
) -> None:
    """Shapes that are kept between writes are those of HEAD."""
    write(built, Method.PUT, G, "<s> a <http://ex/Thing> .")
    file = project.ontology / "shapes" / "block.ttl"
    file.write_text(
        file.read_text() + "\nrfsh:Thing a sh:NodeShape ; sh:targetClass <http://ex/Other> ;"
        " sh:property [ sh:path rf:blockOrder ; sh:minCount 1 ] ."
    )
    assert build(project, built)
    with pytest.raises(Rejected):
        write(built, Method.PUT, G, "<s> a <http://ex/Other> .")


# --- plain stores -------------------------------------------------------------------------

PLAIN = Settings(plain=True)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    EmbeddedStore(tmp_path / "plain", PLAIN).close()
    return tmp_path / "plain"


def test_a_plain_store_takes_any_graph_unchecked(plain: Path) -> None:
    for graph in (G, GRAPH + "ontology", GRAPH + "sensitive/x", None):
        content = f"<http://ex/s> a <{RF}FigureClaim> ; <http://ex/p> <<( <a:> <b:> <c:> )>> ."
        assert write(plain, Method.PUT, graph, content, settings=PLAIN).created
    assert write(plain, Method.DELETE, None, settings=PLAIN).changed
    assert [it.iri for it in head(plain, plain=True).graphs] == sorted(
        [G, GRAPH + "ontology", GRAPH + "sensitive/x"]
    )


def test_updates_of_a_plain_store_have_a_default_graph_of_their_own(plain: Path) -> None:
    text = (
        "PREFIX : <http://ex/> INSERT DATA { :s :p 1 . GRAPH :g { :t :p 1 } } ;"
        " INSERT { GRAPH :seen { ?s ?p ?o } } WHERE { ?s ?p ?o }"
    )
    update(plain, text, settings=PLAIN)
    seen = triples(plain, "http://ex/seen", plain=True)
    assert [line.split()[0] for line in seen] == [":s"]
    assert update(plain, "CLEAR DEFAULT", settings=PLAIN).changed
    assert update(plain, "DROP NAMED", settings=PLAIN).changed
    assert head(plain, plain=True).graphs == ()


# --- the process --------------------------------------------------------------------------


@pytest.fixture
def writer(built: Path) -> Iterator[Writer]:
    settings = Settings(write_seconds=8, writer_memory=1536 * 1024 * 1024)
    with Writer(built, settings) as writer:
        yield writer


def deep(start: str, inner: str, end: str, depth: int = 100_000) -> bytes:
    return (start * depth + inner + end * depth).encode()


RDF_START = f'<rdf:RDF xmlns:rdf="{RDF}" xmlns:e="http://e/">'
ENTITIES = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
HOSTILE = {
    "entities": Document(
        f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a0 "lol">{ENTITIES}]>{RDF_START}'
        '<rdf:Description rdf:about="http://e/a"><e:p>&a11;</e:p></rdf:Description>'
        "</rdf:RDF>".encode(),
        RDF_XML,
    ),
    "deep RDF/XML": Document(
        RDF_START.encode() + deep("<e:A><e:p>", "", "</e:p></e:A>") + b"</rdf:RDF>", RDF_XML
    ),
    "deep JSON-LD": Document(deep('{"http://e/p":', "1", "}"), JSON_LD),
    "deep lists": Document(
        b'{"@id":"http://e/a","http://e/p":' + deep('{"@list":[', "", "]}") + b"}", JSON_LD
    ),
    "fetched context": Document(b'{"@context":"http://127.0.0.1:9/","p":1}', JSON_LD),
    "deep triple terms": Document(
        b"<a> <p> " + deep("<<( <a> <p> ", "<b>", " )>>") + b" .", TURTLE
    ),
    "giant literal": Document(b'<a> <p> "' + b"x" * 30_000_000 + b'" .', TURTLE),
    "poisonous blank nodes": Document(
        "".join(f"_:a{n} <p> _:a{m} .\n" for n in range(14) for m in range(14) if n != m).encode(),
        TURTLE,
    ),
}


def test_hostile_documents_end_in_clear_errors_and_the_next_write_works(
    writer: Writer, built: Path
) -> None:
    expected = (MalformedData, MemoryExceeded, DeadlineExceeded, WorkerDied)
    for number, (name, document) in enumerate(HOSTILE.items()):
        with pytest.raises(expected) as caught:
            writer.write(Write(Method.PUT, G, (document,)))
        assert caught.value.remedy, name
        content = turtle(f"<s> <p> {number} .")
        assert writer.write(Write(Method.PUT, "http://ex/ok", (content,))).changed, name
        assert state(built, G) is None


def test_a_write_through_the_process_lands_or_brings_its_error_whole(
    writer: Writer, built: Path
) -> None:
    written = writer.write(Write(Method.PUT, G, (turtle("<s> <p> <o> ."),), who="me"))
    assert (written.release, written.created) == (head(built).name, True)
    assert head(built).who == "me"
    tags = ("0" * 64, written.graph_digest or "")
    again = Write(Method.DELETE, G, (), if_match=tags, if_none_match=("1" * 64,), only=("http:",))
    with pytest.raises(GraphChanged):
        writer.write(replace(again, if_match=()))
    assert writer.write(again).changed
    with pytest.raises(Rejected) as caught:
        writer.write(Write(Method.PUT, G, (turtle(f"[] a <{RF}FigureClaim> ."),)))
    assert caught.value.report.startswith(b"@prefix")
    with pytest.raises(ForeignGraph):
        writer.write(Write(Method.DELETE, GRAPH + "ontology", ()))


def test_a_store_that_another_writes_to_is_busy(built: Path) -> None:
    settings = Settings(queue_seconds=0.2)
    with Writer(built, settings) as writer, writing(built), pytest.raises(StoreBusy) as caught:
        writer.write(Write(Method.PUT, G, (turtle("<s> <p> <o> ."),)))
    assert str(built) not in str(caught.value)


def test_a_closed_writer_takes_nothing(built: Path) -> None:
    writer = Writer(built, Settings())
    writer.close()
    with pytest.raises(StoreError, match="was closed"):
        writer.write(Write(Method.PUT, G, ()))


@pytest.mark.parametrize(
    "error",
    [
        MalformedData("turtle", "no", 3, 4),
        Rejected(["one", "two"], b"report"),
        ForeignGraph(G, "data", "api", "a file"),
        GraphChanged(G),
        QuerySyntax("no", 1, 2),
        StoreBusy(Path("store")),
    ],
    ids=lambda it: type(it).__name__,
)
def test_an_error_comes_across_as_it_was(error: KgError) -> None:
    with pytest.raises(type(error)) as caught:
        written_or_error(encoded_error(error))
    assert caught.value.__dict__ == error.__dict__
    assert str(caught.value) == str(error)


def test_prefixes_of_a_release_are_declared_for_its_updates(built: Path) -> None:
    prefixes = Context.read(head(built).folder / "context.jsonld").prefixes
    assert "schema" in prefixes
    update(built, f"INSERT DATA {{ GRAPH <{G}> {{ <http://ex/s> schema:name 'x' }} }}")
    assert state(built, G)


OURS = "https://w3id.org/reported-figures/"


@pytest.mark.parametrize(
    "statement",
    [
        f"<{OURS}area/northland> <{RF}unit> 1 .",
        f"<{OURS}a/d826bc1f151f0c3d/c/figure-112-140> <{RF}value> 99 .",
        f"<{OURS}area/northland> <http://www.w3.org/2002/07/owl#sameAs> <http://ex/n> .",
    ],
)
def test_what_is_built_from_files_is_described_there_alone(built: Path, statement: str) -> None:
    with pytest.raises(Rejected, match="which belongs to data; say what you have to say"):
        write(built, Method.PUT, G, statement)
    write(built, Method.PUT, G, f"<http://ex/mine> <{RF}about> <{OURS}area/northland> .")


def test_two_graphs_are_not_each_half_of_what_the_shapes_refuse(built: Path, article: str) -> None:
    """The claim is whole in one, and the other gives it a second value."""
    write(built, Method.PUT, G, turtle(article, N_TRIPLES))
    value = next(line for line in article.splitlines() if '"40"' in line and "obsValue" in line)
    second = turtle(value.replace('"40"', '"41"'), N_TRIPLES)
    with pytest.raises(Rejected, match="obsValue"):
        write(built, Method.PUT, "http://ex/h", second)
    both = f"INSERT DATA {{ GRAPH <http://ex/h> {{ {second.content.decode()} }} }}"
    with pytest.raises(Rejected, match="obsValue"):
        update(built, both)


def test_a_build_refuses_to_describe_what_a_client_described_before(
    project: Project, built: Path
) -> None:
    write(built, Method.PUT, G, f'<{OURS}thing> <http://ex/p> "mine" .')
    file = next(iter(project.reference()))
    file.write_text(f'{file.read_text()}\n<{OURS}thing> <http://ex/p> "ours" .\n')
    with pytest.raises(Rejected, match="thing> is described in"):
        publish(project, built, who="", message="", now=NOW)


def test_a_build_takes_what_clients_wrote_of_one_thing_in_two_graphs(
    project: Project, built: Path, article: str
) -> None:
    """The claim of the one is whole only with the steps that the other describes."""
    line = next(line for line in article.splitlines() if '"40"' in line and "obsValue" in line)
    write(built, Method.PUT, "http://ex/h", turtle(line, N_TRIPLES))
    write(built, Method.PUT, G, turtle(article, N_TRIPLES))
    publish(project, built, who="", message="", now=NOW)
    assert state(built, "http://ex/h")
    assert write(built, Method.PUT, "http://ex/i", turtle(line, N_TRIPLES)).created
