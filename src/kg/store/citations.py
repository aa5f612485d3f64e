"""The query store: each citation as a file of its own, named by its content, never changed.

`citations/<id>.json` holds what was asked of which release, and the digest of the result. The id is
the first 16 hex digits of the SHA-256 of all that makes it this citation and no other: the same
one twice is one file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from kg.errors import (
    CitationsFull,
    MalformedFile,
    NotCitable,
    Place,
    StoreDamaged,
    StoreError,
    UnknownCitation,
)
from kg.media import Form
from kg.store.catalog import Catalog
from kg.store.durable import sync, write_synced

FOLDER: Final = "citations"
VERSION: Final = 1
MOST_BYTES: Final = 64 * 1024
"""A citation may have so many, without `dataset`: it is kept for ever, and anybody may make one."""
_ID: Final = re.compile(r"[0-9a-f]{16}(?:[0-9a-f]{16}|[0-9a-f]{48})?")
_LENGTHS: Final = (16, 32, 64)
"""Digits of an id: more only where another citation has the first ones, which no accident does."""
_BESIDE: Final = frozenset(
    (
        *("id", "question", "parameters", "release", "release_time", "notes", "engine", "kg"),
        *("cited", "dataset"),
    )
)
"""Members that may differ between two makings of one citation; the first is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """What was asked of which release and how its result is known again; times are in UTC.

    `query` is the text as it was run, with `prefixes` declared that it does not declare, and
    `base` for relative IRIs. `release` is the full name. `digest`, `sequence`, `rows` and
    `variables` are those of `digests.ResultDigest`. `ordered`: the outermost query has ORDER BY;
    `cut`: a LIMIT or OFFSET is in it; `notes`: what SPARQL leaves open of it, in sentences.
    `dataset` is how the release described itself, in short.
    """

    id: str = ""
    version: int = VERSION
    title: str
    query: str
    prefixes: Mapping[str, str]
    base: str
    default_graphs: tuple[str, ...]
    named_graphs: tuple[str, ...]
    question: str
    parameters: Mapping[str, str]
    release: str
    release_digest: str
    release_time: str
    form: str
    variables: tuple[str, ...]
    rows: int
    ordered: bool
    cut: bool
    notes: tuple[str, ...]
    digest: str
    sequence: str
    engine: str
    kg: str
    cited: str
    dataset: Catalog

    def members(self) -> dict[str, Any]:
        """The record as JSON has it; `sequence` only where it decides."""
        members = asdict(self)
        return members if self.ordered else {k: v for k, v in members.items() if k != "sequence"}

    def written(self) -> bytes:
        """The record as it is kept and given."""
        return (json.dumps(self.members(), ensure_ascii=False, indent=1) + "\n").encode()

    @property
    def full_id(self) -> str:
        """The SHA-256 of which the id is the beginning."""
        own = {key: value for key, value in self.members().items() if key not in _BESIDE}
        text = json.dumps(own, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def parsed(cls, content: bytes) -> Citation:
        """The citation that `written` gave; raises ValueError with what is wrong.

        Members that a later version may add are passed over.
        """
        try:
            read = json.loads(content)
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        if not isinstance(read, dict):
            raise ValueError("it is not a JSON object")
        if read.get("version") != VERSION:
            raise ValueError(f"its version is {read.get('version')!r}, not {VERSION}")
        return _checked(_citation(read))


class Citations:
    """The citations under one store folder, at most `most`; for any thread and process."""

    def __init__(self, store: Path, most: int) -> None:
        self.folder = store / FOLDER
        self._most = most

    def get(self, id: str) -> Citation:
        """The citation of this id; raises UnknownCitation, and StoreDamaged for a damaged file."""
        found = self._kept(id) if _ID.fullmatch(id) else None
        if found is None:
            raise UnknownCitation(id)
        return found

    def add(self, citation: Citation) -> tuple[Citation, bool]:
        """The citation as it is kept, and whether it is new; its id is found here.

        Raises CitationsFull, NotCitable for one that is too large, StoreDamaged, and StoreError
        where it cannot be written.
        """
        for length in _LENGTHS:
            named = replace(citation, id=citation.full_id[:length])
            kept = self._kept(named.id)
            if kept is None:
                return self._made(named)
            if kept.full_id == named.full_id:
                return kept, False
        raise AssertionError("two citations have one SHA-256")

    def _kept(self, id: str) -> Citation | None:
        file = self._file(id)
        try:
            return _named(file, id)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StoreDamaged(
                f"the citation {id} cannot be read: {error}",
                remedy="Restore this file from a copy of the store.",
                place=Place(file),
            ) from error

    def _made(self, citation: Citation) -> tuple[Citation, bool]:
        size = len(replace(citation, dataset=Catalog()).written())
        if size > MOST_BYTES:
            raise NotCitable(
                f"its record has {size} bytes, of at most {MOST_BYTES}", "Shorten the query."
            )
        try:
            self.folder.mkdir(exist_ok=True)
            if self._count() >= self._most:
                raise CitationsFull(self._most)
            _write_new(self._file(citation.id), citation.written())
        except FileExistsError:  # somebody made it meanwhile
            return self.add(citation)[0], False
        except OSError as error:
            raise StoreError(
                f"no citation can be kept in {self.folder}: {error.strerror}",
                remedy="Check the space and the permissions of the store folder.",
            ) from error
        return citation, True

    def _count(self) -> int:
        return sum(name.endswith(".json") for name in os.listdir(self.folder))

    def _file(self, id: str) -> Path:
        return self.folder / f"{id}.json"


def read_citation(file: Path) -> Citation:
    """The citation in a file of anybody's; raises MalformedFile and OSError."""
    try:
        return Citation.parsed(file.read_bytes())
    except ValueError as error:
        raise MalformedFile(Place(file), "a citation", str(error)) from error


def _named(file: Path, id: str) -> Citation:
    citation = Citation.parsed(file.read_bytes())
    if citation.id != id:
        raise ValueError(f"its id is {citation.id!r}")
    return citation


def _write_new(file: Path, content: bytes) -> None:
    """The file, whole, and never in place of another; raises FileExistsError."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    try:
        write_synced(temporary, [content])
        os.link(temporary, file)
        sync(file.parent)
    finally:
        temporary.unlink(missing_ok=True)


# --- reading ------------------------------------------------------------------------------


def _citation(read: Mapping[str, Any]) -> Citation:
    try:
        members: dict[str, Any] = {key: _of_type(read, key, str) for key in _TEXTS}
        members |= {key: _of_type(read, key, bool) for key in ("ordered", "cut")}
        members |= {key: tuple(_texts(read, key)) for key in _LISTS}
        return Citation(
            **members,
            rows=_of_type(read, "rows", int),
            sequence=_of_type(read, "sequence", str) if read.get("ordered") else "",
            prefixes=_mapping(read, "prefixes"),
            parameters=_mapping(read, "parameters"),
            dataset=_catalog(_of_type(read, "dataset", dict)),
        )
    except KeyError as error:
        raise ValueError(f"it lacks the member {error}") from error


_TEXTS: Final = (
    *("id", "title", "query", "base", "question", "release", "release_digest", "release_time"),
    *("form", "digest", "engine", "kg", "cited"),
)
_LISTS: Final = ("default_graphs", "named_graphs", "variables", "notes")


_PATTERNS: Final = (
    (r"[0-9]+-[0-9a-f]{12}", ("release",)),
    (r"[0-9a-f]{64}", ("release_digest", "digest")),
    (r"(?:[0-9a-f]{64})?", ("sequence",)),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", ("release_time", "cited")),
)


def _checked(citation: Citation) -> Citation:
    """Raises ValueError for a record that somebody has changed."""
    if citation.form not in Form.__members__:
        raise ValueError(f"its form is {citation.form!r}")
    for pattern, members in _PATTERNS:
        for member in members:
            if not re.fullmatch(pattern, getattr(citation, member)):
                raise ValueError(f"its member {member} is {getattr(citation, member)!r}")
    if not (_ID.fullmatch(citation.id) and citation.full_id.startswith(citation.id)):
        raise ValueError("its id is not that of what it says: it was changed")
    citation.written()  # raises UnicodeEncodeError where half a character is in it
    return citation


def _of_type(read: Mapping[str, Any], key: str, kind: type) -> Any:
    value = read[key]
    if type(value) is not kind:
        raise ValueError(f"its member {key} is no {kind.__name__}")
    return value


def _texts(read: Mapping[str, Any], key: str) -> Iterable[str]:
    values: list[object] = _of_type(read, key, list)
    for value in values:
        if not isinstance(value, str):
            raise ValueError(f"its member {key} holds something else than text")
        yield value


def _mapping(read: Mapping[str, Any], key: str) -> Mapping[str, str]:
    values: dict[str, object] = _of_type(read, key, dict)
    return {name: _of_type(values, name, str) for name in values}


def _catalog(read: Mapping[str, Any]) -> Catalog:
    creators = tuple(_texts(read, "creators")) if "creators" in read else ()
    others = Catalog.__dataclass_fields__.keys() - {"creators"}
    texts = {key: _of_type(read, key, str) for key in sorted(others) if key in read}
    return Catalog(**texts, creators=creators)
