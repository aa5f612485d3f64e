"""A look at a release: what it asks in parts, so that no query is too large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from kg.namespaces import BASE
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
