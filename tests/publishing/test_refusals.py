"""Whatever a person writes into a source, the reader reads it or says what is wrong, and where."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from conftest import FIXTURES, REPOSITORY
from kg.context import Context
from kg.errors import KgError
from kg.project import Project
from kg.publishing.placing import write_places
from kg.publishing.reading import read_article
from kg.publishing.sources import BadSources, editor
from kg.publishing.staging import _read_reference
from kg.publishing.texts import Text
from kg.publishing.triples import article_graphs, description

SOURCE = FIXTURES / "project" / "data" / "articles" / "harbour-news" / "article.yaml"
ONTOLOGY = Project(REPOSITORY)
MINIATURE = Project(FIXTURES / "project")


@lru_cache(maxsize=1)
def context() -> Context:
    return Context.read(ONTOLOGY.context)


@lru_cache(maxsize=1)
def known() -> frozenset[str]:
    return _read_reference(ONTOLOGY).subjects | _read_reference(MINIATURE).subjects


def read(source: Path, *texts: Text) -> None:
    """Read the source as far as its triples."""
    article = read_article(source, context(), known(), texts)
    article_graphs(article, context())
    description(article, context())


def refusals(source: Path, *texts: Text) -> list[KgError]:
    try:
        read(source, *texts)
    except BadSources as error:
        return list(error.errors)
    except KgError as error:
        return [error]
    return []


def change(source: Path, old: str, new: str) -> int:
    """Replace what stands once in the source; the line, from 1, on which it stands."""
    content = source.read_text()
    assert content.count(old) == 1, old
    source.write_text(content.replace(old, new))
    return content[: content.index(old)].count("\n") + 1


VALUE = "    value: 12\n"
TYPE = "type: schema:NewsArticle"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (TYPE, "type: not a type", "type is 'not a type'"),
        (TYPE, "type: schema:Book", "type is 'schema:Book'"),
        (TYPE, 'type: "@id"', "type is '@id'"),
        (TYPE, "type: [a, b]", "type is ['a', 'b']"),
        (TYPE, "type: null", "type is None"),
        (TYPE, "type: {a: b}", "type is {'a': 'b'}"),
        ("type: schema:Person", "type: schema:NewsArticle", "type is 'schema:NewsArticle'"),
        (VALUE, "    5: x\n", "the key 5 is not text"),
        (VALUE, "    null: x\n", "the key null is not text"),
        (VALUE, "    true: x\n", "the key true is not text"),
        (VALUE, "    2020-01-01: x\n", "the key 2020-01-01 is not text"),
        (VALUE, "    [a]: x\n", "a list or a mapping is not text"),
        ("textLength: 258", "textLength: null", "textLength is None"),
        ("textLength: 258", 'textLength: "258"', "textLength is '258'"),
        ("textLength: 258", "textLength: [258]", "textLength is [258]"),
        (VALUE, '    value: "1e999999"\n', "value is '1e999999'"),
        (VALUE, "    value: 170141183460469231732\n", "value is 170141183460469231732"),
        (VALUE, "    value: 0.0000000000000000001\n", "value is 1e-19"),
        (VALUE, f"    value: {'9' * 5000}\n", "Exceeds the limit"),
        (VALUE, f"    value: 0x{'f' * 5000}\n", "the number has more than 4300 digits"),
        (VALUE, f'    value: "{"9" * 5000}"\n', f"value is '{'9' * 5000}'"),
        (VALUE, "    value: !!int x\n", "invalid literal"),
        (VALUE, '    note: "\\ud800"\n', "the text holds U+D800, which is no character"),
        (VALUE, '    note: "\\0"\n', "the text holds U+0000, which is no character"),
        (VALUE, "    kind: [figure]\n", "kind is ['figure']"),
        (VALUE, "    kind: schema:x\n", "kind is 'schema:x'"),
        ("at: 67-106 ", "at: 067-106 ", "at is '067-106'"),
        ("at: 67-106 ", "at: ٦٧-106 ", "at is '٦٧-106'"),
        ("{agent: org/harbour-guild", '{agent: "http://[bad"', "agent is 'http://[bad'"),
        ("{agent: org/harbour-guild", '{agent: "http://a b/"', "agent is 'http://a b/'"),
        ("67-106: 91001989", "foo: 91001989", "digests is 'foo'"),
        ("39-61: dd1f", "39-61: xx1f", "39-61 is 'xx1f"),
        ("39-61: dd1f", "39-61: [dd1f]\n  # ", "39-61 is ['dd1f']"),
    ],
)
def test_a_value_that_cannot_be_taken_is_refused_at_its_line(
    source: Path, old: str, new: str, message: str
) -> None:
    line = change(source, old, new)
    first = refusals(source)[0]
    assert (first.place.line if first.place else None, message in first.message) == (line, True), (
        first.message
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xef\xbb\xbfarticle: {}\n", "byte-order mark"),
        (b"article: {}\r\n", "CR line ends"),
        (b"article: \xff\n", "not UTF-8"),
        ("article: {}\n".encode("utf-16"), "not UTF-8"),
        (b"a: " + b"[" * 3000, "maximum depth"),
        (b"a: " + b"{a: " * 1500 + b"1" + b"}" * 1500, "maximum depth"),
        (b"a: &x [*x]\n", "unknown key 'a'"),
        (b"- a\n", "it is not a mapping"),
        (b"", "it is not a mapping"),
    ],
)
def test_a_file_that_is_no_source_is_refused(source: Path, content: bytes, problem: str) -> None:
    source.write_bytes(content)
    assert any(problem in str(error) for error in refusals(source)), refusals(source)


def test_a_source_that_is_a_folder_is_refused(source: Path) -> None:
    source.unlink()
    source.mkdir()
    assert [str(error).split(": ")[1] for error in refusals(source)] == [
        "this is not a file that can be read"
    ]


def test_what_a_merge_key_brings_is_refused_where_the_mapping_begins(source: Path) -> None:
    line = change(source, VALUE, "    <<: {refArea: nowhere}\n    value: 12\n")
    (error,) = refusals(source)
    assert (error.message.split(",")[0], error.place and error.place.line) == (
        "refArea names nowhere",
        line - 2,
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("at: 67-106 ", "at: {incipit: Of the 5,000} ", "in quotes"),
        ("at: 67-106 ", 'at: {incipit: ""} ', "no words"),
        ("at: 67-106 ", 'at: {incipit: at least, through: ""} ', "no words"),
        ("sensitive:\n- at", "sensitive:\n- Mira\n- at", "sensitive is "),
    ],
)
def test_what_cannot_be_placed_is_refused(
    source: Path, text: Text, old: str, new: str, problem: str
) -> None:
    change(source, old, new)
    before = source.read_bytes()
    with pytest.raises(KgError, match=problem):
        write_places([source], text)
    assert source.read_bytes() == before


def test_in_a_block_without_a_place_an_incipit_is_sought_in_the_whole_text(
    source: Path, text: Text
) -> None:
    change(source, "  at: 39-184  # The harbour guild says that at …\n", "")
    change(source, "at: 67-106 ", "at: {incipit: at least 40, through: Northland} ")
    write_places([source], text)
    assert "at: 67-106" in source.read_text()


@pytest.mark.parametrize("article", ["[1]", "null", "5"])
def test_an_article_that_is_no_mapping_is_refused(source: Path, text: Text, article: str) -> None:
    source.write_text(f"article: {article}\n")
    assert refusals(source)[0].message.startswith("article is ")
    with pytest.raises(KgError, match="article is "):
        write_places([source], text)


# --- any change at all --------------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | st.dates()
    | st.text(max_size=8)
    | st.sampled_from(["1-2", "org/harbour-news", "#x", "@id", "schema:name", "http://[x", "1e99"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(SCALARS, inner, max_size=2),
    max_leaves=4,
)
Spot = tuple[Any, Any]
"""A mapping or list of a tree, and a key or index of it."""


def spots(tree: object) -> Iterator[Spot]:
    if isinstance(tree, CommentedMap | CommentedSeq):
        for key in tree if isinstance(tree, CommentedMap) else range(len(tree)):
            yield tree, key
            yield from spots(tree[key])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_one_change_is_read_or_refused(data: st.DataObject) -> None:
    tree = editor().load(SOURCE.read_text())
    holder, key = data.draw(st.sampled_from(list(spots(tree))))
    if isinstance(holder, CommentedMap) and data.draw(st.booleans()):
        holder[data.draw(SCALARS)] = holder.pop(key)
    else:
        holder[key] = data.draw(VALUES)
    text = Text.read(FIXTURES / "harbour.txt")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "article.yaml"
        with source.open("wb") as stream:
            editor().dump(tree, stream)
        refusals(source, text)
        try:
            write_places([source], text)
        except KgError:
            return
