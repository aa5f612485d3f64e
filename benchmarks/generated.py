"""Generated articles of 200 triples, the same for the same number: what the benchmarks write."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from typing import Final

from kg.context import Context
from kg.namespaces import BASE, GRAPH, RF
from kg.project import Project
from kg.publishing.bulk.units import unit_of_article
from kg.publishing.publish import silent
from kg.publishing.reading import read_article
from kg.publishing.staging import stage
from kg.store.base import NamedGraph, Owner

TRIPLES = 200
"""Triples of one article: 20 claims of 10."""
CLAIMS = 20
AREAS = 250
COHORTS = 40
_SEED = 20_170_131
_VALUE: Final = re.compile(rb'obsValue> "\d+"')


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


# --- articles that the gate lets pass -----------------------------------------------------


class Conforming:
    """Articles with real reported figures, for a store that was built from the project given.

    They are that project's first article, each with an IRI of its own and other values; its
    derived triples are left out. All have the same number of triples.
    """

    def __init__(self, project: Project) -> None:
        context = Context.read(project.context)
        reference = stage(project, [], silent).reference
        article = read_article(project.sources()[0], context, reference.subjects)
        unit = unit_of_article(article, context, reference)
        self._key = article.key.encode()
        self._quads = b"".join(
            graph.triples.replace(b" .\n", f" <{graph.iri}> .\n".encode())
            for graph in unit.graphs
            if not graph.restricted
        )
        self.triples = self._quads.count(b"\n")

    def article(self, number: int) -> bytes:
        """The N-Quads of one article."""
        key = hashlib.sha256(f"article {number}".encode()).hexdigest()[: len(self._key)]
        value = b'obsValue> "%d"' % (10 + number % 9_000)
        return _VALUE.sub(value, self._quads.replace(self._key, key.encode()))

    def articles(self, quads: int) -> Iterator[bytes]:
        """The N-Quads of so many quads, rounded down to whole articles."""
        return (self.article(number) for number in range(quads // self.triples))
