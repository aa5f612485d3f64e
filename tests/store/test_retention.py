"""Retention: what a policy lets go goes whole and recorded; what somebody needs stays."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from pyoxigraph import Store

from cut_short import killed_at
from kg.errors import DeadlineExceeded, ReleaseMissing, ReleaseRemoved, StoreDamaged
from kg.media import N_QUADS
from kg.settings import Settings
from kg.store.base import Release, Task
from kg.store.embedded import EmbeddedStore, commit
from kg.store.holding import held, taken
from kg.store.releases import Releases
from kg.store.removals import Removal
from kg.store.retention import Policy, Retained, retain, retained_events
from kg.store.workers import WorkerPool
from processes import eventually
from store_parts import NOW, change, folder_in_memory, graph, task

SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n2 ?o }"
MANY = [f":s{number} :p :o" for number in range(60)]


def made(folder: Path, releases: int, *, every: timedelta = timedelta(days=1)) -> list[Release]:
    """So many releases, oldest first, the newest of them made at NOW."""
    result = []
    for number in range(releases):
        now = NOW - every * (releases - 1 - number)
        release = commit(folder, change(graph("g", *MANY, f":s :p :o{number}")), now=now)
        assert release
        result.append(release)
    return result


def retained(
    folder: Path,
    policy: Policy,
    *,
    now: datetime = NOW,
    cited: bool = False,
    dry_run: bool = False,
) -> Retained:
    releases = Releases.open(folder)
    with releases.lock():
        releases.sweep()
        return retain(releases, policy, now=now, cited=cited, dry_run=dry_run)


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder that waits for no disk."""
    made = folder_in_memory()
    yield made
    shutil.rmtree(made)


def names(releases: list[Release]) -> list[str]:
    return [release.name for release in releases]


def left(folder: Path) -> list[int]:
    return [release.number for release in Releases.open(folder).all()]


def cite(folder: Path, release: Release) -> None:
    (folder / "citations").mkdir(exist_ok=True)
    (folder / "citations" / "abc.json").write_text(json.dumps({"release": release.name}))


# --- which go -----------------------------------------------------------------------------


def test_the_newest_are_kept_and_each_is_told_why(folder: Path) -> None:
    releases = made(folder, 5)
    result = retained(folder, Policy(releases=2))
    assert [removal.name for removal in result.removed] == names(releases[:3])
    assert result.kept == {
        releases[3].name: "among the newest 2",
        releases[4].name: "HEAD",
    }
    assert left(folder) == [4, 5]


def test_a_removal_is_recorded(folder: Path) -> None:
    first, _ = made(folder, 2)
    retained(folder, Policy(releases=1))
    record = Removal(
        first.name, first.digest, first.time, "2026-01-02T03:04:05Z", "kept are the newest 1"
    )
    assert Releases.open(folder).removed() == [record]


def test_the_young_are_kept(folder: Path) -> None:
    made(folder, 5)
    retained(folder, Policy(days=2.5))
    assert left(folder) == [3, 4, 5]


def test_what_either_bound_keeps_is_kept(folder: Path) -> None:
    made(folder, 6)
    retained(folder, Policy(releases=2, days=3.5))
    assert left(folder) == [3, 4, 5, 6]
    retained(folder, Policy(releases=3, days=1.5))
    assert left(folder) == [4, 5, 6]


def test_without_a_bound_all_are_kept(folder: Path) -> None:
    made(folder, 3)
    result = retained(folder, Policy())
    assert (result.removed, set(result.kept.values())) == ((), {"no bound is set"})
    assert left(folder) == [1, 2, 3]


@pytest.mark.parametrize("back", [1, 400, 20_000])
def test_a_clock_that_was_set_back_removes_no_more(folder: Path, back: int) -> None:
    made(folder, 4)
    retained(folder, Policy(days=1.5), now=NOW - timedelta(days=back))
    assert left(folder) == ([2, 3, 4] if back == 1 else [1, 2, 3, 4])


def test_a_release_of_the_future_is_young(folder: Path) -> None:
    made(folder, 2)
    commit(folder, change(graph("g", ":s :p :later")), now=NOW + timedelta(days=900))
    commit(folder, change(graph("g", ":s :p :now")), now=NOW)
    retained(folder, Policy(days=0.5))
    assert left(folder) == [2, 3, 4]


def test_head_is_kept_also_where_it_was_moved_back(folder: Path) -> None:
    releases = made(folder, 5)
    Releases.open(folder).rollback(releases[1], who="", message="", now=NOW)
    result = retained(folder, Policy(releases=2))
    assert left(folder) == [1, 2, 4, 5]
    assert result.kept[releases[0].name] == "among the last 2 up to HEAD"
    assert Releases.open(folder).head() == releases[1]


def test_the_number_of_a_removed_release_is_never_used_again(folder: Path) -> None:
    releases = made(folder, 3)
    Releases.open(folder).rollback(releases[0], who="", message="", now=NOW)
    retained(folder, Policy(days=1), now=NOW + timedelta(days=9))
    assert left(folder) == [1]
    fourth = commit(folder, change(graph("g", ":s :p :next")), now=NOW)
    assert fourth
    assert (fourth.number, fourth.parent) == (4, releases[0].name)


def test_what_is_tagged_or_cited_is_kept(folder: Path) -> None:
    releases = made(folder, 4)
    Releases.open(folder).tag("paper", releases[0], who="", message="", now=NOW)
    cite(folder, releases[1])
    result = retained(folder, Policy(releases=1))
    assert result.kept == {
        releases[0].name: "tagged paper",
        releases[1].name: "cited",
        releases[3].name: "HEAD",
    }
    assert left(folder) == [1, 2, 4]


def test_what_is_cited_goes_where_that_is_said(folder: Path) -> None:
    releases = made(folder, 3)
    Releases.open(folder).tag("paper", releases[0], who="", message="", now=NOW)
    cite(folder, releases[1])
    retained(folder, Policy(releases=1), cited=True)
    assert left(folder) == [1, 3]


def test_what_answers_for_a_cited_release_that_is_gone_is_kept(folder: Path) -> None:
    """The same data once more: a citation is verified on it."""
    releases = [
        commit(folder, change(graph("g", triple)), now=NOW)
        for triple in (":s :p :o1", ":s :p :o2", ":s :p :o1", ":s :p :o3")
    ]
    assert releases[0]
    cite(folder, releases[0])
    shutil.rmtree(releases[0].folder)
    retained(folder, Policy(releases=1))
    assert left(folder) == [3, 4]


def test_a_citation_that_cannot_be_read_lets_nothing_go(folder: Path) -> None:
    releases = made(folder, 3)
    cite(folder, releases[0])
    (folder / "citations" / "bad.json").write_text("{")
    with pytest.raises(StoreDamaged, match="cannot be read"):
        retained(folder, Policy(releases=1))
    assert left(folder) == [1, 2, 3]


def test_a_dry_run_removes_nothing(folder: Path) -> None:
    releases = made(folder, 3)
    result = retained(folder, Policy(releases=1), dry_run=True)
    assert [removal.name for removal in result.removed] == names(releases[:2])
    assert left(folder) == [1, 2, 3]
    assert Releases.open(folder).removed() == []


def test_the_dumps_of_a_removed_release_go_with_it(folder: Path) -> None:
    first, second = made(folder, 2)
    with EmbeddedStore(folder, Settings(workers=1)) as store:
        dumps = [store.dump(release, N_QUADS) for release in (first, second)]
    retained(folder, Policy(releases=1))
    assert [dump.exists() for dump in dumps] == [False, True]


def test_thirty_go_at_once(folder: Path) -> None:
    first = made(folder, 1)[0]
    for number in range(2, 32):
        shutil.copytree(first.folder, folder / "releases" / f"{number}-{first.digest[:12]}")
    result = retained(folder, Policy(releases=1))
    assert (len(result.removed), left(folder)) == (29, [1, 1])


# --- what is asked of one that is gone ----------------------------------------------------


@pytest.mark.parametrize("asked", ["number", "name"])
def test_a_removed_release_is_told_from_one_that_never_was(folder: Path, asked: str) -> None:
    """Also by whoever has read its manifest before."""
    first, _ = made(folder, 2)
    releases = Releases.open(folder)
    assert releases.named(first.name) == first
    retained(folder, Policy(releases=1))
    with pytest.raises(ReleaseRemoved) as caught:
        releases.named("1" if asked == "number" else first.name)
    assert caught.value.message == (
        f"release {first.name} was removed at 2026-01-02T03:04:05Z; its digest was {first.digest}"
    )
    with pytest.raises(ReleaseMissing) as other:
        releases.named("7")
    assert not isinstance(other.value, ReleaseRemoved)


def test_a_query_of_a_removed_release_says_so(folder: Path, pool: WorkerPool) -> None:
    first, _ = made(folder, 2)
    retained(folder, Policy(releases=1))
    with pytest.raises(ReleaseRemoved):
        pool.run(task(first, "ASK {}"))


def test_a_query_of_a_folder_that_somebody_deleted_says_so(folder: Path, pool: WorkerPool) -> None:
    first, _ = made(folder, 2)
    shutil.rmtree(first.folder)
    with pytest.raises(ReleaseMissing) as caught:
        pool.run(task(first, "ASK {}"))
    assert not isinstance(caught.value, ReleaseRemoved)


# --- what is in use -----------------------------------------------------------------------


def test_what_is_held_cannot_be_taken_and_the_other_way_round(tmp_path: Path) -> None:
    with held(tmp_path), held(tmp_path), taken(tmp_path) as free:
        assert not free
    with taken(tmp_path) as free:
        assert free


def test_who_waited_for_a_folder_that_went_finds_none(tmp_path: Path) -> None:
    folder, found = tmp_path / "release", list[bool]()
    folder.mkdir()

    def wait() -> None:
        try:
            with held(folder):
                found.append(True)
        except FileNotFoundError:
            found.append(False)

    waiting = threading.Thread(target=wait)
    with taken(folder) as free:
        assert free
        waiting.start()
        time.sleep(0.1)
        folder.rename(tmp_path / "gone")
    waiting.join(10)
    assert found == [False]


def test_what_a_worker_has_open_is_kept_until_it_ends(folder: Path) -> None:
    first, second = made(folder, 2)
    with WorkerPool(1, memory=Settings().worker_memory, queue_seconds=20) as pool:
        pool.run(task(first, "ASK {}")).close()
        result = retained(folder, Policy(releases=1))
        assert result.kept == {first.name: "in use", second.name: "HEAD"}
        pool.run(task(first, "ASK {}")).close()
    assert left(folder) == [1, 2]
    retained(folder, Policy(releases=1))
    assert left(folder) == [2]


def test_a_worker_lets_go_when_it_opens_another(folder: Path) -> None:
    first, second = made(folder, 2)
    with WorkerPool(1, memory=Settings().worker_memory, queue_seconds=20) as pool:
        pool.run(task(first, "ASK {}")).close()
        pool.run(task(second, "ASK {}")).close()
        retained(folder, Policy(releases=1))
    assert left(folder) == [2]


def test_a_worker_with_nothing_to_do_lets_go_of_what_head_no_longer_names(folder: Path) -> None:
    first, _ = made(folder, 2)
    Releases.open(folder).rollback(first, who="", message="", now=NOW)
    with WorkerPool(1, memory=Settings().worker_memory, queue_seconds=20) as pool:
        pool.run(task(first, "ASK {}")).close()
        time.sleep(2.5)
        with taken(first.folder) as free:
            assert not free  # it is HEAD
        third = commit(folder, change(graph("g", ":s :p :third")), now=NOW)
        assert third
        assert eventually(lambda: _is_free(first), seconds=10)
        with pool.run(task(first, "SELECT ?o { <http://ex/s> ?p ?o }")) as spool:
            assert spool.read() == b"o\r\nhttp://ex/o0\r\n"


def _is_free(release: Release) -> bool:
    with taken(release.folder) as free:
        return free


def test_a_process_that_is_killed_lets_go(folder: Path) -> None:
    first, _ = made(folder, 2)
    program = (
        "import sys, time, pathlib; from kg.store.holding import held\n"
        "with held(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(first.folder)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout and process.stdout.readline() == b"held\n"
        assert retained(folder, Policy(releases=1)).kept[first.name] == "in use"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert names_removed(retained(folder, Policy(releases=1))) == [first.name]


def names_removed(result: Retained) -> list[str]:
    return [removal.name for removal in result.removed]


def test_what_a_query_waits_for_is_kept(folder: Path) -> None:
    first, second = made(folder, 2)
    answers = list[bytes]()

    def ask(store: EmbeddedStore) -> None:
        with store.query(task(first, "SELECT ?o { <http://ex/s> ?p ?o }")) as spool:
            answers.append(spool.read())

    with EmbeddedStore(folder, Settings(workers=1, queue_seconds=20)) as store:
        store.query(task(second, "ASK {}")).close()
        slow = threading.Thread(target=_fails, args=(store, task(second, SLOW, deadline=0.8)))
        slow.start()
        time.sleep(0.2)
        waiting = threading.Thread(target=ask, args=(store,))
        waiting.start()
        time.sleep(0.1)
        assert retained(folder, Policy(releases=1)).kept[first.name] == "in use"
        slow.join(20)
        waiting.join(20)
    assert answers == [b"o\r\nhttp://ex/o0\r\n"]


def _fails(store: EmbeddedStore, slow: Task) -> None:
    with pytest.raises(DeadlineExceeded):
        store.query(slow)


# --- crashes and failures -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "step"),
    [(("retention.py", "removals.py", "durable.py"), 2), (("shutil.py",), 131)],
    ids=["as it removes", "as it gives the disk back"],
)
def test_a_removal_that_is_killed_anywhere_loses_no_record_and_claims_none(
    folder: Path, memory: Path, files: tuple[str, ...], step: int
) -> None:
    """Each release opens, or is told to be removed, and never both; the sweep leaves nothing."""
    releases = made(folder, 4)
    outcomes = set()
    for line in count(1, step):
        store = shutil.copytree(folder, memory / f"cut-{line}")
        cut = killed_at(line, files, partial(retained, store, Policy(releases=2)))
        there, gone = left(store), [it.name for it in Releases.open(store).removed()]
        assert sorted(names(Releases.open(store).all()) + gone) == names(releases), line
        for release in Releases.open(store).all():
            Store.read_only(str(release.folder / "public"))
        for name in gone:
            with pytest.raises(ReleaseRemoved):
                Releases.open(store).named(name)
        assert Releases.open(store).next_number() == 5
        Releases.open(store).tidy()
        assert left(store) == there
        assert list((store / "releases").glob(".*")) == []
        outcomes.add((cut, len(gone)))
        shutil.rmtree(store)
        if not cut:
            break
    assert {(True, 2), (False, 2)} <= outcomes <= {(True, 0), (True, 1), (True, 2), (False, 2)}


def test_a_release_that_was_recorded_and_stayed_is_there_and_may_go_later(folder: Path) -> None:
    """As after a crash between the record and the removal."""
    first, _ = made(folder, 2)
    record = Removal(first.name, first.digest, first.time, "2026-01-01T00:00:00Z", "")
    (folder / "removed.jsonl").write_text(
        json.dumps({key: getattr(record, key) for key in Removal.__dataclass_fields__}) + "\n"
    )
    assert Releases.open(folder).named("1") == first
    assert Releases.open(folder).removed() == []
    retained(folder, Policy(releases=1))
    assert [it.removed for it in Releases.open(folder).removed()] == ["2026-01-02T03:04:05Z"]


def test_a_disk_that_refuses_leaves_what_was_not_recorded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(folder, 3)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kg.store.retention.record_removals", full)
    events = retained_events(folder, Policy(releases=1), now=NOW)
    assert events == [
        (
            logging.ERROR,
            "event=retention_failed message='[Errno 28] No space left on device'",
        )
    ]
    assert left(folder) == [1, 2, 3]


def test_the_log_is_told_of_each_that_went_and_of_each_that_others_keep(folder: Path) -> None:
    releases = made(folder, 4)
    cite(folder, releases[1])
    with held(releases[2].folder):
        events = retained_events(folder, Policy(releases=1), now=NOW)
    digest = releases[0].digest
    assert events == [
        (logging.INFO, f"event=release_removed release={releases[0].name} digest={digest}"),
        (logging.DEBUG, f"event=release_kept release={releases[1].name} why='cited'"),
        (logging.DEBUG, f"event=release_kept release={releases[2].name} why='in use'"),
    ]
