"""What the audit finds in our own data, worked out by hand from the texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import kg
from kg.query.findings import AuditFinding, findings
from kg.query.reading import Store
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore


@pytest.fixture(scope="module")
def found(real_store: Path) -> list[AuditFinding]:
    with EmbeddedStore(real_store, Settings()) as store:
        return findings(store, Settings())


@pytest.fixture(scope="module")
def store(real_store: Path) -> Iterator[Store]:
    with kg.open(real_store) as opened:
        yield opened


def rows(store: Store, query: str) -> list[str]:
    """The lines of a CSV answer, less the names of its variables."""
    return store.query(query, format="csv").decode().splitlines()[1:]


def wordings(found: list[AuditFinding], rule: str, severity: str) -> list[list[str]]:
    """The wordings of the claims of each finding of a rule, sorted."""
    return sorted(
        sorted(claim.wording for claim in finding.concerned)
        for finding in found
        if finding.rule == rule and finding.severity == severity
    )


def test_how_many_findings_each_rule_has(found: list[AuditFinding]) -> None:
    assert Counter(finding.rule for finding in found) == {
        "W1": 8, "W2": 8, "W3": 4, "W6": 4, "W7": 1, "W8": 3, "W9": 3, "W10": 6, "W11": 13,
        "W12": 10, "W13": 5, "W14": 1, "W16": 8, "W17": 3,
    }  # fmt: skip


def test_only_one_thing_in_our_data_is_a_contradiction_by_bounds_and_one_a_ranking(
    found: list[AuditFinding],
) -> None:
    """The number of Tunisia is 2,926 or 2,920 on one study; 760 is not the highest beside 800."""
    contradictions = [finding.rule for finding in found if finding.verdict == "contradict"]
    assert contradictions == ["W9", "W17"]


def test_women_and_children_are_counted_as_those_who_left(found: list[AuditFinding]) -> None:
    assert wordings(found, "W2", "Warning") == [
        ["1,623", "1,623"],
        ["3,417", "3,417"],
        ["300", "approximate 300"],
        ["850", "850"],
    ]
    assert wordings(found, "W3", "Warning") == [["2,926", "3,000"]]


def test_a_share_of_returns_that_the_only_whole_does_not_give(found: list[AuditFinding]) -> None:
    """5,600 are 14 percent of 40,000, which is of other countries; 15 percent imply 37,333."""
    messages = [finding.message for finding in found if finding.rule == "W1"]
    assert any("make 14 %" in message for message in messages)
    assert any("about 37,333 in all" in message for message in messages)


def test_a_former_member_stands_beside_its_union(found: list[AuditFinding]) -> None:
    assert wordings(found, "W6", "Warning") == [["850", "at least 4,000"]]


def test_a_ranking_passes_over_higher_numbers(found: list[AuditFinding]) -> None:
    assert wordings(found, "W9", "Info") == [
        ["", "1,623", "2,926", "3,417"],
        ["", "1,623", "3,244", "3,244", "3,244", "3,244"],
    ]
    assert wordings(found, "W9", "Warning") == [["", "760", "800", "800", "800"]]


def test_the_headline_is_set_against_its_article(found: list[AuditFinding]) -> None:
    assert wordings(found, "W13", "Warning") == [
        ["", "Almost all"],
        ["Almost all", "approximate 300", "approximately 40"],
    ]
    assert wordings(found, "W8", "Warning") == [["129", "Almost all", "approximate 300"]]


def test_one_mark_closes_two_quotations(found: list[AuditFinding]) -> None:
    (finding,) = [finding for finding in found if finding.rule == "W14"]
    assert [claim.place for claim in finding.concerned] == [
        "block 18, 5235-5493",
        "block 18, 5390-5493",
    ]
    assert finding.message.startswith("Block 18 (Fox News, undated): a quotation that begins “")


def test_messages_tell_dates_as_people_write_them(found: list[AuditFinding]) -> None:
    messages = " ".join(finding.message for finding in found)
    assert "(The Suffolk Journal, 25 October 2017; source: The Soufan Center)" in messages
    assert not re.search(r"\d{4}-\d{2}", messages)


def test_no_message_hides_a_hedge_of_a_claim_that_it_quotes(store: Store) -> None:
    query = """SELECT ?message ?hedge {
      ?finding rf:message ?message ; rf:concerns ?claim .
      ?claim rf:hedge ?hedge ; rf:reportedText ?wording .
      FILTER(CONTAINS(?message, CONCAT("“", ?wording, "” (")) && !CONTAINS(?message, ?hedge)) }"""
    assert rows(store, query) == []


def test_a_figure_that_only_articles_on_one_study_have_has_one_source(store: Store) -> None:
    query = """SELECT DISTINCT ?number {
      ?independence rf:independentSources ?number ; rf:concerns ?claim .
      ?claim rf:cohort cohort:ff-departed ;
             sdmx-dimension:refArea area:RU ; sdmx-measure:obsValue ?value .
      FILTER(?value = 3417) }"""
    assert rows(store, query) == ["1"]


def test_who_is_not_named_or_left_open_is_no_second_source(store: Store) -> None:
    """6,000 is a government's, and of a group in a document that nobody names; 40,000 a study's."""
    query = """SELECT DISTINCT ?value ?number {
      ?independence rf:independentSources ?number ; rf:concerns ?claim .
      ?claim rf:cohort cohort:ff-departed ; sdmx-measure:obsValue ?value .
      FILTER(?value IN (6000, 40000)) } ORDER BY ?value"""
    assert rows(store, query) == ["6000,1", "40000,1"]


def test_comparisons_by_verdict(store: Store) -> None:
    query = """SELECT ?verdict (COUNT(?comparison) AS ?number) {
      ?comparison a rf:Comparison ; rf:verdict/skos:prefLabel ?verdict }
      GROUP BY ?verdict ORDER BY ?verdict"""
    assert rows(store, query) == [
        "agree,42", "compatible,18", "contradict,4", "not comparable,32", "superseded,1",
        "undecidable,37",
    ]  # fmt: skip
