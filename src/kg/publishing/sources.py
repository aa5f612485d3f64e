"""Reading the source of one article: from YAML-LD to nodes with IRIs, each with its place."""

from __future__ import annotations

import copy
import datetime
import re
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from kg.context import Context
from kg.errors import (
    BadPlace,
    BadValue,
    DigestMismatch,
    DuplicateClaim,
    MalformedFile,
    MissingFile,
    Place,
    SourceError,
    UnknownConcept,
    UnknownKey,
)
from kg.namespaces import BASE, XSD
from kg.publishing.texts import Span, Text, digest

PLACE_KEYS: Final = frozenset({"at", "valueAt", "hedgeAt", "stanceAt", "cueAt"})
"""The keys whose value is a place in the text."""

_SECTIONS: Final = frozenset({"article", "chains", "defaults", "blocks", "sensitive", "digests"})
_BLOCK_KEYS: Final = ("order", "at", "blockKind")

Holders = Sequence[CommentedMap]
"""Mappings of a source, the nearest first: a key is taken from the first that has it."""

PLACE_SYNTAX: Final = "a place: START-END, or {incipit: …, through: …, occurrence: …}"


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the graph as its source says it: keys of the context, values as strings.

    `places` has the place of each key that the source itself holds.
    """

    iri: str
    types: tuple[str, ...]
    properties: Mapping[str, str | list[str]]
    place: Place
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnchorRecord:
    """A span of the text that something rests on, with the digest of its words."""

    iri: str
    span: Span
    digest: str


@dataclass(frozen=True, slots=True)
class Article:
    """One article's source, checked: everything in it has an IRI and a place."""

    iri: str
    file: Path
    text_digest: str
    text_length: int
    description: Node
    blocks: tuple[Node, ...]
    claims: tuple[Node, ...]
    steps: tuple[Node, ...]
    anchors: tuple[AnchorRecord, ...]
    sensitive: tuple[Node, ...]

    @property
    def key(self) -> str:
        """The last part of the article's IRI: the first 16 digits of its text's digest."""
        return self.iri.rsplit("/", 1)[1]

    def nodes(self) -> Iterator[Node]:
        """All nodes that have a place in the source."""
        yield self.description
        yield from (*self.blocks, *self.claims, *self.steps, *self.sensitive)


class BadSources(SourceError):
    """Everything that is wrong with the sources, so that one look mends it all."""

    def __init__(self, errors: list[SourceError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)


def load_yaml(file: Path) -> CommentedMap:
    """The mapping in a YAML file, with the lines of its keys. Raises MissingFile, MalformedFile."""
    try:
        tree = editor().load(file.read_bytes())
    except FileNotFoundError as error:
        raise MissingFile(file, "it is the source of an article") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        raise MalformedFile(place, "YAML", str(error.problem or error.context)) from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise MalformedFile(Place(file), "YAML", str(error).splitlines()[0]) from error
    if not isinstance(tree, CommentedMap):
        raise MalformedFile(Place(file, 1), "an article's source", "it is not a mapping")
    return tree


def editor() -> YAML:
    """A reader and writer of YAML that keeps comments, order and line breaks."""
    yaml = YAML(typ="rt")
    yaml.Constructor = _Constructor
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=2, offset=0)
    return yaml


class _Constructor(RoundTripConstructor):
    """A constructor that reports a date that is none as the error in the file that it is."""

    def construct_yaml_timestamp(self, node: Any, values: Any = None) -> Any:
        try:
            return super().construct_yaml_timestamp(node, values)
        except ValueError as error:
            raise ConstructorError(None, None, str(error), node.start_mark) from error


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_yaml_timestamp)


def place_of(file: Path, mapping: Any, key: str | None = None) -> Place:
    """Where a key of a mapping stands; without a key, where the mapping begins."""
    position = getattr(mapping, "lc", None)
    if position is None or position.line is None:
        return Place(file)
    if key is not None and key in mapping:
        line, column = position.key(key)
        return Place(file, line + 1, column + 1, key)
    return Place(file, position.line + 1, position.col + 1)


def read_article(
    file: Path, context: Context, known: Set[str], texts: Sequence[Text] = ()
) -> Article:
    """The article whose source is in `file`.

    `known` are the IRIs that the ontology and the reference data declare. Where the article's
    text is among `texts`, every digest of the source is checked against it. Raises
    MalformedFile, or BadSources with everything that is wrong.
    """
    return _Reader(file, context, known).article(load_yaml(file), texts)


class _Reader:
    """One reading of one source; collects errors instead of stopping at the first."""

    def __init__(self, file: Path, context: Context, known: Set[str]) -> None:
        self.file = file
        self.context = context
        self.known = known
        self.errors: list[SourceError] = []
        self.iri = ""
        self.length = 0
        self.digests = CommentedMap()
        self.chains: Mapping[str, Any] = {}
        self.anchors: dict[Span, AnchorRecord] = {}
        self.steps: list[Node] = []

    def article(self, tree: CommentedMap, texts: Sequence[Text]) -> Article:
        self._only(tree, _SECTIONS)
        header = self._section(tree, "article")
        text_digest = str(header.get("textDigest", ""))
        if not re.fullmatch("[0-9a-f]{64}", text_digest):
            problem = "the article has no textDigest"
            self._refuse(BadPlace(problem, remedy=_PLACE_IT, place=self._place(tree, "article")))
        self.length = header.get("textLength", 0)
        self.iri = f"{BASE}a/{text_digest[:16]}"
        self.digests = self._section(tree, "digests", default=CommentedMap())
        self.chains = self._section(tree, "chains", default={})
        people = tuple(self._people(tree))
        self.known = self.known | {person.iri for person in people} | {self.iri}
        description = self._description(header)
        blocks, claims = self._blocks(tree)
        for text in texts:
            if text.digest == text_digest:
                self._verify(text)
        if self.errors:
            raise BadSources(self.errors)
        return Article(
            iri=self.iri,
            file=self.file,
            text_digest=text_digest,
            text_length=self.length,
            description=description,
            blocks=blocks,
            claims=claims,
            steps=tuple(self.steps),
            anchors=tuple(self.anchors[span] for span in sorted(self.anchors)),
            sensitive=people,
        )

    # --- the sections ---------------------------------------------------------------------

    def _description(self, header: CommentedMap) -> Node:
        types = header.get("type", "schema:NewsArticle")
        own = {key: value for key, value in header.items() if key != "type"}
        return self._node(self.iri, (types,), own, header)

    def _blocks(self, tree: CommentedMap) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        blocks: list[Node] = []
        claims: dict[str, Node] = {}
        defaults = self._section(tree, "defaults", default={})
        for entry in self._entries(tree, "blocks"):
            block = self._block(entry)
            blocks.append(block)
            inherited = _without(entry, (*_BLOCK_KEYS, "claims"))
            for claim_entry in self._entries(entry, "claims"):
                claim = self._claim((claim_entry, inherited, defaults), block)
                first = claims.setdefault(claim.iri, claim)
                if first is not claim:
                    self._refuse(DuplicateClaim(claim.place, claim.iri, first.place))
        return tuple(blocks), tuple(claims.values())

    def _block(self, entry: CommentedMap) -> Node:
        order = entry.get("order")
        if not isinstance(order, int) or order < 1:
            wanted = "the block's position in the article, from 1"
            self._refuse(BadValue(self._place(entry, "order"), "order", order, wanted))
            order = 0
        own = {key: entry[key] for key in _BLOCK_KEYS if key in entry}
        own["isPartOf"] = self.iri
        return self._node(f"{self.iri}/b/{order:02d}", ("rf:Block",), own, entry)

    def _claim(self, holders: Holders, block: Node) -> Node:
        """The claim of the first holder; what it does not say itself, the next holder says."""
        merged = dict(ChainMap(*holders))
        chain = merged.pop("chain", None)
        kind = str(merged.get("kind", "figure"))
        span = self._span(holders, "at", holders[0].get("at"))
        name = f"{kind}-{span}"
        iri = f"{self.iri}/c/{name}"
        merged |= {
            "identifier": name,
            "article": self.iri,
            "block": block.iri,
            "anchorStatus": "anchored",
            "chain": self._chain(iri, chain, holders),
        }
        return self._node(iri, _claim_types(kind), merged, *holders)

    def _chain(self, claim: str, chain: Any, holders: Holders) -> list[str]:
        """The IRIs of the claim's steps, which are kept for the article."""
        if isinstance(chain, str):
            if chain not in self.chains:
                self._refuse(UnknownKey(self._place(holders, "chain"), chain, self.chains))
                return []
            chain = self.chains[chain]
        if not isinstance(chain, list) or not all(isinstance(s, CommentedMap) for s in chain):
            wanted = "the name of a chain, or a list of steps"
            self._refuse(BadValue(self._place(holders, "chain"), "chain", chain, wanted))
            return []
        iris = []
        for number, step in enumerate(chain):
            iris.append(f"{claim}/step/{number}")
            own = {**step, "step": number}
            self.steps.append(self._node(iris[-1], ("prov:Attribution",), own, step))
        return iris

    def _people(self, tree: CommentedMap) -> Iterator[Node]:
        for entry in self._entries(tree, "sensitive"):
            span = self._span((entry,), "at", entry.get("at"))
            types = entry.get("type", "schema:Person")
            own = {key: value for key, value in entry.items() if key not in ("type", "at")}
            yield self._node(f"{self.iri}/person/{span}", (types,), own, entry)

    # --- one node -------------------------------------------------------------------------

    def _node(
        self, iri: str, types: tuple[str, ...], values: Mapping[str, Any], *holders: CommentedMap
    ) -> Node:
        properties: dict[str, str | list[str]] = {}
        for key, value in values.items():
            if key not in self.context.terms:
                self._refuse(UnknownKey(self._place(holders, key), key, self.context.terms))
            elif value is not None:
                properties[key] = self._value(holders, key, value)
        places = {key: self._place(holders, key) for key in properties}
        return Node(iri, types, properties, self._place(holders), places)

    def _value(self, holders: Holders, key: str, value: Any) -> str | list[str]:
        if isinstance(value, list):
            return [self._scalar(holders, key, each) for each in value]
        return self._scalar(holders, key, value)

    def _scalar(self, holders: Holders, key: str, value: Any) -> str:
        if key in PLACE_KEYS:
            return self._anchor(holders, key, value)
        text = _lexical(value, self.context.terms[key].type)
        if text is None:
            wanted = _WANTED.get(self.context.terms[key].type or "", "text")
            self._refuse(BadValue(self._place(holders, key), key, value, wanted))
            return ""
        iri = self.context.value_iri(key, text)
        if iri is not None and iri.startswith(BASE) and not self._declared(iri):
            place = self._place(holders, key)
            self._refuse(UnknownConcept(place, key, text, iri, self._names(key)))
        return text

    def _declared(self, iri: str) -> bool:
        return iri in self.known or iri.startswith(self.iri + "/")

    def _names(self, key: str) -> list[str]:
        start = self.context.terms[key].vocabulary or BASE
        return sorted(iri.removeprefix(start) for iri in self.known if iri.startswith(start))

    # --- places in the text ---------------------------------------------------------------

    def _anchor(self, holders: Holders, key: str, value: Any) -> str:
        span = self._span(holders, key, value)
        iri = f"{self.iri}/t/{span}"
        self.anchors[span] = AnchorRecord(iri, span, str(self.digests.get(str(span), "")))
        return iri

    def _span(self, holders: Holders, key: str, value: Any) -> Span:
        """The span that the source gives; an impossible one after a refusal."""
        place = self._place(holders, key)
        try:
            span = Span.parse(str(value))
        except ValueError:
            self._refuse(_not_a_span(place, key, value))
            return Span(0, 0)
        if not span.start < span.end <= self.length:
            problem = f"{key} is {span}, and the text has code points 0 to {self.length}"
            remedy = "The start is before the end, and both lie within the text."
            self._refuse(BadPlace(problem, remedy=remedy, place=place))
        elif str(span) not in self.digests:
            problem = f"digests has no entry for {span}"
            self._refuse(BadPlace(problem, remedy=_PLACE_IT, place=place))
        return span

    def _verify(self, text: Text) -> None:
        """Every digest, also those of spans that nothing rests on any more."""
        for span, recorded in self.digests.items():
            found = digest(text.slice(Span.parse(span)))
            if found != recorded:
                place = self._place(self.digests, span)
                self._refuse(DigestMismatch(place, f"the words {span}", str(recorded), found))

    # --- the shape of the tree ------------------------------------------------------------

    def _section(self, tree: CommentedMap, key: str, default: Any = None) -> Any:
        section = tree.get(key, default)
        if not isinstance(section, dict):
            self._refuse(BadValue(self._place(tree, key), key, section, "a mapping"))
            return CommentedMap()
        return section

    def _entries(self, tree: CommentedMap, key: str) -> Iterator[CommentedMap]:
        entries = tree.get(key) or []
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, CommentedMap):
                yield entry
            else:
                self._refuse(BadValue(self._place(tree, key), key, entry, "a list of mappings"))

    def _only(self, mapping: CommentedMap, known: Set[str]) -> None:
        for key in mapping:
            if key not in known:
                self._refuse(UnknownKey(self._place(mapping, key), str(key), known))

    def _place(self, holders: CommentedMap | Holders, key: str | None = None) -> Place:
        """Where the first holder that has the key has it; else where the first one begins."""
        candidates = [holders] if isinstance(holders, CommentedMap) else holders
        holder = next((each for each in candidates if key in each), candidates[0])
        return place_of(self.file, holder, key)

    def _refuse(self, error: SourceError) -> None:
        """Keep the error, once: what a default says wrong would else be said for every claim."""
        if str(error) not in map(str, self.errors):
            self.errors.append(error)


_PLACE_IT: Final = "Run kg check --write --text FILE with the article's text."

_WANTED: Final = {
    XSD + "decimal": "a number, such as 5000 or 0.25",
    XSD + "integer": "a whole number from 0",
    XSD + "boolean": "true or false",
    XSD + "date": "a date, such as 2017-10-24",
    "@id": "a name, such as org/fox-news",
    "@vocab": "the name of a concept",
}


def _not_a_span(place: Place, key: str, value: Any) -> SourceError:
    if value is None:
        return BadPlace(f"{key} is missing", remedy=f"Give it {PLACE_SYNTAX}.", place=place)
    if isinstance(value, dict) and "incipit" in value:
        problem = f"{key} is not placed yet: it is given by its incipit"
        return BadPlace(problem, remedy=_PLACE_IT, place=place)
    return BadValue(place, key, value, PLACE_SYNTAX)


def _without(mapping: CommentedMap, keys: Iterable[str]) -> CommentedMap:
    """The mapping less some keys, with the lines of the others."""
    rest = copy.copy(mapping)
    for key in keys:
        rest.pop(key, None)
    return rest


def _claim_types(kind: str) -> tuple[str, ...]:
    return ("rf:Claim", f"rf:{kind[:1].upper()}{kind[1:]}Claim")


def _lexical(value: Any, datatype: str | None) -> str | None:
    """The lexical form of a YAML value as this datatype; None where it is not of it."""
    if isinstance(value, bool):
        return str(value).lower() if datatype == XSD + "boolean" else None
    if datatype == XSD + "boolean" or isinstance(value, dict | list):
        return None
    if datatype in (XSD + "decimal", XSD + "integer"):
        return _number(value, whole=datatype == XSD + "integer")
    if datatype == XSD + "date":
        return _date(value)
    return str(value) if isinstance(value, str | int | float | datetime.date) else None


def _number(value: Any, *, whole: bool) -> str | None:
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    if not number.is_finite() or (whole and (number != int(number) or number < 0)):
        return None
    return str(int(number)) if whole else f"{number:f}"


def _date(value: Any) -> str | None:
    try:
        return datetime.date.fromisoformat(str(value)).isoformat()
    except ValueError:
        return None
