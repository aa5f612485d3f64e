"""What a build writes, before anything is derived or checked: reference data and articles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from kg.context import Context
from kg.errors import (
    DuplicateArticle,
    MalformedData,
    MalformedFile,
    Place,
    SourceError,
    UnmatchedText,
)
from kg.files import read_bytes
from kg.media import TURTLE
from kg.namespaces import GRAPH
from kg.project import Project
from kg.publishing.reading import read_article
from kg.publishing.sources import Article, BadSources
from kg.publishing.texts import Text
from kg.publishing.triples import ENTITIES, article_graphs, description
from kg.store.base import NamedGraph
from kg.store.memory import MemoryDataset

Progress = Callable[[str, int, int], None]
"""Told what is done, how many of it are done, and of how many."""


class Reference:
    """The graphs that articles refer to: ontology, codes, entities and alignments."""

    def __init__(self, graphs: Mapping[str, bytes]) -> None:
        self.graphs = dict(graphs)

    @cached_property
    def _statements(self) -> dict[bytes, list[bytes]]:
        """The N-Triples lines of each subject."""
        statements: dict[bytes, list[bytes]] = {}
        for triples in self.graphs.values():
            for line in triples.splitlines():
                statements.setdefault(line.split(b" ", 1)[0], []).append(line)
        return statements

    @cached_property
    def subjects(self) -> frozenset[str]:
        """The IRIs that the reference graphs declare."""
        return subjects(self.graphs.values())

    def reached_from(self, triples: Iterable[bytes]) -> bytes:
        """The statements of every reference subject that these N-Triples lead to, at any depth."""
        return reached(triples, self._said_of)

    def within(self, triples: Iterable[bytes], steps: int) -> bytes:
        """As `reached_from`, for subjects at most so many steps away, and all their classes."""
        return reached_within(triples, self._said_of, steps)

    def _said_of(self, name: bytes) -> Iterable[bytes]:
        return self._statements.get(name, ())


def reached_within(
    triples: Iterable[bytes], statements: Callable[[bytes], Iterable[bytes]], steps: int
) -> bytes:
    """As `reached`, for subjects at most so many steps away, and all their classes."""
    found: dict[bytes, list[bytes]] = {}
    lines = [line for document in triples for line in document.splitlines()]
    step = 0
    while lines:
        step += 1
        followed = lines if step <= steps else [line for line in lines if _is_of_class(line)]
        new = dict.fromkeys(name for line in followed if (name := _object(line)) not in found)
        for name in new:
            found[name] = list(statements(name))
        lines = [line for name in new for line in found[name]]
    return b"".join(line + b"\n" for those in found.values() for line in those)


def _is_of_class(line: bytes) -> bool:
    return line.split(b" ", 2)[1] in _CLASS_PREDICATES


def reached(triples: Iterable[bytes], statements: Callable[[bytes], Iterable[bytes]]) -> bytes:
    """The statements of every subject that these N-Triples lead to, at any depth.

    `statements` gives the lines of a name, as N-Triples writes it, none where it is no subject.
    """
    found: dict[bytes, list[bytes]] = {}
    pending = [line for document in triples for line in document.splitlines()]
    while pending:
        name = _object(pending.pop())
        if name not in found:
            found[name] = list(statements(name))
            pending.extend(found[name])
    return b"".join(line + b"\n" for lines in found.values() for line in lines)


_CLASS_PREDICATES: Final = (
    b"<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>",
    b"<http://www.w3.org/2000/01/rdf-schema#subClassOf>",
)


def subjects(documents: Iterable[bytes]) -> frozenset[str]:
    """The IRIs that are subjects in these N-Triples."""
    names = {line.split(b" ", 1)[0] for document in documents for line in document.splitlines()}
    return frozenset(name[1:-1].decode() for name in names if name[:1] == b"<")


def _object(line: bytes) -> bytes:
    return line.split(b" ", 2)[2].removesuffix(b" .")


@dataclass(frozen=True, slots=True)
class Unit:
    """What is derived and checked together: one article's graphs, and what they refer to."""

    key: str
    graphs: tuple[NamedGraph, ...]
    reference: bytes
    targets: Mapping[str, str]
    """The graph that the triples of a rule go into, by what the rule names it."""
    places: Mapping[str, Mapping[str, Place]]
    """For each IRI of the source, its place under "", and the place of each property's IRI."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A project as graphs: the reference graphs, and one unit an article."""

    reference: Reference
    units: tuple[Unit, ...]


def load_turtle(files: Iterable[Path]) -> bytes:
    """The triples of these files, all together, as the engine will hold them (N-Triples).

    It takes no relative IRI, which would be resolved against the folder that the project happens
    to lie in. Raises MissingFile, and MalformedFile with line and column.
    """
    dataset = MemoryDataset()
    for file in files:
        content = read_bytes(file, "it is read as Turtle")
        try:
            dataset.load(content, TURTLE, GRAPH)
        except MalformedData as error:
            place = Place(file, error.line, error.column)
            raise MalformedFile(place, "Turtle", error.problem) from error
    return dataset.triples(GRAPH)


def stage(project: Project, texts: Sequence[Text], progress: Progress) -> Staged:
    """The project's reference data and articles as graphs.

    A text is matched with its article by digest. Raises MalformedFile, MissingFile, and
    BadSources with everything that is wrong in all articles.
    """
    context = Context.read(project.context)
    reference = _read_reference(project)
    articles = _read_articles(project, context, reference, texts, progress)
    reference.graphs[ENTITIES] += b"".join(description(each, context) for each in articles)
    whole = Reference(reference.graphs)
    return Staged(whole, tuple(article_unit(each, context, whole) for each in articles))


def is_reference(graph: str) -> bool:
    """Whether a graph that `data` owns is one of those that articles refer to."""
    return graph in _REFERENCE or graph.startswith(_ALIGNMENTS)


_REFERENCE: Final = (GRAPH + "ontology", GRAPH + "codes", ENTITIES)
_ALIGNMENTS: Final = GRAPH + "alignments/"


def _read_reference(project: Project) -> Reference:
    parts = (project.terms(), project.concepts(), project.reference())
    files = dict(zip(_REFERENCE, parts, strict=True)) | {
        _ALIGNMENTS + file.stem: [file] for file in project.alignments()
    }
    return Reference({graph: load_turtle(paths) for graph, paths in files.items()})


def _read_articles(
    project: Project,
    context: Context,
    reference: Reference,
    texts: Sequence[Text],
    progress: Progress,
) -> list[Article]:
    sources = project.sources()
    articles: list[Article] = []
    errors: list[SourceError] = []
    for number, source in enumerate(sources, start=1):
        try:
            articles.append(read_article(source, context, reference.subjects, texts))
        except BadSources as error:
            errors.extend(error.errors)
        progress("articles read", number, len(sources))
    errors.extend(_duplicates(articles))
    if not errors:  # an article that could not be read may be the one of the text
        errors.extend(_unmatched(texts, articles))
    if errors:
        raise BadSources(errors)
    return articles


def _duplicates(articles: Iterable[Article]) -> Iterator[SourceError]:
    first: dict[str, Article] = {}
    for article in articles:
        other = first.setdefault(article.key, article)
        if other is not article:
            place = article.description.place
            yield DuplicateArticle(place, article.iri, other.description.place)


def _unmatched(texts: Sequence[Text], articles: Sequence[Article]) -> Iterator[SourceError]:
    digests = [article.text_digest for article in articles]
    return (UnmatchedText(text.file, text.digest) for text in texts if text.digest not in digests)


def article_unit(
    article: Article, context: Context, reference: Reference, more: Iterable[NamedGraph] = ()
) -> Unit:
    """The graphs of an article, and more that belong to it."""
    graphs = (*article_graphs(article, context), *more)
    return Unit(
        key=article.key,
        graphs=graphs,
        reference=reference.reached_from(graph.triples for graph in graphs),
        targets={name: f"{GRAPH}{name}/{article.key}" for name in ("claims", "derived")},
        places=places_of(article, context),
    )


def places_of(article: Article, context: Context) -> dict[str, dict[str, Place]]:
    """The places of an article's nodes: see `Unit`."""
    return {
        node.iri: {"": node.place}
        | {context.terms[key].iri: place for key, place in node.places.items()}
        for node in article.nodes()
    }
