"""What of a result is fixed by its query, and what is left to the engine."""

import pytest

from kg.query.ordering import ordering_of


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { ?s ?p ?o } ORDER BY ?s",
        "select*{?s?p?o}order by?s",
        "SELECT * { ?s ?p ?o } # here\nORDER # and\nBY DESC(?s)",
        "SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?s HAVING(?n > 1) ORDER BY (?n + 1)",
        "SELECT * { ?s ?p ?o } ORDER BYASC(?s)",
        "SELECT * { { SELECT * { ?s ?p ?o } LIMIT 3 } } ORDER BY ?s",
        "SELECT * { ?s ?p ?o } ORDER BY ?s VALUES ?s { 1 }",
    ],
)
def test_the_outermost_query_has_order_by(query: str) -> None:
    assert ordering_of(query).ordered


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { ?s ?p ?o }",
        "SELECT * { ?s ?p ?o } # ORDER BY ?s",
        'SELECT * { ?s ?p "ORDER BY ?s" }',
        "SELECT * { { SELECT * { ?s ?p ?o } ORDER BY ?s LIMIT 3 } }",
        "SELECT ?order { ?order ?by <http://ex/ORDER/BY> }",
        "PREFIX order: <http://ex/> SELECT * FROM order:by { ?s order:by ?o }",
    ],
)
def test_order_by_elsewhere_orders_nothing(query: str) -> None:
    assert not ordering_of(query).ordered


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * { ?s ?p ?o } LIMIT 3", ["unordered"]),
        ("SELECT * { ?s ?p ?o } OFFSET 3", ["unordered"]),
        ("SELECT * { ?s ?p ?o } LIMIT3", ["unordered"]),
        ("SELECT * { ?s ?p ?o } ORDER BY ?s LIMIT 3", ["equal in that order"]),
        ("SELECT * { { SELECT ?s { ?s ?p ?o } LIMIT 3 } } ORDER BY ?s", ["unordered"]),
        (
            "SELECT * { { SELECT ?s { ?s ?p ?o } ORDER BY ?o OFFSET 1 } } LIMIT 3",
            ["unordered", "equal in that order"],
        ),
    ],
)
def test_a_cut_is_noted(query: str, words: list[str]) -> None:
    ordering = ordering_of(query)
    assert ordering.cut
    assert len(ordering.notes) == len(words)
    assert all(word in note for word, note in zip(words, ordering.notes, strict=True))


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("SELECT (SAMPLE(?s) AS ?x) { ?s ?p ?o }", "SAMPLE"),
        ('SELECT (group_concat(?s; separator=" ") AS ?x) { ?s ?p ?o }', "GROUP_CONCAT"),
        ("SELECT REDUCED ?s { ?s ?p ?o }", "REDUCED"),
    ],
)
def test_what_an_engine_chooses_is_noted(query: str, word: str) -> None:
    ordering = ordering_of(query)
    assert not ordering.cut
    assert [word in note for note in ordering.notes] == [True]


def test_a_plain_query_needs_no_note() -> None:
    assert ordering_of("SELECT ?limit { ?limit ?sample 'LIMIT 3' } ORDER BY ?limit").notes == ()
