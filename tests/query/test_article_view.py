"""The words of a block in pieces, and the places that claims cover."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kg.query.views.article import Entry, Mark, Piece, Place, merged, pieces
from kg.query.views.look import is_withheld

places = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda it: Place(min(it), max(it)))
marks = st.builds(Mark, places, st.sampled_from(["hedge", "cue", "value", "stance"]))
TEXT = "the 12 who left — 30 % of all — are said to be back 🙂"


def entries(spans: list[Place]) -> list[Entry]:
    return [Entry(n, f"http://x/{n}", False, "", at) for n, at in enumerate(spans, start=1)]


@given(places, st.lists(places, max_size=8), st.lists(marks, max_size=8))
def test_the_pieces_are_the_words_of_the_block(
    block: Place, spans: list[Place], marked: list[Mark]
) -> None:
    cut = pieces(TEXT, block, entries(spans), marked)
    assert "".join(piece.text for piece in cut) == TEXT[block.start : block.end]


@given(places, st.lists(places, max_size=8), st.lists(marks, max_size=8))
def test_each_code_point_has_the_marks_that_cover_it(
    block: Place, spans: list[Place], marked: list[Mark]
) -> None:
    at = block.start
    for piece in pieces(TEXT[:40], block, entries(spans), marked):
        for point in range(at, at + len(piece.text)):
            over = {n for n, span in enumerate(spans, 1) if span.start <= point < span.end}
            roles = {m.role for m in marked if m.place.start <= point < m.place.end}
            assert (set(piece.entries), set(piece.roles)) == (over, roles)
        at += len(piece.text)


@given(places, st.lists(places, max_size=8))
def test_each_claim_begins_once(block: Place, spans: list[Place]) -> None:
    begun = [n for piece in pieces(TEXT, block, entries(spans), []) for n in piece.begins]
    here = [n for n, span in enumerate(spans, 1) if span.within(block).length]
    assert sorted(begun) == here


def test_overlapping_claims_split_and_the_longer_is_outside() -> None:
    cut = pieces("abcdef", Place(0, 6), entries([Place(2, 6), Place(0, 4), Place(2, 3)]), [])
    assert cut == (
        Piece("ab", (2,), (2,), ()),
        Piece("c", (1, 2, 3), (1, 3), ()),
        Piece("d", (1, 2), (), ()),
        Piece("ef", (1,), (), ()),
    )


@given(st.lists(places, max_size=10))
def test_covered_places_hold_the_same_code_points_and_are_apart(spans: list[Place]) -> None:
    found = merged(spans)
    points = {point for span in spans for point in range(span.start, span.end)}
    assert {point for span in found for point in range(span.start, span.end)} == points
    assert all(one.end < other.start for one, other in pairwise(found))


def test_a_withheld_person_is_known_by_its_iri() -> None:
    article = "https://w3id.org/reported-figures/a/0d09b047b72d6408"
    assert is_withheld(f"{article}/person/162-173")
    assert not is_withheld("https://w3id.org/reported-figures/person/lee-oughton")
    assert not is_withheld(f"{article}/agent/108-114")
