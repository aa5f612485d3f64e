"""The releases of a folder: made, listed, named, locked, swept and digested."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import (
    NoRelease,
    NotAStore,
    ReleaseMissing,
    StoreBusy,
    StoreDamaged,
    StoreTooNew,
)
from kg.store.base import GraphState, Owner
from kg.store.releases import Releases, release_digest
from store_parts import committed, graph

STATES = [GraphState(f"http://ex/{n}", Owner.DATA, n, f"{n:064x}") for n in range(5)]


def test_a_missing_and_an_empty_folder_have_no_release(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(NoRelease):
            Releases.open(folder)


def test_a_new_store_has_no_head_and_no_releases(folder: Path) -> None:
    releases = Releases.create(folder)
    assert releases.all() == []
    with pytest.raises(NoRelease):
        releases.head()


def test_a_folder_with_other_files_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear")
    for make in (Releases.open, Releases.create):
        with pytest.raises(NotAStore):
            make(tmp_path)


def test_a_file_is_no_store(tmp_path: Path) -> None:
    file = tmp_path / "store"
    file.write_text("")
    with pytest.raises(NotAStore):
        Releases.create(file)


def test_a_creation_that_was_cut_is_finished(folder: Path) -> None:
    (folder / "releases").mkdir(parents=True)
    Releases.create(folder)
    assert json.loads((folder / "kg-store.json").read_bytes()) == {"format": 1}


def test_a_store_of_a_later_format_is_refused(folder: Path) -> None:
    Releases.create(folder)
    (folder / "kg-store.json").write_text('{"format": 2}')
    with pytest.raises(StoreTooNew, match="store format 2; this kg knows format 1"):
        Releases.open(folder)


def test_releases_are_listed_by_number_and_found_by_name_or_number(folder: Path) -> None:
    made = [committed(folder, graph("g", f":s :p :o{number}")) for number in range(3)]
    releases = Releases.open(folder)
    assert releases.all() == made
    assert [release.number for release in made] == [1, 2, 3]
    assert releases.named("2") == releases.named(made[1].name) == made[1]
    assert releases.head() == made[-1]


def test_releases_are_ordered_as_numbers(folder: Path) -> None:
    release = committed(folder, graph("g", ":s :p :o"))
    shutil.copytree(release.folder, folder / "releases" / "10-000000000000")
    shutil.copytree(release.folder, folder / "releases" / "9-000000000000")
    assert [it.name.partition("-")[0] for it in Releases.open(folder).all()] == ["1", "9", "10"]
    assert Releases.open(folder).next_number() == 11


def test_an_unknown_release_is_missing_and_the_error_lists_those_there(folder: Path) -> None:
    release = committed(folder, graph("g", ":s :p :o"))
    for text in ("2", "one", "../releases", ""):
        with pytest.raises(ReleaseMissing) as caught:
            Releases.open(folder).named(text)
        assert caught.value.remedy == f"There are: {release.name}."


def test_a_head_that_names_a_missing_release_says_so(folder: Path) -> None:
    release = committed(folder, graph("g", ":s :p :o"))
    shutil.rmtree(release.folder)
    with pytest.raises(ReleaseMissing, match="HEAD names release"):
        Releases.open(folder).head()


def test_head_is_read_anew_at_each_call(folder: Path) -> None:
    first = committed(folder, graph("g", ":s :p :o"))
    releases = Releases.open(folder)
    assert releases.head() == first
    assert releases.head() != committed(folder, graph("g", ":s :p :new")) == releases.head()


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"../1-000000000000", b"\xff"])
def test_a_broken_head_is_damage_with_its_place(folder: Path, content: bytes) -> None:
    Releases.create(folder)
    (folder / "HEAD").write_bytes(content)
    with pytest.raises(StoreDamaged) as caught:
        Releases.open(folder).head()
    assert caught.value.place
    assert caught.value.place.file == folder / "HEAD"
    assert "kg build" in caught.value.remedy


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"number": "x"}'])
def test_a_broken_manifest_is_damage_with_its_place(folder: Path, content: str) -> None:
    manifest = committed(folder, graph("g", ":s :p :o")).folder / "manifest.json"
    manifest.write_text(content)
    with pytest.raises(StoreDamaged) as caught:
        Releases.open(folder).head()
    assert caught.value.place
    assert caught.value.place.file == manifest


def test_only_one_may_write(folder: Path) -> None:
    releases = Releases.create(folder)
    with releases.lock(), pytest.raises(StoreBusy), Releases.open(folder).lock():
        pass
    with releases.lock():
        pass


def test_a_sweep_removes_what_a_crashed_write_left_and_no_release(folder: Path) -> None:
    release = committed(folder, graph("g", ":s :p :o"))
    leftover = folder / "releases" / ".staging-abc" / "public"
    leftover.mkdir(parents=True)
    releases = Releases.open(folder)
    with releases.lock():
        releases.sweep()
    assert list((folder / "releases").iterdir()) == [release.folder]


@given(st.permutations(STATES))
def test_the_order_of_graphs_does_not_change_the_digest(states: list[GraphState]) -> None:
    assert release_digest(states) == release_digest(STATES)


def test_the_digest_of_a_release_is_that_of_its_list_of_graph_digests() -> None:
    # printf '%064x http://ex/%d\n' 1 1 2 2 | sha256sum
    expected = "7a3e4e1d795561c381be743ea89d2102e97a8f7c703f310d157f4fd35d439e55"
    assert release_digest(STATES[2:0:-1]) == expected
