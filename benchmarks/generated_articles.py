"""Generated articles that the shapes have work with: figures, anchors and chains over our own
reference data, some of them faulty."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kg.namespaces import BASE, GRAPH, RF, XSD
from kg.publishing.derivation import Rule, derived
from kg.publishing.staging import Reference, Unit
from kg.store.base import NamedGraph, Owner

FIGURES: Final = 4
"""Figures of one article: about 200 triples with what is derived."""
FAULTY: Final = 0.05
_SEED: Final = 20_171_024
_LENGTH: Final = 7_504

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PROV: Final = "http://www.w3.org/ns/prov#"
_OA: Final = "http://www.w3.org/ns/oa#"
_SCHEMA: Final = "https://schema.org/"
_SDMX: Final = "http://purl.org/linked-data/sdmx/2009/"
_TYPE: Final = f"{_RDF}type"

_AREAS: Final = ("TJ", "UZ", "RU", "FR", "TN", "SA", "GB", "JO", "MA", "KG")
_COHORTS: Final = ("ff-departed", "ff-returned", "ff-present", "fought")
_PUBLISHERS: Final = ("fox-news", "asia-plus", "rfe-rl", "washington-times")
_BOUNDS: Final = {
    "bare": ("=", "="),
    "moreThan": (">", ""),
    "atLeast": ("=", ""),
    "around": ("", ""),
    "nearly": ("", ""),
}
"""The lower and the upper bound that a qualifier gives: closed, open or none."""


@dataclass(frozen=True, slots=True)
class Generated:
    """A unit to be checked, and what was broken in it, if anything."""

    unit: Unit
    fault: str


def articles(
    count: int, reference: Reference, rules: Sequence[Rule], prefixes: Mapping[str, str]
) -> Iterable[Generated]:
    """So many articles, derived, the same for the same number; one in twenty is faulty."""
    for number in range(count):
        choice = random.Random(_SEED + number)
        unit = derived(_unit(number, choice, reference), rules, prefixes, reference.reached_from)
        description = _description(number)
        unit = replace(unit, reference=unit.reference + description)
        if choice.random() < FAULTY:
            name = choice.choice(sorted(FAULTS))
            yield Generated(broken(unit, FAULTS[name]), name)
        else:
            yield Generated(unit, "")


def broken(unit: Unit, fault: Callable[[list[str]], list[str]]) -> Unit:
    """The unit with a fault in the first of its graphs that it changes."""
    graphs = []
    changed = False
    for graph in unit.graphs:
        lines = graph.triples.decode().splitlines()
        others = lines if changed else fault(lines)
        changed = changed or others != lines
        graphs.append(replace(graph, triples="".join(f"{each}\n" for each in others).encode()))
    assert changed
    return replace(unit, graphs=tuple(graphs))


# --- an article ---------------------------------------------------------------------------


def _key(number: int) -> str:
    return hashlib.sha256(f"generated {number}".encode()).hexdigest()


def _article(number: int) -> str:
    return f"{BASE}a/{_key(number)[:16]}"


def _publisher(number: int) -> str:
    return f"{BASE}org/{_PUBLISHERS[number % len(_PUBLISHERS)]}"


def _description(number: int) -> bytes:
    article = _article(number)
    lines = [
        _link(article, _TYPE, f"{_SCHEMA}NewsArticle"),
        _link(article, f"{_SCHEMA}hasPart", f"{article}/text"),
        _text(article, f"{_SCHEMA}headline", f"Generated article {number}", "en"),
        _text(article, f"{_SCHEMA}inLanguage", "en"),
        _link(article, f"{_SCHEMA}publisher", _publisher(number)),
        _link(article, f"{RF}absent", f"{_SCHEMA}url"),
        _text(article, f"{RF}textDigest", _key(number)),
        _typed(article, f"{RF}textLength", str(_LENGTH), "integer"),
    ]
    return "".join(lines).encode()


def _unit(number: int, choice: random.Random, reference: Reference) -> Unit:
    key = _key(number)[:16]
    claims, chains, anchors = _block(number), list[str](), _anchor(number, 0, 1_000)
    for place in range(FIGURES):
        claim, chain, cues = _figure(number, place, choice)
        claims += claim
        chains += chain
        anchors += cues
    contents = {"anchors": anchors, "claims": claims, "provenance": chains}
    graphs = tuple(
        NamedGraph(f"{GRAPH}{name}/{key}", "".join(lines).encode(), Owner.DATA)
        for name, lines in contents.items()
    )
    return Unit(
        key=key,
        graphs=graphs,
        reference=reference.reached_from(graph.triples for graph in graphs),
        targets={name: f"{GRAPH}{name}/{key}" for name in ("claims", "derived")},
        places={},
    )


def _block(number: int) -> list[str]:
    article = _article(number)
    block = f"{article}/b/01"
    return [
        _link(block, _TYPE, f"{RF}Block"),
        _link(block, f"{_SCHEMA}isPartOf", article),
        _link(block, f"{RF}anchor", f"{article}/t/0-1000"),
        _link(block, f"{RF}blockKind", f"{BASE}code/paragraph"),
        _typed(block, f"{RF}blockOrder", "1", "integer"),
    ]


def _figure(
    number: int, place: int, choice: random.Random
) -> tuple[list[str], list[str], list[str]]:
    """A figure with its value, its chain of two steps, and the anchors of both."""
    article, start = _article(number), 100 * place + 10
    end = start + choice.randrange(20, 60)
    node = f"{article}/c/figure-{start}-{end}"
    value, qualifier = choice.randrange(50, 9_000), choice.choice(sorted(_BOUNDS))
    publisher, source = _publisher(number), f"{BASE}org/soufan-center"
    links = {
        f"{_SDMX}attribute#unitMeasure": "code/person",
        f"{_SDMX}dimension#refArea": f"area/{choice.choice(_AREAS)}",
        f"{_PROV}wasQuotedFrom": article.removeprefix(BASE),
        f"{RF}anchor": f"a/{_key(number)[:16]}/t/{start}-{end}",
        f"{RF}anchorStatus": "code/anchored",
        f"{RF}block": f"a/{_key(number)[:16]}/b/01",
        f"{RF}cohort": f"cohort/{choice.choice(_COHORTS)}",
        f"{RF}kind": "code/figure",
        f"{RF}measure": "code/count",
        f"{RF}modality": "code/asserted",
        f"{RF}qualifier": f"code/{qualifier}",
        f"{RF}refTime": "code/unstated",
        f"{RF}valueStatus": "code/stated",
    }
    claim = [
        _link(node, _TYPE, f"{RF}Claim"),
        _link(node, _TYPE, f"{RF}FigureClaim"),
        _text(node, "http://purl.org/dc/terms/identifier", f"figure-{start}-{end}"),
        _typed(node, f"{_SDMX}measure#obsValue", str(value), "decimal"),
        _text(node, f"{RF}reportedText", f"{value:,}"),
        *(_link(node, predicate, BASE + name) for predicate, name in links.items()),
        *(_link(node, f"{_PROV}qualifiedAttribution", f"{node}/step/{n}") for n in (0, 1)),
    ]
    cue = f"{article}/t/{start + 1}-{start + 9}"
    chain = [
        *_step(node, 0, publisher, "publisherVoice"),
        *_step(node, 1, source, "explicit"),
        _link(f"{node}/step/1", f"{RF}cue", cue),
        _link(f"{node}/step/1", f"{RF}via", f"{BASE}pub/beyond-the-caliphate"),
    ]
    return claim, chain, _anchor(number, start, end) + _anchor(number, start + 1, start + 9)


def _step(claim: str, number: int, agent: str, basis: str) -> list[str]:
    node = f"{claim}/step/{number}"
    return [
        _link(node, _TYPE, f"{_PROV}Attribution"),
        _link(node, f"{_PROV}agent", agent),
        _link(node, f"{RF}basis", f"{BASE}code/{basis}"),
        _typed(node, f"{RF}step", str(number), "integer"),
    ]


def _anchor(number: int, start: int, end: int) -> list[str]:
    article = _article(number)
    node = f"{article}/t/{start}-{end}"
    digest = hashlib.sha256(node.encode()).hexdigest()
    return [
        _link(node, _TYPE, f"{RF}Anchor"),
        _link(node, f"{_OA}hasSelector", f"{node}/position"),
        _link(node, f"{_OA}hasSource", f"{article}/text"),
        _text(node, f"{RF}digest", digest),
        _text(node, f"{RF}documentDigest", _key(number)),
        _link(f"{node}/position", _TYPE, f"{_OA}TextPositionSelector"),
        _typed(f"{node}/position", f"{_OA}start", str(start), "integer"),
        _typed(f"{node}/position", f"{_OA}end", str(end), "integer"),
    ]


def _link(subject: str, predicate: str, target: str) -> str:
    return f"<{subject}> <{predicate}> <{target}> .\n"


def _text(subject: str, predicate: str, text: str, language: str = "") -> str:
    return f'<{subject}> <{predicate}> "{text}"{"@" + language if language else ""} .\n'


def _typed(subject: str, predicate: str, value: str, datatype: str) -> str:
    return f'<{subject}> <{predicate}> "{value}"^^<{XSD}{datatype}> .\n'


# --- faults -------------------------------------------------------------------------------


def _without(predicate: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: _first(lines, predicate, lambda line: [])


def _with(predicate: str, old: str, new: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: _first(lines, predicate, lambda line: [line.replace(old, new, 1)])


def _first(lines: list[str], predicate: str, change: Callable[[str], list[str]]) -> list[str]:
    """The lines with the first of a property changed."""
    for place, line in enumerate(lines):
        if f" <{predicate}> " in line:
            return [*lines[:place], *change(line), *lines[place + 1 :]]
    return lines


FAULTS: Final[dict[str, Callable[[list[str]], list[str]]]] = {
    "no qualifier": _without(f"{RF}qualifier"),
    "no unit": _without(f"{_SDMX}attribute#unitMeasure"),
    "no agent of a step": _without(f"{_PROV}agent"),
    "no reported text": _without(f"{RF}reportedText"),
    "a cohort that is none": _with(f"{RF}cohort", f"{BASE}cohort/", f"{BASE}cohort/no-"),
    "a modality of another scheme": _with(f"{RF}modality", "asserted", "figure"),
    "alleged without a hedge": _with(f"{RF}modality", "asserted", "alleged"),
    "a step that is not whole": _with(f"{RF}step", "integer", "decimal"),
    "a gap in a chain": _with(f"{RF}step", '"0"', '"7"'),
    "a digest of no text": _with(f"{RF}documentDigest", '"', '"x'),
    "an end beyond the text": _with(f"{_OA}end", '"', '"9'),
    "a property unheard of": lambda lines: [
        *lines, f"{lines[0].split(' ', 1)[0]} <{RF}unheardOf> <{BASE}code/figure> ."
    ],
    "a share that counts": _with(f"{RF}measure", "count", "share"),
    "a fraction of a person": _with(f"{_SDMX}measure#obsValue", '"^^', '.5"^^'),
    "article text": lambda lines: [
        *lines, f'{lines[0].split(" ", 1)[0]} <{_OA}exact> "{"x" * 130}" .'
    ],
    "a status that the value denies": _with(f"{RF}valueStatus", "stated", "vague"),
}  # fmt: skip
"""What can be wrong in an article, by name; the first fitting place of its graphs is changed."""
