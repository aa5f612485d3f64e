"""The counts of lists and of their facets are those that SPARQL gives."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from kg.media import CSV
from kg.namespaces import CODE, RF, SCHEMA
from kg.settings import Settings
from kg.store import listing as listing_module
from kg.store.base import Release
from kg.store.embedded import EmbeddedStore
from kg.store.listing import (
    AREAS,
    COHORTS,
    GENERAL,
    LISTINGS,
    PEOPLE,
    SOURCES,
    Listed,
    Listing,
    listed,
)
from store_parts import committed, graph, task

PREFIXES = """
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rf: <https://w3id.org/reported-figures/ns/>
PREFIX schema: <https://schema.org/>
PREFIX org: <http://www.w3.org/ns/org#>
PREFIX sdmx-attribute: <http://purl.org/linked-data/sdmx/2009/attribute#>
PREFIX sdmx-dimension: <http://purl.org/linked-data/sdmx/2009/dimension#>
PREFIX sdmx-measure: <http://purl.org/linked-data/sdmx/2009/measure#>
PREFIX sh: <http://www.w3.org/ns/shacl#>
"""
ITEMS = {
    "sources": "VALUES ?k { schema:NewsArticle schema:Report schema:BlogPosting } ?it a ?k .",
    "areas": "?it a schema:Place .",
    "cohorts": "?it a rf:Cohort .",
    "people": "?it a prov:Agent .",
}
LINK = {
    "sources": "prov:wasQuotedFrom",
    "areas": "sdmx-dimension:refArea",
    "cohorts": "rf:cohort",
    "people": "rf:terminalSource",
}
FACETS = {
    ("sources", "publisher"): "?it schema:publisher ?value",
    ("sources", "year"): "OPTIONAL { ?it schema:datePublished ?date }"
    " BIND(COALESCE(SUBSTR(STR(?date), 1, 4), 'undated') AS ?value)",
    ("areas", "region"): "?it schema:containedInPlace ?value",
    ("people", "part"): "{ ?c rf:terminalSource ?it BIND('origin' AS ?value) } UNION"
    " { ?c rf:speaker ?it BIND('speaker' AS ?value) } UNION"
    " { ?c schema:publisher ?it BIND('publisher' AS ?value) }",
}
OF_CLAIMS = {
    "area": "?c sdmx-dimension:refArea ?value",
    "cohort": "?c rf:cohort ?value",
    "measure": "?c rf:measure ?value",
    "publisher": "?c prov:wasQuotedFrom/schema:publisher ?value",
    "findings": "?f rf:concerns ?c ; sh:resultSeverity ?value",
}
FOX = "https://w3id.org/reported-figures/org/fox-news"
LEFT = "https://w3id.org/reported-figures/cohort/ff-departed"
RETURNED = "https://w3id.org/reported-figures/cohort/ff-returned"
COUNT = "https://w3id.org/reported-figures/code/count"


class Asked:
    """One release, asked by SPARQL and as lists."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store
        self.release: Release = store.head()

    def rows(self, query: str) -> list[list[str]]:
        with self._store.query(task(self.release, PREFIXES + query, CSV)) as spool:
            return list(csv.reader(io.StringIO(spool.read().decode())))[1:]

    def list(self, listing: Listing, words: str = "", **chosen: Sequence[str]) -> Listed:
        order = listing.orders[0]
        return listed(
            self.release.folder,
            listing,
            chosen=chosen,
            words=words,
            order=order,
            limit=100,
            offset=0,
        )


@pytest.fixture(scope="module")
def asked(real_store: Path) -> Iterator[Asked]:
    with EmbeddedStore(real_store, Settings(workers=1)) as store:
        yield Asked(store)


def pattern(listing: str, facet: str) -> str:
    own = FACETS.get((listing, facet))
    return own or f"?c {LINK[listing]} ?it . {OF_CLAIMS[facet]} ."


FACET_NAMES = [
    (listing, facet.name)
    for name, listing in LISTINGS.items()
    for facet in listing.facets
    if facet.name != "kind"
]


@pytest.mark.parametrize(
    ("listing", "facet"), FACET_NAMES, ids=lambda it: it if isinstance(it, str) else it.name
)
def test_a_facet_counts_what_sparql_counts(asked: Asked, listing: Listing, facet: str) -> None:
    found = asked.list(listing)
    counted = asked.rows(
        f"SELECT ?value (COUNT(DISTINCT ?it) AS ?n) {{ {ITEMS[listing.name]}"
        f" {pattern(listing.name, facet)} }} GROUP BY ?value"
    )
    assert {each.value: each.count for each in found.facets[facet]} == {
        value: int(count) for value, count in counted
    }
    assert counted


@pytest.mark.parametrize("listing", [SOURCES, AREAS, PEOPLE], ids=lambda it: it.name)
def test_kinds_are_classes_and_the_general_one_stands_for_no_other(
    asked: Asked, listing: Listing
) -> None:
    general = ", ".join(f"<{iri}>" for iri in GENERAL)
    counted = dict(
        asked.rows(
            f"""SELECT ?v (COUNT(DISTINCT ?it) AS ?n) {{ {ITEMS[listing.name]} ?it a ?v
                FILTER(?v NOT IN ({general}) || NOT EXISTS {{
                  ?it a ?other FILTER(?other NOT IN ({general}, schema:Thing)) }}) }} GROUP BY ?v"""
        )
    )
    kinds = asked.list(listing).facets["kind"]
    assert {kind.value: kind.count for kind in kinds} == {
        kind.value: int(counted[kind.value]) for kind in kinds
    }
    assert len(kinds) >= 3


def test_an_area_that_is_but_a_place_can_be_chosen_by_kind(asked: Asked) -> None:
    found = asked.list(AREAS, kind=[GENERAL[0]])
    assert {"EU", "m49-143"} <= {item.iri.rsplit("/", 1)[1] for item in found.items}
    assert found.matching < found.total


def test_a_chosen_value_is_given_however_many_others_there_are(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form that is sent again would lose what it does not show."""
    values = [it.value for it in asked.list(AREAS).facets["publisher"]]
    last = values[-1]
    monkeypatch.setattr(listing_module, "MOST_VALUES", 1)
    found = asked.list(AREAS, publisher=[last])
    assert [(it.value, it.chosen) for it in found.facets["publisher"]][1:] == [(last, True)]
    assert found.left_out["publisher"] == len(values) - 2


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_each_row_counts_the_claims_that_sparql_counts(asked: Asked, listing: Listing) -> None:
    found = asked.list(listing)
    counted = asked.rows(
        f"SELECT ?it (COUNT(DISTINCT ?c) AS ?n) {{ {ITEMS[listing.name]}"
        f" OPTIONAL {{ ?c a rf:Claim ; {LINK[listing.name]} ?it }} }} GROUP BY ?it"
    )
    assert {item.iri: item.claims for item in found.items} == {it: int(n) for it, n in counted}
    assert found.total == found.matching == len(found.items)


def test_values_of_one_facet_are_alternatives_and_facets_are_conditions(asked: Asked) -> None:
    found = asked.list(AREAS, publisher=[FOX], cohort=[LEFT, RETURNED])
    rows = asked.rows(
        f"""SELECT DISTINCT ?it {{ ?it a schema:Place .
            ?c sdmx-dimension:refArea ?it ; prov:wasQuotedFrom/schema:publisher <{FOX}> .
            ?d sdmx-dimension:refArea ?it ; rf:cohort ?cohort .
            VALUES ?cohort {{ <{LEFT}> <{RETURNED}> }} }}"""
    )
    assert sorted(item.iri for item in found.items) == sorted(row[0] for row in rows)
    assert 0 < found.matching < found.total


def test_a_facet_is_not_narrowed_by_itself_but_by_the_others(asked: Asked) -> None:
    alone, both = asked.list(AREAS), asked.list(AREAS, publisher=[FOX])
    assert [(it.value, it.count) for it in both.facets["publisher"]] == [
        (it.value, it.count) for it in alone.facets["publisher"]
    ]
    rows = asked.rows(
        f"""SELECT ?value (COUNT(DISTINCT ?it) AS ?n) {{ ?it a schema:Place .
            ?d sdmx-dimension:refArea ?it ; prov:wasQuotedFrom/schema:publisher <{FOX}> .
            ?c sdmx-dimension:refArea ?it ; rf:cohort ?value }} GROUP BY ?value"""
    )
    assert {it.value: it.count for it in both.facets["cohort"]} == {v: int(n) for v, n in rows}


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_a_value_that_is_offered_leaves_as_many_as_it_says(asked: Asked, listing: Listing) -> None:
    for name, values in asked.list(listing).facets.items():
        assert all(value.count for value in values)
        for value in values[:3]:
            assert asked.list(listing, "", **{name: [value.value]}).matching == value.count


def test_a_value_that_is_chosen_and_leaves_nothing_is_shown_with_0(asked: Asked) -> None:
    found = asked.list(COHORTS, area=["http://nowhere/"])
    (chosen,) = [value for value in found.facets["area"] if value.chosen]
    assert (chosen.value, chosen.count, found.matching, found.items) == (
        "http://nowhere/",
        0,
        0,
        (),
    )


def test_the_range_of_an_area_is_that_of_its_counts(asked: Asked) -> None:
    rows = asked.rows(
        f"""SELECT ?it (MIN(IF(?from && !?to, 1e9, ?v)) AS ?low)
              (MAX(IF(?to && !?from, 0, ?v)) AS ?high) {{
            ?c a rf:Claim ; sdmx-dimension:refArea ?it ; rf:measure <{COUNT}> ;
              sdmx-attribute:unitMeasure <{COUNT.replace("count", "person")}> ;
              sdmx-measure:obsValue ?v
            BIND(EXISTS {{ ?c rf:lower ?l }} AS ?from) BIND(EXISTS {{ ?c rf:upper ?u }} AS ?to)
            }} GROUP BY ?it"""
    )
    values = {
        claim: float(value)
        for claim, value in asked.rows("SELECT ?c ?v { ?c sdmx-measure:obsValue ?v }")
    }
    found = {
        item.iri: (values[item.lowest], values[item.highest])
        for item in asked.list(AREAS).items
        if item.lowest
    }
    wanted = {it: (float(low), float(high)) for it, low, high in rows}
    assert found == {
        it: (high if low == 1e9 else low, low if high == 0 else high)
        for it, (low, high) in wanted.items()
    }


SDMX = "http://purl.org/linked-data/sdmx/2009/"


def figure(name: str, value: int, *, unit: str = "person", **bounds: int) -> list[str]:
    """The lines of a count of area `:a`."""
    integer = "^^<http://www.w3.org/2001/XMLSchema#integer>"
    return [
        f":{name} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{RF}Claim>",
        f":{name} <{SDMX}dimension#refArea> :a",
        f":{name} <{RF}measure> <{CODE}count>",
        f":{name} <{SDMX}attribute#unitMeasure> <{CODE}{unit}>",
        f':{name} <{SDMX}measure#obsValue> "{value}"{integer}',
        *(f':{name} <{RF}{end}> "{bound}"{integer}' for end, bound in bounds.items()),
    ]


def ends(folder: Path, *figures: list[str]) -> tuple[str, str]:
    """The lowest and the highest count of an area of these figures."""
    area = f":a <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{SCHEMA}Country>"
    release = committed(folder, graph("one", area, *(line for each in figures for line in each)))
    (item,) = listed(
        release.folder, AREAS, chosen={}, words="", order=AREAS.orders[0], limit=9, offset=0
    ).items
    lowest, highest = (iri.removeprefix("http://ex/") for iri in (item.lowest, item.highest))
    return lowest, highest


def test_a_count_of_countries_is_no_count_of_people(tmp_path: Path) -> None:
    countries = figure("countries", 33, unit="country")
    assert ends(tmp_path / "store", figure("people", 400), countries) == ("people", "people")


def test_less_than_a_number_is_no_highest_count_and_more_than_one_no_lowest(tmp_path: Path) -> None:
    bounded = figure("less", 900, upper=900), figure("more", 100, lower=100)
    between = figure("within", 300, lower=200, upper=400), figure("bare", 500)
    assert ends(tmp_path / "store", *bounded, *between) == ("within", "bare")


def test_what_is_no_number_is_no_highest_count(tmp_path: Path) -> None:
    words = [*figure("words", 1)[:-1], f':words <{SDMX}measure#obsValue> "many"']
    assert ends(tmp_path / "store", figure("people", 400), words) == ("people", "people")


def test_a_source_of_a_year_alone_has_that_year(tmp_path: Path) -> None:
    year = '"2017"^^<http://www.w3.org/2001/XMLSchema#gYear>'
    lines = [
        f":a <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{SCHEMA}NewsArticle>",
        f":a <{SCHEMA}datePublished> {year}",
    ]
    release = committed(tmp_path / "store", graph("one", *lines))
    found = listed(
        release.folder, SOURCES, chosen={}, words="", order=SOURCES.orders[0], limit=9, offset=0
    )
    assert [item.published for item in found.items] == ["2017"]
    assert [value.value for value in found.facets["year"]] == ["2017"]


def test_where_there_is_but_one_count_it_is_both_ends(tmp_path: Path) -> None:
    assert ends(tmp_path / "store", figure("less", 900, upper=900)) == ("less", "less")


def test_words_narrow_a_list_and_its_facets(asked: Asked) -> None:
    found = asked.list(SOURCES, "fox news")
    rows = asked.rows(f"SELECT ?it {{ ?it schema:publisher <{FOX}> }}")
    assert sorted(item.iri for item in found.items) == sorted(row[0] for row in rows)
    assert [value.value for value in found.facets["publisher"]] == [FOX]


def test_words_that_nothing_has_leave_nothing(asked: Asked) -> None:
    assert asked.list(PEOPLE, "zzz").matching == 0
    assert asked.list(PEOPLE, "!!").matching == 0


def test_parts_of_a_list_follow_each_other(asked: Asked) -> None:
    whole = [item.iri for item in asked.list(AREAS).items]
    parts = [
        listed(
            asked.release.folder,
            AREAS,
            chosen={},
            words="",
            order=AREAS.orders[0],
            limit=7,
            offset=offset,
        )
        for offset in range(0, 40, 7)
    ]
    assert [item.iri for part in parts for item in part.items] == whole
