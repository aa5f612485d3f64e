"""The sources whose texts are not held: each row of their list, and no other, is in the graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rdflib import URIRef
from rdflib.term import Node

import kg
from kg.query.reading import Store

Row = tuple[str | None, ...]

SOURCES = """
wt       https://highergroundtimes.com/higher-ground/2017/oct/24/russia-no-1-source-country-isis-foreign-fighters-r
fox2     http://foxnews.com/world/2017/10/25/russia-exports-more-isis-fighters-than-any-other-country-report-finds.html
rferl    https://rferl.org/a/soufan-report-iraq-syria-russian-fighters/28813611.html
suffolk  https://thesuffolkjournal.com/24131/world-news-at-suffolk/islamic-state-fighters-return-home/
asiaplus http://www.news.tj/ru/node/246482
sby      http://sbynews.blogspot.com/2017/10/report-europe-us-flooded-by-thousands.html
tsc      https://scribd.com/document/509933735/Beyond-the-Caliphate-Foreign-Fighters-and-the-Threat-of-Returnees-TSC-Report-October-2017-v3
"""

# Source, area, cohort, value, qualifier.
FIGURES = """
tsc      33-countries        returned-citizens-residents  5600   atLeast
wt       33-countries        returned-citizens-residents  5600   atLeast
wt       RU                  ff-departed                  3417   some
wt       SA                  ff-departed                  3244   bare
wt       JO                  ff-departed                  3000   bare
wt       TN                  ff-departed                  2926   bare
wt       FR                  ff-departed                  1910   some
wt       TN                  ff-departed                  6000   bare
wt       TN                  ff-departed                  3000   lessThan
fox2     TN                  ff-departed                  6000   bare
fox2     TN                  ff-departed                  2920   bare
fox2     RU                  ff-departed                  2400   bare
fox2     RU                  ff-departed                  3417   approximately
fox2     SA                  ff-departed                  2500   bare
fox2     SA                  ff-departed                  3244   bare
fox2     JO                  ff-departed                  3000   approximately
fox2     FR                  ff-departed                  1910   about
fox2     RU                  ff-returned                  400    bare
rferl    110-countries       ff-departed                  40000  moreThan
rferl    unstated            countries-of-origin          110    moreThan
rferl    former-soviet-union ff-departed                  8700   moreThan
rferl    RU                  ff-departed                  3417   bare
rferl    33-countries        ff-returned                  5600   atLeast
rferl    RU                  ff-returned                  400    bare
rferl    SA                  ff-returned                  760    bare
suffolk  33-countries        returned-supporters          5600   moreThan
suffolk  GB                  ff-departed                  850    bare
suffolk  GB                  ff-returned                  0.5    approximately
suffolk  RU                  ff-returned                  400    bare
suffolk  RU                  ff-departed                  3417   bare
suffolk  SA                  ff-returned                  760    bare
suffolk  SA                  ff-departed                  3244   bare
suffolk  TN                  ff-returned                  800    bare
suffolk  TN                  ff-departed                  2926   bare
suffolk  110-countries       ff-departed                  40000  moreThan
suffolk  110-countries       ff-identified                0.5    nearly
asiaplus TJ                  ff-present                   1300   bare
asiaplus TJ                  returned-voluntarily         147    bare
asiaplus TJ                  detained-in-turkey           3000   nearly
asiaplus m49-143             ff-departed                  4200   moreThan
asiaplus m49-143             ff-returned                  -      hundreds
asiaplus UZ                  fought                       1500   bare
asiaplus KZ                  fought                       500    bare
asiaplus KG                  fought                       500    bare
asiaplus KG                  returned-voluntarily         44     bare
asiaplus TM                  fought                       400    bare
asiaplus 33-countries        ff-returned                  5600   atLeast
asiaplus RU                  ff-returned                  400    bare
asiaplus RU                  ff-departed                  3417   bare
asiaplus SA                  ff-returned                  760    bare
asiaplus SA                  ff-departed                  3244   bare
asiaplus TN                  ff-returned                  800    bare
asiaplus TN                  ff-departed                  2926   bare
asiaplus FR                  ff-returned                  271    bare
asiaplus FR                  ff-departed                  1910   bare
sby      33-countries        returned-men-women-children  5600   atLeast
sby      EU                  ff-returned                  0.3    around
sby      EU                  ff-departed                  5000   approximately
sby      US                  ff-returned                  7      bare
sby      US                  ff-departed                  129    bare
"""

# Source, publisher, date (absent where the text has none).
ARTICLES = """
wt       washington-times 2017-10-24
fox2     fox-news         2017-10-25
rferl    rfe-rl           -
suffolk  suffolk-journal  2017-10-25
asiaplus asia-plus        2017-10-27
sby      sby-news         2017-10
tsc      soufan-center    2017-10
"""

# Source, claim, modality, hedge.
HEDGED = """
wt       figure-tn-left-believed         believed  believed
rferl    figure-foreigners               estimated estimated
rferl    figure-ru-left                  estimated estimated
suffolk  figure-returned                 alleged   allegedly
suffolk  figure-foreigners               estimated estimated
asiaplus figure-tj-returned-voluntarily  reported  reportedly
asiaplus figure-central-asia-returned    reported  reportedly
asiaplus figure-returned                 believed  believed
sby      figure-eu-share-returned        estimated estimated
"""

# Source, where the chains of its figures end, and in which document.
ENDS = """
wt       soufan-group       beyond-the-caliphate
wt       tunisian-government -
wt       washington-times   -
fox2     soufan-group       beyond-the-caliphate
fox2     soufan-group       -
rferl    soufan-group       beyond-the-caliphate
suffolk  soufan-center      beyond-the-caliphate
asiaplus soufan-center      beyond-the-caliphate
sby      soufan-center      beyond-the-caliphate
tsc      soufan-center      beyond-the-caliphate-3
"""


FOX_DESCRIPTION = "D.C.-based security intelligence consultancy"


@pytest.fixture(scope="module")
def store(real_store: Path) -> Iterator[Store]:
    with kg.open(real_store) as opened:
        yield opened


def test_the_figures_are_those_of_the_list(store: Store) -> None:
    pattern = """?claim a rf:FigureClaim ; sdmx-dimension:refArea ?area ; rf:cohort ?cohort ;
                        rf:qualifier ?qualifier
                 OPTIONAL { ?claim sdmx-measure:obsValue ?value }"""
    assert of_claims(store, "?area ?cohort ?value ?qualifier", pattern) == table(FIGURES)


def test_the_hedges_are_those_of_the_list(store: Store) -> None:
    pattern = """?claim dcterms:identifier ?name ; rf:modality ?modality
                 OPTIONAL { ?claim rf:hedge ?hedge }
                 FILTER(?modality != code:asserted || BOUND(?hedge))"""
    assert of_claims(store, "?name ?modality ?hedge", pattern) == table(HEDGED)


def test_each_source_has_its_publisher_and_date(store: Store) -> None:
    query = """SELECT ?url ?publisher ?date { ?article schema:url ?url ; schema:publisher ?publisher
                 FILTER EXISTS { ?claim prov:wasQuotedFrom ?article }
                 OPTIONAL { ?article schema:datePublished ?date } }"""
    assert rows(store, query) == table(ARTICLES)


def test_a_text_without_a_date_is_recorded_so(store: Store) -> None:
    query = """SELECT ?url { ?article schema:url ?url ; rf:absent schema:datePublished }"""
    assert rows(store, query) == [("rferl",)]


def test_the_chains_end_in_the_organisation_that_the_source_names(store: Store) -> None:
    pattern = """?claim a rf:FigureClaim ; rf:terminalSource ?agent
                 OPTIONAL { ?claim rf:terminalDocument ?document }"""
    assert of_claims(store, "?agent ?document", pattern) == table(ENDS)


def test_the_words_that_name_whose_study_it_is(store: Store) -> None:
    pattern = """?claim prov:qualifiedAttribution [ rf:via publication:beyond-the-caliphate ;
                   rf:step ?step ; rf:basis ?basis ; rf:cueText ?words ]"""
    found = of_claims(store, "?step ?basis ?words", pattern)
    assert found == [
        ("asiaplus", "1", "explicit", "by the Soufan Center, a US-based think tank"),
        ("fox2", "1", "explicit", f"by the {FOX_DESCRIPTION} Soufan Group"),
        ("rferl", "1", "explicit", "by the Soufan Group, a U.S.-based security research firm"),
        ("sby", "2", "explicit", "commissioned by the Soufan Center"),
        ("suffolk", "1", "explicit", "by the Soufan Center, a U.S.-based think tank"),
        ("wt", "1", "explicit", "by the New York-based firm The Soufan Group"),
    ]


def test_whom_a_source_names_and_how(store: Store) -> None:
    query = """SELECT ?url ?agent ?name ?role ?seat {
                 ?mention rf:mentions ?agent ; rf:namedAs ?name ;
                          prov:wasQuotedFrom/schema:url ?url
                 OPTIONAL { ?mention rf:role ?role }
                 OPTIONAL { ?mention rf:seat ?seat } }"""
    assert rows(store, query) == [
        ("asiaplus", "soufan-center", "the Soufan Center", "think tank", "US-based"),
        ("fox2", "soufan-group", "Soufan Group", "security intelligence consultancy", "D.C.-based"),
        ("rferl", "soufan-group", "the Soufan Group", "security research firm", "U.S.-based"),
        ("sby", "nbc-news", "NBC", None, None),
        ("sby", "richard-barrett", "Richard Barrett", "senior adviser", None),
        ("sby", "soufan-center", "the Soufan Center", None, None),
        ("suffolk", "soufan-center", "the Soufan Center", "think tank", "U.S.-based"),
        ("wt", "ali-soufan", "Ali Soufan", "former FBI agent", None),
        ("wt", "ali-soufan", "Ali Soufan", "headed by Ali Soufan", None),
        ("wt", "soufan-group", "The Soufan Group", "firm", "New York-based"),
    ]


def test_who_is_first_and_by_which_cohort(store: Store) -> None:
    pattern = "?claim rf:kind code:ranking ; rf:member ?member ; rf:cohort ?cohort"
    assert of_claims(store, "?member ?cohort", pattern) == [
        ("rferl", "SA", "ff-returned"),
        ("wt", "RU", "ff-departed"),
    ]


def test_one_figure_revises_another(store: Store) -> None:
    pattern = "?claim rf:revises/dcterms:identifier ?earlier ; rf:upper ?upper"
    assert of_claims(store, "?earlier ?upper", pattern) == [
        ("wt", "figure-tn-left-believed", "3000")
    ]


def test_when_the_study_came_out_is_said_no_closer_than_the_source_says_it(store: Store) -> None:
    pattern = "?claim rf:eventKind code:publicationEvent ; rf:eventTime ?time"
    assert of_claims(store, "?time", pattern) == [("rferl", "--10-24"), ("wt", "Tuesday")]


def test_a_count_of_2015_and_a_current_one_differ_in_when_they_were_stated(store: Store) -> None:
    pattern = """?claim rf:statedTime ?time ; sdmx-dimension:refArea ?area ;
                        sdmx-measure:obsValue ?value"""
    assert of_claims(store, "?area ?time ?value", pattern) == [
        ("fox2", "RU", "2015", "2400"),
        ("fox2", "RU", "atPublication", "3417"),
        ("fox2", "SA", "2015", "2500"),
        ("fox2", "SA", "atPublication", "3244"),
        ("fox2", "TN", "2015", "6000"),
        ("fox2", "TN", "atPublication", "2920"),
    ]


def test_a_share_has_a_base_and_the_others_are_counts(store: Store) -> None:
    pattern = "?claim rf:measure code:share ; dcterms:identifier ?name ; rf:baseCohort ?base"
    assert of_claims(store, "?name ?base", pattern) == [
        ("sby", "figure-eu-share-returned", "ff-departed"),
        ("suffolk", "figure-gb-share-returned", "ff-departed"),
        ("suffolk", "figure-share-identified", "ff-departed"),
    ]


def test_what_a_blog_says_comes_by_an_outlet_without_a_name(store: Store) -> None:
    pattern = """?claim prov:qualifiedAttribution [ rf:step 1 ; rf:basis ?basis ; prov:agent ?who ]
                 . ?who a rf:AnonymousAgent"""
    assert of_claims(store, "?who ?basis", pattern) == [("sby", "quoted-outlet", "unresolved")]


def test_no_claim_of_a_text_that_is_not_held_has_a_place(store: Store) -> None:
    pattern = "?claim rf:anchorStatus ?status OPTIONAL { ?claim rf:anchor|rf:hedgeAnchor ?place }"
    sources = sorted(line.split()[0] for line in SOURCES.strip().splitlines())
    expected = [(source, "textNotHeld", None) for source in sources]
    assert of_claims(store, "?status ?place", pattern) == expected


def of_claims(store: Store, variables: str, pattern: str) -> list[Row]:
    """The distinct solutions of a pattern on `?claim`, each after its source's key."""
    query = f"SELECT ?url {variables} {{ ?claim prov:wasQuotedFrom/schema:url ?url . {pattern} }}"
    return rows(store, query)


def rows(store: Store, query: str) -> list[Row]:
    """The distinct solutions, sorted, with the source's key for its address."""
    keys = {url: key for key, url in (line.split() for line in SOURCES.strip().splitlines())}
    variables = [word[1:] for word in query.split("{")[0].split() if word.startswith("?")]
    solutions = store.query(query)
    assert isinstance(solutions, list)
    found = {
        (keys[str(each["url"])], *(_short(each.get(name)) for name in variables[1:]))
        for each in solutions
    }
    return sorted(found, key=str)


def _short(term: Node | None) -> str | None:
    """The last part of an IRI, or the words."""
    if term is None:
        return None
    return str(term).rsplit("/", 1)[1] if isinstance(term, URIRef) else str(term)


def table(text: str) -> list[Row]:
    """The rows of a table in which `-` stands for nothing."""
    lines = [line.split() for line in text.strip().splitlines()]
    return sorted(
        (tuple(None if cell == "-" else cell for cell in line) for line in lines), key=str
    )
