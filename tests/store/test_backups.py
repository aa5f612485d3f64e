"""Backups: whole while others write, verified, and refused when they are anything else."""

from __future__ import annotations

import errno
import io
import os
import shutil
import tarfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from kg.errors import (
    BackupFailed,
    BadArgument,
    NoRelease,
    NotABackup,
    OtherStoreFormat,
    ReleaseRemoved,
)
from kg.media import N_QUADS
from kg.settings import Settings
from kg.store import archives
from kg.store.archives import Contents, Member, read_archive
from kg.store.backups import Which, back_up
from kg.store.embedded import EmbeddedStore
from kg.store.holding import taken
from kg.store.releases import Releases
from kg.store.restoring import restore
from kg.store.tokens import Scope, Tokens
from kg_server import running
from store_parts import NOW, committed, graph

Said = list[tuple[str, int, int]]


def silent(what: str, done: int, of: int) -> None:
    pass


def backed_up(store: Path, file: Path, which: Which = Which.ALL, **options: Any) -> Contents:
    settings: dict[str, Any] = {"now": NOW, "progress": silent}
    return back_up(store, file, which=which, **(settings | options))


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def _several_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several") / "store"
    many = [f':many{number} :p "{number}"' for number in range(500)]
    for step in "abcd":
        committed(
            folder,
            graph("g", f":s :p :{step}", *many),
            graph("hidden", f":s :p :{step}", restricted=True),
        )
    releases = Releases.open(folder)
    releases.tag("first", releases.named("1"), who="tests", message="kept", now=NOW)
    releases.rollback(releases.named("3"), who="tests", message="back", now=NOW)
    Tokens(folder).create("ann", (Scope.WRITE,), days=1, now=NOW)
    (folder / "citations").mkdir()
    (folder / "citations" / "c1.json").write_text('{"release": "' + releases.named("2").name + '"}')
    (folder / "dumps").mkdir()
    (folder / "dumps" / "big.nq.gz").write_bytes(b"not in it")
    return folder


@pytest.fixture
def several(_several_once: Path, folder: Path) -> Path:
    """A store with four releases, a restricted graph, a tag, a token, a citation, a rollback."""
    return shutil.copytree(_several_once, folder, copy_function=os.link)


# --- whole --------------------------------------------------------------------------------


def test_a_restored_store_is_the_one_that_was_backed_up(several: Path, tmp_path: Path) -> None:
    made = backed_up(several, tmp_path / "file")
    other = tmp_path / "other"
    assert restore(tmp_path / "file", other, progress=silent) == made
    here, there = Releases.open(several), Releases.open(other)
    assert [replace(it, folder=several) for it in there.all()] == [
        replace(it, folder=several) for it in here.all()
    ]
    assert there.head().name == here.head().name == "3-" + here.head().digest[:12]
    assert there.tags() == here.tags() != []
    for name in ("tokens.json", "moves.jsonl", "citations/c1.json", "kg-store.json", "HEAD"):
        assert (other / name).read_bytes() == (several / name).read_bytes()
    assert (other / "tokens.json").stat().st_mode & 0o777 == 0o600
    assert not (other / "dumps").exists()
    for release in there.all():
        assert there.restricted(release) == here.restricted(here.named(release.name))


def test_hard_links_are_kept(several: Path, tmp_path: Path) -> None:
    backed_up(several, tmp_path / "file")
    restore(tmp_path / "file", tmp_path / "other", progress=silent)
    here, there = (disk_use(folder / "releases") for folder in (several, tmp_path / "other"))
    apart = sum(file.stat().st_size for file in files_in(several / "releases"))
    assert there == here < apart


def files_in(folder: Path) -> list[Path]:
    """What a backup has of a folder: all but what the engine writes down for people."""
    return [it for it in folder.rglob("*") if it.is_file() and not it.name.startswith("LOG")]


def disk_use(folder: Path) -> int:
    """Bytes of the files, each counted once."""
    sizes = {(it.stat().st_dev, it.stat().st_ino): it.stat().st_size for it in files_in(folder)}
    return sum(sizes.values())


def test_a_store_is_backed_up_and_restored_while_it_is_served_and_written(
    folder: Path, tmp_path: Path
) -> None:
    """Restored beside the running one, it is served, dumps the same, and is written."""
    committed(folder, graph("g", ":s :p :o"))
    with running(folder, tmp_path / "log", workers=1) as server, writer(folder) as steps:
        for number in range(2):
            so_far = len(steps)
            made = backed_up(folder, tmp_path / f"file{number}")
            assert server.query("ASK { ?s ?p ?o }").status == 200
            while len(steps) <= so_far + 2:  # it was not kept out
                threading.Event().wait(0.01)
            other = tmp_path / f"other{number}"
            restore(tmp_path / f"file{number}", other, progress=silent)
            assert dumps(other) == {
                name: content for name, content in dumps(folder).items() if name in made.releases
            }
        release = committed(other, graph("g", ":s :p :new"))
        assert release.number == Releases.open(other).head().number > len(made.releases)
        with running(other, tmp_path / "other-log", workers=1) as second:
            answer = second.query("ASK { ?s ?p <http://ex/new> }", accept="text/csv")
            assert b"true" in answer.body


@contextmanager
def writer(folder: Path) -> Iterator[list[int]]:
    """Commits one after the other while the block runs; tells of each that is done."""
    steps, stop = list[int](), threading.Event()

    def write() -> None:
        while not stop.is_set():
            committed(folder, graph("g", ":s :p :o", f":s :p :o{len(steps)}"))
            steps.append(len(steps))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield steps
    finally:
        stop.set()
        thread.join()


def dumps(folder: Path) -> dict[str, bytes]:
    with EmbeddedStore(folder, Settings(workers=1)) as store:
        return {
            release.name: store.dump(release, N_QUADS).read_bytes()
            for release in store.releases()[:6]
        }


def test_no_release_can_be_taken_away_while_it_is_read(several: Path, tmp_path: Path) -> None:
    free = list[bool]()

    def watch(what: str, done: int, of: int) -> None:
        for release in Releases.open(several).all():
            with taken(release.folder) as is_free:
                free.append(is_free)

    backed_up(several, tmp_path / "file", progress=watch)
    assert set(free) == {False}
    with taken(Releases.open(several).head().folder) as is_free:
        assert is_free


def test_a_release_that_is_not_yet_published_is_left_out(several: Path, tmp_path: Path) -> None:
    releases = Releases.open(several)
    coming = releases.named("4")
    (several / ".HEAD.new").write_text(f"{coming.name}\n")
    assert sorted(backed_up(several, tmp_path / "file").releases) == [
        it.name for it in releases.all() if it != coming
    ]


def test_progress_is_told_in_bytes_of_reading_writing_and_verifying(
    several: Path, tmp_path: Path
) -> None:
    said = Said()
    made = backed_up(several, tmp_path / "file", progress=lambda *told: said.append(told))
    last = {what: (done, of) for what, done, of in said}
    assert last == dict.fromkeys(("read", "written", "verified"), (made.size, made.size))


# --- HEAD alone ---------------------------------------------------------------------------


def test_of_head_alone_the_others_are_answered_as_removed(several: Path, tmp_path: Path) -> None:
    made = backed_up(several, tmp_path / "file", Which.HEAD)
    head = Releases.open(several).head()
    assert list(made.releases) == [head.name]
    restore(tmp_path / "file", tmp_path / "other", progress=silent)
    there = Releases.open(tmp_path / "other")
    assert [it.name for it in there.all()] == [head.name]
    assert there.tags() == []
    for name in ("1", "4"):
        with pytest.raises(ReleaseRemoved):
            there.named(name)
    assert committed(tmp_path / "other", graph("g", ":s :p :new")).number == 5


# --- where it is written ------------------------------------------------------------------


def test_only_its_owner_may_read_a_backup(several: Path, tmp_path: Path) -> None:
    backed_up(several, tmp_path / "file")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_is_replaced_only_when_that_is_said(
    several: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("a letter")
    with pytest.raises(BadArgument, match="is there already"):
        backed_up(several, file)
    assert file.read_text() == "a letter"
    backed_up(several, file, replace=True)
    restore(file, tmp_path / "other", progress=silent)


def test_a_file_that_comes_while_the_backup_is_made_stays(several: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    with pytest.raises(BadArgument, match="is there already"):
        backed_up(several, file, progress=lambda *_: file.write_text("a letter"))
    assert (file.read_text(), entries(tmp_path)) == ("a letter", ["file", "store"])


def test_a_backup_does_not_go_into_the_store(several: Path) -> None:
    for file in (several / "file", several / "releases" / "file"):
        with pytest.raises(BadArgument, match="lies in the store"):
            backed_up(several, file)


def test_a_store_without_a_release_has_no_backup(folder: Path, tmp_path: Path) -> None:
    Releases.create(folder)
    with pytest.raises(NoRelease):
        backed_up(folder, tmp_path / "file")
    assert entries(tmp_path) == ["store"]


def test_without_space_nothing_is_left(
    several: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(target: io.BufferedWriter, *_: object) -> None:
        target.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("kg.store.backups.write_archive", full)
    with pytest.raises(BackupFailed, match="No space left"):
        backed_up(several, tmp_path / "file")
    assert entries(tmp_path) == ["store"]


def test_a_backup_that_reads_back_otherwise_is_none(
    several: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a disk that does not keep what it is given."""
    real = archives.write_archive

    def bad(target: io.BufferedWriter, *arguments: Any) -> None:
        real(target, *arguments)
        os.pwrite(target.fileno(), b"\0\0\0\0", target.tell() // 2)

    monkeypatch.setattr("kg.store.backups.write_archive", bad)
    with pytest.raises(BackupFailed, match="reads back otherwise"):
        backed_up(several, tmp_path / "file")
    assert entries(tmp_path) == ["store"]


# --- what is refused ----------------------------------------------------------------------


def drain(member: Member, content: Iterable[bytes]) -> None:
    for _ in content:
        pass


@pytest.fixture(scope="module")
def _backup_once(_several_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("backup") / "file"
    backed_up(_several_once, file)
    return file


@pytest.fixture
def backup(_backup_once: Path, tmp_path: Path) -> Path:
    """The file of a backup, alone in its folder."""
    (tmp_path / "kept").mkdir()
    return Path(shutil.copy(_backup_once, tmp_path / "kept" / "file"))


def check_refused(file: Path, told: str | None = None) -> None:
    with pytest.raises(NotABackup, match=told):
        restore(file, file.parent / "restored", progress=silent)
    assert entries(file.parent) == [file.name]


def test_a_flipped_bit_anywhere_is_found(backup: Path) -> None:
    content = backup.read_bytes()
    step = max(1, len(content) // 24)
    for place in (*range(0, len(content), step), len(content) - 1):
        backup.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        check_refused(backup)


def test_a_file_that_is_cut_anywhere_is_found(backup: Path) -> None:
    content = backup.read_bytes()
    for size in (0, 3, 100, len(content) // 2, len(content) - 4, len(content) - 1):
        backup.write_bytes(content[:size])
        check_refused(backup)


def test_what_follows_the_end_is_found(backup: Path) -> None:
    content = backup.read_bytes()
    for more in (b"more", zstd.compress(b"more"), content):
        backup.write_bytes(content + more)
        check_refused(backup)


def test_a_file_of_another_kind_is_no_backup(tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    file = alone / "file"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("letter"))
    for content in (b"Dear", zstd.compress(b"Dear"), zstd.compress(archive.getvalue())):
        file.write_bytes(content)
        check_refused(file)


def test_a_list_that_is_nested_too_deep_is_no_backup(backup: Path) -> None:
    listed = b"[" * 200_000
    with zstd.open(backup, "wb") as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(archives._head(Member("kg-backup.json", len(listed))), io.BytesIO(listed))
    check_refused(backup, "garbled")


def test_a_missing_file_and_a_folder_are_no_backup(tmp_path: Path) -> None:
    for file in (tmp_path / "missing", tmp_path):
        with pytest.raises(NotABackup, match="cannot be read"):
            restore(file, tmp_path / "restored", progress=silent)


def forged(backup: Path, change: Any, extra: Iterable[tuple[tarfile.TarInfo, bytes]] = ()) -> None:
    """Write the backup anew with a list and heads that `change` made of the true ones."""
    files = dict[str, bytes]()
    contents = read_archive(
        backup, lambda _: None, lambda member, pieces: files.update({member.path: b"".join(pieces)})
    )
    contents, heads = change(contents, {it.path: archives._head(it) for it in contents.members})
    listed = archives._written(contents)
    with zstd.open(backup, "wb") as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(archives._head(Member("kg-backup.json", len(listed))), io.BytesIO(listed))
        for path, head in heads.items():
            tar.addfile(head, io.BytesIO(files[path][: head.size].ljust(head.size, b"\0")))
        for head, content in extra:
            tar.addfile(head, io.BytesIO(content))


def test_an_honest_forgery_is_restored(backup: Path) -> None:
    """So that the tests below refuse what they say, and not the way in which it is made."""
    forged(backup, lambda contents, heads: (contents, heads))
    restore(backup, backup.parent / "restored", progress=silent)


@pytest.mark.parametrize(
    "path",
    [
        "../evil",
        "/tmp/evil",  # noqa: S108 - it is not made
        "releases/../../evil",
        "releases/1-000000000000/../../../evil",
        "releases/1-000000000000/./x",
        "publishing/job/file",
        "kg-store.json/x",
        "tags/a/b",
        "tags/..",
        "",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(backup: Path, path: str) -> None:
    def change(contents: Contents, heads: dict[str, tarfile.TarInfo]) -> Any:
        first, *others = contents.members
        heads[first.path].name = path
        return replace(contents, members=(replace(first, path=path), *others)), heads

    forged(backup, change)
    check_refused(backup, "which is no file of a store")


def test_a_name_that_is_not_the_listed_one_is_refused(backup: Path) -> None:
    def change(contents: Contents, heads: dict[str, tarfile.TarInfo]) -> Any:
        heads[contents.members[0].path].name = "../../evil"
        return contents, heads

    forged(backup, change)
    check_refused(backup)
    assert not list(backup.parents[1].rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_a_link_or_a_device_in_place_of_a_file_is_refused(backup: Path, kind: bytes) -> None:
    def change(contents: Contents, heads: dict[str, tarfile.TarInfo]) -> Any:
        head = heads[contents.members[0].path]
        head.type, head.linkname, head.size = kind, "/etc/passwd", 0
        return contents, heads

    forged(backup, change)
    check_refused(backup)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "tags/none.json"])
def test_a_hard_link_to_what_was_not_restored_is_refused(backup: Path, target: str) -> None:
    def change(contents: Contents, heads: dict[str, tarfile.TarInfo]) -> Any:
        member = next(it for it in contents.members if it.link)
        heads[member.path].linkname = target
        members = [replace(it, link=target) if it is member else it for it in contents.members]
        return replace(contents, members=tuple(members)), heads

    forged(backup, change)
    check_refused(backup, "as a link to")


def test_a_file_with_more_bytes_than_listed_is_refused(backup: Path) -> None:
    def change(contents: Contents, heads: dict[str, tarfile.TarInfo]) -> Any:
        heads[contents.members[0].path].size += 10**6
        return contents, heads

    forged(backup, change)
    check_refused(backup)


def test_a_file_with_other_bytes_than_listed_is_refused(backup: Path) -> None:
    def change(contents: Contents, heads: dict[str, tarfile.TarInfo]) -> Any:
        first, *others = contents.members
        return replace(contents, members=(replace(first, sha256="0" * 64), *others)), heads

    forged(backup, change)
    check_refused(backup, "is not what was put there")


def test_a_file_that_is_not_listed_is_refused(backup: Path) -> None:
    def change(contents: Contents, heads: dict[str, tarfile.TarInfo]) -> Any:
        return contents, heads

    extra = tarfile.TarInfo("releases/9-000000000000/x")
    forged(backup, change, [(extra, b"")])
    check_refused(backup, "more files than it lists")


def test_a_store_whose_graphs_are_others_is_refused(backup: Path) -> None:
    """Every file is as listed, and HEAD's graphs are not those of its manifest."""

    def change(contents: Contents, heads: dict[str, tarfile.TarInfo]) -> Any:
        head = f"releases/{contents.head}/public/CURRENT"
        first = next(it.link or it.path for it in contents.members if it.path == head)
        members = tuple(
            replace(it, size=0, sha256=archives.digest_of(b"", lambda _: None))
            if it.path == first
            else it
            for it in contents.members
        )
        heads[first].size = 0
        return replace(contents, members=members), heads

    forged(backup, change)
    check_refused(backup, "no whole store")


def test_releases_that_are_not_the_listed_ones_are_refused(backup: Path) -> None:
    def change(contents: Contents, heads: dict[str, tarfile.TarInfo]) -> Any:
        others = dict.fromkeys(contents.releases, "0" * 64)
        return replace(contents, releases=others), heads

    forged(backup, change)
    check_refused(backup, "not those that it lists")


@pytest.mark.parametrize("met", [1, 3])
def test_a_backup_of_another_store_format_is_refused(backup: Path, met: int) -> None:
    forged(backup, lambda it, heads: (replace(it, store_format=met, kg="0.7"), heads))
    with pytest.raises(OtherStoreFormat) as caught:
        restore(backup, backup.parent / "restored", progress=silent)
    assert f"store format {met}, written by kg 0.7" in caught.value.message
    assert "pip install kg==0.7" in caught.value.remedy
    assert entries(backup.parent) == ["file"]


def test_a_backup_of_a_later_format_of_backups_says_which_kg_reads_it(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kg.store.archives.FORMAT", 0)
    check_refused(backup, "a backup of format 1, written by kg .*pip install kg==")


def test_a_folder_that_holds_something_is_not_written_over(backup: Path, several: Path) -> None:
    before = sorted(map(str, several.rglob("*")))
    with pytest.raises(BadArgument, match="not empty"):
        restore(backup, several, progress=silent)
    assert sorted(map(str, several.rglob("*"))) == before


def test_an_empty_folder_becomes_the_store(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    restore(backup, tmp_path / "empty", progress=silent)
    assert Releases.open(tmp_path / "empty").head().number == 3


def test_the_list_is_whole(backup: Path) -> None:
    contents = read_archive(backup, lambda _: None, drain)
    assert contents.head in contents.releases
    assert {"kg-store.json", "HEAD", "tokens.json", "tags/first.json"} <= {
        member.path for member in contents.members
    }
    assert not any("LOCK" in member.path for member in contents.members)
