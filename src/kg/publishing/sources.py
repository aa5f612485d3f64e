"""The source of an article as a file of YAML, and as the records that are read from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode
from ruamel.yaml.nodes import Node as YamlNode

from kg.errors import BadValue, MalformedFile, Place, SourceError
from kg.files import read_text
from kg.publishing.texts import Span

PLACE_KEYS: Final = frozenset({"at", "valueAt", "hedgeAt", "stanceAt", "cueAt"})
"""The keys whose value is a place in the text."""

_DEPTH: Final = 100
"""How deep the brackets and indents of a source may nest."""

_PARTS: Final = 1_000_000
"""Values in a source: aliases of aliases make a few lines more than memory holds."""

_BITS: Final = 14_000
"""The bits that a number may have; beyond 4300 digits Python does not write one."""

_KEY_TAGS: Final = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"})
_NO_CHARACTER: Final = re.compile("[^\\t\\n\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")

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
    """One article's source, checked: everything in it has an IRI and a place.

    `statements` are claims, quotes, mentions, images and videos; `provenance` are the steps of
    attribution chains, and agents without a name. Where the text is not held, `text_digest` is
    empty and there are neither blocks nor anchors.
    """

    iri: str
    file: Path
    text_digest: str
    text_length: int
    description: Node
    blocks: tuple[Node, ...]
    statements: tuple[Node, ...]
    provenance: tuple[Node, ...]
    anchors: tuple[AnchorRecord, ...]
    sensitive: tuple[Node, ...]

    @property
    def key(self) -> str:
        """The last part of the article's IRI: 16 digits of a digest."""
        return self.iri.rsplit("/", 1)[1]

    def nodes(self) -> Iterator[Node]:
        """All nodes that have a place in the source."""
        yield self.description
        yield from (*self.blocks, *self.statements, *self.provenance, *self.sensitive)


class BadSources(SourceError):
    """Everything that is wrong with the sources, so that one look mends it all."""

    def __init__(self, errors: list[SourceError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)


def load_yaml(file: Path) -> CommentedMap:
    """The mapping in a YAML file, with the lines of its keys. Raises MissingFile, MalformedFile."""
    return parse_yaml(file, read_text(file, "it is the source of an article"))


def parse_yaml(file: Path, text: str) -> CommentedMap:
    """The mapping in the text of a YAML file, which errors name. Raises MalformedFile."""
    _check_line_ends(file, text)
    try:
        tree = editor().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        problem = str(error.problem or error.context).partition(", if necessary")[0]
        raise MalformedFile(place, "YAML", problem) from error
    except RecursionError as error:  # before 0.19 ruamel knows no greatest depth
        raise MalformedFile(Place(file), "YAML", "maximum depth exceeded") from error
    except YAMLError as error:
        raise MalformedFile(Place(file), "YAML", str(error).splitlines()[0]) from error
    if not isinstance(tree, CommentedMap):
        raise MalformedFile(Place(file, 1), "an article's source", "it is not a mapping")
    if _unfolded(tree, {}) > _PARTS:
        raise MalformedFile(Place(file, 1), "YAML", "its aliases unfold to too many values")
    return tree


def _unfolded(part: object, known: dict[int, int]) -> int:
    """How many values a part of the tree has, those that aliases name once for each alias."""
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    if id(part) not in known:
        known[id(part)] = _PARTS  # what holds itself has no end
        known[id(part)] = 1 + sum(_unfolded(each, known) for each in inner)
    return known[id(part)]


def _check_line_ends(file: Path, text: str) -> None:
    """Refuse what writing the source anew would not keep."""
    if text.startswith("\ufeff"):
        raise MalformedFile(Place(file, 1), "a source", "it begins with a byte-order mark")
    if "\r" in text:
        line = text[: text.index("\r")].count("\n") + 1
        raise MalformedFile(Place(file, line), "a source", "it has CR line ends")


def editor() -> YAML:
    """A reader and writer of YAML that keeps comments, order and line breaks."""
    yaml = YAML(typ="rt")
    yaml.Constructor = _Constructor
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.max_depth = _DEPTH
    yaml.indent(mapping=2, sequence=2, offset=0)
    return yaml


class _Constructor(RoundTripConstructor):
    """A constructor of what a source may hold; the rest is an error at its place in the file.

    Keys are text, a number or a date is one, and text is made of characters (XML 1.0, 2.2).
    """

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        if isinstance(node, MappingNode):
            for key, _ in node.value:
                _check_key(key)
        try:
            value = super().construct_object(node, deep=deep)
        except (ValueError, LookupError) as error:
            raise ConstructorError(None, None, str(error), node.start_mark) from error
        if isinstance(node, ScalarNode):
            _check_scalar(value, node)
        return value


def _check_key(key: YamlNode) -> None:
    if key.tag not in _KEY_TAGS:
        met = f"the key {key.value}" if isinstance(key, ScalarNode) else "a list or a mapping"
        problem = f"{met} is not text; put a key, or a value that has a comma, in quotes"
        raise ConstructorError(None, None, problem, key.start_mark)


def _check_scalar(value: object, node: ScalarNode) -> None:
    strange = _NO_CHARACTER.search(node.value)
    problem = ""
    if strange:
        problem = f"the text holds U+{ord(strange[0]):04X}, which is no character"
    elif isinstance(value, int) and value.bit_length() > _BITS:
        problem = "the number has more than 4300 digits"
    if problem:
        raise ConstructorError(None, None, problem, node.start_mark)


def place_of(file: Path, mapping: Any, key: str | None = None) -> Place:
    """Where a key of a mapping stands; without a key, where the mapping begins."""
    position = getattr(mapping, "lc", None)
    if position is None or position.line is None:
        return Place(file)
    if key is not None and key in (position.data or {}):  # not one that a merge brings
        line, column = position.key(key)
        return Place(file, line + 1, column + 1, key)
    return Place(file, position.line + 1, position.col + 1)


def mapping_at(file: Path, tree: CommentedMap, key: str) -> CommentedMap:
    """The mapping under a key, an empty one where there is none. Raises BadValue."""
    found = tree.get(key, CommentedMap())
    if not isinstance(found, CommentedMap):
        raise BadValue(place_of(file, tree, key), key, found, "a mapping")
    return found


def mappings_at(file: Path, tree: CommentedMap, key: str) -> list[CommentedMap]:
    """The mappings listed under a key. Raises BadValue where there is anything else."""
    entries = tree.get(key) or []
    if not isinstance(entries, list) or not all(isinstance(e, CommentedMap) for e in entries):
        raise BadValue(place_of(file, tree, key), key, entries, "a list of mappings")
    return entries
