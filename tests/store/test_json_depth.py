"""JSON-LD that nests too deep for the engine is refused before it reads it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import MalformedData
from kg.media import JSON_LD
from kg.store import json_depth
from kg.store.json_depth import check_depth
from kg.store.memory import MemoryDataset

MOST = 200
BRACKETS = r"[{\"\\[{"
"""Within a string: brackets, an escaped quote, an escaped backslash."""
VALUES = st.recursive(
    st.text('[]{}"\\é\n a') | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('[{"\\'), inner),
)


def nested(levels: int, inner: str = "1") -> bytes:
    return ('{"http://ex/p":\n' * levels + inner + "}" * levels).encode()


def depth(value: Any) -> int:
    if not isinstance(value, list | dict):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth, inner), default=0)


def refused(document: bytes) -> MalformedData:
    with pytest.raises(MalformedData, match="this is not jsonld") as caught:
        MemoryDataset().load(document, JSON_LD, "http://ex/g")
    return caught.value


def test_a_document_at_the_bound_is_read() -> None:
    dataset = MemoryDataset()
    dataset.load(nested(MOST), JSON_LD, "http://ex/g")
    assert dataset.triples("http://ex/g").count(b"\n") == MOST


def test_one_beyond_it_is_refused_with_depth_bound_place_and_advice() -> None:
    error = refused(nested(MOST + 1))
    assert (error.line, error.column, error.remedy) == (
        MOST + 1,
        1,
        "Give the inner nodes an @id, list them side by side, and refer to them by it.",
    )
    assert error.problem == "its objects and arrays nest 201 levels deep, and may nest 200"


@pytest.mark.parametrize(
    ("document", "levels"),
    [
        (nested(20_000), 20_000),
        (b"[" * 20_000, 20_000),
        (b"[" * MOST + b'"\\"[\xc3\xa9",' + b'{"a":' * 20_000, 20_000 + MOST),
    ],
    ids=["objects", "arrays that never close", "after a string"],
)
def test_a_deep_document_is_refused_at_once(document: bytes, levels: int) -> None:
    start = time.perf_counter()
    problem = refused(document).problem
    assert time.perf_counter() - start < 0.5
    assert problem == f"its objects and arrays nest {levels} levels deep, and may nest {MOST}"


def test_the_column_counts_characters() -> None:
    assert refused(b'["\xc3\xa9"' + b"[" * MOST).column == len('["é"') + MOST


def test_brackets_in_strings_do_not_count() -> None:
    inner = f'"{BRACKETS * MOST}"'
    dataset = MemoryDataset()
    dataset.load(nested(MOST, inner), JSON_LD, "http://ex/g")
    assert dataset.triples("http://ex/g").count(b"\n") == MOST


@pytest.mark.parametrize("document", [b"", b'"[', b'"\\', b"]]", b"{}"])
def test_what_is_cut_short_has_no_depth(document: bytes) -> None:
    check_depth(document)
    assert max(json_depth._depths(document), default=0) < 2


@given(VALUES, st.booleans())
def test_the_depth_is_that_of_the_value(value: object, ascii_only: bool) -> None:
    document = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert max(json_depth._depths(document), default=0) == depth(value)
