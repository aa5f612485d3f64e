"""Placing: incipits become positions, digests are written, and nothing is half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.errors import UnmatchedText
from kg.project import Project
from kg.publishing.placing import write_places
from kg.publishing.publish import check
from kg.publishing.sources import BadSources
from kg.publishing.texts import Text


def replace(source: Path, old: str, new: str) -> None:
    content = source.read_text()
    assert content.count(old) == 1, old
    source.write_text(content.replace(old, new))


def test_an_incipit_becomes_the_position_it_was_taken_from(source: Path, text: Text) -> None:
    written = source.read_text()
    place = "at: 67-106  # at least 40 lamplighters left Northland"
    replace(source, place, "at: {incipit: at least 40, through: Northland}")
    assert write_places([source], text) == source
    assert source.read_text() == written


def test_the_second_occurrence_is_the_second_in_the_block(source: Path, text: Text) -> None:
    replace(source, "at: 142-160 ", 'at: {incipit: "40", occurrence: 2} ')
    write_places([source], text)
    assert "at: 149-151" in source.read_text()


def test_writing_twice_changes_nothing(source: Path, text: Text) -> None:
    before = source.read_bytes()
    assert write_places([source], text) is None
    assert source.read_bytes() == before


def test_digests_of_places_that_are_gone_are_taken_out(source: Path, text: Text) -> None:
    content = source.read_text()
    start = content.index("  - at: 142-160")
    source.write_text(content[:start] + content[content.index("\nsensitive:") :])
    write_places([source], text)
    assert "142-160" not in source.read_text()


def test_a_build_with_and_without_the_text_gives_the_same_graphs(
    project: Project, text: Text
) -> None:
    assert check(project, [text]).graphs() == check(project).graphs()


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("{incipit: lighthouse}", "'lighthouse' does not occur 1 times"),
        ("{incipit: Northland, occurrence: 3}", "does not occur 3 times"),
        ("{incipit: at least 40, through: lamp}", None),
        ("{incipit: a, occurrence: 0}", "occurrence is 0"),
        ("{incipit: The harbour guild says that at least}", "more than 6 words"),
        ("{begin: at least}", "is not what gives a place"),
        ("{incipit: blew out}", "does not occur 1 times"),
    ],
)
def test_an_incipit_that_cannot_be_found_changes_nothing(
    source: Path, text: Text, place: str, problem: str | None
) -> None:
    replace(source, "at: 67-106 ", f"at: {place} ")
    before = source.read_bytes()
    if problem is None:
        write_places([source], text)
        assert "at: 67-83" in source.read_text()
        return
    with pytest.raises(BadSources, match=problem):
        write_places([source], text)
    assert source.read_bytes() == before


def test_a_text_of_no_source_is_refused(source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("Something else.\n")
    with pytest.raises(UnmatchedText):
        write_places([source], Text.read(other))
