"""A fast engine that accepts on pyshacl's behalf; what it does not accept, pyshacl decides.

It is used only where it finds every canary: a node that breaks each constraint component that the
shapes use. What it accepts is compared with pyshacl for a sample. Extra: `pip install kg[fast]`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Any, Final, Protocol

from rdflib import SH, Graph
from rdflib.term import Node

from kg.errors import EngineRefused

_log = logging.getLogger(__name__)

_CANARY: Final = "urn:x-kg:canary/"
_BASE: Final = "urn:x-kg:"
_SILENT: Final = frozenset(
    (
        *(SH.path, SH.message, SH.name, SH.description, SH.severity, SH.order, SH.group),
        *(SH.prefixes, SH.declare, SH.prefix, SH.namespace, SH.select, SH.ignoredProperties),
        *(SH.flags, SH.inversePath, SH.alternativePath, SH.zeroOrMorePath, SH.oneOrMorePath),
        *(SH.zeroOrOnePath, SH.qualifiedMinCount, SH.qualifiedMaxCount, SH.targetNode),
    )
)
"""What has no canary of its own: it asks for nothing, or is tried with another."""


class CompiledShapes(Protocol):
    """Shapes as the engine holds them."""

    def validate_text(self, text: str, format: str, base: str) -> Any:
        """A report with `conforms` and `results`."""


class Accelerated:
    """Shapes in the fast engine.

    `sample` is the part of the accepted documents that pyshacl is asked about as well. Raises
    EngineRefused where the engine is not there, misses a canary, or the shapes use what no canary
    is about.
    """

    def __init__(self, shapes: Graph, *, sample: float) -> None:
        engine = _engine()
        self._check_canaries(engine, shapes)
        self._sample = sample
        try:
            self._shapes: CompiledShapes = _compiled(engine, shapes)
        except ValueError as error:
            raise EngineRefused(f"the fast engine cannot read the shapes: {error}") from error

    @property
    def engine(self) -> str:
        """The name and the version of the engine, for what rests on its word."""
        try:
            return f"shacl {version('shacl')}"
        except PackageNotFoundError:
            return "shacl"

    def accepts(self, documents: Sequence[bytes]) -> bool:
        """Whether these N-Triples conform, all their nodes; False where the engine cannot tell."""
        if sum(b"_:" in document for document in documents) > 1:
            return False  # blank nodes of two documents would be taken for one another
        try:
            text = b"".join(documents).decode()
            report = self._shapes.validate_text(text, "ntriples", _BASE)
        except ValueError:
            return False
        return bool(report.conforms) and not report.results  # a warning is to be told, too

    def is_sampled(self, documents: Sequence[bytes]) -> bool:
        """Whether pyshacl is to be asked as well: the same for the same documents."""
        digest = hashlib.sha256(b"".join(documents)).digest()
        return int.from_bytes(digest[:4], "big") < self._sample * 2**32

    @staticmethod
    def _check_canaries(engine: Any, shapes: Graph) -> None:
        canaries = Graph().parse(data=_canaries(), format="turtle")
        wanted = {_name(each) for each in used(shapes)}
        known = {str(node).removeprefix(_CANARY) for node in canaries.all_nodes()}
        if untried := sorted(wanted - known):
            raise EngineRefused(f"the shapes use sh:{untried[0]}, which no canary is about")
        report = _compiled(engine, canaries).validate_text(_text(canaries), "ntriples", _BASE)
        found = {each.focus_node.strip("<>").removeprefix(_CANARY) for each in report.results}
        if missed := sorted(wanted - found):
            raise EngineRefused(f"the fast engine accepts what breaks sh:{missed[0]}")


def used(shapes: Graph) -> set[Node]:
    """The constraint parameters and the kinds of target that a shapes graph uses."""
    return {
        each
        for each in shapes.predicates()
        if str(each).startswith(str(SH)) and each not in _SILENT
    }


def _name(parameter: Node) -> str:
    return str(parameter).removeprefix(str(SH))


def _canaries() -> str:
    return files("kg.validation").joinpath("canaries.ttl").read_text(encoding="utf-8")


def _engine() -> Any:
    try:
        return import_module("shacl")
    except ImportError as error:
        raise EngineRefused("the fast engine is not installed") from error


def _compiled(engine: Any, shapes: Graph) -> CompiledShapes:
    compiled: CompiledShapes = engine.Shapes.from_text(_text(shapes), "ntriples", _BASE)
    return compiled


def _text(graph: Graph) -> str:
    return graph.serialize(format="nt")
