"""The results of pyshacl as findings, with the causes of those that other shapes lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from rdflib import SH, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from kg.validation.messages import filled, names_variables
from kg.validation.paths import path_text
from kg.validation.report import NONE, Finding

Result = tuple[str, Node, list[tuple[Node, Node, Any]]]
"""Text, node and triples, as pyshacl has it: an object may be a pair of a graph and a node."""

Parts = Mapping[Node, list[Node]]

_LISTS: Final = {SH["or"]: "Or", SH["and"]: "And", SH.xone: "Xone"}
_SINGLES: Final = {SH.node: "Node", SH["not"]: "Not"}
_QUALIFIED: Final = frozenset({"QualifiedMinCount", "QualifiedMaxCount", "QualifiedValueShape"})
_UNTOLD: Final = (SH.message, SH.severity, SH.name, SH.description)
_DEPTH: Final = 5
_MOST_CAUSES: Final = 20
"""Causes of one finding; of a list with more values nobody reads them all."""
_MOST_EXPLAINED: Final = 1000
"""Findings of one graph whose causes are looked for: each takes another validation."""


class Explainer:
    """What is asked again to explain a result: the shapes, used on one node.

    `validate` gives the results of a shape for a node, and `values` the value nodes of a property
    shape for a focus node. Both raise KeyError for what is no shape.
    """

    def __init__(
        self,
        shapes: Graph,
        validate: Callable[[Node, Node], tuple[bool, list[Result]]],
        values: Callable[[Node, Node], Iterable[Node]],
    ) -> None:
        self.shapes = shapes
        self._validate = validate
        self._values = values
        self._left = _MOST_EXPLAINED

    def findings(self, results: Iterable[Result]) -> list[Finding]:
        """The findings, sorted."""
        found = [self._finding(result, 0) for result in results]
        return sorted(found, key=lambda finding: finding.order)

    def _finding(self, result: Result, depth: int, branch: str = "") -> Finding:
        _, node, triples = result
        parts = _parts(triples)
        return self._of(node, parts, depth, branch)

    def _of(self, node: Node, parts: Mapping[Node, Parts], depth: int, branch: str) -> Finding:
        own = parts.get(node, {})
        focus, value = _first(own, SH.focusNode), _first(own, SH.value)
        shape, path = _first(own, SH.sourceShape), _first(own, SH.resultPath)
        constraint = _first(own, SH.sourceConstraint)
        component = _first(own, SH.sourceConstraintComponent)
        written = path_text(self.shapes, path)
        return Finding(
            severity=str(_first(own, SH.resultSeverity)).removeprefix(str(SH)),
            focus_node=_name(focus),
            path=written,
            component=_component(component, constraint),
            message=self._message(own, focus, value, written, shape),
            value=NONE if value == focus else _name(value),
            shape=str(shape) if isinstance(shape, URIRef) else NONE,
            source_component=_name(component),
            source_constraint=str(constraint) if isinstance(constraint, URIRef) else NONE,
            focus_term=_term(focus),
            value_term="" if value == focus else _term(value),
            branch=branch,
            causes=self._causes(node, parts, depth),
        )

    # --- messages -------------------------------------------------------------------------

    def _message(
        self, own: Parts, focus: Node | None, value: Node | None, path: str, shape: Node | None
    ) -> str:
        """The first message by its text, with what it names of the result and of the shape."""
        messages = sorted(str(message) for message in own.get(SH.resultMessage, ()))
        if not messages or not names_variables(messages[0]) or SH.sourceConstraint in own:
            return messages[0] if messages else ""  # that of a query is filled in already
        parameters = self.shapes.predicate_objects(shape) if shape is not None else ()
        named: dict[str, object] = {
            str(predicate).removeprefix(str(SH)): _name(parameter)
            for predicate, parameter in parameters
            if _is_of_shacl(predicate) and not isinstance(parameter, BNode)
        }
        named |= {"this": _name(focus)}
        named |= {} if path == NONE else {"path": path, "PATH": path}
        named |= {} if value is None else {"value": _name(value)}
        return filled(messages[0], named)

    # --- causes ---------------------------------------------------------------------------

    def _causes(self, node: Node, parts: Mapping[Node, Parts], depth: int) -> tuple[Finding, ...]:
        own = parts.get(node, {})
        if depth >= _DEPTH:
            return ()
        details = own.get(SH.detail, ())
        if details:
            nested = (self._of(each, parts, depth + 1, "") for each in details[:_MOST_CAUSES])
            return tuple(sorted(nested, key=lambda finding: finding.order))
        if self._left <= 0:
            return ()
        try:
            return tuple(_some(self._reasons(own, depth)))
        except KeyError:  # no shape, or one whose values cannot be had
            return ()

    def _reasons(self, own: Parts, depth: int) -> Iterator[Finding]:
        shape, focus = _first(own, SH.sourceShape), _first(own, SH.focusNode)
        component = _component(_first(own, SH.sourceConstraintComponent), None)
        node = _first(own, SH.value)
        if shape is None or focus is None:
            return
        for predicate, name in _LISTS.items():
            if name == component and node is not None:
                for members in self.shapes.objects(shape, predicate):
                    yield from self._of_branches(
                        list(self.shapes.items(members)), node, name, depth
                    )
        for predicate, name in _SINGLES.items():
            if name == component and node is not None:
                branches = list(self.shapes.objects(shape, predicate))
                yield from self._of_branches(branches, node, name, depth)
        if component in _QUALIFIED:
            wanted = self.shapes.value(shape, SH.qualifiedValueShape)
            if wanted is not None:
                for each in sorted(self._values(shape, focus), key=str)[:_MOST_CAUSES]:
                    yield from self._of_branches([wanted], each, component, depth)

    def _of_branches(
        self, branches: list[Node], node: Node, component: str, depth: int
    ) -> Iterator[Finding]:
        """What each branch says of a node: why it fails, or that it conforms and must not."""
        self._left -= 1
        answers = [self._validate(branch, node) for branch in branches]
        conforming = sum(conforms for conforms, _ in answers)
        against = component in ("Not", "QualifiedMaxCount") or (
            component == "Xone" and conforming > 1
        )
        for number, (branch, answer) in enumerate(zip(branches, answers, strict=True), start=1):
            name = self._described(branch)
            if len(branches) > 1:
                name = f"{number} of {len(branches)}: {name}"
            conforms, results = answer
            if conforms and against:
                yield _conforming(node, component, name, branch)
            elif not conforms and not against:
                found = [self._finding(each, depth + 1, name) for each in results]
                yield from sorted(found, key=lambda finding: finding.order)

    def _told(self, value: Node) -> str:
        """A value of a shape in a few words; of a property shape without a name its path."""
        manager = self.shapes.namespace_manager
        if isinstance(value, URIRef | Literal):
            return value.n3(manager)
        path = self.shapes.value(value, SH.path)
        return path.n3(manager) if isinstance(path, URIRef) else ""

    def _described(self, shape: Node) -> str:
        """The name of a shape; what a shape without one asks for."""
        manager = self.shapes.namespace_manager
        if isinstance(shape, URIRef):
            return shape.n3(manager)
        asked = sorted(
            f"{predicate.n3(manager)} {told}"
            for predicate, value in self.shapes.predicate_objects(shape)
            if isinstance(predicate, URIRef) and _is_of_shacl(predicate)
            if predicate not in _UNTOLD and (told := self._told(value))
        )
        return " ; ".join(asked[:3]) or "a shape without a name"


def _is_of_shacl(predicate: Node) -> bool:
    return str(predicate).startswith(str(SH))


def _some(findings: Iterator[Finding]) -> Iterator[Finding]:
    for _, finding in zip(range(_MOST_CAUSES), findings, strict=False):
        yield finding


def _conforming(node: Node, component: str, branch: str, shape: Node) -> Finding:
    return Finding(
        severity="Violation",
        focus_node=_name(node),
        path=NONE,
        component=component,
        message=f"It conforms to {branch}, which it must not.",
        shape=str(shape) if isinstance(shape, URIRef) else NONE,
        source_component=f"{SH}{component}ConstraintComponent",
        focus_term=_term(node),
        branch=branch,
    )


def _parts(triples: Iterable[tuple[Node, Node, Any]]) -> Mapping[Node, Parts]:
    """The objects of each subject by predicate, without the graphs that they are from."""
    parts: dict[Node, dict[Node, list[Node]]] = {}
    for subject, predicate, value in triples:
        node = value[1] if isinstance(value, tuple) else value
        parts.setdefault(subject, {}).setdefault(predicate, []).append(node)
    return parts


def _first(own: Parts, predicate: Node) -> Node | None:
    return next(iter(own.get(predicate, ())), None)


def _component(component: Node | None, constraint: Node | None) -> str:
    if isinstance(constraint, URIRef):
        return constraint.rsplit("/", 1)[-1].rsplit("#", 1)[-1]
    return str(component).removeprefix(str(SH)).removesuffix("ConstraintComponent")


def _name(node: Node | None) -> str:
    """An IRI or a literal's text; a blank node has no name that would mean anything."""
    return NONE if node is None else "_" if isinstance(node, BNode) else str(node)


def _term(node: Node | None) -> str:
    """The node as N-Triples writes it; nothing for a blank node."""
    if node is None or isinstance(node, BNode):
        return ""
    return f"<{node}>" if isinstance(node, URIRef) else _literal(node)


def _literal(node: Node) -> str:
    if not isinstance(node, Literal):
        return ""
    escaped = str(node).translate(_ESCAPES)
    suffix = f"@{node.language}" if node.language else f"^^<{node.datatype}>"
    return f'"{escaped}"' + (suffix if node.language or node.datatype else "")


_ESCAPES: Final = {
    **{code: f"\\u{code:04X}" for code in (*range(0x20), *range(0x7F, 0xA0))},
    ord("\\"): "\\\\",
    ord('"'): '\\"',
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
}
