"""How the suite's answers are compared: what is one answer, and what is not."""

import pytest
from pyoxigraph import QueryResultsFormat

from w3c.results import Solutions, read_csv, read_results, same


def tsv(text: str, *, ordered: bool = False) -> Solutions:
    result = read_results(text.encode(), QueryResultsFormat.TSV)
    assert isinstance(result, Solutions)
    return Solutions(result.variables, result.rows, ordered)


def test_blank_nodes_may_have_other_names() -> None:
    assert same(tsv("?x\t?y\n_:a\t_:b\n_:b\t_:b\n"), tsv("?x\t?y\n_:q\t_:q\n_:p\t_:q\n"))


def test_one_blank_node_is_not_two() -> None:
    assert not same(tsv("?x\t?y\n_:a\t_:a\n"), tsv("?x\t?y\n_:p\t_:q\n"))
    assert not same(tsv("?x\t?y\n_:p\t_:q\n"), tsv("?x\t?y\n_:a\t_:a\n"))


def test_blank_nodes_inside_of_triple_terms_count() -> None:
    one = "?x\t?y\n_:a\t<<( _:a <http://p> 1 )>>\n"
    other = "?x\t?y\n_:a\t<<( _:b <http://p> 1 )>>\n"
    assert same(tsv(one), tsv(one.replace("_:a", "_:z")))
    assert not same(tsv(one), tsv(other))


def test_solutions_count_as_often_as_they_come() -> None:
    assert not same(tsv("?x\n1\n1\n2\n"), tsv("?x\n1\n2\n2\n"))
    assert not same(tsv("?x\n1\n"), tsv("?x\n1\n1\n"))


def test_reduced_solutions_may_come_fewer_times_but_once() -> None:
    assert same(tsv("?x\n1\n1\n2\n"), tsv("?x\n2\n1\n"), lax=True)
    assert not same(tsv("?x\n1\n1\n2\n"), tsv("?x\n1\n"), lax=True)
    assert not same(tsv("?x\n1\n2\n"), tsv("?x\n1\n1\n2\n"), lax=True)


def test_order_matters_where_it_is_expected() -> None:
    assert same(tsv("?x\n1\n2\n"), tsv("?x\n2\n1\n"))
    assert not same(tsv("?x\n1\n2\n", ordered=True), tsv("?x\n2\n1\n"))


def test_an_unbound_variable_is_no_empty_string() -> None:
    assert not same(tsv('?x\t?y\n1\t""\n'), tsv("?x\t?y\n1\t\n"))


@pytest.mark.parametrize("wrong", ["2", '"1"', "1.0", '"1"@en', "<http://1>", "1e0"])
def test_another_value_datatype_or_language_differs(wrong: str) -> None:
    assert not same(tsv("?x\n1\n"), tsv(f"?x\n{wrong}\n"))


def test_spellings_of_one_number_are_one_term() -> None:
    assert same(tsv("?x\n1.50\n"), tsv("?x\n1.5\n"))
    assert same(read_csv(b"x\r\n1.0E6\r\n"), read_csv(b"x\r\n1000000\r\n"))


def test_variables_are_part_of_an_answer() -> None:
    assert not same(tsv("?x\n"), tsv("?y\n"))
