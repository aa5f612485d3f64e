"""What the rules derive from our own data, worked out by hand from the text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import kg
from kg.query.reading import Store

ARTICLE = "FILTER(CONTAINS(STR(?claim), '0d09b047b72d6408'))"


@pytest.fixture(scope="module")
def store(real_store: Path) -> Iterator[Store]:
    with kg.open(real_store) as opened:
        yield opened


def rows(store: Store, query: str) -> list[str]:
    """The lines of a CSV answer, less the names of its variables."""
    return store.query(query, format="csv").decode().splitlines()[1:]


def test_a_return_rate_is_the_quotient_of_one_chain_and_area(store: Store) -> None:
    found = rows(
        store,
        f"""SELECT ?area ?value ?lower ?upper {{
          ?rate rf:method code:returnRate ; rf:derivedFrom ?claim ; sdmx-measure:obsValue ?value .
          ?claim rf:cohort cohort:ff-departed ; sdmx-dimension:refArea/skos:notation ?code .
          OPTIONAL {{ ?rate rf:lower ?lower ; rf:upper ?upper }}
          FILTER(?code = "143"^^rf:m49
                 || DATATYPE(?code) IN (rf:iso3166Alpha2, rf:iso3166Subdivision))
          BIND(STR(?code) AS ?area)
          {ARTICLE} }} ORDER BY ?area""",
    )
    assert found == [
        "143,0.1,,",  # 500 of around 5,000: an approximate whole bounds nothing
        "CN-XJ,0,0,0",  # none of 1,200
        "FR,0.1419,0.1419,0.1419",  # 271 of 1,910
        "GB,0.5,,",  # some 425 of 850
        "JO,0.0833,,",  # around 250 of 3,000
        "MA,0.122,0.122,0.122",  # 198 of 1,623
        "RU,0.1171,0.1171,0.1171",  # 400 of 3,417
        "TJ,0.1131,0.1131,0.1131",  # 147 of 1,300
        "TN,0.2734,0.2734,0.2734",  # 800 of 2,926
        "US,0.0543,0.0543,0.0543",  # seven of 129
        "UZ,0,0,0",  # none of 1,500
    ]


def test_a_city_lies_in_its_country_and_a_country_in_its_region(store: Store) -> None:
    found = rows(
        store,
        f"""SELECT DISTINCT ?inner ?outer {{
          ?claim rf:within ?area ; sdmx-dimension:refArea ?of .
          BIND(REPLACE(STR(?of), "^.*/", "") AS ?inner)
          BIND(REPLACE(STR(?area), "^.*/", "") AS ?outer)
          {ARTICLE} }} ORDER BY ?inner""",
    )
    assert found == ["CN-XJ,CN", "FR,EU", "TJ,m49-143", "UZ,m49-143"]


def test_a_membership_that_has_ended_is_only_possible_in_an_undated_article(store: Store) -> None:
    query = f"""SELECT DISTINCT ?of {{
      ?claim rf:possiblyWithin area:EU ; sdmx-dimension:refArea ?of . {ARTICLE} }}"""
    assert rows(store, query) == ["https://w3id.org/reported-figures/area/GB"]


def test_a_comparison_key_leaves_the_cohort_out(store: Store) -> None:
    found = rows(
        store,
        f"""SELECT ?key {{ ?claim rf:comparisonKey ?key ; sdmx-dimension:refArea area:GB .
          {ARTICLE} }} ORDER BY ?key""",
    )
    counted = "GB|-|count|-|person|unstated"
    assert found == [counted, counted, counted, "GB|-|share|ff-departed|ratio|unstated"]


def test_a_figure_within_quotation_marks_is_quoted(store: Store) -> None:
    found = rows(
        store,
        f"""SELECT DISTINCT ?wording {{
          ?claim a rf:FigureClaim ; rf:quotedIn ?quote ; rf:reportedText ?wording .
          {ARTICLE} }} ORDER BY ?wording""",
    )
    assert found == ["A lot of", "approximate 300", "approximately 40", "many", "one"]


def test_almost_all_is_less_than_all(store: Store) -> None:
    query = """SELECT ?upper ?open {
      ?claim rf:qualifier code:almostAll ; rf:upper ?upper ; rf:upperOpen ?open }"""
    assert rows(store, query) == ["1,true"]


def test_a_variable_says_what_its_figures_measure(store: Store) -> None:
    query = """SELECT ?measure ?base {
      VALUES ?variable {
        <https://w3id.org/reported-figures/variable/ff-returned-share-of-ff-departed-ratio>
      }
      ?variable a rf:Variable ; rf:measure ?measure ; rf:baseCohort ?base }"""
    base = "https://w3id.org/reported-figures/"
    assert rows(store, query) == [f"{base}code/share,{base}cohort/ff-departed"]
