"""The source of an article as a file of YAML, and as the records that are read from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from kg.errors import MalformedFile, MissingFile, Place, SourceError
from kg.publishing.texts import Span

PLACE_KEYS: Final = frozenset({"at", "valueAt", "hedgeAt", "stanceAt", "cueAt"})
"""The keys whose value is a place in the text."""

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
