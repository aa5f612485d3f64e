"""What a bulk publish sets aside: a copy of it, and a report that says why."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from kg.publishing.bulk.units import Refused
from kg.store.base import SpooledGraph

ASIDE: Final = "aside"
"""The folder of a job in which lies what is set aside, until it is done."""

_COPIED: Final = 64 * 1024 * 1024
"""Bytes up to which a file is copied as a whole; of a larger one the report tells where it lies."""
_STRANGE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_UNTOLD: Final = "article"
"""The name of so many files that it does not tell which one."""


def put_file(folder: Path, file: Path, refused: Refused) -> None:
    """Set a file aside as a whole."""
    name = file.parent.name if file.stem == _UNTOLD else file.name.partition(".")[0]
    name = _name(name, str(file))
    folder.mkdir(exist_ok=True)
    if file.is_file() and file.stat().st_size <= _COPIED:
        copy = _private(folder / (name + "".join(file.suffixes[-2:])))
        try:
            shutil.copyfile(file, copy)
        except OSError:  # it may be set aside since it cannot be read; the report tells where it is
            copy.unlink()
    _report(folder, name, str(file), refused)


def put_lines(
    folder: Path, unit: str, source: str, lines: Iterable[bytes], refused: Refused
) -> None:
    """Set a part of a dump aside, as N-Quads."""
    name = _name(unit.rpartition("/")[2].removeprefix("article "), unit)
    folder.mkdir(exist_ok=True)
    with _private(folder / f"{name}.nq").open("wb") as target:
        target.writelines(lines)
    _report(folder, name, f"{unit}, from {source}", refused)


def put_graphs(
    folder: Path, unit: str, source: str, graphs: Iterable[SpooledGraph], refused: Refused
) -> None:
    """Set graphs aside that were to be published."""
    put_lines(folder, unit, source, (_quads(graph) for graph in graphs), refused)


def move_to(quarantine: Path, folder: Path) -> int:
    """Put what was set aside where people look for it; how many reports there are."""
    if not folder.is_dir():
        return 0
    quarantine.mkdir(parents=True, exist_ok=True, mode=0o700)  # articles may name people
    for file in sorted(folder.iterdir()):
        shutil.copyfile(file, _private(quarantine / file.name))
    return len(list(folder.glob("*.report.txt")))


def _quads(graph: SpooledGraph) -> bytes:
    with graph.file.open("rb") as source:
        source.seek(graph.offset)
        return source.read(graph.length).replace(b" .\n", f" <{graph.state.iri}> .\n".encode())


def _report(folder: Path, name: str, what: str, refused: Refused) -> None:
    text = "\n".join((what, "", *refused.reasons, ""))
    _private(folder / f"{name}.report.txt").write_text(text, "utf-8")
    if refused.report:
        _private(folder / f"{name}.report.ttl").write_bytes(refused.report)


def _private(file: Path) -> Path:
    """The file, empty if it is new, for its owner alone: articles may name people."""
    file.touch(mode=0o600)
    return file


def _name(text: str, whole: str) -> str:
    """A file name that no other unit has."""
    return f"{_STRANGE.sub('-', text)[:80]}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"
