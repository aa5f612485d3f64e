"""One release as a page looks at it: queries of this folder, asked of the workers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from kg.media import JSON
from kg.namespaces import BASE
from kg.query.claims import Asking, Claim, read_claims
from kg.query.prefixes import prefixes_of
from kg.query.questions import with_iris
from kg.query.request import QueryRequest
from kg.query.run import answer
from kg.settings import Settings
from kg.store.base import Release, Ticket
from kg.store.embedded import EmbeddedStore
from kg.store.iris import absolute_iri
from kg.validation.report import compact

_FOLDER: Final = Path(__file__).parent
BOUNDS: Final = "#BOUNDS#"
_PART: Final = 64 * 1024
"""Bytes of the IRIs of one part of a query; it may hold them twice, and all be 256 kB."""
_PERSON: Final = re.compile(re.escape(BASE) + r"a/[0-9a-f]+/person/\d+-\d+")


@dataclass(frozen=True, slots=True)
class Term:
    """An RDF term as a page shows it; `kind` is `uri`, `literal`, `bnode` or `triple`."""

    kind: str
    value: str
    language: str = ""
    datatype: str = ""

    @property
    def is_iri(self) -> bool:
        """Whether it is an IRI."""
        return self.kind == "uri"


Row = Mapping[str, Term]


@dataclass(frozen=True, slots=True)
class Label:
    """What a resource is called; `language` is empty where none is given."""

    text: str
    language: str


WITHHELD: Final = Label("a person whose name is withheld", "en")
"""What pages call a person of whom restricted graphs alone tell more."""


_LIMITS: Final[Mapping[str, Any]] = {
    "answer_rows": 2_000_000,
    "answer_bytes": 256 * 1024**2,
    "query_bytes": 256 * 1024,
    "nesting": 128,
}
"""Limits of our own queries: what an operator allows to those of others would take pages away."""


class Look:
    """A release, and the workers that answer from it; each method asks them once.

    All methods raise what `kg.query.run.answer` raises. A ticket ends what runs when it is
    cancelled. `admit` is called before each of them asks; what it raises, they raise.
    """

    def __init__(
        self,
        store: EmbeddedStore,
        settings: Settings,
        release: Release,
        ticket: Ticket | None = None,
        admit: Callable[[], None] = lambda: None,
    ) -> None:
        self.release = release
        self._store = store
        self._settings = replace(settings, **_LIMITS)
        self._ticket = ticket
        self._admit = admit

    def begin(self) -> None:
        """Count as an evaluation; for work on the release beside the queries of this class."""
        self._admit()

    def rows(
        self, name: str, *, limit: int | None = None, offset: int = 0, **iris: Iterable[str]
    ) -> list[Row]:
        """The solutions of the query `<name>.rq` of this folder, which ends with its ORDER BY.

        Each keyword is a variable of its VALUES blocks with the IRIs that it takes; one that is no
        absolute IRI matches nothing, and is left out. So that no query is too large, a variable
        with many is asked for in parts, each of which has its own order; but not within bounds.
        """
        given = {
            name: [iri for iri in values if absolute_iri(iri)] for name, values in iris.items()
        }
        if limit is not None or not given:
            return self.ask(_filled(name, given), limit=limit, offset=offset)
        most = max(given, key=lambda variable: sum(map(len, given[variable])))
        return [
            row
            for part in _parts(given[most])
            for row in self.ask(_filled(name, {**given, most: part}))
        ]

    def ask(self, query: str, *, limit: int | None = None, offset: int = 0) -> list[Row]:
        """The solutions of a SELECT query, from `offset` on and at most `limit`.

        The bounds stand at its end, or where it says BOUNDS: within a subselect, say.
        """
        self.begin()
        bounds = f"\nLIMIT {limit:d} OFFSET {offset:d}" if limit is not None else ""
        bounded = query.replace(BOUNDS, bounds) if BOUNDS in query else query + bounds
        asked = QueryRequest(query=bounded, choose=lambda _: JSON, release=self.release.name)
        with answer(asked, self._store, self._settings, self._ticket).spool as spool:
            found = json.loads(spool.read())
        return [
            {name: _term(term) for name, term in solution.items()}
            for solution in found["results"]["bindings"]
        ]

    def labels(self, iris: Iterable[str]) -> Mapping[str, Label]:
        """What these resources are called, English first; one without a name is not there."""
        wanted = sorted(set(iris))
        found: dict[str, Label] = {}
        for row in self.rows("labels", it=wanted) if wanted else ():
            label = Label(row["label"].value, row["label"].language)
            known = found.get(row["it"].value)
            if known is None or (label.language == "en" and known.language != "en"):
                found[row["it"].value] = label
        for iri in wanted:
            if is_withheld(iri):
                found.setdefault(iri, WITHHELD)
        return found

    def claims(self, iris: Iterable[str]) -> Mapping[str, Claim]:
        """Those of these claims that the release has, with their chains and sources."""
        return self._claims(iris, whole=True)

    def told(self, iris: Iterable[str]) -> Mapping[str, Claim]:
        """These claims with what people are told of them: without anchors and keys."""
        return self._claims(iris, whole=False)

    def _claims(self, iris: Iterable[str], *, whole: bool) -> Mapping[str, Claim]:
        wanted = sorted(iri for iri in set(iris) if absolute_iri(iri))
        self.begin()
        asking = Asking(self._store, self._settings, ticket=self._ticket)
        return read_claims(wanted, self.release, asking, whole=whole)

    @property
    def prefixes(self) -> Mapping[str, str]:
        """The prefixes that the release's context declares, and the usual ones."""
        return prefixes_of(self.release)

    def compact(self, iri: str) -> str:
        """The IRI with a prefix where one fits, else as it is."""
        return compact(iri, self.prefixes)


def is_withheld(iri: str) -> bool:
    """Whether it is minted for a person of an article whose name is in `sensitive/*` alone."""
    return _PERSON.fullmatch(iri) is not None


def _filled(name: str, iris: Mapping[str, Sequence[str]]) -> str:
    query = _text(name)
    for variable, values in iris.items():
        query = with_iris(query, variable, values)
    return query


def _parts(iris: Sequence[str]) -> Iterator[list[str]]:
    """The IRIs in order, in parts which are short enough; of none one part that is empty."""
    part: list[str] = []
    size = 0
    for iri in iris:
        size += len(iri.encode()) + len("<> ")
        if part and size > _PART:
            yield part
            part, size = [], len(iri.encode()) + len("<> ")
        part.append(iri)
    yield part


@lru_cache(maxsize=128)
def _text(name: str) -> str:
    return (_FOLDER / f"{name}.rq").read_text("utf-8")


def _term(term: Mapping[str, Any]) -> Term:
    if term["type"] == "triple":
        return Term("triple", json.dumps(term["value"], ensure_ascii=False))
    kind = "literal" if term["type"] == "typed-literal" else term["type"]
    return Term(kind, term["value"], term.get("xml:lang", ""), term.get("datatype", ""))
