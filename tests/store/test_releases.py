"""The releases of a folder: made, listed, named, locked, swept and digested."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import (
    CommitFailed,
    NoRelease,
    NotAStore,
    OtherStoreFormat,
    ReleaseMissing,
    StoreBusy,
    StoreDamaged,
)
from kg.store import releases as releases_module
from kg.store.base import GraphState, Owner, Release
from kg.store.durable import move_synced, write_synced
from kg.store.releases import Releases, read_manifest, release_digest
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
    assert json.loads((folder / "kg-store.json").read_bytes())["format"] == 2


@pytest.mark.parametrize(
    ("met", "told"),
    [
        ('{"format": 3}', "store format 3, written by another kg, which is newer"),
        ('{"format": 1, "kg": "0.0.9"}', "store format 1, written by kg 0.0.9, which is older"),
        ('{"format": "1"}', "store format '1', written by another kg;"),
        ("{}", "store format None, written by another kg;"),
    ],
)
def test_a_store_of_another_format_is_refused(folder: Path, met: str, told: str) -> None:
    Releases.create(folder)
    (folder / "kg-store.json").write_text(met)
    with pytest.raises(OtherStoreFormat) as caught:
        Releases.open(folder)
    assert told in caught.value.message
    assert caught.value.message.endswith("this kg knows format 2")


@pytest.mark.parametrize(("by", "install"), [("", "--upgrade kg"), ("0.7", "kg==0.7")])
def test_the_commands_that_rebuild_restore_or_read_it_are_told(
    folder: Path, by: str, install: str
) -> None:
    Releases.create(folder)
    (folder / "kg-store.json").write_text(json.dumps({"format": 3, "kg": by}))
    with pytest.raises(OtherStoreFormat) as caught:
        Releases.open(folder)
    commands = ("kg build --store OTHER", "kg restore FILE --store OTHER", f"pip install {install}")
    assert [command in caught.value.remedy for command in commands] == [True, True, True]


def test_a_folder_of_releases_of_another_kind_is_no_store(folder: Path) -> None:
    (folder / "releases").mkdir(parents=True)
    (folder / "releases" / "photo.jpg").write_bytes(b"")
    with pytest.raises(NotAStore):
        Releases.create(folder)
    assert [path.name for path in folder.iterdir()] == ["releases"]


def test_releases_are_listed_by_number_and_found_by_name_or_number(folder: Path) -> None:
    made = [committed(folder, graph("g", f":s :p :o{number}")) for number in range(3)]
    releases = Releases.open(folder)
    assert releases.all() == made
    assert [release.number for release in made] == [1, 2, 3]
    assert releases.named("2") == releases.named(made[1].name) == made[1]
    assert releases.head() == made[-1]


def test_a_release_that_goes_while_all_are_listed_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (committed(folder, graph("g", f":s :p :o{it}")) for it in range(2))
    releases = Releases.open(folder)

    def gone(release: Path) -> Release:
        if release == first.folder:
            shutil.rmtree(release)
        return read_manifest(release)

    monkeypatch.setattr(releases_module, "read_manifest", gone)
    assert releases.all() == [second]
    with pytest.raises(ReleaseMissing):
        releases.named(first.name)


def test_what_is_remembered_of_releases_has_a_bound(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases_module, "_REMEMBERED", 4)
    read: list[str] = []

    def noted(release: Path) -> Release:
        read.append(release.name)
        return read_manifest(release)

    monkeypatch.setattr(releases_module, "read_manifest", noted)
    graphs = graph("g", ":s :p :o"), graph("h", ":s :p :o")
    made = [committed(folder, *graphs, graph("i", f":s :p :o{it}")) for it in range(3)]
    releases = Releases.open(folder)
    read.clear()
    for release in (made[0], made[0], made[1], made[1], made[0]):
        assert releases.named(release.name) == release
    assert read == [made[0].name, made[1].name, made[0].name]


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


@pytest.mark.parametrize("name", [".HEAD.new", "HEAD"])
def test_a_release_that_head_could_not_be_moved_to_is_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Both where there is no space for the new HEAD and where it cannot be put in place."""
    first = committed(folder, graph("g", ":s :p :o"))
    with monkeypatch.context() as patch:
        patch.setattr("kg.store.releases.write_synced", _failing(write_synced, name))
        patch.setattr("kg.store.releases.move_synced", _failing(move_synced, name))
        with pytest.raises(CommitFailed, match="no space is left"):
            committed(folder, graph("g", ":s :p :new"))
    assert [path.name for path in (folder / "releases").iterdir()] == [first.name]
    assert Releases.open(folder).head() == first
    assert committed(folder, graph("g", ":s :p :new")).number == 2


def _failing(write: Callable[..., None], name: str) -> Callable[..., None]:
    """The function, which finds no space where it is to make a file of this name."""

    def failing(*arguments: Any) -> None:
        if name in (path.name for path in arguments if isinstance(path, Path)):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(*arguments)

    return failing


def test_a_sweep_removes_a_release_that_a_crash_kept_from_being_published(folder: Path) -> None:
    first, second = (committed(folder, graph("g", f":s :p :{name}")) for name in "ab")
    (folder / "HEAD").rename(folder / ".HEAD.new")
    (folder / "HEAD").write_text(f"{first.name}\n")
    Releases.open(folder).tidy()
    assert not (folder / ".HEAD.new").exists()
    assert Releases.open(folder).all() == [first]
    assert not second.folder.exists()


def test_a_sweep_keeps_a_release_that_head_was_moved_back_from(folder: Path) -> None:
    made = [committed(folder, graph("g", f":s :p :{name}")) for name in "ab"]
    (folder / "HEAD").write_text(f"{made[0].name}\n")
    Releases.open(folder).tidy()
    assert Releases.open(folder).all() == made


def test_a_sweep_removes_files_that_were_begun_long_ago(folder: Path) -> None:
    Releases.create(folder)
    for place in ("dumps", "tags", "citations"):
        (folder / place).mkdir()
        old, young = folder / place / ".1.1.new", folder / place / ".1.2.new"
        for file in (old, young):
            file.write_bytes(b"half")
        os.utime(old, (0, 0))
        Releases.open(folder).tidy()
        assert (old.exists(), young.exists()) == (False, True)


@given(st.permutations(STATES))
def test_the_order_of_graphs_does_not_change_the_digest(states: list[GraphState]) -> None:
    assert release_digest(states) == release_digest(STATES)


def test_the_digest_of_a_release_is_that_of_its_list_of_graph_digests() -> None:
    # printf '%064x http://ex/%d\n' 1 1 2 2 | sha256sum
    expected = "7a3e4e1d795561c381be743ea89d2102e97a8f7c703f310d157f4fd35d439e55"
    assert release_digest(STATES[2:0:-1]) == expected


def test_the_lock_is_free_although_a_process_that_starts_still_has_the_file(tmp_path: Path) -> None:
    """Between fork and exec a child has every file of its parent open."""
    releases = Releases.create(tmp_path / "store")
    with releases.lock():
        child = os.fork()
        if child == 0:
            time.sleep(2)
            os._exit(0)
    try:
        with releases.lock():
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
