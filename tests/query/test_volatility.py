"""Queries whose answer is new each time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.query.volatility import is_volatile

CALLS = ["NOW()", "now ()", "RAND()", "UUID()", "StrUuid( )", "BNODE()", 'BNODE("x")', "1+RAND()"]


@pytest.mark.parametrize("call", [*CALLS, "NOW # a comment\n ()", "xsd:dateTime(NOW())"])
def test_a_call_is_found(call: str) -> None:
    assert is_volatile(f"SELECT ({call} AS ?x) {{}}")


@pytest.mark.parametrize(
    "query",
    [
        'SELECT ("NOW()" AS ?x) {}',
        "SELECT ('''RAND() ''' AS ?x) {}",
        "SELECT ?now (COUNT(?rand) AS ?n) { ?now ?rand ?uuid }",
        "ASK { <http://e/now()> ?p ?o } # UUID()",
        "ASK { _:bnode ex:now ex:uuid }",
        "SELECT * { ?s ex:knows ?o FILTER(isBlank(?o)) }",
    ],
)
def test_a_word_is_no_call(query: str) -> None:
    assert not is_volatile(query)


def test_service_and_what_is_not_made_of_tokens_are_never_kept() -> None:
    assert is_volatile("ASK { SERVICE <http://e/> {} }")
    assert is_volatile("ASK { 'now }")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT (?a<NOW()&&?b>?c AS ?x) {}",
        "SELECT (?a<RAND()&&2>1 AS ?x) {}",
        'SELECT (?x<?b#>"""\n+RAND() AS ?y) #""" AS ?z)\n {}',
        "SELECT (?x<'>'+STR(RAND())&&?b>'' AS ?z) {}",
        "SELECT (?a<<urn:e#>+NOW() AS ?x) {}",
    ],
)
def test_a_call_is_found_behind_a_less_than_that_looks_like_an_iri(query: str) -> None:
    assert is_volatile(query)


@given(st.text(max_size=60), st.sampled_from(CALLS))
def test_a_call_is_found_before_any_text(text: str, call: str) -> None:
    assert is_volatile(f"SELECT ({call} AS ?x) {{}} {text}")
