"""The look at a query, with the engine as the judge of what it would do."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import QueryTriples, Store

from engine_parts import EDITS, FRAGMENTS, Edits, Listener, edited
from kg.errors import (
    KgError,
    QueryError,
    QuerySyntax,
    QueryTooDeep,
    QueryTooLarge,
    RemoteRefused,
    UpdateRefused,
)
from kg.media import Form
from kg.namespaces import BASE
from kg.query.inspection import Inspection, Remote, inspect, remotes
from w3c_suite import w3c_queries


def _inspect(query: str) -> Inspection:
    return inspect(query, query_bytes=1024 * 1024, nesting=128)


def _refused(query: str) -> bool:
    try:
        _inspect(query)
    except QueryError:
        return True
    return False


# --- form, size, depth, syntax ------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "form", "depth"),
    [
        ("SELECT*{}", Form.SELECT, 1),
        ("ask{?s ?p ((1))}", Form.ASK, 3),
        (
            "# SELECT\nBASE<http://b/>PREFIX select:<x>VERSION '1.2' CONSTRUCT WHERE{}",
            Form.CONSTRUCT,
            1,
        ),
        ("PREFIX insert: <x> DESCRIBE insert:data", Form.DESCRIBE, 0),
        ("DESCRIBE<http://b/>", Form.DESCRIBE, 0),
        ("ASK{<<?a ?b <<(?c ?d [?e ?f])>>>> ?p () {|?q []|}}", Form.ASK, 4),
    ],
)
def test_form_and_depth(query: str, form: Form, depth: int) -> None:
    assert _inspect(query) == Inspection(form, depth)


def test_form_is_that_of_the_result_for_every_w3c_query() -> None:
    queries = [file.read_text() for file in w3c_queries()]
    evaluated = [(query, _family(query)) for query in queries if "SERVICE" not in query]
    assert [q for q, family in evaluated if family and _family_of(_inspect(q).form) != family] == []
    assert len([family for _, family in evaluated if family]) > 900


def _family(query: str) -> str:
    """The kind of result that the engine gives; empty where it refuses the query."""
    try:
        result = Store().query(query, base_iri="http://example/")
    except (SyntaxError, ValueError, RuntimeError, OSError):
        return ""
    return "graph" if isinstance(result, QueryTriples) else type(result).__name__


def _family_of(form: Form) -> str:
    if form.gives_graph:
        return "graph"
    return "QueryBoolean" if form is Form.ASK else "QuerySolutions"


@pytest.mark.parametrize(
    "keyword",
    ["INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"],
)
def test_an_update_is_refused(keyword: str) -> None:
    with pytest.raises(UpdateRefused, match=keyword):
        _inspect(f"# SELECT\nPREFIX select: <x> {keyword.lower()} <http://a/>")


@pytest.mark.parametrize(
    ("query", "line", "column"),
    [
        ("", 1, 1),
        ("PREFIX a:<x>\n ", 2, 2),
        ("\n SELCT*{}", 2, 2),
        ("{} SELECT*{}", 1, 1),
        ("SELECTDISTINCT*{}", 1, 1),
        ("ASK{\n 'a}", 2, 2),
        ("ASK{'a\\q'}", 1, 5),
        ("ASK{\u00a0}", 1, 5),
        ("ASK{'\ud800'}", 1, 6),
        ("\ufeffASK{}", 1, 1),
    ],
)
def test_what_is_not_sparql_is_refused_with_its_place(query: str, line: int, column: int) -> None:
    with pytest.raises(QuerySyntax) as caught:
        _inspect(query)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_bytes_are_counted_not_characters() -> None:
    query = "ASK{} #é"
    assert inspect(query, query_bytes=9, nesting=1).form is Form.ASK
    with pytest.raises(QueryTooLarge):
        inspect(query, query_bytes=8, nesting=1)


@pytest.mark.parametrize("brackets", ["{}", "()", "[]", "<<", "<<(", "{|"])
def test_nesting_beyond_the_limit_is_refused(brackets: str) -> None:
    opening = brackets[0] + " " if brackets in ("{}", "()", "[]") else brackets
    assert inspect("ASK" + opening * 3 + "1", query_bytes=99, nesting=3).depth == 3
    with pytest.raises(QueryTooDeep) as caught:
        inspect("ASK\n" + opening * 4 + "1", query_bytes=99, nesting=3)
    assert (caught.value.line, caught.value.column) == (2, 1 + 3 * len(opening))


def test_brackets_in_strings_iris_comments_and_names_do_not_nest() -> None:
    assert _inspect("ASK{?s ex:\\(\\( '{{{' , <a(((>} #{{{").depth == 1


_HOSTILE = {
    "marks": "SELECT" + "*" * 1024**2,
    "brackets": "ASK" + "{}" * 512 * 1024,
    "service in comments": "ASK{}" + "#service\n" * 116_000,
    "names that may be calls": "PREFIX :<#>ASK{" + ":service ?x " * 87_000,
    "escapes": "ASK{" + "'\\u0053ervice'," * 70_000,
    "dotted words": "ASK{" + "a.b-c." * 170_000,
    "less-than": "ASK{(" + "?a<<b " * 170_000 + "service",
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_hostile_mebibyte_is_judged_at_once(name: str) -> None:
    begun = time.process_time()
    with suppress(QueryError):
        inspect(_HOSTILE[name], query_bytes=2 * 1024**2, nesting=128)
    assert time.process_time() - begun < 5


# --- calls --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    yield Listener()


def _at(listener: Listener, pattern: str) -> str:
    """A query of this pattern; `URL`, `ex:`, `:` stand for the listener, `odd:` for no IRI."""
    prologue = "BASE<http://b/>PREFIX ex:<URL/>PREFIX :<URL/y>PREFIX \ufff0:<URL/z>"
    odd = "PREFIX odd:<http://e:>" if "odd:" in pattern else ""
    return f"{prologue}{odd}SELECT*{{{pattern}}}".replace("URL", listener.url)


_CALLS = [
    "SERVICE <URL/x> {}",
    "SERVICE SILENT <URL/x> {}",
    "service#c\nsilent#'\n<URL/x>#{\n{}",
    "SERVICE ex:a {}",
    "SERVICE : {}",
    "VALUES ?v {<URL/x>} SERVICE ?v {}",
    "BIND(<URL/x> AS ?v) LATERAL {SERVICE $v {}}",
    "OPTIONAL {SERVICE <URL/x> {}}",
    "MINUS {SERVICE <URL/x> {?a ?b ?c}}",
    "{} UNION {SERVICE <URL/x> {}}",
    "{SELECT * {SERVICE <URL/x> {}}}",
    "FILTER EXISTS {SERVICE <URL/x> {?a ?b ?c}}",
    "FILTER (true && NOT EXISTS {SERVICE <URL/x> {?a ?b ?c}})",
    "BIND(EXISTS {SERVICE <URL/x> {?a ?b ?c}} AS ?v)",
    "BIND(1 AS ?a)BIND(2 AS ?b)FILTER(?a<?b)SERVICE<URL/x>{}",
    "BIND(<<(<a:b> <a:b> 1)>> AS ?t)SERVICE<URL/x>{}",
    "SERVICESILENT<URL/x>{}",
    "SERVICEex:a{}",
    "SERVICESILENTex:a{}",
    "SERVICE:x{}",
    "SERVICE SILENT:x{}",
    "BIND(1 AS ?a)BIND(2 AS ?b)FILTER(?a<?b).SERVICE?x#>\n{}",
    "BIND(1 AS ?a)BIND(2 AS ?b)FILTER(?a<?b#>'''\n)SERVICE<URL/x>{}#'''\n",
    "BIND(1 AS ?a)FILTER(?a<<http://z#'''>||true)SERVICE<URL/x>{}#'''\n",
    "BIND(1 AS ?a)FILTER(?a<2&&(?a>0)&&EXISTS{}<?b#>'''\n||true)SERVICE<URL/x>{}#'''\n",
    "VALUES ?x {'''abc'}SERVICE<URL/x>{}# \\q'''\n",
    "VALUES ?x {'''abc'}SERVICE<URL/x>{}# \\uD800'''\n",
    "VALUES ?x {'''abc'}SERVICE<URL/x>{}",
    "<a:s> <a:p> 1SERVICE<URL/x>{}",
    "<a:s> <a:p> 1.0SERVICE:x{}",
    "<a:s> <a:p> 1;SERVICE<URL/x>{}",
    "<a:s> <a:q> trueSERVICE<URL/x>{}",
    "<a:s> <a:q> trueSERVICE:x{}",
    "<a:s> odd:trueSERVICE<URL/x>{}",
    "<a:s> <a:r> odd:SERVICE<URL/x>{}",
    "<a:s> <a:r> odd:SERVICE:x{}",
    "<a:s> <a:r> ex:a.b.SERVICE<URL/x>{}",
    "<a:s> <a:r> ex:SERVICE\ufff0:x{}",
]


@pytest.mark.parametrize("pattern", _CALLS)
def test_a_query_on_which_the_engine_calls_is_refused(pattern: str, listener: Listener) -> None:
    query = _at(listener, pattern)
    assert listener.is_called_by(query)
    assert _refused(query)


@settings(max_examples=1000, deadline=None)
@given(pattern=st.lists(st.sampled_from(_CALLS), min_size=1, max_size=2).map("".join), edits=EDITS)
def test_no_query_on_which_the_engine_calls_passes(
    listener: Listener, pattern: str, edits: Edits
) -> None:
    query = _at(listener, edited(pattern, edits))
    assert _refused(query) or not listener.is_called_by(query)


_HARMLESS = [
    "# SERVICE <URL/x> {}\n",
    "FILTER('SERVICE <URL/x> {}' != \"SERVICE <URL/x> {}\")",
    "FILTER('''SERVICE 'a' <URL/x> {}''' != 'it\\'s SERVICE <URL/x> {}')",
    "FILTER(<http://x/service?SERVICE> != <urn:SERVICE>)",
    "FILTER(?a < 2 && 'service' > ?b)",
    "FILTER(?a<?b&&?c>?d)?s ?p ?service.",
    "FILTER(?a IN (<urn:a#b>, <urn:service#it's>))",
    "?SERVICE $service ex:SERVICE.",
    "?s a ex:Service;ex:serviceType ?service.",
    "?s ex:a.SERVICE ?o.ex:a.SERVICE ?p ?o.",
    "?s ex:hasService ?service {?service ?p ?o} UNION {}",
    "?s a webservice:Thing {} UNION {}",
    "?s <http://x/y#service> <urn:x#service> {}",
    "{SELECT ?service ?o {?service ?p ?o}}",
    "GRAPH SERVICE:x {?s ?p ?o}",
    "GRAPH ex:service:x {?s ?p ?o}",
    "GRAPH ?service {?s ?p 'x'@service}",
    "?s ?p _:service.",
    "?s ?p 'x'^^ex:service {}",
    "VALUES ?service {ex:service 'service'}",
    "VALUES (?a ?b) {(<http://x/a#b> <http://x/service#c>)}",
]


def _with_named_services(listener: Listener, pattern: str) -> str:
    prefixes = "PREFIX SERVICE:<http://x/>PREFIX webservice:<http://x#>SELECT"
    return _at(listener, pattern).replace("SELECT", prefixes, 1)


@pytest.mark.parametrize("pattern", _HARMLESS)
def test_the_word_alone_is_harmless(pattern: str, listener: Listener) -> None:
    query = _with_named_services(listener, pattern)
    Store().query(query, base_iri=BASE)
    assert not listener.is_called_by(query)
    assert not _refused(query)


@settings(deadline=None)
@given(patterns=st.lists(st.sampled_from(_HARMLESS), max_size=4))
def test_harmless_patterns_stay_harmless_together(listener: Listener, patterns: list[str]) -> None:
    assert not _refused(_with_named_services(listener, " ".join(patterns)))


@pytest.mark.parametrize(
    "query", ["DESCRIBE SERVICE:x ex:service <x> {}", "SELECT ?service ?x FROM service:x {}"]
)
def test_the_word_outside_of_braces_is_harmless(query: str) -> None:
    assert _inspect(query).depth == 1


@pytest.mark.parametrize(
    "pattern",
    [
        "FILTER('\\u0022 SERVICE <URL/x> {} #' != \"\\u0022 SERVICE <URL/x> {} #\")",
        "FILTER(\"\\u0022\" != 'service')",
        "VALUES ?x {'''a'}",
        "VALUES (?a ?b) {(<urn:a> <urn:b#c>)} # service\n",
        "?s ?p SERVICE:x {}",
        "?s odd: 1; ex:service ?o {}",
        "?s ex:a\\.b\\.service ?o {}",
        "?s ex:é-service ?o {}",
    ],
)
def test_a_harmless_query_that_is_refused_nevertheless(pattern: str, listener: Listener) -> None:
    """Each of the module's list: neither the grammar nor the engine sees a call."""
    query = _with_named_services(listener, pattern)
    Store().query(query, base_iri=BASE)
    assert not listener.is_called_by(query)
    assert _refused(query)


def test_a_call_that_appears_when_codepoint_escapes_are_replaced_is_refused() -> None:
    """SPARQL 1.1, section 19.2; 1.2 and the engine leave them alone but in IRIs and strings."""
    with pytest.raises(RemoteRefused) as caught:
        _inspect("ASK{\n 'a\\u0027.\\u0053ERVICE <http://x/> {} #'}")
    assert (caught.value.line, caught.value.column) == (2, 4)


def test_a_string_may_hold_escaped_quotes_and_the_word() -> None:
    assert _inspect("ASK{?s ?p 'service', '\\u0022', '\\u0073ervice', '\\u005C'}").depth == 1


def test_a_refusal_names_the_target_and_its_place() -> None:
    with pytest.raises(RemoteRefused, match="SERVICE <http://x/> at line 2, column 2") as caught:
        _inspect("SELECT*{\n SERVICE SILENT <http://x/> {}}")
    assert (caught.value.line, caught.value.column) == (2, 2)


def test_of_the_w3c_queries_those_with_service_are_refused() -> None:
    """And no other; but one that the engine does not take may be refused for its syntax."""
    for file in w3c_queries():
        query = file.read_text()
        calls = re.search(r"(?im)^[^#<\n]*\bservice\b\s", query) is not None
        if calls or _family(query):
            assert (file, _refused(query)) == (file, calls)


# --- updates ------------------------------------------------------------------------------

_UPDATES = [
    "LOAD <URL/x>",
    "load silent <URL/x> INTO GRAPH <a:b>",
    "PREFIX ex:<URL/> LOAD ex:a",
    "PREFIX ex:<URL/>LOADex:a",
    "LOADSILENT<URL/x>",
    "VERSION'1.2'LOAD<URL/x>",
    "CLEAR ALL;LOAD<URL/x>",
    "INSERT DATA{<a:b> <a:b> 'LOAD'};LOAD<URL/x>",
    "BASE<http://b/>INSERT{}WHERE{FILTER(1<?b#>'''\n||true)};LOAD<URL/x>#'''\n",
    "INSERT{}WHERE{SERVICE<URL/x>{}}",
]


def _may_call(update: str) -> bool:
    try:
        return bool(remotes(update))
    except QuerySyntax:
        return True


@pytest.mark.parametrize("update", _UPDATES)
def test_an_update_on_which_the_engine_calls_has_remotes(update: str, listener: Listener) -> None:
    update = update.replace("URL", listener.url)
    assert listener.is_called_by_update(update)
    assert _may_call(update)


@settings(max_examples=500, deadline=None)
@given(
    update=st.lists(st.sampled_from(_UPDATES), min_size=1, max_size=2).map(";".join), edits=EDITS
)
def test_no_update_on_which_the_engine_calls_is_missed(
    listener: Listener, update: str, edits: Edits
) -> None:
    update = edited(update, edits).replace("URL", listener.url)
    assert _may_call(update) or not listener.is_called_by_update(update)


def test_remotes_are_in_order_with_their_targets() -> None:
    assert remotes("LOAD <a:b>; LOAD SILENT ex:c; INSERT {} WHERE {SERVICE ?d {} SERVICE") == (
        Remote("LOAD", "<a:b>", 0),
        Remote("LOAD", "ex:c", 12),
        Remote("SERVICE", "?d", 47),
        Remote("SERVICE", "", 61),
    )


def test_load_as_a_name_is_no_call() -> None:
    update = "PREFIX load: <a:> COPY load:a TO load:b; INSERT DATA {load:a load:b 'LOAD <x>'} #LOAD"
    assert remotes(update) == ()


@given(st.text() | st.lists(st.sampled_from(FRAGMENTS)).map("".join))
def test_only_our_errors_are_raised(text: str) -> None:
    for judge in (_inspect, remotes):
        with suppress(KgError):
            judge("ASK{" + text)
