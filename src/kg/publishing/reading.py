"""Reading the source of one article: from YAML-LD to nodes with IRIs, each with its place."""

from __future__ import annotations

import copy
import re
import sys
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, Final

from ruamel.yaml.comments import CommentedMap

from kg.context import Context
from kg.errors import (
    BadPlace,
    BadValue,
    DigestMismatch,
    DuplicateClaim,
    Place,
    SourceError,
    UnknownConcept,
    UnknownKey,
)
from kg.namespaces import BASE
from kg.publishing.sources import (
    PLACE_KEYS,
    PLACE_SYNTAX,
    AnchorRecord,
    Article,
    BadSources,
    Node,
    load_yaml,
    parse_yaml,
    place_of,
)
from kg.publishing.texts import Span, Text, digest, is_span
from kg.publishing.values import WANTED, is_iri, lexical

Holders = Sequence[CommentedMap]
"""Mappings of a source, the nearest first: a key is taken from the first that has it."""

_BLOCK_KEYS: Final = ("order", "at", "blockKind")
_LISTS: Final = {
    "claims": ("c", ()),
    "quotes": ("q", ("rf:Quote",)),
    "mentions": ("m", ("rf:Mention",)),
    "media": ("media", ()),
    "agents": ("agent", ("rf:AnonymousAgent", "prov:Agent")),
}
"""What a block lists: the part of the IRIs, and the types where the list gives them."""
_WORKS: Final = ("schema:NewsArticle", "schema:Article", "schema:BlogPosting", "schema:Report")
_MEDIA: Final = ("schema:ImageObject", "schema:VideoObject")
_PEOPLE: Final = ("schema:Person",)
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_SECTIONS: Final = frozenset(
    {"article", "chains", "defaults", "blocks", "sensitive", "digests", *_LISTS}
)
_NAMES_OF_ENTRIES: Final = frozenset({"label", "key"})
"""What names an entry within its source, and is no property of the node."""
_DEFAULT_KIND: Final = "figure"
_PLACE_IT: Final = "Run kg check --write --text FILE with the article's text."


def read_article(
    file: Path, context: Context, known: Set[str], texts: Sequence[Text] = ()
) -> Article:
    """The article whose source is in `file`.

    `known` are the IRIs that the ontology and the reference data declare. Where the article's
    text is among `texts`, every digest of the source is checked against it. Raises
    MalformedFile, or BadSources with everything that is wrong.
    """
    return _Reader(file, context, known, load_yaml(file)).article(texts)


def read_submitted(file: Path, text: str, context: Context, known: Set[str]) -> Article:
    """The article whose source is this text; the file is what errors name. Raises the same."""
    return _Reader(file, context, known, parse_yaml(file, text)).article(())


class _Reader:
    """One reading of one source; collects errors instead of stopping at the first."""

    def __init__(self, file: Path, context: Context, known: Set[str], tree: CommentedMap) -> None:
        self.file = file
        self.context = context
        self.errors: list[SourceError] = []
        self.tree = tree
        self.header = self._section("article")
        self.digests = self._section("digests", default=CommentedMap())
        self.chains = self._section("chains", default=CommentedMap())
        self.defaults = self._section("defaults", default=CommentedMap())
        self.text_digest = str(self.header.get("textDigest", ""))
        self.length = self._length()
        self.iri = f"{BASE}a/{self._identity()[:16]}"
        self.labels: dict[str, set[str]] = {}
        for label, iri in self._labelled():
            self.labels.setdefault(label, set()).add(iri)
        self.known = known | set().union(*self.labels.values()) | {self.iri}
        self.anchors: dict[Span, AnchorRecord] = {}
        self.steps: list[Node] = []
        self.found: dict[str, dict[str, Node]] = {name: {} for name in _LISTS}

    def article(self, texts: Sequence[Text]) -> Article:
        self._only(self.tree, _SECTIONS)
        self._check_digests()
        type_ = self._type(self.header, _WORKS)
        description = self._node(self.iri, (type_,), _without(self.header, ("type",)))
        people = tuple(self._people())
        blocks = tuple(self._block(entry) for entry in self._entries(self.tree, "blocks"))
        self._lists(self.tree, None)
        for text in texts:
            if text.digest == self.text_digest:
                self._verify(text)
        if self.errors:
            raise BadSources(self.errors)
        agents = self.found.pop("agents")
        return Article(
            iri=self.iri,
            file=self.file,
            text_digest=self.text_digest,
            text_length=self.length,
            description=description,
            blocks=blocks,
            statements=tuple(node for nodes in self.found.values() for node in nodes.values()),
            provenance=(*self.steps, *agents.values()),
            anchors=tuple(self.anchors[span] for span in sorted(self.anchors)),
            sensitive=people,
        )

    # --- identity -------------------------------------------------------------------------

    def _identity(self) -> str:
        """The digest that the article's IRI is minted from: of its text, else of its address."""
        if _DIGEST.fullmatch(self.text_digest):
            return self.text_digest
        if "blocks" not in self.tree and "url" in self.header:
            return digest(str(self.header["url"]))
        problem = "the article has no textDigest, nor an address that would stand for it"
        place = self._place(self.tree, "article")
        self._refuse(BadPlace(problem, remedy=_PLACE_IT, place=place))
        return "0" * 64

    def _length(self) -> int:
        length = self.header.get("textLength", 0)
        if isinstance(length, int) and not isinstance(length, bool) and length >= 0:
            return length
        wanted = "the number of code points of the text, without quotes"
        place = self._place(self.header, "textLength")
        self._refuse(BadValue(place, "textLength", length, wanted))
        return sys.maxsize

    def _check_digests(self) -> None:
        for span, recorded in self.digests.items():
            place = self._place(self.digests, span)
            if not is_span(span):
                self._refuse(BadValue(place, "digests", span, "START-END as a key"))
            elif not (isinstance(recorded, str) and _DIGEST.fullmatch(recorded)):
                wanted = "the SHA-256 of the words, 64 hexadecimal digits"
                self._refuse(BadValue(place, span, recorded, wanted))

    def _labelled(self) -> Iterator[tuple[str, str]]:
        """The labels by which parts of the source refer to each other, with their IRIs."""
        lists = [(holder, name) for holder in (self.tree, *self._blocks()) for name in _LISTS]
        for holder, name in (*lists, (self.tree, "sensitive")):
            for entry in self._mappings(holder.get(name)):
                if "label" in entry or "key" in entry:
                    yield str(entry.get("label", entry.get("key"))), self._iri(name, entry)

    def _blocks(self) -> list[CommentedMap]:
        return self._mappings(self.tree.get("blocks"))

    def _iri(self, name: str, entry: CommentedMap) -> str:
        part = "person" if name == "sensitive" else _LISTS[name][0]
        return f"{self.iri}/{part}/{self._name(name, entry)}"

    def _name(self, name: str, entry: CommentedMap) -> str:
        """The last part of a node's IRI: its place, or its key where the text is not held."""
        local = str(entry.get("at", entry.get("key")))
        return f"{self._kind(entry)}-{local}" if name == "claims" else local

    def _kind(self, entry: CommentedMap) -> str:
        return str(entry.get("kind", _DEFAULT_KIND))

    # --- the parts ------------------------------------------------------------------------

    def _block(self, entry: CommentedMap) -> Node:
        order = entry.get("order")
        if not isinstance(order, int) or order < 1:
            wanted = "the block's position in the article, from 1"
            self._refuse(BadValue(self._place(entry, "order"), "order", order, wanted))
            order = 0
        own = copy.copy(entry)
        for key in [key for key in own if key not in _BLOCK_KEYS]:
            own.pop(key)
        node = self._node(
            f"{self.iri}/b/{order:02d}", ("rf:Block",), own, more={"isPartOf": self.iri}
        )
        self._lists(entry, node)
        return node

    def _lists(self, holder: CommentedMap, block: Node | None) -> None:
        """Read what a block lists; or the source itself, where the text is not held."""
        inherited = _without(holder, (*_BLOCK_KEYS, *_LISTS)) if block else CommentedMap()
        for name in _LISTS:
            for entry in self._entries(holder, name):
                node = self._listed(name, entry, inherited, block)
                first = self.found[name].setdefault(node.iri, node)
                if first is not node:
                    self._refuse(DuplicateClaim(node.place, node.iri, first.place))

    def _listed(
        self, name: str, entry: CommentedMap, inherited: CommentedMap, block: Node | None
    ) -> Node:
        if block or "at" in entry:
            self._span((entry,), "at", entry.get("at"))
        elif not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", str(entry.get("key", ""))):
            wanted = "a name of its own, such as tn-left: lower-case letters, digits and hyphens"
            self._refuse(BadValue(self._place(entry, "key"), "key", entry.get("key"), wanted))
        iri = self._iri(name, entry)
        more: dict[str, str | list[str]] = {"block": block.iri} if block else {}
        if name == "claims":
            return self._claim(iri, entry, inherited, more)
        if name == "media":
            types = (self._type(entry, _MEDIA),)
            return self._node(iri, types, _without(entry, ("type",)), more=more)
        if name in ("quotes", "mentions"):
            more["article"] = self.iri
        if name == "quotes":
            more["chain"] = self._chain(iri, (entry, inherited, self._defaults("any")))
        return self._node(iri, _LISTS[name][1], entry, more=more)

    def _claim(
        self,
        iri: str,
        entry: CommentedMap,
        inherited: CommentedMap,
        more: dict[str, str | list[str]],
    ) -> Node:
        """The claim; what it does not say itself, its block says, else the defaults."""
        kind = self._kind(entry)
        if not isinstance(entry.get("kind", kind), str) or not kind.isalpha():
            wanted = "the kind of a claim, such as figure"
            self._refuse(BadValue(self._place(entry, "kind"), "kind", entry.get("kind"), wanted))
            kind = _DEFAULT_KIND
        self._check_iri((entry,), "kind", kind)
        holders = (entry, inherited, self._defaults(kind), self._defaults("any"))
        more |= {
            "kind": kind,
            "identifier": iri.rsplit("/", 1)[1],
            "article": self.iri,
            "anchorStatus": "anchored" if "at" in entry else "textNotHeld",
            "chain": self._chain(iri, holders),
        }
        types = ("rf:Claim", f"rf:{kind[:1].upper()}{kind[1:]}Claim")
        return self._node(iri, types, *holders, more=more)

    def _defaults(self, kind: str) -> CommentedMap:
        defaults = self.defaults.get(kind)
        return defaults if isinstance(defaults, CommentedMap) else CommentedMap()

    def _chain(self, iri: str, holders: Holders) -> list[str]:
        """The IRIs of the steps of the chain that the nearest holder names or lists."""
        chain = ChainMap(*holders).get("chain")
        if isinstance(chain, str):
            if chain not in self.chains:
                self._refuse(UnknownKey(self._place(holders, "chain"), chain, self.chains))
                return []
            chain = self.chains[chain]
        if not isinstance(chain, list) or len(self._mappings(chain)) != len(chain):
            wanted = "the name of a chain, or a list of steps"
            self._refuse(BadValue(self._place(holders, "chain"), "chain", chain, wanted))
            return []
        iris = [f"{iri}/step/{number}" for number in range(len(chain))]
        for number, step in enumerate(chain):
            more = {"step": str(number)}
            self.steps.append(self._node(iris[number], ("prov:Attribution",), step, more=more))
        return iris

    def _people(self) -> Iterator[Node]:
        for entry in self._entries(self.tree, "sensitive"):
            self._span((entry,), "at", entry.get("at"))
            types = (self._type(entry, _PEOPLE),)
            yield self._node(self._iri("sensitive", entry), types, _without(entry, ("type",)))

    # --- one node -------------------------------------------------------------------------

    def _type(self, entry: CommentedMap, taken: Sequence[str]) -> str:
        """The class that the entry names, by default the first of those that a shape targets."""
        met = entry.get("type", taken[0])
        if met in taken:
            return str(met)
        wanted = "one of " + ", ".join(taken)
        self._refuse(BadValue(self._place(entry, "type"), "type", met, wanted))
        return taken[0]

    def _node(
        self,
        iri: str,
        types: tuple[str, ...],
        *holders: CommentedMap,
        more: Mapping[str, str | list[str]] | None = None,
    ) -> Node:
        """The node that the holders describe; `more` is what the reader itself says of it."""
        properties: dict[str, str | list[str]] = dict(more or {})
        for key, value in ChainMap(*holders).items():
            if key in _NAMES_OF_ENTRIES or (more and key in more):
                continue
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
        datatype = self.context.terms[key].type
        text = lexical(value, datatype)
        if text is None:
            wanted = WANTED.get(datatype or "", "text")
            self._refuse(BadValue(self._place(holders, key), key, value, wanted))
            return ""
        if datatype in ("@id", "@vocab") and text.startswith("#"):
            return self._reference(holders, key, text[1:])
        self._check_iri(holders, key, text)
        return text

    def _reference(self, holders: Holders, key: str, label: str) -> str:
        """The IRI of the part of this source that has the label."""
        named = self.labels.get(label, set())
        if len(named) != 1:
            wanted = "a label that one part of this source has: "
            once = sorted(each for each, iris in self.labels.items() if len(iris) == 1)
            wanted += ", ".join(once) or "there is none"
            self._refuse(BadValue(self._place(holders, key), key, "#" + label, wanted))
            return ""
        return next(iter(named))

    def _check_iri(self, holders: Holders, key: str, text: str) -> None:
        iri = self.context.value_iri(key, text)
        if iri is None:
            return
        if iri.startswith(BASE):
            self._check_declared(holders, key, text, iri)
        elif not is_iri(iri):
            wanted = "an IRI, or the name of something that is declared"
            self._refuse(BadValue(self._place(holders, key), key, text, wanted))

    def _check_declared(self, holders: Holders, key: str, text: str, iri: str) -> None:
        if iri not in self.known:
            start = self.context.terms[key].vocabulary or BASE
            names = [each.removeprefix(start) for each in self.known if each.startswith(start)]
            self._refuse(UnknownConcept(self._place(holders, key), key, text, iri, sorted(names)))

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
            if not is_span(span):
                continue  # it has been refused already
            found = digest(text.slice(Span.parse(span)))
            if found != recorded:
                place = self._place(self.digests, span)
                self._refuse(DigestMismatch(place, f"the words {span}", str(recorded), found))

    # --- the shape of the tree ------------------------------------------------------------

    def _section(self, key: str, default: CommentedMap | None = None) -> CommentedMap:
        section = self.tree.get(key, default)
        if not isinstance(section, CommentedMap):
            self._refuse(BadValue(self._place(self.tree, key), key, section, "a mapping"))
            return CommentedMap()
        return section

    def _entries(self, tree: CommentedMap, key: str) -> list[CommentedMap]:
        entries = tree.get(key) or []
        mappings = self._mappings(entries)
        if not isinstance(entries, list) or len(mappings) != len(entries):
            self._refuse(BadValue(self._place(tree, key), key, entries, "a list of mappings"))
        return mappings

    def _mappings(self, entries: Any) -> list[CommentedMap]:
        listed = entries if isinstance(entries, list) else []
        return [entry for entry in listed if isinstance(entry, CommentedMap)]

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
