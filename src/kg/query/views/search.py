"""What a search finds in a release: texts, each with its place, and what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kg.errors import BadArgument
from kg.query.claims import local_name
from kg.query.telling import day, reading
from kg.query.views.look import Label, Look
from kg.store.differences import kept
from kg.store.index import KINDS, OTHER
from kg.store.search import Found, Hit, Piece, begun, search

KIND_NAMES: Final[Mapping[str, str]] = {
    "area": "area",
    "cohort": "cohort",
    "source": "article or document",
    "person": "person",
    "organization": "organization",
    "agent": "source that is not named",
    "claim": "claim",
    "quote": "quotation",
    "mention": "mention",
    "image": "picture or video",
    "class": "class",
    "property": "property",
    "scheme": "list of codes",
    "concept": "code",
    OTHER: "other",
}
"""What pages call the kinds of resources that texts tell of, in their order."""
_UNDATED: Final = "undated"
_ARTICLE: Final = frozenset(("wasQuotedFrom", "isPartOf"))
_NAMED: Final = frozenset(("mentions", "speaker", "blockKind"))
_Said = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: the article, and its block where that is known."""

    article: str
    name: str
    block: str = ""
    number: str = ""
    block_kind: str = ""

    @property
    def told(self) -> str:
        """In words."""
        where = f", block {self.number} ({self.block_kind})" if self.number else ""
        return f"{self.name}{where}"


@dataclass(frozen=True, slots=True)
class Result:
    """One resource that was found, by `shown` of a text of it.

    `label` is what it is called; of a claim it is the whole reading, with its hedges and its
    source. `about` says what else there is to it, or is empty.
    """

    iri: str
    kind: str
    label: Label
    predicate: str
    text: str
    language: str
    shown: tuple[Piece, ...]
    is_label: bool
    about: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Searched:
    """A part of what was found; `kinds` counts by kind what there is of any."""

    results: tuple[Result, ...]
    total: int
    more: bool
    kinds: Mapping[str, int]
    complete: bool


def searched(look: Look, asked: str, kinds: Sequence[str], *, limit: int, offset: int) -> Searched:
    """What these words find, of these kinds or of all.

    Raises BadArgument for kinds that are none and for too many words, NoSearchIndex, and what a
    question to the release raises.
    """
    for kind in kinds:
        if kind not in (*KINDS, OTHER):
            raise BadArgument(
                f"kind is {kind!r}", remedy="It takes one of: " + ", ".join((*KINDS, OTHER)) + "."
            )
    look.begin()
    with kept(look.release):
        found = search(look.release.folder, asked, kinds=kinds, limit=limit, offset=offset)
    return Searched(
        results=_results(look, found),
        total=found.total,
        more=offset + len(found.hits) < found.total,
        kinds={kind: found.kinds[kind] for kind in KIND_NAMES if kind in found.kinds},
        complete=found.complete,
    )


def begun_with(look: Look, iri: str, *, limit: int) -> Mapping[str, str]:
    """What begins with this, by IRI with what it is called; raises what `searched` raises."""
    look.begin()
    with kept(look.release):
        iris = begun(look.release.folder, iri, limit)
    labels = look.labels(iris)
    return {each: labels[each].text if each in labels else "" for each in iris}


def source_names(look: Look, iris: Iterable[str]) -> Mapping[str, str]:
    """What sources are called: by their title, else by publisher and date."""
    wanted = sorted(set(iris))
    if not wanted:
        return {}
    titles = look.labels(wanted)
    names = {iri: titles[iri].text for iri in wanted if iri in titles}
    for row in look.rows("source-names", it=[iri for iri in wanted if iri not in titles]):
        name = row["name"].value if "name" in row else "no publisher"
        date = day(row["date"].value) if "date" in row else _UNDATED
        names.setdefault(row["it"].value, f"{name}, {date}")
    return names


def _results(look: Look, found: Found) -> tuple[Result, ...]:
    if not found.hits:
        return ()
    subjects = [hit.subject for hit in found.hits]
    said = _said(look, subjects)
    blocks = _said(look, {each["block"] for each in said.values() if "block" in each})
    all_said = (*said.values(), *blocks.values())
    articles = {each[name] for each in all_said for name in _ARTICLE & each.keys()}
    others = {each[name] for each in all_said for name in _NAMED & each.keys()}
    names = source_names(
        look, articles.union(hit.subject for hit in found.hits if hit.kind == "source")
    )
    labels = look.labels((*subjects, *others))
    claims = look.told(hit.subject for hit in found.hits if hit.kind == "claim")
    readings = {iri: reading(claim) for iri, claim in claims.items()}
    return tuple(
        _result(hit, _with_block(said.get(hit.subject, {}), blocks), names, labels, readings)
        for hit in found.hits
    )


def _said(look: Look, iris: Iterable[str]) -> dict[str, dict[str, str]]:
    """What is said of these by the last part of the property's IRI: the first of several."""
    found: dict[str, dict[str, str]] = {}
    wanted = sorted(iris)
    for row in look.rows("search-places", it=wanted) if wanted else ():
        of = found.setdefault(row["it"].value, {})
        of.setdefault(local_name(row["property"].value), row["value"].value)
    return found


def _with_block(said: _Said, blocks: Mapping[str, _Said]) -> _Said:
    """The same, with what is said of its block."""
    return {**blocks.get(said.get("block", ""), {}), **said}


def _result(
    hit: Hit,
    said: _Said,
    names: Mapping[str, str],
    labels: Mapping[str, Label],
    readings: Mapping[str, str],
) -> Result:
    iri = hit.subject
    if iri in readings:
        label = Label(readings[iri], "")
    elif iri in labels:
        label = labels[iri]
    elif hit.is_label:
        label = Label(hit.text, hit.language)
    else:
        label = Label(names.get(iri) or hit.text, "" if iri in names else hit.language)
    return Result(
        iri=iri,
        kind=hit.kind,
        label=label,
        predicate=hit.predicate,
        text=hit.text,
        language=hit.language,
        shown=hit.shown,
        is_label=hit.is_label,
        about=_about(hit, said, labels),
        place=_place(said, names, labels),
    )


def _about(hit: Hit, said: _Said, labels: Mapping[str, Label]) -> str:
    of = said.get("mentions") or (said.get("speaker") if hit.kind == "quote" else None)
    if of:
        name = labels[of].text if of in labels else local_name(of)
        return f"by {name}" if hit.kind == "quote" else f"it means {name}"
    return said.get("definition", "") if hit.is_label else ""


def _place(said: _Said, names: Mapping[str, str], labels: Mapping[str, Label]) -> Place | None:
    article = said.get("wasQuotedFrom") or (said.get("isPartOf") if "block" in said else None)
    if not article:
        return None
    name, kind = names.get(article, article), said.get("blockKind", "")
    if "blockOrder" not in said or "block" not in said:
        return Place(article, name)
    called = labels[kind].text if kind in labels else local_name(kind)
    return Place(article, name, said["block"], said["blockOrder"], called)
