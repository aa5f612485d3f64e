"""Tags and rollbacks: names for releases, and HEAD moved back."""

from __future__ import annotations

import shutil
import threading
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from cut_short import killed_at
from kg.errors import BadArgument, ReleaseMissing, StoreBusy, StoreDamaged
from kg.store import releases as releases_module
from kg.store.base import Release
from kg.store.commits import writing
from kg.store.moves import Move
from kg.store.releases import Releases
from kg.store.tags import Tag
from store_parts import NOW, change, committed, graph

TIME = "2026-01-02T03:04:05Z"


def made(folder: Path, releases: int) -> list[Release]:
    """So many releases, oldest first."""
    return [committed(folder, graph("g", f":s :p :o{number}")) for number in range(releases)]


def tagged(folder: Path, name: str, release: Release, *, move: bool = False) -> Tag:
    return Releases.open(folder).tag(name, release, who="ann", message="m", now=NOW, move=move)


def rolled_back(folder: Path, release: Release) -> Release:
    return Releases.open(folder).rollback(release, who="ann", message="wrong", now=NOW)


# --- tags ---------------------------------------------------------------------------------


def test_a_tag_names_a_release(folder: Path) -> None:
    first, second = made(folder, 2)
    tag = tagged(folder, "v1.0", first)
    assert tag == Tag("v1.0", first.name, TIME, "ann", "m")
    assert Releases.open(folder).tags() == [tag]
    assert Releases.open(folder).named("v1.0") == first != second


NO_NAMES = ("", "1", "1-0123456789ab", "a/b", "../a", ".a", "é", "a" * 65, "HEAD")


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_tag_has_no_name_that_a_release_or_a_path_may_have(folder: Path, name: str) -> None:
    (release,) = made(folder, 1)
    with pytest.raises(BadArgument, match="the name of the tag"):
        tagged(folder, name, release)
    assert Releases.open(folder).tags() == []


def test_head_is_a_name_for_the_release_that_it_names(folder: Path) -> None:
    first, second = made(folder, 2)
    assert Releases.open(folder).named("HEAD") == second
    rolled_back(folder, first)
    assert Releases.open(folder).named("HEAD") == first


def test_a_tag_is_moved_only_when_that_is_meant(folder: Path) -> None:
    first, second = made(folder, 2)
    tagged(folder, "good", first)
    with pytest.raises(BadArgument, match=f"the tag good names release {first.name}"):
        tagged(folder, "good", second)
    assert Releases.open(folder).named("good") == first
    tagged(folder, "good", second, move=True)
    assert Releases.open(folder).named("good") == second


def test_a_tag_that_is_taken_away_names_nothing(folder: Path) -> None:
    (release,) = made(folder, 1)
    tagged(folder, "old", release)
    assert Releases.open(folder).untag("old").release == release.name
    with pytest.raises(ReleaseMissing):
        Releases.open(folder).named("old")
    with pytest.raises(BadArgument, match="there is no tag 'old'"):
        Releases.open(folder).untag("old")


def test_a_broken_tag_is_damage_with_its_place(folder: Path) -> None:
    tagged(folder, "a", made(folder, 1)[0])
    (folder / "tags" / "a.json").write_text("{}")
    with pytest.raises(StoreDamaged) as caught:
        Releases.open(folder).tags()
    assert caught.value.place and caught.value.place.file == folder / "tags" / "a.json"


def test_a_tag_waits_for_a_write_to_end(folder: Path) -> None:
    (release,) = made(folder, 1)
    tagger = threading.Thread(target=tagged, args=(folder, "a", release))
    with writing(folder) as store:
        tagger.start()
        second = store.commit(change(graph("g", ":s :p :new")), now=NOW)
        assert tagger.is_alive() and Releases.open(folder).tags() == []
    tagger.join(10)
    assert [tag.release for tag in Releases.open(folder).tags()] == [release.name]
    assert Releases.open(folder).head() == second


def test_nothing_is_tagged_or_moved_while_a_write_goes_on_and_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases_module, "_WAIT", 0.05)
    first, second = made(folder, 2)
    with writing(folder):
        for work in (lambda: tagged(folder, "a", first), lambda: rolled_back(folder, first)):
            with pytest.raises(StoreBusy):
                work()
    assert (Releases.open(folder).tags(), Releases.open(folder).head()) == ([], second)


def test_a_release_that_a_crash_kept_from_being_published_is_not_tagged(folder: Path) -> None:
    first, second = made(folder, 2)
    (folder / "HEAD").rename(folder / ".HEAD.new")
    (folder / "HEAD").write_text(f"{first.name}\n")
    with pytest.raises(ReleaseMissing):
        tagged(folder, "a", second)
    assert Releases.open(folder).tags() == []


# --- rollback -----------------------------------------------------------------------------


def test_a_rollback_moves_head_and_is_written_down(folder: Path) -> None:
    first, second, third = made(folder, 3)
    assert rolled_back(folder, first) == first == Releases.open(folder).head()
    assert rolled_back(folder, second) == second
    releases = Releases.open(folder)
    assert releases.all() == [first, second, third]
    assert releases.moves() == [
        Move(third.name, first.name, TIME, "ann", "wrong"),
        Move(first.name, second.name, TIME, "ann", "wrong"),
    ]


def test_what_is_written_after_a_rollback_rests_on_it_and_has_a_number_of_its_own(
    folder: Path,
) -> None:
    first, second = made(folder, 2)
    rolled_back(folder, first)
    third = committed(folder, graph("h", ":s :p :o"), graph("g", ":s :p :o0"))
    assert (third.number, third.parent) == (3, first.name)
    assert third.changes.graphs_added == 1
    assert third.changes.graphs_changed == 0
    assert Releases.open(folder).named("2") == second


def test_a_server_that_has_it_open_sees_the_move(folder: Path) -> None:
    first, second = made(folder, 2)
    releases = Releases.open(folder)
    assert releases.head() == second
    rolled_back(folder, first)
    assert releases.head() == first


def test_a_rollback_to_head_is_refused(folder: Path) -> None:
    (release,) = made(folder, 1)
    with pytest.raises(BadArgument, match="already"):
        rolled_back(folder, release)
    assert Releases.open(folder).moves() == []


def test_a_rollback_that_is_killed_anywhere_happened_and_is_recorded_or_did_neither(
    folder: Path, tmp_path: Path
) -> None:
    first, second = made(folder, 2)
    seen = set()
    for line in count(1, 2):
        store = shutil.copytree(folder, tmp_path / f"cut-{line}")
        cut = killed_at(line, ("moves.py", "durable.py"), partial(rolled_back, store, first))
        head = Releases.open(store).head().name
        Releases.open(store).tidy()
        assert Releases.open(store).head().name == head
        recorded = [(move.before, move.after) for move in Releases.open(store).moves()]
        assert recorded == ([(second.name, first.name)] if head == first.name else []), line
        assert sorted(path.name for path in store.glob(".*") if path.suffix != ".new") == []
        seen.add((cut, head))
        if not cut:
            break
    assert seen == {(True, second.name), (True, first.name), (False, first.name)}


def test_a_line_that_a_crash_cut_is_taken_off_by_the_next_move(folder: Path) -> None:
    first, second = made(folder, 2)
    rolled_back(folder, first)
    with (folder / "moves.jsonl").open("ab") as file:
        file.write(b'{"from": "half')
    rolled_back(folder, second)
    assert [move.after for move in Releases.open(folder).moves()] == [first.name, second.name]
    assert (folder / "moves.jsonl").read_bytes().count(b"\n") == 2
