"""The index of a release that search and lists answer from: its file, and how it follows a commit.

The file is SQLite with FTS5, in the folder of the release. It holds of the union of the public
graphs the texts that name and tell of resources, what resources are, and the links by which lists
are counted. A commit begins with a copy of its parent's and changes what it changes; a release of
an older kg has none, and the next one is filled from the engine.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Store, parse

from kg.errors import NoSearchIndex, Place, StoreDamaged
from kg.namespaces import RF, SCHEMA
from kg.store.release_files import link

FILE: Final = "search.sqlite"
_VERSION: Final = 2
"""Of the file: one more with each change of the tables, of the properties or of the classes."""

_SKOS: Final = "http://www.w3.org/2004/02/skos/core#"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
_OWL: Final = "http://www.w3.org/2002/07/owl#"
_ORG: Final = "http://www.w3.org/ns/org#"
_PROV: Final = "http://www.w3.org/ns/prov#"
_SDMX: Final = "http://purl.org/linked-data/sdmx/2009/"
_TYPE: Final = f"{_RDF}type"

LABELS: Final = (
    f"{_SKOS}prefLabel",
    f"{_SKOS}altLabel",
    f"{_RDFS}label",
    f"{SCHEMA}name",
    f"{SCHEMA}headline",
    f"{_SKOS}notation",
)
"""Properties whose values name a resource."""
TEXTS: Final = (
    f"{RF}paraphrase",
    f"{RF}incipit",
    f"{RF}reportedText",
    f"{RF}namedAs",
    f"{_SKOS}definition",
)
"""Properties whose values tell of it: our paraphrases, first words, wordings, definitions."""
LINKS: Final = {
    "article": f"{_PROV}wasQuotedFrom",
    "area": f"{_SDMX}dimension#refArea",
    "cohort": f"{RF}cohort",
    "measure": f"{RF}measure",
    "unit": f"{_SDMX}attribute#unitMeasure",
    "origin": f"{RF}terminalSource",
    "speaker": f"{RF}speaker",
    "publisher": f"{SCHEMA}publisher",
    "region": f"{SCHEMA}containedInPlace",
    "concerns": f"{RF}concerns",
    "severity": "http://www.w3.org/ns/shacl#resultSeverity",
}
"""Properties from one resource to another by which lists are narrowed and counted."""
VALUES: Final = {
    "published": f"{SCHEMA}datePublished",
    "value": f"{_SDMX}measure#obsValue",
    "lower": f"{RF}lower",
    "upper": f"{RF}upper",
}
"""Properties whose values are dates and numbers, which lists are narrowed and sorted by."""
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "area": (
        f"{RF}VagueArea",
        *(SCHEMA + name for name in ("Country", "City", "AdministrativeArea", "Place")),
    ),
    "cohort": (f"{RF}Cohort",),
    "source": tuple(SCHEMA + name for name in ("NewsArticle", "Report", "BlogPosting", "Article")),
    "person": (f"{SCHEMA}Person",),
    "organization": (
        *(SCHEMA + name for name in ("NewsMediaOrganization", "GovernmentOrganization")),
        f"{_ORG}Organization",
        f"{SCHEMA}Organization",
    ),
    "agent": (f"{RF}AnonymousAgent", f"{_PROV}Agent"),
    "claim": (f"{RF}Claim",),
    "quote": (f"{RF}Quote",),
    "mention": (f"{RF}Mention",),
    "image": (f"{SCHEMA}ImageObject", f"{SCHEMA}VideoObject"),
    "class": (f"{_OWL}Class", f"{_RDFS}Class"),
    "property": (
        f"{_RDF}Property",
        *(f"{_OWL}{kind}Property" for kind in ("Object", "Datatype", "Annotation")),
    ),
    "scheme": (f"{_SKOS}ConceptScheme",),
    "concept": (f"{_SKOS}Concept",),
}
"""What a resource is, by its classes; one of several kinds is of the first. Others are `other`."""
OTHER: Final = "other"

CLASSES: Final = tuple(iri for classes in KINDS.values() for iri in classes)
"""By the number that the index has for each."""
KIND_OF: Final = {CLASSES.index(iri): kind for kind, classes in KINDS.items() for iri in classes}
PROPERTIES: Final = (*LABELS, *TEXTS, *LINKS.values(), *VALUES.values())
"""By the number that the index has for each; those of labels come first, then those of texts."""
_FIRST_LINK: Final = len(LABELS) + len(TEXTS)
_FIRST_VALUE: Final = _FIRST_LINK + len(LINKS)
_PUBLISHED: Final = PROPERTIES.index(VALUES["published"])
_PROPERTY_NUMBERS: Final = {f"<{iri}>".encode(): n for n, iri in enumerate(PROPERTIES)}
_CLASS_NUMBERS: Final = {f"<{iri}>".encode(): n for n, iri in enumerate(CLASSES)}
_TYPE_TERM: Final = f"<{_TYPE}>".encode()

TOKENS: Final = "unicode61 remove_diacritics 2"
"""How texts are cut into words."""
_TABLES: Final = f"""
CREATE TABLE term (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE);
CREATE TABLE entry (
    id INTEGER PRIMARY KEY, subject INTEGER NOT NULL, property INTEGER NOT NULL,
    text TEXT NOT NULL, language TEXT NOT NULL);
CREATE INDEX entry_subject ON entry (subject, property);
CREATE VIRTUAL TABLE words USING fts5(
    text, content='entry', content_rowid='id', prefix='2 3',
    tokenize='{TOKENS}');
CREATE TABLE type (subject INTEGER, class INTEGER, PRIMARY KEY (subject, class)) WITHOUT ROWID;
CREATE INDEX type_class ON type (class, subject);
CREATE TABLE link (
    property INTEGER, subject INTEGER, object INTEGER,
    PRIMARY KEY (property, subject, object)) WITHOUT ROWID;
CREATE INDEX link_object ON link (property, object, subject);
CREATE TABLE value (
    property INTEGER, subject INTEGER, value, literal TEXT,
    PRIMARY KEY (property, subject, literal)) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
"""
_STEPS: Final = 2_000
"""Instructions of SQLite after which it looks at the clock: less than a millisecond."""


def number_of(name: str) -> int:
    """The number of a property of LINKS or VALUES."""
    return PROPERTIES.index(LINKS[name] if name in LINKS else VALUES[name])


@contextmanager
def opened(release: Path) -> Iterator[sqlite3.Connection]:
    """The index of the release in this folder, which whoever calls this holds.

    Raises NoSearchIndex, and StoreDamaged for whatever SQLite finds wrong within the block.
    """
    file = release / FILE
    with _reading(file), closing(_open_to_read(file)) as index:
        yield index


@contextmanager
def within(index: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """SQLite gives up after so many seconds: raises TooSlow."""
    until = time.monotonic() + seconds
    index.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            raise TooSlow from error
        raise
    finally:
        index.set_progress_handler(None, 0)


class TooSlow(Exception):
    """What SQLite was to do was not done in time."""


def _open_to_read(file: Path) -> sqlite3.Connection:
    """The index, which never changes; raises NoSearchIndex."""
    if not file.exists():
        raise NoSearchIndex(file.parent.name)
    # Immutable: it takes no locks and makes no files beside it.
    index = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    index.execute("PRAGMA temp_store = MEMORY")
    if _version(index) != _VERSION:
        index.close()
        raise NoSearchIndex(file.parent.name)
    return index


def _version(index: sqlite3.Connection) -> int:
    return int(index.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _damaged(file, f"the search index cannot be read: {error}") from error


def _damaged(file: Path, problem: str) -> StoreDamaged:
    remedy = "Restore the store from a backup, or build a new one: kg build --store OTHER."
    return StoreDamaged(problem, remedy=remedy, place=Place(file))


# --- keeping it ---------------------------------------------------------------------------


class SearchIndex:
    """The index of a release that is being made in `folder`, out of that of the one `before`.

    It follows what is added and removed where `follows`; else it is to be filled. Close it.
    """

    def __init__(self, folder: Path, before: Path | None) -> None:
        self._file = folder / FILE
        self._before = before / FILE if before else None
        self._index: sqlite3.Connection | None = None
        self._touched: set[int] = set()
        self.follows = self._before is not None and _is_current(self._before)

    def add(self, lines: Iterable[bytes]) -> None:
        """Take in what these N-Triples lines say, none of which was there."""
        self._change(lines, _add)

    def remove(self, lines: Iterable[bytes]) -> None:
        """Let go of what these N-Triples lines say, all of which were there."""
        self._change(lines, self._remove)

    def fill(self, store: Store) -> None:
        """Begin anew, with all that the default graph of an engine has."""
        self._end()
        self._file.unlink(missing_ok=True)
        with _writing(), closing(_open_to_write(self._file)) as index:
            index.executescript(_TABLES)
            ids: dict[str, int] = {}
            for number, statements in _held(store):
                _fill(index, number, statements, ids)
            index.executemany("INSERT INTO term (iri, id) VALUES (?, ?)", ids.items())
            index.execute("INSERT INTO words (words) VALUES ('rebuild')")
            index.execute("INSERT INTO words (words) VALUES ('optimize')")
            index.commit()

    def close(self) -> None:
        """Finish the file; one that nothing was changed in is the same as before."""
        if self._index:
            with _writing():
                _forget_terms(self._index, self._touched)
                self._index.commit()
        self._end()
        if self.follows and self._before and not self._file.exists():
            link(self._before, self._file)

    def _change(
        self, lines: Iterable[bytes], change: Callable[[sqlite3.Connection, Statement], None]
    ) -> None:
        wanted = [line for line in lines if _is_wanted(line)] if self.follows else []
        if not wanted:
            return
        try:
            with _writing():
                index = self._opened()
                for statement in _read(wanted):
                    change(index, statement)
        except sqlite3.DatabaseError:  # the one before is damaged: this one is filled
            self.follows = False
            self._end()

    def _remove(self, index: sqlite3.Connection, statement: Statement) -> None:
        self._touched.update(_remove(index, statement))

    def _opened(self) -> sqlite3.Connection:
        if self._index is None:
            assert self._before  # noqa: S101 - there is one where it follows
            _copy(self._before, self._file)
            self._index = _open_to_write(self._file)
        return self._index

    def _end(self) -> None:
        if self._index:
            self._index.close()
            self._index = None


def carry(before: Path, folder: Path) -> None:
    """Let a release in `folder` have the index of the one `before`, if that has one."""
    with suppress(FileNotFoundError):
        link(before / FILE, folder / FILE)


def check_index(release: Path, store: Store) -> None:
    """That a release's index has what its engine has, no more and no less.

    Nothing is wrong with a release that has none. Raises StoreDamaged.
    """
    with suppress(NoSearchIndex), opened(release) as index:
        for number, statements in _held(store):
            kept = Counter(index.execute(_KEPT[_table(number)], {"property": number}))
            wanted = Counter(
                (each.subject, each.value, each.literal or each.language) for each in statements
            )
            if kept != wanted:
                problem = "the search index is not what the release was made with"
                raise _damaged(release / FILE, problem)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a line says that the index keeps; a class is given by its number.

    `literal` is a number or a date as it was written: 5 and 5.0 are two statements. Others have
    none, but for the `language` of a text.
    """

    subject: str
    property: int
    value: str | float | int
    language: str = ""
    literal: str = ""


_CLASS: Final = len(PROPERTIES)
"""In place of the number of a property: that of `rdf:type`."""


def _table(property: int) -> str:
    if property == _CLASS:
        return "type"
    if property >= _FIRST_VALUE:
        return "value"
    return "link" if property >= _FIRST_LINK else "entry"


_ADD: Final = {
    "entry": "INSERT INTO entry (subject, property, text, language) VALUES (?, ?, ?, ?)",
    "link": "INSERT OR IGNORE INTO link (subject, property, object) VALUES (?, ?, ?)",
    "value": "INSERT OR IGNORE INTO value (subject, property, value, literal) VALUES (?, ?, ?, ?)",
    "type": "INSERT OR IGNORE INTO type (subject, class) VALUES (?, ?)",
}
_REMOVE: Final = {
    "link": "DELETE FROM link WHERE subject = ? AND property = ? AND object = ?",
    "value": "DELETE FROM value WHERE subject = ? AND property = ? AND value = ? AND literal = ?",
    "type": "DELETE FROM type WHERE subject = ? AND class = ?",
}
_KEPT: Final = {
    "entry": "SELECT iri, text, language FROM entry JOIN term ON term.id = subject"
    " WHERE property = :property",
    "link": "SELECT a.iri, b.iri, '' FROM link JOIN term a ON a.id = subject"
    " JOIN term b ON b.id = object WHERE property = :property",
    "value": "SELECT iri, value, literal FROM value JOIN term ON term.id = subject"
    " WHERE property = :property",
    "type": "SELECT iri, class, '' FROM type JOIN term ON term.id = subject"
    " WHERE :property IS NOT NULL",
}


def _add(index: sqlite3.Connection, statement: Statement) -> None:
    table = _table(statement.property)
    row = index.execute(_ADD[table], _row(statement, lambda iri: _id(index, iri)))
    if table == "entry":
        index.execute(
            "INSERT INTO words (rowid, text) VALUES (?, ?)", (row.lastrowid, statement.value)
        )


def _remove(index: sqlite3.Connection, statement: Statement) -> set[int]:
    """Let go of it; the ids of terms that may be no one's any more."""
    table = _table(statement.property)
    row = _row(statement, lambda iri: _id(index, iri))
    if table == "entry":
        found = index.execute(
            "SELECT id FROM entry WHERE subject = ? AND property = ? AND text = ?"
            " AND language = ? LIMIT 1",
            row,
        ).fetchone()
        if found is None:
            raise sqlite3.DatabaseError("a text is missing")
        index.execute(
            "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)",
            (*found, statement.value),
        )
        index.execute("DELETE FROM entry WHERE id = ?", found)
    else:
        index.execute(_REMOVE[table], row)
    ids = {row[0], row[2]} if table == "link" else {row[0]}
    return {each for each in ids if isinstance(each, int)}


def _row(statement: Statement, id: Callable[[str], int]) -> tuple[str | float | int, ...]:
    """The statement as its table has it."""
    subject, table = id(statement.subject), _table(statement.property)
    if table == "type":
        return subject, statement.value
    if table == "link":
        return subject, statement.property, id(str(statement.value))
    if table == "value":
        return subject, statement.property, statement.value, statement.literal
    return subject, statement.property, statement.value, statement.language


def _id(index: sqlite3.Connection, iri: str) -> int:
    known = index.execute("SELECT id FROM term WHERE iri = ?", (iri,)).fetchone()
    if known:
        return int(known[0])
    return int(index.execute("INSERT INTO term (iri) VALUES (?)", (iri,)).lastrowid or 0)


def _fill(
    index: sqlite3.Connection, number: int, statements: Iterable[Statement], ids: dict[str, int]
) -> None:
    def id(iri: str) -> int:
        return ids.setdefault(iri, len(ids) + 1)

    index.executemany(_ADD[_table(number)], (_row(each, id) for each in statements))


def _forget_terms(index: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Let go of terms that nothing is said of any more."""
    for id in ids:
        used = (
            index.execute(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1", {"id": id}).fetchone()  # noqa: S608
            for table, where in _USES
        )
        if not any(used):
            index.execute("DELETE FROM term WHERE id = ?", (id,))


_NUMBERS: Final = ", ".join(map(str, range(_FIRST_LINK, len(PROPERTIES))))
_USES: Final = (
    ("entry", "subject = :id"),
    ("type", "subject = :id"),
    ("link", f"property IN ({_NUMBERS}) AND subject = :id"),
    ("link", f"property IN ({_NUMBERS}) AND object = :id"),
    ("value", f"property IN ({_NUMBERS}) AND subject = :id"),
)


def _held(store: Store) -> Iterator[tuple[int, Iterator[Statement]]]:
    """What the default graph of an engine says that the index keeps, property by property."""
    for number, iri in enumerate(PROPERTIES):
        quads = store.quads_for_pattern(None, NamedNode(iri), None, DefaultGraph())
        yield number, _statements(quads, number)
    yield _CLASS, _types(store)


def _types(store: Store) -> Iterator[Statement]:
    for iri in CLASSES:
        quads = store.quads_for_pattern(None, NamedNode(_TYPE), NamedNode(iri), DefaultGraph())
        yield from _statements(quads, _CLASS)


def _statements(quads: Iterable[Quad], number: int) -> Iterator[Statement]:
    for quad in quads:
        statement = _statement(quad, number)
        if statement:
            yield statement


def _statement(quad: Quad, number: int) -> Statement | None:
    if not isinstance(quad.subject, NamedNode):
        return None
    subject, object, table = quad.subject.value, quad.object, _table(number)
    if table == "type" and isinstance(object, NamedNode):
        return Statement(subject, number, CLASSES.index(object.value))
    if table == "link" and isinstance(object, NamedNode):
        return Statement(subject, number, object.value)
    if table == "value" and isinstance(object, Literal):
        value = object.value if number == _PUBLISHED else _number(object.value)
        return Statement(subject, number, value, literal=str(object))
    if table == "entry" and isinstance(object, Literal):
        # SQLite ends a text at a NUL in some of its functions.
        text = object.value.replace("\0", "\ufffd")
        return Statement(subject, number, text, object.language or "")
    return None


def _number(text: str) -> str | float:
    """A number that can be compared, or what is none as it is."""
    return float(text) if _DECIMAL.fullmatch(text) and "-" not in text[1:] else text


_DECIMAL: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def _is_wanted(line: bytes) -> bool:
    # A line as the engine writes it: no term before the object holds a space.
    _, predicate, object = line.split(b" ", 2)
    if predicate == _TYPE_TERM:
        return object.rstrip(b" .\n") in _CLASS_NUMBERS
    return predicate in _PROPERTY_NUMBERS


def _read(lines: list[bytes]) -> Iterator[Statement]:
    document = b"".join(line if line.endswith(b"\n") else line + b"\n" for line in lines)
    for quad in parse(document, RdfFormat.N_TRIPLES):
        predicate = quad.predicate.value
        number = _CLASS if predicate == _TYPE else PROPERTIES.index(predicate)
        statement = _statement(quad, number)
        if statement:
            yield statement


def _is_current(file: Path) -> bool:
    try:
        with closing(_open_to_read(file)):
            return True
    except (NoSearchIndex, sqlite3.DatabaseError):
        return False


def _copy(file: Path, to: Path) -> None:
    """The same content, which shares its blocks where the file system can do that."""
    with file.open("rb") as source, to.open("wb") as target:
        try:
            fcntl.ioctl(target, _SHARE_BLOCKS, source.fileno())
        except OSError:
            shutil.copyfileobj(source, target, 1024 * 1024)


_SHARE_BLOCKS: Final = 0x40049409
"""FICLONE of ioctl_ficlone(2)."""


def _open_to_write(file: Path) -> sqlite3.Connection:
    """A file of a folder that a crash leaves to be swept: nothing needs to be undone."""
    index = sqlite3.connect(file)
    index.execute("PRAGMA journal_mode = OFF")
    index.execute("PRAGMA synchronous = OFF")
    return index


@contextmanager
def _writing() -> Iterator[None]:
    """What SQLite says of a disk as the system would; whoever commits looks for that."""
    try:
        yield
    except sqlite3.OperationalError as error:
        number = errno.ENOSPC if "full" in str(error) else errno.EIO
        raise OSError(number, os.strerror(number)) from error
