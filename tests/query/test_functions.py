"""The functions `rff:`: what the docs show, what each gives, what is an error, where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from rdflib import Literal, URIRef

import kg
from conftest import REPOSITORY
from kg.cli import main
from kg.errors import UnknownFunction
from kg.namespaces import CODE, FUNCTION, XSD
from kg.query.reading import Store
from kg.store.functions import function_iris

DOCS = (REPOSITORY / "docs" / "functions.md").read_text()
EXAMPLES = re.findall(r"```sparql\n(.+?)```\n+```csv\n(.+?)```", DOCS, re.DOTALL)


@pytest.fixture(scope="module")
def opened(_built_once: Path) -> Iterator[Store]:
    """The miniature, open for all tests of this file: none writes it."""
    with kg.open(_built_once) as store:
        yield store


@pytest.fixture(scope="module")
def real(real_store: Path) -> Iterator[Store]:
    """Our own data, open for all examples."""
    with kg.open(real_store) as store:
        yield store


def value(store: Store, expression: str) -> object:
    """What an expression comes to, or None where it is an error."""
    solutions = store.query(f"SELECT ?x {{ BIND({expression} AS ?x) }}")
    assert isinstance(solutions, list)
    (solution,) = solutions
    return solution.get("x")


def interval(text: str) -> Literal:
    return Literal(text, datatype=URIRef(FUNCTION + "interval"))


# --- the documentation --------------------------------------------------------------------


def test_every_example_has_an_answer() -> None:
    assert len(EXAMPLES) == DOCS.count("```sparql") == 4


@pytest.mark.parametrize(("query", "answer"), EXAMPLES)
def test_an_example_gives_its_answer(real: Store, query: str, answer: str) -> None:
    assert real.query(query, format="csv").decode().replace("\r\n", "\n") == answer


def test_the_table_has_every_function() -> None:
    rows = "".join(line.split("|")[1] for line in DOCS.splitlines() if line.startswith("| `rff:"))
    assert sorted(set(re.findall(r"rff:(\w+)\(", rows))) == [
        iri.removeprefix(FUNCTION) for iri in function_iris()
    ]


# --- what they give -----------------------------------------------------------------------


def test_each_function_gives_a_term_of_its_kind(opened: Store) -> None:
    code, boolean = URIRef(CODE + "overlappingIntervals"), URIRef(XSD + "boolean")
    expected = {
        'rff:interval(3000, true, "", false)': interval("(3000,)"),
        'rff:interval("", 0.50)': interval("(,0.5]"),
        "rff:interval(7)": interval("[7,7]"),
        'rff:interval("[ 1, 2.0 )")': interval("[1,2)"),
        'rff:contains("(0,1)", 1)': Literal("false", datatype=boolean),
        'rff:overlaps("(0,1]", 1)': Literal("true", datatype=boolean),
        'rff:disjoint("(0,1)", 1)': Literal("true", datatype=boolean),
        'rff:relation("[0,2]", "[1,3]")': code,
        'rff:intersection("[0,2]", "[1,3]", "(1,9]")': interval("(1,2]"),
        'rff:hull("[0,2]", 5)': interval("[0,5]"),
        'rff:sum("(0,2]", 5, "[1,)")': interval("(6,)"),
        'rff:difference("(0,2]", "[1,3)")': interval("(-3,1]"),
        'rff:product("(0,2]", 0.5, "[-1,1]")': interval("[-1,1]"),
        'rff:ratio("[1,2]", "(0,4]")': interval("[0.25,)"),
        'rff:relativeDifference("[90,110]", 100)': interval("[0,0.1]"),
        'rff:lower("(0.250,2]")': Literal(Decimal("0.25")),
        'rff:upper("(0.250,2]")': Literal(Decimal(2)),
        'rff:lowerOpen("(0.250,2]")': Literal("true", datatype=boolean),
        'rff:upperOpen("(0.250,2]")': Literal("false", datatype=boolean),
        'rff:isEmpty(rff:intersection(1, "(1,2]"))': Literal("true", datatype=boolean),
    }
    assert {re.match(r"rff:(\w+)", each)[1] for each in expected} == {  # type: ignore[index]
        iri.removeprefix(FUNCTION) for iri in function_iris()
    }
    assert {each: value(opened, each) for each in expected} == expected


def test_what_one_function_gives_another_takes(opened: Store) -> None:
    assert value(opened, "sameTerm(rff:sum(1, 2), rff:interval(3))") == Literal(True)
    assert value(opened, "rff:lower(rff:sum(1, 2)) + 1") == Literal(Decimal(4))
    assert value(opened, "rff:contains(rff:ratio(2, 3), 2.0/3.0)") == Literal(True)


NINES = "9" * 10_000


@pytest.mark.parametrize(
    "expression",
    [
        "rff:sum()",
        "rff:overlaps(1)",
        "rff:overlaps(1, 2, 3)",
        "rff:interval(1, 2, 3)",
        "rff:isEmpty(?nobody)",
        "rff:sum(1, <urn:a>)",
        "rff:sum(1, BNODE())",
        "rff:sum(1, true)",
        "rff:sum(1, 2e0)",
        'rff:sum(1, "2")',
        'rff:sum(1, "[2,3]"@en)',
        'rff:sum(1, "2"^^<urn:type>)',
        'rff:sum(1, "two"^^xsd:decimal)',
        'rff:sum(1, "INF"^^xsd:decimal)',
        'rff:sum(1, "x"^^rff:interval)',
        'rff:interval(2, "yes", 3, false)',
        "rff:interval(3, 2)",
        'rff:lower("(,3]")',
        'rff:upper("[3,)")',
        'rff:lowerOpen("(,3]")',
        'rff:lower("empty")',
        'rff:upperOpen("empty")',
        f"rff:sum(1, {NINES})",
        f"rff:sum(1, 0.{NINES})",
        f'rff:sum(1, "[{NINES},)")',
        f'rff:sum(1, "{"[" * 10_000}")',
        f"rff:product({'9' * 40}, {'9' * 40})",
        f"rff:sum({', '.join('1' * 200)})",
    ],
    ids=lambda expression: expression[:40],
)
def test_what_cannot_be_computed_is_an_error_of_the_expression(
    opened: Store, expression: str
) -> None:
    assert value(opened, expression) is None
    assert value(opened, f"COALESCE({expression}, 0)") == Literal(0)
    assert opened.query(f"ASK {{ FILTER(BOUND(?nobody) || isLiteral({expression})) }}") is False


# --- where they may stand -----------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "ASK { ?c rf:upper ?u FILTER(rff:contains(40, ?u)) }",
        "ASK { ?c rf:upper ?u FILTER EXISTS { ?d rf:upper ?w FILTER(rff:overlaps(?w, ?u)) } }",
        "ASK { ?c a rf:FigureClaim OPTIONAL { ?c rf:upper ?u FILTER(rff:overlaps(?u, 40)) } "
        "FILTER(BOUND(?u)) }",
        "ASK { { SELECT (MAX(rff:upper(rff:sum(?u, 1))) AS ?m) { ?c rf:upper ?u } } "
        "FILTER(?m > 40) }",
        "ASK { GRAPH ?g { ?c rf:upper ?u FILTER(rff:contains(?u, 40)) } }",
        "ASK { { SELECT ?c { ?c rf:upper ?u } ORDER BY rff:lower(?u) LIMIT 1 } }",
        "ASK { { SELECT ?k { ?c rf:upper ?u } GROUP BY (rff:sum(?u) AS ?k) } FILTER(BOUND(?k)) }",
        f"PREFIX f: <{FUNCTION}> ASK {{ FILTER(f:contains(1, 1)) }}",
        f"ASK {{ FILTER(<{FUNCTION}contains>(1, 1)) }}",
        "ASK { FILTER(<function/contains>(1, 1)) }",
    ],
)
def test_a_function_may_stand_wherever_an_expression_may(opened: Store, query: str) -> None:
    assert opened.query(query) is True


def test_several_graphs_may_be_merged_for_a_query_that_calls_one(opened: Store) -> None:
    found = opened.query("SELECT DISTINCT ?g { GRAPH ?g { ?c rf:upper ?u } }")
    assert isinstance(found, list)
    named = " ".join(f"FROM <{each['g']}>" for each in found) + " FROM <urn:none>"
    assert opened.query(f"ASK {named} {{ ?c rf:upper ?u FILTER(rff:contains(?u, 40)) }}") is True


def test_a_construct_may_give_intervals(opened: Store) -> None:
    query = "CONSTRUCT { <urn:a> <urn:b> ?x } WHERE { BIND(rff:sum(1, 2) AS ?x) }"
    assert opened.query(query, format="turtle") == (
        f"@prefix rff: <{FUNCTION}> .\n".encode() + b'<urn:a> <urn:b> "[3,3]"^^rff:interval .\n'
    )


def test_another_function_is_still_unknown(opened: Store) -> None:
    with pytest.raises(UnknownFunction, match="function/overlap>"):
        opened.query("SELECT (rff:overlap(1, 2) AS ?x) {}")
    with pytest.raises(UnknownFunction, match="no function <urn:f>"):
        opened.query("SELECT (rff:sum(<urn:f>(1), 2) AS ?x) {}")


def test_the_command_knows_them(built: Path) -> None:
    query = 'SELECT (rff:ratio(1, "[2,4]") AS ?x) {}'
    result = CliRunner().invoke(
        main, ["query", "--store", str(built), "--format", "csv", query], catch_exceptions=False
    )
    assert (result.exit_code, result.stdout) == (0, 'x\n"[0.25,0.5]"\n')
