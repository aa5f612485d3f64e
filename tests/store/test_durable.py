"""Files that are whole after a crash, or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.store.durable import write_durably


def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    def content() -> Iterator[bytes]:
        yield b"new"
        raise OSError("the disk is full")

    file = tmp_path / "HEAD"
    file.write_bytes(b"old")
    with pytest.raises(OSError, match="the disk is full"):
        write_durably(file, content())
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"old", [file])


def test_content_and_name_are_on_disk_before_and_after_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = list[str]()
    monkeypatch.setattr(
        os, "fsync", lambda it: synced.append(Path(f"/proc/self/fd/{it}").resolve().name[-4:])
    )
    write_durably(tmp_path / "file", [b"content"])
    folder = tmp_path.name[-4:]
    assert synced == [".new", folder, folder]
