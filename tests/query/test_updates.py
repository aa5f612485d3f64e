"""What an update would write, with the engine as the judge of what it does write."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import CanonicalizationAlgorithm, Dataset, DefaultGraph, Store

from engine_parts import EDITS, FRAGMENTS, Edits, Listener, edited
from kg.errors import (
    DefaultGraphRefused,
    KgError,
    QueryError,
    QuerySyntax,
    QueryTooDeep,
    QueryTooLarge,
    RemoteRefused,
)
from kg.namespaces import BASE
from kg.query.updates import Operation, operations
from w3c_suite import w3c_suite

PREFIXES = {"": "http://a/", "ex": "http://a/"} | {
    # The engine may read these as keywords, and then other graphs are meant.
    keyword: f"http://a/{keyword}-"
    for keyword in ("graph", "silent", "default", "named", "to", "with")
}


def _operations(update: str, *, plain: bool = True) -> tuple[Operation, ...]:
    return operations(update, PREFIXES, query_bytes=2**22, nesting=64, plain=plain)


def _one(update: str, *, plain: bool = True) -> Operation:
    (operation,) = _operations(update, plain=plain)
    return operation


def _writes(update: str) -> list[tuple[frozenset[str], bool, bool]]:
    """Of each operation: local names of the graphs, whether any graph, whether the default one."""
    return [
        (
            frozenset(iri.removeprefix("http://a/") for iri in each.writes),
            each.any_graph,
            each.default,
        )
        for each in _operations(update)
    ]


# --- what each operation writes -----------------------------------------------------------


@pytest.mark.parametrize(
    ("update", "writes", "any_graph", "default"),
    [
        ("INSERT DATA { GRAPH :g { :s :p 1 } GRAPH <http://a/h> {} . }", "g h", False, False),
        ("insert#c\ndata{graph :g{:s :p 1}}", "g", False, False),
        ("INSERT DATA { :s :p :o GRAPH :g {} }", "g", False, True),
        ("DELETE DATA { GRAPH :g { :s :p 'GRAPH :h {}' } }", "g", False, False),
        ("DELETE WHERE { GRAPH ?g { ?s ?p ?o } }", "", True, False),
        ("DELETE WHERE { ?s ?p ?o }", "", False, True),
        ("DELETE { GRAPH :g { ?s ?p ?o } } WHERE { GRAPH :h { ?s ?p ?o } }", "g", False, False),
        ("INSERT { GRAPH ?g { :s :p 1 } } WHERE { GRAPH ?g {} }", "", True, False),
        ("DELETE {} INSERT { GRAPH :g { [] :p 1 } } WHERE { ?s ?p ?o }", "g", False, False),
        ("WITH :g DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }", "g", False, False),
        ("WITH :g DELETE {} INSERT { GRAPH :h { :s :p 1 } } WHERE {}", "h", False, False),
        ("WITH :g INSERT { :s :p 1 . GRAPH :h {} :s :p 2 } WHERE {}", "g h", False, False),
        ("INSERT { :s :p 1 } USING :g USING NAMED :h WHERE {{} UNION {}}", "", False, True),
        ("CLEAR GRAPH :g", "g", False, False),
        ("DROP SILENT GRAPH :g", "g", False, False),
        ("CLEAR DEFAULT", "", False, True),
        ("DROP NAMED", "", True, False),
        ("CLEAR SILENT ALL", "", True, True),
        ("CREATE SILENT GRAPH :g", "g", False, False),
        ("ADD :g TO :h", "h", False, False),
        ("COPY SILENT GRAPH :g TO GRAPH :h", "h", False, False),
        ("COPY DEFAULT TO :h", "h", False, False),
        ("MOVE :g TO :h", "g h", False, False),
        ("MOVE DEFAULT TO :h", "h", False, True),
        ("ADD :g TO DEFAULT", "", False, True),
        ("BASE <http://a/x/> PREFIX e: <../> CLEAR GRAPH e:g", "g", False, False),
        (r"CLEAR GRAPH <http://a/\u0067>", "g", False, False),
        (r"PREFIX graph: <http://a/> CLEAR GRAPH graph:x\-y", "x-y", False, False),
        ("VERSION '1.2' BASE <http://a/> CLEAR GRAPH <g>", "g", False, False),
    ],
)
def test_what_an_operation_writes(update: str, writes: str, any_graph: bool, default: bool) -> None:
    assert _writes(update) == [(frozenset(writes.split()), any_graph, default)]


def test_operations_are_in_order_with_their_places() -> None:
    found = _operations("PREFIX e: <http://e/> CLEAR GRAPH e:a;\n\n CREATE GRAPH :b ; # end\n")
    assert [(each.writes, each.line, each.column) for each in found] == [
        (frozenset({"http://e/a"}), 1, 23),
        (frozenset({"http://a/b"}), 3, 2),
    ]


@pytest.mark.parametrize(
    "update", ["", " # nothing\n", "BASE <http://b/>", "PREFIX b: <http://b/>"]
)
def test_an_empty_update_has_no_operations(update: str) -> None:
    assert _operations(update) == ()


def test_an_operation_runs_by_itself() -> None:
    update = "PREFIX e: <http://e/> CLEAR ALL; BASE <http://b/> PREFIX e: <x#> CREATE GRAPH e:y"
    assert [each.text for each in _operations(update)] == [
        "PREFIX e: <http://e/>\nCLEAR ALL",
        "PREFIX e: <http://e/>\nBASE <http://b/>\nPREFIX e: <x#>\nCREATE GRAPH e:y",
    ]
    assert _operations(update)[1].writes == {"http://b/x#y"}


@pytest.mark.parametrize(
    ("update", "describes"),
    [
        ("INSERT { GRAPH :g { :s :p 1 } } WHERE {}", False),
        ("INSERT { GRAPH :g { :s :p 1 } } USING :g WHERE {}", True),
        ("WITH :g INSERT { :s :p 1 } WHERE {}", True),
    ],
)
def test_an_operation_says_whether_it_describes_its_dataset(update: str, describes: bool) -> None:
    assert _one(update).describes is describes


# --- refusals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("update", "column"),
    [
        ("INSERT DATA { GRAPH :g {} :s :p 1 }", 27),
        ("DELETE WHERE { ?s ?p ?o }", 16),
        ("INSERT {} WHERE {} ; INSERT { [] :p 1 } WHERE {}", 31),
        ("CLEAR ALL", 1),
        ("DROP DEFAULT", 1),
        ("ADD :g TO DEFAULT", 11),
        ("MOVE DEFAULT TO :g", 6),
    ],
)
def test_writing_the_default_graph_is_refused_with_its_place(update: str, column: int) -> None:
    with pytest.raises(DefaultGraphRefused) as caught:
        _operations(update, plain=False)
    assert (caught.value.line, caught.value.column) == (1, column)


@pytest.mark.parametrize(
    "update",
    [
        "WITH :g INSERT { :s :p 1 } WHERE { ?s ?p ?o }",
        "COPY DEFAULT TO :g",
        "INSERT { GRAPH :g { ?s ?p ?o } } WHERE { ?s ?p ?o }",
        "INSERT {} WHERE { ?s ?p ?o }",
    ],
)
def test_reading_the_default_graph_is_not_refused(update: str) -> None:
    assert not _one(update, plain=False).default


@pytest.mark.parametrize(
    "update",
    [
        "LOAD <http://x/>",
        "LOAD SILENT <http://x/> INTO GRAPH :g",
        "CLEAR ALL; LOAD :x",
        "INSERT {} WHERE { SERVICE <http://x/> {} }",
        "WITH :g DELETE {} WHERE { {} UNION { SERVICE SILENT ?x {} } }",
    ],
)
def test_a_call_is_refused(update: str) -> None:
    with pytest.raises(RemoteRefused):
        _operations(update)


_GLUED = [
    "INSERTDATA{GRAPH :g{:s :p 1}}",
    "INSERT DATA{GRAPHex:g{:s :p 1}}",
    "DELETEWHERE{GRAPH ?g{?s ?p ?o}}",
    "DELETE WHERE{GRAPHex:g{?s ?p ?o}}",
    "WITHex:g DELETE{?s ?p ?o}WHERE{?s ?p ?o}",
    "CLEARALL",
    "CLEAR GRAPHex:g",
    "CLEARSILENTGRAPH:g",
    "COPYex:g TO :h",
    "COPY ex:g TOex:h",
    "COPY graph:g TO :h",
    "COPY default:g TO :h",
    "COPY silent:g TO :h",
    "COPY :g TO graph:h",
    "COPYdefaultTO:g",
    "PREFIXe:<http://a/>CLEAR GRAPH e:g",
    "INSERT{GRAPH :h{:s :p 3}}USINGex:g WHERE{}",
    "INSERT{GRAPH :h{:s :p 3}}USING NAMED:g WHERE{}",
    "INSERT{GRAPH :h{:s :p 3}}USING named:g WHERE{}",
]


@pytest.mark.parametrize("update", _GLUED)
def test_a_keyword_that_is_glued_to_a_name_is_refused(update: str) -> None:
    with pytest.raises(QuerySyntax):
        _operations(update)


@pytest.mark.parametrize(
    ("update", "column"),
    [
        ("SELECT * {}", 1),
        ("CLEAR", 6),
        ("CLEAR :g", 7),
        ("CLEAR ALL CLEAR ALL", 11),
        ("CLEAR ALL;;", 11),
        ("CREATE GRAPH ?g", 14),
        ("CREATE GRAPH none:g", 14),
        ("LOAD <http://x/> INTO :g", 23),
        ("LOAD SILENT :g INTO GRAPH ?g", 27),
        ("LOAD <http://x/> <http://y/>", 18),
        ("PREFIX :a <http://a/> CLEAR ALL", 8),
        ("VERSION 1.2 CLEAR ALL", 9),
        ("COPY :g :h", 9),
        ("WITH :g DELETE WHERE { ?s ?p ?o }", 16),
        ("INSERT { GRAPH :g { :s :p 1 }", 30),
        ("INSERT DATA { GRAPH :g { GRAPH :h {} } }", 35),
        ("INSERT DATA { { :s :p 1 } }", 15),
        ("INSERT DATA { GRAPH _:g {} }", 21),
        ("INSERT { GRAPH :g {} }", 23),
        ("INSERT { GRAPH :g {} } WHERE { {}", 34),
        ("INSERT {} WHERE { 'no end }", 19),
        ("INSERT DATA { GRAPH :g {_:a :p 1} }; INSERT DATA { GRAPH :g {_:a :p 1} }", 62),
        ("INSERT {} WHERE { FILTER(?a<?b#>) }\n) }", 28),
    ],
)
def test_what_is_not_an_update_is_refused_with_its_place(update: str, column: int) -> None:
    with pytest.raises(QuerySyntax) as caught:
        _operations(update)
    assert (caught.value.line, caught.value.column) == (1, column)


def test_a_relative_iri_is_resolved_against_the_base_of_all_updates() -> None:
    (operation,) = _operations("CREATE GRAPH <g>")
    assert operation.writes == {f"{BASE}g"}


def test_size_and_nesting_have_limits() -> None:
    update = "INSERT {} WHERE {{{}}}"
    assert len(operations(update, {}, query_bytes=22, nesting=3)) == 1
    with pytest.raises(QueryTooLarge):
        operations(update, {}, query_bytes=21, nesting=3)
    with pytest.raises(QueryTooDeep):
        operations(update, {}, query_bytes=22, nesting=2)


_HOSTILE = {
    "operations": "CLEAR SILENT GRAPH :g;\n" * 25_000,
    "declarations": "".join(f"PREFIX p{n}: <http://x/>CLEAR ALL;" for n in range(15_000)),
    "graphs": "INSERT DATA{" + "GRAPH :g{:s :p 1}" * 30_000 + "}",
    "triples": "INSERT DATA{" + ":s :p 1." * 64_000 + "}",
    "braces": "INSERT{}WHERE{" + "{}" * 256_000 + "}",
    "comments": "#\n" * 256_000,
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_hostile_half_mebibyte_is_judged_at_once(name: str) -> None:
    begun = time.process_time()
    _operations(_HOSTILE[name])
    assert time.process_time() - begun < 5


# --- the engine as the judge --------------------------------------------------------------

_KNOWN = (
    "PREFIX : <http://a/> INSERT DATA { :d :p 0 GRAPH :g { :s :p 1, 2 . _:b :p 1 }"
    " GRAPH :h { :s :p 2, 3 } GRAPH :k { :t :p 4 } GRAPH <http://a/> { :u :p 5 } }"
)


def _store() -> Store:
    store = Store()
    store.update(_KNOWN)
    return store


def _graphs(store: Store) -> dict[str, Dataset]:
    """What each graph holds, whatever its blank nodes are called; the default one is ''."""
    named = {str(graph.value): graph for graph in store.named_graphs()}
    found = {iri: Dataset(store.quads_for_pattern(None, None, None, g)) for iri, g in named.items()}
    found[""] = Dataset(store.quads_for_pattern(None, None, None, DefaultGraph()))
    for dataset in found.values():
        dataset.canonicalize(CanonicalizationAlgorithm.UNSTABLE)
    return {iri: dataset for iri, dataset in found.items() if len(dataset)}


def _whole(store: Store) -> Dataset:
    dataset = Dataset(store)
    dataset.canonicalize(CanonicalizationAlgorithm.UNSTABLE)
    return dataset


def _run(store: Store, *updates: str) -> bool:
    """Whether the engine took all of them; what it fails is as it was."""
    try:
        for update in updates:
            store.update(update, prefixes=PREFIXES)
    except (SyntaxError, ValueError, RuntimeError, OSError):
        return False
    return True


def _uncovered(update: str, found: tuple[Operation, ...]) -> list[str]:
    """The graphs that the engine changes and none of the operations tells of."""
    store, before = _store(), _graphs(_store())
    _run(store, update)
    after = _graphs(store)
    changed = {iri for iri in before | after if before.get(iri) != after.get(iri)}
    return sorted(iri for iri in changed if not any(_covers(each, iri) for each in found))


def _covers(operation: Operation, iri: str) -> bool:
    return operation.default if not iri else operation.any_graph or iri in operation.writes


def _same_one_by_one(update: str, found: tuple[Operation, ...]) -> bool:
    whole, apart = _store(), _store()
    if not _run(whole, update):
        return True
    return _run(apart, *(each.text for each in found)) and _whole(apart) == _whole(whole)


_CHANGES = [
    *("INSERT DATA{GRAPH :g{:s :p 7}}", "INSERT DATA{:s :p 7}", "DELETE DATA{GRAPH :g{:s :p 1}}"),
    "DELETE WHERE{GRAPH :h{?s ?p ?o}}",
    "DELETE WHERE{GRAPH ?g{:s ?p 2}}",
    "DELETE{GRAPH :g{?s ?p ?o}}INSERT{GRAPH :k{?s ?p ?o}}WHERE{GRAPH :h{?s ?p ?o}}",
    "WITH :g DELETE{?s ?p 1}INSERT{?s ?p 8 . GRAPH :h{?s ?p 9}}WHERE{?s ?p 1 FILTER(?s<:z)}",
    "WITH :h INSERT{:s :p true GRAPH :new{:s :p 1}}USING :g WHERE{?s :p ?o}",
    "INSERT{GRAPH ?g{:s :p 6}}WHERE{GRAPH ?g{:t :p ?o}}",
    "INSERT{:s :p ?o . GRAPH :k{:s :p ?o}}USING NAMED :g WHERE{GRAPH ?g{?s ?p ?o}}",
    *("CLEAR GRAPH :g", "DROP SILENT GRAPH :g", "CLEAR DEFAULT", "DROP NAMED", "CLEAR ALL"),
    *("CREATE SILENT GRAPH :g", "ADD :g TO :h", "COPY GRAPH :g TO DEFAULT", "MOVE :g TO GRAPH :n"),
    *("MOVE DEFAULT TO :k", "COPY SILENT ex:g TO ex:h", "PREFIX : <http://a/n>CREATE GRAPH :x"),
    "BASE<http://a/>PREFIX graph:<http://a/>INSERT DATA{GRAPH<g>{<s> :p graph:x}}",
    *_GLUED,
]
_PIECES = [
    *("GRAPH", "GRAPH :h{", "GRAPHex:h{", "GRAPH ?g{", "}", "{", "WITH :h", "USING", "USING :h"),
    *("INSERT{", "DELETE", "DATA", "WHERE{", "DEFAULT", "NAMED", "ALL", "SILENT", "TO", ";", "."),
    *("graph:x", "to:x", ":h", "ex:k", "odd:x", "a.b.GRAPH", ":a.b.GRAPH<http://a/h>{:s :p 1}"),
    *("PREFIX odd:<http://e:>", "PREFIX graph:<http://a/k>", "BASE<http://a/h>", "<h>", "<#g>"),
    *(":s :p 1", "?s ?p ?o", ":s :p _:b.", "1GRAPH", "@enGRAPH", "?a<?b#>'''\n", "'''", "#", "\n"),
]
_UPDATE_EDITS = EDITS | st.lists(
    st.tuples(st.integers(0, 120), st.integers(0, 4), st.sampled_from(_PIECES)), max_size=4
)
_MADE = st.lists(st.sampled_from(_CHANGES), min_size=1, max_size=3).map(";".join)


def _judged(update: str) -> tuple[Operation, ...] | None:
    try:
        return _operations(update)
    except QueryError:
        return None


@settings(max_examples=1500, deadline=None)
@given(update=_MADE, edits=_UPDATE_EDITS)
def test_every_graph_that_the_engine_changes_is_told(update: str, edits: Edits) -> None:
    update = edited(update, edits)
    found = _judged(update)
    assert found is None or _uncovered(update, found) == []


@settings(max_examples=500, deadline=None)
@given(update=_MADE, edits=_UPDATE_EDITS)
def test_operations_one_by_one_make_what_the_whole_makes(update: str, edits: Edits) -> None:
    update = edited(update, edits)
    found = _judged(update)
    assert found is None or _same_one_by_one(update, found)


@pytest.mark.parametrize("update", [each for each in _CHANGES if each not in _GLUED])
def test_an_update_that_the_engine_takes_is_taken(update: str) -> None:
    assert _run(_store(), update)
    found = _operations(update)
    assert _uncovered(update, found) == []
    assert _same_one_by_one(update, found)


_CALLING = [
    "LOAD <URL/x>",
    "LOAD SILENT <URL/x> INTO GRAPH :g",
    "INSERT{GRAPH :g{:s :p 1}}WHERE{SERVICE<URL/x>{}}",
    "WITH :g DELETE{?s ?p ?o}WHERE{OPTIONAL{SERVICE SILENT<URL/x>{?s ?p ?o}}}",
]


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    yield Listener()


@settings(max_examples=500, deadline=None)
@given(
    update=st.lists(st.sampled_from(_CALLING + _CHANGES[:10]), min_size=1, max_size=3).map(
        ";".join
    ),
    edits=_UPDATE_EDITS,
)
def test_no_update_on_which_the_engine_calls_passes(
    listener: Listener, update: str, edits: Edits
) -> None:
    update = edited(update, edits).replace("URL", listener.url)
    prologue = "PREFIX :<http://a/>PREFIX ex:<http://a/>"
    assert _judged(update) is None or not listener.is_called_by_update(prologue + update)


@given(st.text() | st.lists(st.sampled_from(FRAGMENTS + _PIECES)).map("".join))
def test_only_our_errors_are_raised(text: str) -> None:
    with suppress(KgError):
        _operations("INSERT DATA{GRAPH :g{" + text)


# --- the W3C suite ------------------------------------------------------------------------


def _w3c_updates() -> list[Path]:
    return sorted((w3c_suite() / "rdf-tests" / "sparql").rglob("*.ru"))


def _w3c_runs(update: str) -> bool:
    """Whether the engine takes it; that a graph is not there is no matter of the text."""
    try:
        Store().update(update)
    except SyntaxError:
        return False
    except RuntimeError as error:
        return "does not exist" in str(error)
    return True


def _for_each_w3c_update(check: Callable[[str, tuple[Operation, ...]], object]) -> list[object]:
    """The check on each update that the engine takes, with a base for relative IRIs."""
    texts = [f"BASE <http://example/>\n{file.read_text()}" for file in _w3c_updates()]
    calls = re.compile(r"(?im)^[^#<\n]*\b(?:service|load)\b\s")
    taken = [text for text in texts if not calls.search(text) and _w3c_runs(text)]
    assert len(taken) > 120
    return [check(text, _operations(text)) for text in taken]


def test_every_w3c_update_that_the_engine_takes_is_taken_and_covered() -> None:
    assert set(map(str, _for_each_w3c_update(_uncovered))) == {"[]"}


def test_every_w3c_update_is_the_same_one_by_one() -> None:
    assert set(_for_each_w3c_update(_same_one_by_one)) == {True}


def test_w3c_updates_that_load_are_refused() -> None:
    for file in _w3c_updates():
        if re.search(r"(?im)^\s*load\b", file.read_text()):
            with pytest.raises(QueryError):
                _operations(file.read_text())
