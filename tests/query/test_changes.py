"""Which claims differ between two releases, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kg.errors import DeadlineExceeded, TooManyRows
from kg.namespaces import CODE, RF, USUAL_PREFIXES
from kg.query.changes import AREA, CHAIN, VALUE, Difference, changes
from kg.query.claims import Asking
from kg.query.telling import told
from kg.settings import Settings
from kg.store.base import NamedGraph, Owner, Release
from kg.store.differences import differences, differing_graphs, touched
from kg.store.embedded import EmbeddedStore, commit
from kg.store.releases import Releases
from store_parts import NOW, change, committed

TYPE = f"<{USUAL_PREFIXES['rdf']}type>"
AGENT = "<http://www.w3.org/ns/prov#agent>"
LABEL = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
Compare = Callable[..., Difference]


def figure(name: str, *statements: str, wording: str = "7", value: str = "7") -> list[str]:
    """The triples of a figure of one area and cohort, `~` standing for the namespace rf."""
    subject = f"<http://ex/{name}>"
    lines = (
        f"{TYPE} ~Claim",
        f"~kind <{CODE}figure>",
        "~cohort <http://ex/left>",
        f"<{AREA}> <http://ex/north>",
        f'~reportedText "{wording}"',
        f'<{VALUE}> "{value}"',
        *statements,
    )
    words = (line.split(" ") for line in lines)
    terms = (
        " ".join(f"<{RF}{word[1:]}>" if word[0] == "~" else word for word in line) for line in words
    )
    return [f"{subject} {line} ." for line in terms]


@pytest.fixture(scope="module")
def compare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compare]:
    """Makes two releases of N-Triples lines, and compares them; all in one store."""
    folder = tmp_path_factory.mktemp("changes") / "store"
    committed(folder)

    def compared(before: list[str], after: list[str], **options: float) -> Difference:
        old, new = (_release(folder, lines) for lines in (before, after))
        graphs = differing_graphs(old, new)
        found = [touched(each) for each in differences(old.folder, new.folder, graphs)]
        asking = Asking(store, Settings(), seconds=options.get("seconds"))
        return changes(old, new, found, asking, most=int(options.get("most", 2**53)))

    with EmbeddedStore(folder, Settings(workers=1)) as store:
        yield compared


def _release(folder: Path, lines: list[str]) -> Release:
    text = "\n".join([*lines, ""]).encode()
    made = commit(folder, change(NamedGraph("http://ex/g", text, Owner.DATA)), now=NOW)
    return made or Releases.open(folder).head()


def lines(difference: Difference) -> list[str]:
    return [line.strip() for line in told(difference) if line.startswith("  ")]


def test_one_figure_in_the_place_of_another_is_a_change(compare: Compare) -> None:
    found = compare(figure("one"), figure("two", wording="8", value="8"))
    assert lines(found) == ["~ north, left: 7 → 8, no publisher, undated"]


def test_where_two_could_have_taken_its_place_none_has(compare: Compare) -> None:
    found = compare(figure("one"), figure("two", wording="8") + figure("three", wording="9"))
    assert (found.changed, len(found.added), len(found.withdrawn)) == ((), 2, 1)


def test_a_value_that_stays_where_its_wording_changes_is_told(compare: Compare) -> None:
    found = compare(figure("one"), figure("one", wording="8"))
    assert lines(found) == ["~ north, left: 7 → 8, no publisher, undated", "value: 7, as before"]


def test_a_value_that_changes_where_its_wording_stays_is_told(compare: Compare) -> None:
    found = compare(figure("one"), figure("one", value="8"))
    assert lines(found) == ["~ north, left: 7, no publisher, undated", "value: 7 → 8"]


def test_a_value_is_told_where_it_is_not_what_its_new_wording_says(compare: Compare) -> None:
    found = compare(figure("one"), figure("one", wording="8", value="9"))
    assert lines(found) == ["~ north, left: 7 → 8, no publisher, undated", "value: 7 → 9"]


def test_a_chain_of_blank_nodes_counts_by_what_it_says(compare: Compare) -> None:
    def with_agent(name: str, *more: str) -> list[str]:
        return [*figure("one", f"<{CHAIN}> _:step"), f"_:step {AGENT} <http://ex/{name}> .", *more]

    other = "_:another <http://ex/p> _:step2 ."  # makes the labels be others
    found = compare(with_agent("ann"), with_agent("bob", other))
    assert lines(found)[1:2] == ["on whose word: ann → bob"]
    assert len(found.changed) == 1


def test_blank_nodes_that_are_only_labelled_otherwise_change_no_claim(compare: Compare) -> None:
    step = f"_:step {AGENT} <http://ex/ann> ."
    before = [*figure("one", f"<{CHAIN}> _:step"), step]
    more = [f"_:a{n} <http://ex/p> _:b{n} ." for n in range(3)]
    found = compare(before, [*before, *more])
    assert (found.changed, found.added, found.withdrawn) == ((), (), ())
    assert [(each.iri, each.added >= 3) for each in found.others] == [("http://ex/g", True)]


def test_a_blank_node_is_told_by_its_name_where_it_has_one(compare: Compare) -> None:
    def with_agent(name: str) -> list[str]:
        nodes = [f'_:who {LABEL} "{name}" .', f'_:topic {LABEL} "a topic" .']
        step = [f"_:step {AGENT} _:who ."]
        return [
            *figure("one", f"<{CHAIN}> _:step", "~about _:topic", "~about _:other"),
            *nodes,
            *step,
        ]

    (claim,) = compare([], with_agent("Ann")).added
    assert claim.text(RF + "about") == "a topic, something without a name"
    assert [step[AGENT[1:-1]][0].text for step in claim.steps] == ["Ann"]
    assert compare(with_agent("Ann"), with_agent("Bob")).changed == ()


def test_two_things_of_one_name_are_told_apart(compare: Compare) -> None:
    names = [f'<http://ex/{each}> {LABEL} "somewhere"@en .' for each in ("here", "there")]
    place = "~about <http://ex/{}>".format
    found = compare(
        [*names, *figure("one", place("here"))], [*names, *figure("one", place("there"))]
    )
    assert lines(found)[1:] == ["about: <http://ex/here> → <http://ex/there>"]


def test_another_name_is_no_change_of_a_claim_that_changed(compare: Compare) -> None:
    def named(name: str, wording: str) -> list[str]:
        return [f'<http://ex/north> {LABEL} "{name}"@en .', *figure("one", wording=wording)]

    found = compare(named("North", "7"), named("the North", "some 7"))
    assert [change.name for each in found.changed for change in each.changes] == ["reported text"]


def test_what_only_the_rules_say_otherwise_is_told(compare: Compare) -> None:
    found = compare(figure("one", '~lower "7"'), figure("one", '~lower "6"'))
    assert lines(found)[1:] == ["lower: 7 → 6"]


def test_hedges_and_doubts_stand_in_the_line(compare: Compare) -> None:
    doubts = ('~hedge "perhaps"', "~modality <http://ex/believed>", '~hedgeInherited "true"')
    codes = (f"~qualifier <{CODE}atLeast>", f"~qualifierScope <{CODE}possiblyInherited>")
    found = compare(figure("other"), figure("other") + figure("one", *doubts, *codes))
    assert lines(found) == [
        "+ north, left: 7 (believed, “perhaps”, said of an earlier one, atLeast,"
        " possiblyInherited), no publisher, undated"
    ]


def test_limits_are_errors_that_say_what_to_do(compare: Compare) -> None:
    with pytest.raises(TooManyRows, match="more than 1 claims may differ") as raised:
        compare([], figure("one") + figure("two"), most=1)
    assert raised.value.limit == 1


def test_all_questions_together_have_their_time(compare: Compare) -> None:
    with pytest.raises(DeadlineExceeded):
        compare([], figure("one"), seconds=1e-9)
