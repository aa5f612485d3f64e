"""The digest beside a dump is that of the dump."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.media import N_QUADS
from kg.settings import Settings
from kg.store.base import Release
from kg.store.dumps import DumpFile, digested, made_dump
from kg.store.embedded import EmbeddedStore
from store_parts import committed, graph


@pytest.fixture
def release(folder: Path) -> Release:
    return committed(folder, graph("g", ":s :p :o"))


@pytest.fixture
def store(folder: Path, release: Release) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(folder, Settings(workers=1)) as opened:
        yield opened


def digest_file(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def known(file: Path) -> DumpFile:
    content = file.read_bytes()
    return DumpFile(file, len(content), hashlib.sha256(content).hexdigest())


def test_a_dump_has_its_digest_from_the_start(store: EmbeddedStore, release: Release) -> None:
    file = store.dump(release, N_QUADS)
    assert made_dump(file) == known(file)


def test_a_dump_that_was_not_made_is_not_known(tmp_path: Path) -> None:
    assert made_dump(tmp_path / "dumps" / "1.nq.gz") is None


def test_a_digest_of_earlier_bytes_is_not_believed(store: EmbeddedStore, release: Release) -> None:
    """As of a dump that was deleted, and is made anew by another version of the packer."""
    file = store.dump(release, N_QUADS)
    file.unlink()
    digest_file(file).write_text(f"{'0' * 64}  {file.name}\n")
    assert made_dump(store.dump(release, N_QUADS)) == known(file)


@pytest.mark.parametrize("content", [None, "", "garbled"])
def test_a_dump_without_a_digest_gets_one_when_it_is_asked_for(
    store: EmbeddedStore, release: Release, content: str | None
) -> None:
    file = store.dump(release, N_QUADS)
    digest_file(file).unlink()
    if content is not None:
        digest_file(file).write_text(content)
    assert made_dump(file) is None
    assert digested(store.dump(release, N_QUADS)) == made_dump(file) == known(file)
