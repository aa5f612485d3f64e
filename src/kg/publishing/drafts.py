"""Drafts: the source of a new article, as far as it can be written without reading it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ruamel.yaml.comments import CommentedMap

from kg.errors import BadArgument
from kg.project import Project
from kg.publishing.placing import write_places
from kg.publishing.sources import editor
from kg.publishing.texts import Span, Text

_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def draft(project: Project, slug: str, *, title: str, publisher: str, text: Text | None) -> Path:
    """The new source `data/articles/<slug>/article.yaml`.

    With the text, it has a block for each line that is not blank. Raises BadArgument for a slug
    that is none or that exists.
    """
    if not _SLUG.fullmatch(slug):
        remedy = "Use lower-case letters and digits, with single hyphens between."
        raise BadArgument(f"{slug!r} is no name of an article's folder", remedy=remedy)
    file = project.articles / slug / "article.yaml"
    if file.exists():
        raise BadArgument(f"{file} exists already", remedy="Choose another name.")
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        editor().dump(_tree(title, publisher, text), stream)
    if text:
        write_places([file], text)
    return file


def _tree(title: str, publisher: str, text: Text | None) -> CommentedMap:
    tree = CommentedMap(
        article=CommentedMap(
            type="schema:NewsArticle",
            title=title,
            publisher=publisher,
            language="en",
            absent=["schema:datePublished", "schema:url"],
        ),
        chains=CommentedMap({"own-voice": [CommentedMap(agent=publisher, basis="publisherVoice")]}),
        defaults=CommentedMap(
            any=CommentedMap(chain="own-voice", modality="asserted"),
            figure=CommentedMap(
                measure="count",
                unit="person",
                qualifier="bare",
                valueStatus="stated",
                refTime="unstated",
            ),
        ),
        blocks=list(_blocks(text)) if text else [],
    )
    tree.yaml_set_start_comment(f"{title}\n\nHow to annotate: docs/annotate.md")
    return tree


def _blocks(text: Text) -> Iterator[CommentedMap]:
    """One block for each line that is not blank, without the white space around it."""
    lines = re.finditer(r"^[^\S\n]*(\S.*?)[^\S\n]*$", text.content, re.MULTILINE)
    for order, line in enumerate(lines, start=1):
        at = str(Span(*line.span(1)))
        yield CommentedMap(order=order, at=at, blockKind="paragraph", claims=[])
