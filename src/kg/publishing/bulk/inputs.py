"""What is given to a bulk publish: the files, and what each of them holds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final
from urllib.parse import quote

from kg.errors import BadArgument, MissingFile
from kg.media import N_QUADS, N_TRIPLES, TRIG, TURTLE, Format
from kg.namespaces import GRAPH
from kg.publishing.values import is_iri

_YAML: Final = ".yaml"
_FORMATS: Final = {f".{each.suffix}": each for each in (TURTLE, N_TRIPLES, N_QUADS, TRIG)}
_PACKED: Final = ".gz"
_TAKEN: Final = ".yaml, .ttl, .nt, .nq and .trig, the last four also with .gz"
_RATIO: Final = 12
"""How much smaller a packed dump is, about."""


class Kind(Enum):
    """What one file is."""

    ARTICLE = "article"
    GRAPH = "graph"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class Input:
    """One file that is to be published; `graph` is where the triples of one graph go."""

    number: int
    file: Path
    kind: Kind
    size: int
    changed: int
    format: Format | None = None
    graph: str = ""

    @property
    def is_packed(self) -> bool:
        """Whether it is a gzip file."""
        return self.file.suffix == _PACKED

    @property
    def bytes(self) -> int:
        """How many bytes it has, unpacked; of a packed one about."""
        return self.size * (_RATIO if self.is_packed else 1)

    @property
    def stem(self) -> str:
        """The name of the file without what tells its format."""
        return self.file.name.removesuffix(_PACKED).rpartition(".")[0]

    def is_as_it_was(self) -> bool:
        """Whether nobody changed the file since it was found."""
        try:
            state = self.file.stat()
        except OSError:
            return False
        return (state.st_size, state.st_mtime_ns) == (self.size, self.changed)


def inputs(paths: Sequence[Path], *, graph: str | None = None) -> list[Input]:
    """The files that are named, and those in the folders that are, sorted within each.

    With `graph` there must be one file, of Turtle or N-Triples, which goes into that graph.
    Raises MissingFile, and BadArgument for a file that cannot be published, or none at all.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _files(path):
            found.setdefault(file.resolve(), file)
    listed = [_input(number, file) for number, file in enumerate(found.values())]
    if not listed:
        raise BadArgument(
            f"there is nothing to publish in {', '.join(map(str, paths))}",
            remedy=f"Files that are taken end in {_TAKEN}.",
        )
    return listed if graph is None else [_into(graph, listed)]


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            files = (Path(folder, name) for name in sorted(names) if not name.startswith("."))
            yield from (file for file in files if _kind(file) and file.is_file())
    elif not path.exists():
        raise MissingFile(path, "it is to be published")
    elif _kind(path) is None or not path.is_file():
        raise BadArgument(f"{path} cannot be published", remedy=f"Files that are: {_TAKEN}.")
    else:
        yield path


def _kind(file: Path) -> Kind | None:
    if file.suffix == _YAML:
        return Kind.ARTICLE
    format = _format(file)
    if format is None:
        return None
    return Kind.DATASET if format in (N_QUADS, TRIG) else Kind.GRAPH


def _format(file: Path) -> Format | None:
    return _FORMATS.get(Path(file.name.removesuffix(_PACKED)).suffix)


def _input(number: int, file: Path) -> Input:
    _check_name(file)
    state = file.stat()
    kind = _kind(file)
    assert kind  # noqa: S101 - `_files` gives no other
    given = Input(number, file, kind, state.st_size, state.st_mtime_ns, _format(file))
    if kind is not Kind.GRAPH:
        return given
    return replace(given, graph=f"{GRAPH}published/{quote(given.stem, safe='')}")


def _check_name(file: Path) -> None:
    try:
        str(file).encode()
    except UnicodeEncodeError:
        raise BadArgument(
            f"the name of a file is not UTF-8: {os.fsencode(file)!r}", remedy="Rename it."
        ) from None


def _into(graph: str, listed: Iterable[Input]) -> Input:
    one, *more = listed
    if more or one.kind is not Kind.GRAPH:
        raise BadArgument(
            "--graph names the graph of one file of Turtle or N-Triples, and other files are given",
            remedy="Publish that file alone.",
        )
    if not is_iri(graph):
        raise BadArgument(f"--graph is {graph!r}", remedy="Give it an absolute IRI.")
    return replace(one, graph=graph)
