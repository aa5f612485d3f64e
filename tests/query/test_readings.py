"""What claims, quotes and mentions say, where a page names many resources."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kg.namespaces import BASE, RF
from kg.query.views.look import Look
from kg.query.views.readings import readings
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore
from store_parts import committed, graph

TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"
PERSON = f"{BASE}a/0d09b047b72d6408/person/12-20"


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Look]:
    folder = tmp_path_factory.mktemp("readings") / "store"
    lines = [f'<{BASE}one> <{LABEL}> "One"@en']
    for name, kind in (("c", "Claim"), ("q", "Quote"), ("m", "Mention"), ("w", "Mention")):
        lines.append(f"<{BASE}{name}> <{TYPE}> <{RF}{kind}>")
    lines += [f'<{BASE}{name}> <{RF}paraphrase> "It is so."' for name in ("c", "q", "untyped")]
    lines.append(f"<{BASE}q> <{RF}speaker> <{BASE}one>")
    lines += [f"<{BASE}m> <{RF}mentions> <{BASE}one>", f'<{BASE}m> <{RF}namedAs> "No. 1"']
    lines.append(f"<{BASE}w> <{RF}mentions> <{PERSON}>")
    committed(folder, graph("all", *lines))
    settings = Settings.read(workers=1)
    with EmbeddedStore(folder, settings) as store:
        yield Look(store, settings, store.release())


def test_each_is_told_as_what_it_is_and_nothing_else_is_told(look: Look) -> None:
    assert readings(look, [BASE + name for name in ("c", "q", "m", "w", "one", "none")]) == {
        f"{BASE}c": "claim: It is so; no publisher, undated",
        f"{BASE}q": "A quote, One, in our words: It is so; no publisher, undated",
        f"{BASE}m": "A mention of One as “No. 1”; no publisher, undated",
        f"{BASE}w": "A mention of a person whose name is withheld; no publisher, undated",
    }


def test_of_many_the_first_are_told_and_those_known_to_be_claims(look: Look) -> None:
    found = readings(
        look, [BASE + name for name in ("one", "q", "m", "c")], known=[f"{BASE}untyped"], most=2
    )
    assert list(found) == [f"{BASE}m", f"{BASE}q", f"{BASE}untyped"]


def test_of_nothing_nothing_is_asked(look: Look) -> None:
    assert readings(look, []) == {}
