"""Claims as a release has them: what is stated of each, on whose word, and in which source."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Final

from kg.errors import DeadlineExceeded
from kg.media import JSON
from kg.namespaces import RF
from kg.query.prefixes import prefixes_of
from kg.query.questions import with_iris
from kg.settings import Settings
from kg.store.base import Release, Task, Ticket
from kg.store.embedded import EmbeddedStore

_ARTICLE: Final = "http://www.w3.org/ns/prov#wasQuotedFrom"
_NODES: Final = 1000
_CLAIMS: Final = 200
"""How many are asked for at a time."""
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

Row = Mapping[str, Mapping[str, str]]
"""A solution as SPARQL 1.1 Query Results JSON writes it (section 3.2.1)."""
Counted = Callable[[int], None]


@dataclass(frozen=True, slots=True, order=True)
class Value:
    """A term as N-Triples would write it, and as people read it; a blank node has no label.

    The blank nodes that are values of one property are one value with the names of all.
    """

    term: str
    text: str = field(compare=False)


Statements = Mapping[str, tuple[Value, ...]]
"""Values by the IRI of their property, sorted."""


@dataclass(frozen=True, slots=True)
class Source:
    """The article that a claim stands in; empty where it is not said."""

    article: str = ""
    publisher: str = ""
    published: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim at one release; `steps` are its attributions, the publisher's first."""

    iri: str
    statements: Statements
    steps: tuple[Statements, ...]
    source: Source

    def values(self, property: str) -> tuple[Value, ...]:
        """The values of a property, none where it has none."""
        return self.statements.get(property, ())

    def text(self, property: str) -> str:
        """The values of a property as people read them."""
        return ", ".join(value.text for value in self.values(property))


class Asking:
    """Questions of ours to the releases of a store, which workers answer until a moment.

    They are not looked at as those of clients are, which are shorter. `seconds` are those that
    all may take together; None sets each the time of a query.
    """

    def __init__(
        self,
        store: EmbeddedStore,
        settings: Settings,
        *,
        seconds: float | None = None,
        ticket: Ticket | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._seconds = seconds
        self._until = None if seconds is None else time.monotonic() + seconds
        self._ticket = ticket

    def left(self) -> float:
        """Seconds that the next question may take; raises DeadlineExceeded."""
        if self._until is None or self._seconds is None:
            return self._settings.deadline
        left = self._until - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(self._seconds)
        return left

    def ask(self, release: Release, query: str) -> list[Row]:
        """The solutions; raises EvaluationError and StoreError."""
        task = Task(
            release=release.folder,
            query=query,
            format=JSON,
            deadline=self.left(),
            answer_bytes=self._settings.answer_bytes,
            spool_memory=self._settings.spool_memory,
            prefixes=prefixes_of(release),
        )
        try:
            with self._store.query(task, self._ticket) as spool:
                rows: list[Row] = json.loads(spool.read())["results"]["bindings"]
        except DeadlineExceeded as error:
            raise DeadlineExceeded(self._seconds or error.limit) from error
        return rows


def claims_of(
    nodes: Sequence[str], release: Release, asking: Asking, counted: Counted = lambda _: None
) -> dict[str, set[str]]:
    """For each node that is a claim, or part of one, the claims; `counted` hears of progress."""
    found: dict[str, set[str]] = defaultdict(set)
    for batch in _batches(nodes, _NODES):
        for row in asking.ask(release, _asked("claims-touched.rq", "node", batch)):
            found[row["node"]["value"]].add(row["claim"]["value"])
        counted(len(batch))
    return dict(found)


def read_claims(
    iris: Sequence[str],
    release: Release,
    asking: Asking,
    counted: Counted = lambda _: None,
    *,
    whole: bool = True,
) -> dict[str, Claim]:
    """Those of these claims that the release has, by IRI; `counted` hears of progress.

    Without `whole` they lack what is for machines only, which is half of them: anchors and keys.
    """
    part = "claim" if whole else "claim-told"
    found: dict[str, Claim] = {}
    for batch in _batches(iris, _CLAIMS):

        def rows(file: str, batch: Sequence[str] = batch) -> list[Row]:
            return asking.ask(release, _asked(file, "claim", batch))

        stated, chains = rows(f"{part}-statements.rq"), rows(f"{part}-steps.rq")
        names = _names([*stated, *chains], release, asking)
        steps, sources = _by_claim(chains), _sources(stated, release, asking)
        for iri, own in _by_claim(stated).items():
            found[iri] = Claim(
                iri,
                _statements(own, names),
                _steps(steps.get(iri, []), names),
                _source(own, sources),
            )
        counted(len(batch))
    return found


def property_names(iris: Iterable[str], release: Release, asking: Asking) -> dict[str, str]:
    """What the release calls these properties; the end of its IRI for one that it does not name."""
    names = {iri: _WORDS.sub(" ", local_name(iri)).lower() for iri in iris}
    for batch in _batches(sorted(names), _NODES):
        rows = asking.ask(release, _asked("property-names.rq", "property", batch))
        for row in sorted(rows, key=lambda row: _preference(row["name"]), reverse=True):
            names[row["property"]["value"]] = row["name"]["value"]
    return names


def local_name(iri: str) -> str:
    """What stands after the last slash or number sign of an IRI."""
    return re.split(r"[/#]", iri.rstrip("/#"))[-1] or iri


# --- asking -------------------------------------------------------------------------------


def _names(rows: Sequence[Row], release: Release, asking: Asking) -> Mapping[str, str]:
    """What the values of these rows are called, English before others.

    Few resources are the values of many statements: they are asked for once. Blank nodes can only
    be asked for by way of their claims, and few claims have any.
    """
    iris = {row["value"]["value"] for row in rows if row["value"]["type"] == "uri"}
    claims = {row["claim"]["value"] for row in rows if row["value"]["type"] == "bnode"}
    found: dict[str, list[Row]] = defaultdict(list)
    for file, variable, wanted, size in (
        ("value-names.rq", "value", iris, _NODES),
        ("value-blank-names.rq", "claim", claims, _CLAIMS),
    ):
        for batch in _batches(sorted(wanted), size):
            for row in asking.ask(release, _asked(file, variable, batch)):
                found[_key(row["value"])].append(row)
    return {key: min(rows, key=_named_last)["name"]["value"] for key, rows in found.items()}


def _key(node: Mapping[str, str]) -> str:
    """The IRI, or the label of a blank node, which this release has for it in each answer."""
    return node["value"] if node["type"] == "uri" else f"_:{node['value']}"


def _sources(rows: Iterable[Row], release: Release, asking: Asking) -> Mapping[str, Sequence[Row]]:
    """What is known of the articles that claims with these statements stand in.

    Few articles have many claims: they are asked for once.
    """
    found: dict[str, list[Row]] = defaultdict(list)
    for batch in _batches(sorted(_articles(rows)), _NODES):
        for row in asking.ask(release, _asked("claim-sources.rq", "article", batch)):
            found[row["article"]["value"]].append(row)
    return found


def _articles(rows: Iterable[Row]) -> set[str]:
    return {
        row["value"]["value"]
        for row in rows
        if row["property"]["value"] == _ARTICLE and row["value"]["type"] == "uri"
    }


def _asked(file: str, variable: str, iris: Sequence[str]) -> str:
    return with_iris(_text(file), variable, iris)


@lru_cache
def _text(file: str) -> str:
    return (files("kg.query") / file).read_text("utf-8")


def _batches(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))


# --- reading ------------------------------------------------------------------------------


def _by_claim(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["claim"]["value"]].append(row)
    return dict(found)


def _statements(rows: Iterable[Row], names: Mapping[str, str]) -> Statements:
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        texts = found[row["property"]["value"]][_term(row["value"])]
        texts.add(_readable(row["value"], names))
    return {
        iri: tuple(Value(term, ", ".join(sorted(texts))) for term, texts in sorted(values.items()))
        for iri, values in sorted(found.items())
    }


def _steps(rows: Iterable[Row], names: Mapping[str, str]) -> tuple[Statements, ...]:
    by_node: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_node[row["node"]["value"]].append(row)
    steps = [_statements(each, names) for each in by_node.values()]
    return tuple(sorted(steps, key=_order))


def _order(step: Statements) -> tuple[int, str]:
    texts = [value.text for value in step.get(RF + "step", ())]
    number = int(texts[0]) if texts and texts[0].isdecimal() else 0
    return number, str(sorted((iri, *values) for iri, values in step.items()))


def _source(rows: Iterable[Row], sources: Mapping[str, Sequence[Row]]) -> Source:
    articles = _articles(rows)
    if not articles:
        return Source()
    row = min(sources[min(articles)], key=lambda row: (*_named_last(row), str(row)))
    publisher = row["name"]["value"] if "name" in row else ""
    if not publisher and "publisher" in row:
        publisher = local_name(row["publisher"]["value"])
    published = row["date"]["value"] if "date" in row else ""
    return Source(row["article"]["value"], publisher, published)


def _named_last(row: Row) -> tuple[bool, str, str]:
    return _preference(row.get("name", {}))


def _preference(name: Mapping[str, str]) -> tuple[bool, str, str]:
    """English before others, so that they are in one order whatever the engine's."""
    return name.get("xml:lang") != "en", name.get("xml:lang", ""), name.get("value", "")


def _term(term: Mapping[str, str]) -> str:
    if term["type"] == "uri":
        return f"<{term['value']}>"
    if term["type"] != "literal":
        return "_:"
    kind = f"@{term['xml:lang']}" if "xml:lang" in term else f"^^<{term.get('datatype', '')}>"
    return json.dumps(term["value"], ensure_ascii=False) + kind


def _readable(value: Mapping[str, str], names: Mapping[str, str]) -> str:
    if value["type"] == "literal":
        return value["value"]
    unnamed = local_name(value["value"]) if value["type"] == "uri" else "something without a name"
    return names.get(_key(value)) or unnamed
