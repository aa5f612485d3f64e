"""The drawing of the classes, and reading an ontology that is not ours."""

from __future__ import annotations

from itertools import combinations

from kg.query.views.diagram import MOST, Box, diagram
from kg.query.views.look import Label
from kg.query.views.ontology import Kind, Ontology, OntologyTerm

EX = "https://example.org/"


def term(name: str, kind: Kind = Kind.CLASS, **given: tuple[str, ...]) -> OntologyTerm:
    def linked(part: str) -> tuple[str, ...]:
        return tuple(EX + each for each in given.get(part, ()))

    return OntologyTerm(
        iri=EX + name,
        kind=kind,
        label=Label(name, "en"),
        definition="",
        scope_note="",
        examples=(),
        domains=linked("domains"),
        ranges=linked("ranges"),
        parents=linked("parents"),
        close=(),
        retired=False,
        replacements=(),
    )


def of(*terms: OntologyTerm) -> Ontology:
    return Ontology("", "", "", "", "", "", "", terms)


def apart(one: Box, two: Box) -> bool:
    beside = one.x + one.width <= two.x or two.x + two.width <= one.x
    return beside or one.y + one.height <= two.y or two.y + two.height <= one.y


def test_every_class_is_a_box_and_no_two_boxes_touch() -> None:
    classes = [term("root"), term("other"), *(term(f"k{n}", parents=("root",)) for n in range(9))]
    leads = [term(f"p{n}", Kind.OBJECT, domains=(f"k{n}",), ranges=("other",)) for n in range(9)]
    drawn = diagram(of(*classes, *leads))
    assert {box.iri for box in drawn.boxes} == {each.iri for each in classes}
    assert all(apart(one, two) for one, two in combinations(drawn.boxes, 2))
    assert (len(drawn.branches), len(drawn.arrows)) == (9, 9)


def test_what_one_class_leads_to_lies_apart_and_within_the_drawing() -> None:
    classes = [term(f"c{n}") for n in range(20)]
    leads = [term("p", Kind.OBJECT, domains=("c0",), ranges=tuple(f"c{n}" for n in range(20)))]
    drawn = diagram(of(*classes, *leads))
    assert all(apart(one, two) for one, two in combinations(drawn.boxes, 2))
    for box in drawn.boxes:
        assert box.x >= 0 and box.x + box.width <= drawn.width
        assert box.y >= 0 and box.y + box.height <= drawn.height


def test_a_property_within_the_tree_is_told_in_words() -> None:
    drawn = diagram(
        of(
            term("root"),
            term("low", parents=("root",)),
            term("has", Kind.OBJECT, domains=("root",), ranges=("low",)),
            term("like", Kind.OBJECT, domains=("low",), ranges=("low",)),
        )
    )
    assert [each.text for each in drawn.words] == ["has → low", "like → itself"]
    assert drawn.arrows == ()


def test_classes_that_are_each_below_the_other_are_left_to_the_list() -> None:
    drawn = diagram(of(term("a", parents=("b",)), term("b", parents=("a",)), term("c")))
    assert [box.text for box in drawn.boxes] == ["c"]


def test_more_classes_than_can_be_drawn_are_counted() -> None:
    drawn = diagram(of(*(term(f"c{n:03}") for n in range(MOST + 7))))
    assert (len(drawn.boxes), drawn.left_out) == (MOST, 7)


def test_a_long_name_is_cut() -> None:
    drawn = diagram(of(term("x" * 10_000)))
    assert len(drawn.boxes[0].text) < 30
