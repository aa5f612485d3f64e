"""Verification: whatever is not what the release was made with is found, and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store

from kg.errors import StoreDamaged
from kg.store.base import Commit, NamedGraph, Owner, Release
from kg.store.commits import commit
from kg.store.verification import verify
from store_parts import CONTEXT, NOW, committed, graph

S, P = NamedNode("http://ex/s"), NamedNode("http://ex/p")


@pytest.fixture
def release(folder: Path) -> Release:
    blank = NamedGraph("http://ex/blank", b"_:a <http://ex/p> _:b .\n", Owner.DATA)
    return committed(
        folder,
        graph("one", ":s :p :o", ":shared :p :o"),
        graph("two", ":shared :p :o"),
        graph("hidden", ":s :p :secret", restricted=True),
        blank,
    )


def verified(release: Release) -> list[tuple[str, int, int]]:
    said = list[tuple[str, int, int]]()
    verify(release.folder, lambda *told: said.append(told))
    return said


def test_a_release_as_it_was_made_is_verified_and_its_quads_are_counted(release: Release) -> None:
    assert verified(release)[-1] == ("quads verified", 5, 5)


def test_a_plain_store_is_verified(folder: Path) -> None:
    content = b"_:shared <http://ex/p> <http://ex/o> .\n"
    change = Commit(
        graphs=tuple(NamedGraph(f"http://ex/{name}", content, Owner.API) for name in "ab"),
        owners=frozenset({Owner.API}),
        who="",
        message="",
        shapes_digest="",
        files={"context.jsonld": CONTEXT},
    )
    release = commit(folder, change, now=NOW, plain=True)
    assert release
    assert verified(release)[-1] == ("quads verified", 2, 2)


def _more(store: Store) -> None:
    store.add(Quad(S, P, Literal("new"), NamedNode("http://ex/one")))


def _less(store: Store) -> None:
    store.remove(Quad(S, P, NamedNode("http://ex/o"), NamedNode("http://ex/one")))


def _another(store: Store) -> None:
    store.add(Quad(S, P, S, NamedNode("http://ex/another")))


def _too_much_united(store: Store) -> None:
    store.add(Quad(S, P, Literal("new"), DefaultGraph()))


def _not_united(store: Store) -> None:
    store.remove(Quad(S, P, NamedNode("http://ex/o"), DefaultGraph()))


@pytest.mark.parametrize(
    ("part", "change", "named"),
    [
        ("public", _more, "<http://ex/one>"),
        ("public", _less, "<http://ex/one>"),
        ("public", _another, "<http://ex/another>"),
        ("public", _too_much_united, "the default graph"),
        ("public", _not_united, "the default graph"),
        ("restricted", _another, "<http://ex/another>"),
        ("restricted", _too_much_united, "the default graph"),
    ],
)
def test_another_content_is_found_and_named(
    release: Release, part: str, change: Callable[[Store], None], named: str
) -> None:
    store = Store(str(release.folder / part))
    change(store)
    store.flush()
    del store
    with pytest.raises(StoreDamaged) as caught:
        verify(release.folder, lambda *_: None)
    assert caught.value.message.startswith(named)
    assert caught.value.place and caught.value.place.file == release.folder / part


def test_a_manifest_of_another_digest_is_found(release: Release) -> None:
    file = release.folder / "manifest.json"
    manifest = json.loads(file.read_bytes())
    manifest["graphs"][0]["digest"] = "0" * 64
    file.write_text(json.dumps(manifest))
    with pytest.raises(StoreDamaged, match="the digest or the size of this release"):
        verify(release.folder, lambda *_: None)


def test_a_table_that_cannot_be_read_is_found(release: Release) -> None:
    for file in (release.folder / "public").glob("*.sst"):
        file.write_bytes(b"x" * file.stat().st_size)
    for file in (release.folder / "public").glob("*.log"):
        file.write_bytes(b"")
    with pytest.raises(StoreDamaged):
        verify(release.folder, lambda *_: None)
