"""The classes of an ontology as a drawing: trees of sub-classes, and what properties lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kg.query.views.ontology import Kind, Ontology, OntologyTerm

MOST: Final = 60
"""Classes that are drawn; the list has all."""
_BOX: Final = 28
_GAP: Final = 8
_LINE: Final = 17
_INDENT: Final = 26
_WIDE: Final = 170
_WORDS: Final = 260
_RIGHT: Final = 720
_LETTER: Final = 6.9
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Box:
    """A class; `x` and `y` are its upper left corner."""

    iri: str
    text: str
    x: int
    y: int
    width: int = _WIDE
    height: int = _BOX

    @property
    def middle(self) -> int:
        """The height of its middle."""
        return self.y + self.height // 2


@dataclass(frozen=True, slots=True)
class Words:
    """Names of properties beside a class, `y` being their middle."""

    text: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes, the words beside them, and paths: of sub-classes, and of properties."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    words: tuple[Words, ...]
    branches: tuple[str, ...]
    arrows: tuple[str, ...]
    left_out: int


def diagram(ontology: Ontology) -> Diagram:
    """The drawing: trees on the left, on the right the classes that properties of those lead to."""
    classes = [term for term in ontology.of(Kind.CLASS) if not term.retired]
    drawn = {term.iri: term for term in classes[:MOST]}
    links = _links(ontology, drawn)
    below = _below(drawn)
    right = _right(drawn, below, links)
    rows = [
        (term, depth)
        for root in _roots(drawn, below, links)
        if root.iri not in right
        for term, depth in _tree(root, below, 0)
    ]
    return _laid_out(rows, right, links, len(classes) - len(drawn))


# --- what is drawn ------------------------------------------------------------------------

Links = Mapping[str, Mapping[str, Sequence[str]]]
"""The names of properties by the class that they lead to, by the class that has them."""


def _links(ontology: Ontology, drawn: Mapping[str, OntologyTerm]) -> Links:
    found: dict[str, dict[str, list[str]]] = {}
    for term in ontology.properties:
        for domain in term.domains:
            for range in term.ranges:
                if {domain, range} <= drawn.keys() and not term.retired:
                    names = found.setdefault(domain, {}).setdefault(range, [])
                    names.append(_name(term))
    return found


def _below(drawn: Mapping[str, OntologyTerm]) -> Mapping[str, list[OntologyTerm]]:
    found: dict[str, list[OntologyTerm]] = {}
    for term in drawn.values():
        parent = next((iri for iri in term.parents if iri in drawn), None)
        if parent:
            found.setdefault(parent, []).append(term)
    return found


def _right(
    drawn: Mapping[str, OntologyTerm], below: Mapping[str, list[OntologyTerm]], links: Links
) -> dict[str, OntologyTerm]:
    """Classes outside of every tree that properties of other classes lead to."""
    inside = {term.iri for terms in below.values() for term in terms} | below.keys()
    led_to = {to for source, targets in links.items() for to in targets if to != source}
    return {iri: term for iri, term in drawn.items() if iri in led_to - inside}


def _roots(
    drawn: Mapping[str, OntologyTerm], below: Mapping[str, list[OntologyTerm]], links: Links
) -> list[OntologyTerm]:
    """Those with most below them first, then those whose properties lead somewhere.

    A class that is below itself by way of others is no root, and is left to the list.
    """
    lower = {term.iri for terms in below.values() for term in terms}
    roots = (term for iri, term in drawn.items() if iri not in lower)
    return sorted(roots, key=lambda term: (-len(below.get(term.iri, ())), term.iri not in links))


def _tree(
    term: OntologyTerm, below: Mapping[str, list[OntologyTerm]], depth: int
) -> list[tuple[OntologyTerm, int]]:
    lower = (each for lower in below.get(term.iri, ()) for each in _tree(lower, below, depth + 1))
    return [(term, depth), *lower]


def _name(term: OntologyTerm) -> str:
    text = term.label.text or term.iri.rstrip("/#").replace("#", "/").rsplit("/", 1)[-1]
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


# --- where it lies ------------------------------------------------------------------------


def _laid_out(
    rows: Sequence[tuple[OntologyTerm, int]],
    right: Mapping[str, OntologyTerm],
    links: Links,
    left_out: int,
) -> Diagram:
    boxes: list[Box] = []
    words: list[Words] = []
    ends: list[tuple[Words, str]] = []
    at, y = dict[int, Box](), _GAP
    branches = []
    names = {term.iri: _name(term) for term, _ in rows}
    for term, depth in rows:
        box = Box(term.iri, _cut(_name(term)), _GAP + depth * _INDENT, y)
        boxes.append(box)
        at[depth] = box
        if depth:
            above = at[depth - 1]
            branches.append(f"M{above.x + 12},{above.y + above.height}V{box.middle}H{box.x}")
        targets = sorted(links.get(term.iri, {}).items())
        for number, (target, properties) in enumerate(targets):
            text = ", ".join(properties)
            if target not in right:
                text += " → " + ("itself" if target == term.iri else names.get(target, "…"))
            said = Words(text[:_LONGEST], _WORDS, y + _BOX // 2 + number * _LINE)
            words.append(said)
            if target in right:
                ends.append((said, target))
        y += max(_BOX, len(targets) * _LINE + _GAP) + _GAP
    others = _beside(right, ends)
    height = max([y, *(box.y + box.height + _GAP for box in others.values())])
    return Diagram(
        width=_RIGHT + _WIDE + _GAP,
        height=height,
        boxes=(*boxes, *others.values()),
        words=tuple(words),
        branches=tuple(branches),
        arrows=tuple(_arrow(said, others[target]) for said, target in ends),
        left_out=left_out,
    )


def _beside(right: Mapping[str, OntologyTerm], ends: Sequence[tuple[Words, str]]) -> dict[str, Box]:
    """Each at the middle of what leads to it, or below the one before."""
    heights = {iri: [said.y for said, target in ends if target == iri] for iri in right}
    middles = {iri: sum(found) / len(found) if found else 0.0 for iri, found in heights.items()}
    found: dict[str, Box] = {}
    least = _GAP
    for iri in sorted(right, key=lambda iri: (middles[iri], iri)):
        y = max(least, round(middles[iri]) - _BOX // 2)
        found[iri] = Box(iri, _cut(_name(right[iri])), _RIGHT, y)
        least = y + _BOX + 2 * _GAP
    return found


def _arrow(said: Words, box: Box) -> str:
    start = said.x + round(len(said.text) * _LETTER) + _GAP
    half = (start + box.x) // 2
    curve = f"M{start},{said.y}C{half},{said.y} {half},{box.middle} {box.x - 3},{box.middle}"
    return curve + "m-7,-4l7,4l-7,4"


def _cut(text: str) -> str:
    most = int(_WIDE / _LETTER) - 2
    return text if len(text) <= most else text[: most - 1] + "…"
