"""One release as a page looks at it: queries of this folder, asked of the workers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from kg.media import JSON
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


class Look:
    """A release, and the workers that answer from it; each method asks them once.

    All methods raise what `kg.query.run.answer` raises. A ticket ends what runs when it is
    cancelled.
    """

    def __init__(
        self,
        store: EmbeddedStore,
        settings: Settings,
        release: Release,
        ticket: Ticket | None = None,
    ) -> None:
        self.release = release
        self._store = store
        self._settings = settings
        self._ticket = ticket

    def rows(
        self, name: str, *, limit: int | None = None, offset: int = 0, **iris: Iterable[str]
    ) -> list[Row]:
        """The solutions of the query `<name>.rq` of this folder, which ends with its ORDER BY.

        Each keyword is a variable of its VALUES blocks with the IRIs that it takes; one that is no
        absolute IRI matches nothing, and is left out.
        """
        query = _text(name)
        for variable, values in iris.items():
            query = with_iris(query, variable, (iri for iri in values if absolute_iri(iri)))
        return self.ask(query, limit=limit, offset=offset)

    def ask(self, query: str, *, limit: int | None = None, offset: int = 0) -> list[Row]:
        """The solutions of a SELECT query, from `offset` on and at most `limit`."""
        bounds = f"\nLIMIT {limit:d} OFFSET {offset:d}" if limit is not None else ""
        asked = QueryRequest(query=query + bounds, choose=lambda _: JSON, release=self.release.name)
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
        return found

    @property
    def prefixes(self) -> Mapping[str, str]:
        """The prefixes that the release's context declares, and the usual ones."""
        return prefixes_of(self.release)

    def compact(self, iri: str) -> str:
        """The IRI with a prefix where one fits, else as it is."""
        return compact(iri, self.prefixes)


@lru_cache(maxsize=128)
def _text(name: str) -> str:
    return (_FOLDER / f"{name}.rq").read_text("utf-8")


def _term(term: Mapping[str, Any]) -> Term:
    if term["type"] == "triple":
        return Term("triple", json.dumps(term["value"], ensure_ascii=False))
    kind = "literal" if term["type"] == "typed-literal" else term["type"]
    return Term(kind, term["value"], term.get("xml:lang", ""), term.get("datatype", ""))
