"""Placing: incipits in a source become positions, and the digests of all positions are written.

This is the one part of the road in that needs the article's text. What it writes is all that a
build needs, so that a build with and without the text gives the same bytes.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from kg.errors import BadPlace, SourceError, UnmatchedText
from kg.publishing.sources import (
    PLACE_KEYS,
    PLACE_SYNTAX,
    BadSources,
    editor,
    load_yaml,
    mapping_at,
    mappings_at,
    place_of,
)
from kg.publishing.texts import Span, Text, digest

_WORDS: Final = 6
"""The most words of a source that may stand in the repository in a row."""


def write_places(sources: list[Path], text: Text) -> Path | None:
    """The source that was annotated from `text`, now with positions and digests.

    That is the one with the text's digest, else the only one with none. None where nothing was
    to be changed. Raises UnmatchedText, MalformedFile, or BadSources with every place that
    cannot be found.
    """
    file, tree = _source_of(sources, text)
    before = _written(tree)
    errors = list(_place(file, tree, text))
    if errors:
        raise BadSources(errors)
    after = _written(tree)
    if after == before:
        return None
    _replace(file, after)
    return file


def _source_of(sources: list[Path], text: Text) -> tuple[Path, CommentedMap]:
    trees = {file: load_yaml(file) for file in sources}
    recorded = {
        file: mapping_at(file, tree, "article").get("textDigest") for file, tree in trees.items()
    }
    same = [file for file, digest in recorded.items() if digest == text.digest]
    new = [file for file, digest in recorded.items() if not digest]
    if not same and len(new) != 1:
        raise UnmatchedText(text.file, text.digest)
    file = (same or new)[0]
    return file, trees[file]


def _place(file: Path, tree: CommentedMap, text: Text) -> Iterator[SourceError]:
    """Resolve every place of the tree; yields an error for each that cannot be."""
    article = tree.setdefault("article", CommentedMap())
    _set(article, "textLength", len(text.content))
    _set(article, "textDigest", text.digest)
    spans: set[Span] = set()
    whole = Span(0, len(text.content))
    hidden = [words for person in mappings_at(file, tree, "sensitive") for words in _told(person)]
    for mapping, key, within in _places(tree, whole):
        try:
            span = _resolve(mapping[key], text, _span_of(within, whole))
        except ValueError as error:
            place = place_of(file, mapping, key)
            yield BadPlace(f"{key}: {error}", remedy=f"Give it {PLACE_SYNTAX}.", place=place)
            continue
        if isinstance(mapping[key], CommentedMap):
            _put(mapping, key, span, text, hidden)
        spans.add(span)
    if "digests" not in tree:
        tree["digests"] = None
        tree.yaml_set_comment_before_after_key("digests", before="\nWritten by kg check --write.")
    tree["digests"] = CommentedMap((str(s), digest(text.slice(s))) for s in sorted(spans))


def _set(mapping: CommentedMap, key: str, value: Any) -> None:
    """Change the value, or put the key near the front: at the end it would follow a blank line."""
    if key in mapping:
        mapping[key] = value
    else:
        mapping.insert(min(1, len(mapping)), key, value)


def _places(
    tree: Any, whole: Span, block: CommentedMap | None = None
) -> Iterator[tuple[CommentedMap, str, CommentedMap | None]]:
    """Each mapping and key that holds a place, and the block within which an incipit is sought."""
    if isinstance(tree, CommentedSeq):
        for each in tree:
            yield from _places(each, whole, block)
    elif isinstance(tree, CommentedMap):
        for key in [key for key in tree if key in PLACE_KEYS]:
            yield tree, key, block
        inner = tree if "order" in tree else block
        for key, value in tree.items():
            if key not in PLACE_KEYS and key != "digests":
                yield from _places(value, whole, inner)


def _span_of(block: CommentedMap | None, whole: Span) -> Span:
    try:
        return Span.parse(str(block.get("at"))) if block is not None else whole
    except ValueError:
        return whole


def _resolve(value: Any, text: Text, within: Span) -> Span:
    """The span of a place; raises ValueError with the reason where there is none."""
    if not isinstance(value, CommentedMap):
        span = Span.parse(str(value))
        if not span.start < span.end <= len(text.content):
            raise ValueError(f"{span} is not within the text, 0-{len(text.content)}")
        return span
    unknown = set(value) - {"incipit", "through", "occurrence"}
    if unknown or "incipit" not in value:
        raise ValueError(f"{sorted(value)} is not what gives a place")
    start = _find(str(value["incipit"]), text, within, value.get("occurrence", 1))
    if "through" not in value:
        return Span(start, start + len(str(value["incipit"])))
    through = str(value["through"])
    end = _find(through, text, Span(start, within.end), 1) + len(through)
    return Span(start, end)


def _find(words: str, text: Text, within: Span, occurrence: Any) -> int:
    if not words.strip():
        raise ValueError("it has no words to be found by")
    if len(words.split()) > _WORDS:
        raise ValueError(f"{words!r} has more than {_WORDS} words; a few are enough")
    if not isinstance(occurrence, int) or occurrence < 1:
        raise ValueError(f"occurrence is {occurrence!r}; it counts from 1")
    start = within.start - 1
    for _ in range(occurrence):
        start = text.content.find(words, start + 1, within.end)
        if start < 0:
            raise ValueError(f"{words!r} does not occur {occurrence} times in {within}")
    return start


def _told(person: CommentedMap) -> list[str]:
    """What the source says of a restricted person: the name and the roles."""
    roles = person.get("role", [])
    return [str(person.get("name")), *map(str, roles if isinstance(roles, list) else [roles])]


def _put(mapping: CommentedMap, key: str, span: Span, text: Text, hidden: list[str]) -> None:
    """The span in place of its incipit, which stays beside it as a comment for the reader.

    There is no comment where it would hold one of the `hidden` wordings.
    """
    mapping[key] = str(span)
    words = text.slice(span).split()
    if not mapping.fa.flow_style() and not any(each in " ".join(words) for each in hidden):
        short = " ".join(words[:_WORDS]) + (" …" if len(words) > _WORDS else "")
        mapping.yaml_add_eol_comment(short, key)


def _written(tree: CommentedMap) -> bytes:
    stream = io.BytesIO()
    editor().dump(tree, stream)
    return stream.getvalue()


def _replace(file: Path, content: bytes) -> None:
    """Write the file whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".", delete=False) as new:
        new.write(content)
        new.flush()
        os.fsync(new.fileno())
    temporary = Path(new.name)
    temporary.chmod(file.stat().st_mode & 0o777)
    temporary.replace(file)
