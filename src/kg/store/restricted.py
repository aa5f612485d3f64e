"""What a release says in its restricted graphs of persons; for readers who have the scope alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store, Triple

from kg.errors import Place, StoreDamaged
from kg.namespaces import GRAPH
from kg.store.base import Release
from kg.store.holding import held
from kg.store.iris import absolute_iri
from kg.store.removals import missing_at

_SENSITIVE: Final = GRAPH + "sensitive/"


@dataclass(frozen=True, slots=True, order=True)
class RestrictedStatement:
    """One statement of a graph `sensitive/…`; `kind` is `uri`, `literal`, `bnode` or `triple`."""

    subject: str
    property: str
    kind: str
    value: str
    language: str
    datatype: str
    graph: str


def restricted_statements(release: Release, iris: Iterable[str]) -> tuple[RestrictedStatement, ...]:
    """The statements about these resources, sorted; the restricted folder is open meanwhile only.

    Whoever calls this has made sure that the reader may see it. Raises ReleaseMissing and
    StoreDamaged.
    """
    wanted = sorted({iri for iri in iris if absolute_iri(iri)})
    folder = release.folder / "restricted"
    if not wanted:
        return ()
    try:
        with held(release.folder):
            return _opened(release, folder, wanted)
    except FileNotFoundError as error:
        raise missing_at(release.folder) from error


def _opened(
    release: Release, folder: Path, wanted: Iterable[str]
) -> tuple[RestrictedStatement, ...]:
    try:
        return tuple(sorted(_read(Store.read_only(str(folder)), wanted)))
    except (OSError, RuntimeError, ValueError) as error:
        raise StoreDamaged(
            f"the restricted graphs of release {release.name} cannot be opened",
            remedy="Restore the release from a backup: kg restore.",
            place=Place(folder),
        ) from error


def _read(store: Store, iris: Iterable[str]) -> Iterator[RestrictedStatement]:
    for iri in iris:
        for quad in store.quads_for_pattern(NamedNode(iri), None, None):
            if isinstance(quad.graph_name, NamedNode) and quad.graph_name.value.startswith(
                _SENSITIVE
            ):
                yield _statement(iri, quad, quad.graph_name.value)


def _statement(iri: str, quad: Quad, graph: str) -> RestrictedStatement:
    it, about = quad.object, (iri, quad.predicate.value)
    match it:
        case NamedNode():
            return RestrictedStatement(*about, "uri", it.value, "", "", graph)
        case BlankNode():
            return RestrictedStatement(*about, "bnode", it.value, "", "", graph)
        case Literal():
            language, datatype = it.language or "", it.datatype.value
            return RestrictedStatement(*about, "literal", it.value, language, datatype, graph)
        case Triple():
            return RestrictedStatement(*about, "triple", str(it), "", "", graph)
