"""Generated articles of 200 triples, the same for the same number: what the benchmarks write."""

from __future__ import annotations

import random
from collections.abc import Iterator

from kg.namespaces import BASE, GRAPH, RF
from kg.store.base import NamedGraph, Owner

TRIPLES = 200
"""Triples of one article: 20 claims of 10."""
CLAIMS = 20
AREAS = 250
COHORTS = 40
_SEED = 20_170_131


def articles(quads: int) -> Iterator[NamedGraph]:
    """So many quads, rounded down to whole articles."""
    return (article(number) for number in range(quads // TRIPLES))


def article(number: int, *, owner: Owner = Owner.DATA) -> NamedGraph:
    """The graph of one article."""
    random_number = random.Random(_SEED + number)
    lines = (line for claim in range(CLAIMS) for line in _claim(number, claim, random_number))
    return NamedGraph(f"{GRAPH}claims/generated-{number}", "".join(lines).encode(), owner)


def claim_iri(article: int, claim: int) -> str:
    """The IRI of a claim of an article."""
    return f"{BASE}claim/generated-{article}/{claim}"


def _claim(article: int, claim: int, choice: random.Random) -> list[str]:
    node = f"<{claim_iri(article, claim)}>"
    value = choice.randrange(10, 10_000)
    objects = {
        "type": f"<{RF}FigureClaim>",
        "area": f"<{BASE}area/{choice.randrange(AREAS)}>",
        "cohort": f"<{BASE}cohort/{choice.randrange(COHORTS)}>",
        "source": f"<{BASE}source/{choice.randrange(500)}>",
        "measure": f"<{BASE}code/measure-{choice.randrange(6)}>",
        "qualifier": f"<{BASE}code/qualifier-{choice.randrange(12)}>",
        "value": f'"{value}"^^<http://www.w3.org/2001/XMLSchema#decimal>',
        "lower": f'"{value - choice.randrange(10)}"^^<http://www.w3.org/2001/XMLSchema#decimal>',
        "year": f'"{choice.randrange(2010, 2019)}"^^<http://www.w3.org/2001/XMLSchema#gYear>',
        "label": f'"claim {claim} of article {article}: {value}"',
    }
    return [f"{node} <{RF}{name}> {value} .\n" for name, value in objects.items()]
