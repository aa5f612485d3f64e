"""The quads in which two releases differ, and the law of patches."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from kg.errors import AnswerTooLarge, DeadlineExceeded
from kg.media import N_QUADS
from kg.settings import Settings
from kg.store.base import Coding, Commit, Differing, NamedGraph, Owner, Release
from kg.store.differences import (
    TouchedGraph,
    Written,
    differences,
    differing_graphs,
    touched,
    touched_graph,
    written,
)
from kg.store.embedded import EmbeddedStore, commit
from store_parts import CONTEXT, NOW, change, committed, graph

TRICKY = r'"holds _:label, \" and <x>"'
BEFORE = (
    graph("same", ":a :p :b"),
    graph("gone", ":x :p :y", "_:n :p :y"),
    graph("other", ":a :p :old", ":a :p _:one", "_:one :q _:two", "_:two :q :end", ":s :p :s"),
    graph("blank", "_:alone :p _:alone", f":t :p {TRICKY.replace(' ', '_')}"),
    graph("secret", ":hidden :p :old", restricted=True),
)
AFTER = (
    graph("same", ":a :p :b"),
    graph("other", ":a :p :new", ":a :p _:one", "_:one :q _:two", "_:two :q :END", ":s :p :s"),
    graph("blank", "_:alone :p _:alone", "_:alone :q _:second", "_:second :p _:alone"),
    graph("come", "_:n :p :y", ":x :p :y"),
    graph("secret", ":hidden :p :new", restricted=True),
)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Release, Release]:
    """A store with two releases, of which graphs came, went and changed."""
    folder = tmp_path_factory.mktemp("differences") / "store"
    return folder, committed(folder, *BEFORE), committed(folder, *AFTER)


def lines(before: Release, after: Release, form: Written) -> list[str]:
    found = differences(before.folder, after.folder, differing_graphs(before, after))
    return b"".join(written(found, form, before.digest, after.digest)).decode().splitlines()


def dump(folder: Path, release: Release) -> list[str]:
    with EmbeddedStore(folder, Settings(workers=1)) as store:
        return gzip.decompress(store.dump(release, N_QUADS).read_bytes()).decode().splitlines()


def applied(patch: list[str], quads: list[str]) -> list[str]:
    """What a dump is after this patch: rows that delete must meet a quad, and rows that add none.

    (RDF Patch: `D` and `A` rows, blank nodes written as `<_:label>`.)
    """
    held = set(quads)
    for row in patch:
        kind, _, rest = row.partition(" ")
        quad = re.sub(r'("(?:[^"\\]|\\.)*")|<(_:[^<>\s]+)>', lambda m: m[1] or m[2], rest)
        if kind == "D":
            held.remove(quad)
        elif kind == "A":
            assert quad not in held
            held.add(quad)
    return sorted(held, key=lambda quad: (re.findall(r"<\S+(?= \.$)", quad)[0], quad.encode()))


def test_a_patch_makes_the_dump_of_one_release_that_of_the_other(
    two: tuple[Path, Release, Release],
) -> None:
    folder, before, after = two
    patch = lines(before, after, Written.PATCH)
    assert any("<_:" in row for row in patch)
    assert applied(patch, dump(folder, before)) == dump(folder, after)
    assert applied(lines(after, before, Written.PATCH), dump(folder, after)) == dump(folder, before)


def test_a_patch_is_one_transaction_that_names_both_states(
    two: tuple[Path, Release, Release],
) -> None:
    _, before, after = two
    patch = lines(before, after, Written.PATCH)
    assert re.fullmatch(r"H id <ni:///sha-256;[\w-]{43}> \.", patch[0])
    back = lines(after, before, Written.PATCH)
    assert patch[0].replace("id", "prev") == back[1] != patch[1]
    assert (patch[2], patch[-1]) == ("TX .", "TC .")
    assert {row[:2] for row in patch[3:-1]} == {"A ", "D "}


def test_only_what_differs_is_told_and_nothing_restricted(
    two: tuple[Path, Release, Release],
) -> None:
    _, before, after = two
    told = lines(before, after, Written.QUADS)
    names = {re.findall(r"http://ex/(\w+)> \.$", line)[0] for line in told}
    assert names == {"gone", "other", "blank", "come"}
    assert [line for line in told if "/old>" in line or "/new>" in line] == [
        "+ <http://ex/a> <http://ex/p> <http://ex/new> <http://ex/other> .",
        "- <http://ex/a> <http://ex/p> <http://ex/old> <http://ex/other> .",
    ]


def test_what_blank_nodes_say_is_told_of_the_iri_that_leads_to_them(
    two: tuple[Path, Release, Release],
) -> None:
    _, before, after = two
    found = {
        each.iri: each for each in differences(before.folder, after.folder, ["http://ex/other"])
    }
    graph = touched(found["http://ex/other"])
    assert set(graph.subjects) == {"http://ex/a"}
    removed, added = graph.subjects["http://ex/a"]
    assert (removed, added) == (graph.removed, graph.added) and removed >= 2


def test_a_release_differs_in_nothing_from_itself(two: tuple[Path, Release, Release]) -> None:
    _, before, _ = two
    assert lines(before, before, Written.QUADS) == []
    assert [row[:2] for row in lines(before, before, Written.PATCH)] == ["H ", "H ", "TX", "TC"]


# --- in a worker --------------------------------------------------------------------------


def task(before: Release, after: Release, form: Written, **options: object) -> Differing:
    given: dict[str, object] = {
        "deadline": 20.0,
        "answer_bytes": 10**9,
        "spool_memory": 10**5,
    }
    return Differing(
        release=after.folder,
        before=before.folder,
        graphs=differing_graphs(before, after),
        form=form.value,
        digests=(before.digest, after.digest),
        **(given | options),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("form", Written)
def test_a_worker_writes_the_same(two: tuple[Path, Release, Release], form: Written) -> None:
    folder, before, after = two
    with (
        EmbeddedStore(folder, Settings(workers=1)) as store,
        store.query(task(before, after, form)) as spool,
    ):
        assert spool.read().decode().splitlines() == lines(before, after, form)


def test_what_a_worker_tells_of_subjects_is_read_as_it_was_found(
    two: tuple[Path, Release, Release],
) -> None:
    _, before, after = two
    found = differences(before.folder, after.folder, differing_graphs(before, after))
    told = lines(before, after, Written.SUBJECTS)
    read: list[TouchedGraph] = [touched_graph(line.encode()) for line in told]
    assert read == [touched(each) for each in found]


def test_an_answer_that_is_too_large_or_too_slow_is_an_error(
    two: tuple[Path, Release, Release],
) -> None:
    folder, before, after = two
    with EmbeddedStore(folder, Settings(workers=1)) as store:
        with pytest.raises(AnswerTooLarge):
            store.query(task(before, after, Written.QUADS, answer_bytes=300))
        with pytest.raises(DeadlineExceeded):
            store.query(task(before, after, Written.QUADS, deadline=1e-6))


def test_a_hundred_thousand_quads_are_told_within_little_memory(tmp_path: Path) -> None:
    many = "".join(f'<http://ex/{n}> <http://ex/p> "value {n}" .\n' for n in range(100_000))
    folder = tmp_path / "store"
    before = committed(folder, graph("small", ":a :p :b"))
    large = NamedGraph("http://ex/large", many.encode(), Owner.API)
    owners = frozenset({Owner.API})
    after = commit(
        folder, Commit((large,), owners, "a test", "", "", {"context.jsonld": CONTEXT}), now=NOW
    )
    assert after
    settings = Settings(workers=1, worker_memory=256 * 1024 * 1024)
    asked = task(before, after, Written.QUADS, coding=Coding.IDENTITY)
    with EmbeddedStore(folder, settings) as store, store.query(asked) as spool:
        assert sum(1 for _ in spool.read().splitlines()) == 100_000


def test_a_plain_store_has_differences_too(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    made = [
        commit(
            folder, change(graph("g", each), owners=frozenset({Owner.DATA})), now=NOW, plain=True
        )
        for each in (":a :p :b", ":a :p _:c")
    ]
    before, after = made
    assert before and after
    assert [line[:2] for line in lines(before, after, Written.QUADS)] == ["- ", "+ "]
