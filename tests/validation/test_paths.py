"""Paths of SHACL as text and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import SH, Graph, URIRef
from rdflib.compare import isomorphic

from kg.validation.paths import path_text, path_turtle

PREFIX = "@prefix sh: <http://www.w3.org/ns/shacl#> .\n"
SHAPE = URIRef("http://ex/shape")

_IRIS = st.sampled_from(["<http://ex/a>", "<http://ex/b>", "<http://ex/c?x=(1)/*+>"])


def _composite(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, min_size=2, max_size=3).map(" ".join)
    kinds = st.sampled_from(["inversePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath"])
    return (
        several.map(lambda members: f"( {members} )")
        | several.map(lambda members: f"[ sh:alternativePath ( {members} ) ]")
        | st.tuples(kinds, inner).map(lambda pair: f"[ sh:{pair[0]} {pair[1]} ]")
    )


def _graph(path: str) -> Graph:
    return Graph().parse(data=f"{PREFIX}<{SHAPE}> sh:path {path} .", format="turtle")


@given(st.recursive(_IRIS, _composite, max_leaves=6))
def test_a_path_read_and_written_again_is_the_same(path: str) -> None:
    graph = _graph(path)
    text = path_text(graph, graph.value(SHAPE, SH.path))
    written = path_turtle(text)
    assert written is not None, text
    assert isomorphic(graph, _graph(written)), text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("<http://ex/a>", "http://ex/a"),
        ("( <http://ex/a> <http://ex/b> )", "(<http://ex/a>/<http://ex/b>)"),
        ("[ sh:inversePath <http://ex/a> ]", "^<http://ex/a>"),
        ("[ sh:zeroOrMorePath [ sh:inversePath <http://ex/a> ] ]", "(^<http://ex/a>)*"),
    ],
)
def test_a_path_is_written_as_sparql_has_it(path: str, text: str) -> None:
    graph = _graph(path)
    assert path_text(graph, graph.value(SHAPE, SH.path)) == text


@pytest.mark.parametrize("text", ["-", "_", "<http://ex/a>/", "(<http://ex/a>", "<a> <b>"])
def test_what_is_no_path_gives_no_turtle(text: str) -> None:
    assert path_turtle(text) is None
