"""A look at a release: what it asks in parts, so that no query is too large."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from kg.namespaces import BASE
from kg.query.telling import doubts, reading, word
from kg.query.views.look import Look
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore
from store_parts import committed, graph

MANY: Final = [f"{BASE}org/{'x' * 60}{at:05d}" for at in range(6_000)]
"""Their IRIs have more than twice the bytes that a query may have."""


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Look]:
    folder = tmp_path_factory.mktemp("look") / "store"
    label = "http://www.w3.org/2004/02/skos/core#prefLabel"
    lines = [f'<{iri}> <{label}> "{iri[-5:]}"@en' for iri in MANY]
    committed(folder, graph("names", *lines))
    settings = Settings.read(workers=1)
    with EmbeddedStore(folder, settings) as store:
        yield Look(store, settings, store.release())


def test_labels_of_more_iris_than_a_query_takes_are_all_found(look: Look) -> None:
    labels = look.labels(MANY)
    assert [labels[iri].text for iri in MANY] == [iri[-5:] for iri in MANY]


def test_parts_keep_the_order_of_what_is_given_and_give_each_once(look: Look) -> None:
    assert [row["it"].value for row in look.rows("labels", it=MANY)] == MANY


def test_of_no_iris_nothing_is_found(look: Look) -> None:
    assert look.rows("labels", it=[]) == []


def test_no_word_or_hedge_of_a_claim_is_left_out_of_what_people_are_told(real_store: Path) -> None:
    settings = Settings.read(workers=1)
    with EmbeddedStore(real_store, settings) as store:
        look = Look(store, settings, store.release())
        iris = [row["it"].value for row in look.ask(_SAID)]
        whole, told = look.claims(iris), look.told(iris)
    assert len(iris) > 200 and whole.keys() == told.keys() == set(iris)
    for iri, claim in whole.items():
        for tell in (reading, word, lambda claim: list(doubts(claim))):
            assert tell(told[iri]) == tell(claim)
        assert told[iri].source == claim.source


_SAID: Final = """PREFIX rf: <https://w3id.org/reported-figures/ns/>
SELECT DISTINCT ?it WHERE { ?it a ?type FILTER(?type IN (rf:Claim, rf:Quote, rf:Mention)) }"""
