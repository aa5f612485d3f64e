"""The shapes of a shapes graph as pyshacl knows them, read once and used for many graphs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from pyshacl.constraints import CONSTRAINT_PARAMETERS_MAP
from pyshacl.constraints.constraint_component import ConstraintComponent
from pyshacl.constraints.core.shape_based_constraints import PropertyConstraintComponent
from pyshacl.constraints.core.string_based_constraints import UniqueLangConstraintComponent
from pyshacl.constraints.sparql.sparql_based_constraints import SPARQLBasedConstraint
from pyshacl.errors import ConstraintLoadWarning, ReportableRuntimeError
from pyshacl.graph_abstraction import DataGraph
from pyshacl.pytypes import SHACLExecutor
from pyshacl.shape import Shape
from pyshacl.shapes_graph import ShapesGraph
from rdflib import RDF, RDFS, SH, Graph
from rdflib.term import Node

from kg.validation.messages import filled
from kg.validation.prepared import solutions

Results = tuple[bool, list[Any]]
"""Whether a shape conforms, and pyshacl's results."""


class HarvestedShapes(ShapesGraph):  # type: ignore[misc]
    """A shapes graph whose shapes keep their constraint components."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self._harvested: dict[Node, HarvestedShape] = {
            shape.node: HarvestedShape(self, shape) for shape in super().shapes
        }

    @property
    def shapes(self) -> Iterable[HarvestedShape]:
        """Every shape."""
        return self._harvested.values()

    def lookup_shape_from_node(self, node: Node) -> HarvestedShape:
        """The shape with this name; raises KeyError."""
        return self._harvested[node]

    def targeting(
        self, data: DataGraph, focus: Set[Node] | None
    ) -> Iterator[tuple[HarvestedShape, list[Node]]]:
        """Each shape with those of the nodes that it targets; with all of them for None."""
        if focus is None:
            for shape in self.shapes:
                yield shape, list(shape.focus_nodes(data))
            return
        found: dict[HarvestedShape, list[Node]] = defaultdict(list)
        superclasses = _Superclasses(data)
        for node in focus:
            for shape in self._targeting_one(data, node, superclasses):
                found[shape].append(node)
        yield from found.items()

    def _targeting_one(
        self, data: DataGraph, node: Node, superclasses: _Superclasses
    ) -> set[HarvestedShape]:
        """The shapes that target a node (SHACL 1.0, 2.1.3)."""
        targets = self._targets
        shapes = set(targets.nodes.get(node, ()))
        for direct in data.objects(node, RDF.type):
            for each in superclasses.of(direct):
                shapes.update(targets.classes.get(each, ()))
        for predicate, those in targets.subjects_of.items():
            if next(iter(data.objects(node, predicate)), None) is not None:
                shapes.update(those)
        for predicate, those in targets.objects_of.items():
            if next(iter(data.subjects(predicate, node)), None) is not None:
                shapes.update(those)
        return shapes

    @cached_property
    def _targets(self) -> _Targets:
        return _Targets(self.shapes)


class _Targets:
    """Which shapes have which targets."""

    def __init__(self, shapes: Iterable[HarvestedShape]) -> None:
        self.nodes: dict[Node, list[HarvestedShape]] = defaultdict(list)
        self.classes: dict[Node, list[HarvestedShape]] = defaultdict(list)
        self.subjects_of: dict[Node, list[HarvestedShape]] = defaultdict(list)
        self.objects_of: dict[Node, list[HarvestedShape]] = defaultdict(list)
        for shape in shapes:
            nodes, classes, implicit, objects_of, subjects_of = shape.target()
            for index, keys in (
                (self.nodes, nodes),
                (self.classes, {*classes, *implicit}),
                (self.objects_of, objects_of),
                (self.subjects_of, subjects_of),
            ):
                for key in keys:
                    index[key].append(shape)


class _Superclasses:
    """The classes that a class is a subclass of in one data graph, itself with them."""

    def __init__(self, data: DataGraph) -> None:
        self._data = data
        self._known: dict[Node, set[Node]] = {}

    def of(self, cls: Node) -> set[Node]:
        if cls not in self._known:
            self._known[cls] = {cls, *self._data.transitive_objects(cls, RDFS.subClassOf)}
        return self._known[cls]


@dataclass
class Run(SHACLExecutor):  # type: ignore[misc]
    """One validation: pyshacl's options, and what is known to conform in its data graph."""

    conforming: set[tuple[Shape, Node]] = field(default_factory=set)


class HarvestedShape(Shape):  # type: ignore[misc]
    """A shape that makes its constraint components once, and asks of no node twice in one run."""

    __slots__ = ("_components", "_remembers")

    def __init__(self, harvested: HarvestedShapes, shape: Shape) -> None:
        path = shape.path()
        super().__init__(harvested, shape.node, p=path is not None, path=path, logger=shape.logger)
        self._components: list[ConstraintComponent] | None = None
        self._remembers: bool | None = None

    def validate(
        self,
        executor: Run,
        target_graph: DataGraph,
        focus: Any = None,
        _evaluation_path: list[Any] | None = None,
    ) -> Results:
        """As pyshacl's own, for focus nodes that are given."""
        nodes = [focus] if isinstance(focus, Node) else list(focus)
        if self.deactivated or not nodes:
            return True, []
        self._check_depth(executor, _evaluation_path)
        known = (self, nodes[0]) if len(nodes) == 1 and self._is_asked_often() else None
        if known in executor.conforming:
            return True, []
        values = self.value_nodes(target_graph, nodes)
        path = _evaluation_path or []
        conforms, results = True, list[Any]()
        for each in self._constraint_components():
            conform, found = each.evaluate(executor, target_graph, values, [*path, self, each])
            conforms = conforms and conform
            results.extend(found)
        if known and conforms and not results:
            executor.conforming.add(known)
        return conforms, results

    def _constraint_components(self) -> list[ConstraintComponent]:
        if self._components is None:
            made = [self._component(each) for each in self._component_classes()]
            custom = [
                each.make_validator_for_shape(self) for each in self.find_custom_constraints()
            ]
            self._components = [each for each in made if each is not None] + custom
        return self._components

    def _component_classes(self) -> Iterable[Any]:
        """The classes of its components, each once: some have two parameters."""
        parameters = (parameter for parameter, _ in self.sg.predicate_objects(self.node))
        return dict.fromkeys(_COMPONENTS[each] for each in parameters if each in _COMPONENTS)

    def _component(self, component: Any) -> ConstraintComponent | None:
        try:
            return component(self)
        except ConstraintLoadWarning as warning:
            self.logger.warning(repr(warning))
            return None

    def _is_asked_often(self) -> bool:
        """Whether it may be asked of one node again and again, and always answers the same.

        So are the node shapes that sh:node leads to. What a shape that leads back to itself
        answers depends on where it is asked (SHACL 1.0, 3.4.3).
        """
        if self._remembers is None:
            self._remembers = not (self.is_property_shape or self.node in _reached(self))
        return self._remembers

    def _check_depth(self, executor: Run, path: list[Any] | None) -> None:
        if path is not None and len(path) // 2 >= executor.max_validation_depth:
            names = " -> ".join(str(each) for each in path)
            raise ReportableRuntimeError(f"Validation path too deep!\n{names}")


def _reached(shape: Shape) -> set[Node]:
    """The shapes that a shape's constraints lead to, at any depth."""
    graph, found, waiting = shape.sg.graph, set[Node](), [shape.node]
    while waiting:
        node = waiting.pop()
        parts = [each for p in _SHAPE_EXPECTING for each in graph.objects(node, p)]
        lists = [each for p in _LIST_TAKING for each in graph.objects(node, p)]
        parts += [member for each in lists for member in graph.items(each)]
        waiting += [each for each in parts if each not in found]
        found.update(parts)
    return found


_SHAPE_EXPECTING: Final = (SH.node, SH.property, SH["not"], SH.qualifiedValueShape)
_LIST_TAKING: Final = (SH["and"], SH["or"], SH.xone)


# --- constraint components ----------------------------------------------------------------


class _Properties(PropertyConstraintComponent):  # type: ignore[misc]
    """sh:property, which asks each property shape of all focus nodes at once."""

    def evaluate(
        self, executor: Run, target_graph: DataGraph, focus_value_nodes: Any, _evaluation_path: Any
    ) -> Results:
        shapes = [self.shape.get_other_shape(each) for each in self.property_shapes]
        usual = all(shape is not None and shape.is_property_shape for shape in shapes)
        # The values of a property may be those of several nodes, which are then asked once each.
        if self.shape.is_property_shape or not usual or self.recursion_triggers(_evaluation_path):
            return super().evaluate(  # type: ignore[no-any-return]
                executor, target_graph, focus_value_nodes, _evaluation_path
            )
        nodes = list(focus_value_nodes)
        found = [
            shape.validate(executor, target_graph, nodes, _evaluation_path) for shape in shapes
        ]
        return all(conforms for conforms, _ in found), [each for _, some in found for each in some]


class _Queries(SPARQLBasedConstraint):  # type: ignore[misc]
    """sh:sparql, whose queries are checked and completed once."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        helpers: Iterable[Any] = self.sparql_constraints
        self.sparql_constraints: list[_Query] = [_Query(each) for each in helpers]

    def _format_sparql_based_result_message(self, msg: str, bound_vars: Any) -> str:
        """pyshacl takes a value for a pattern, and fails where it holds a backslash."""
        return filled(msg, _bound(bound_vars))

    def _validate_sparql_query(self, query: str, init_binds: Any, target_graph: DataGraph) -> Any:
        if solutions(target_graph.impl, query, init_binds) == []:
            return []
        return super()._validate_sparql_query(query, init_binds, target_graph)


def _bound(variables: Any) -> dict[str, object]:
    """What the query bound: pyshacl hands on a mapping, or a tuple of its results."""
    if isinstance(variables, dict):
        return variables
    if not isinstance(variables, (tuple, list)) or len(variables) < 3:
        return {}
    this, path, value, *others = variables
    named = {"this": this, "path": path, "value": value}
    return {**(others[0] if others else {}), **{n: v for n, v in named.items() if v is not None}}


class _UniqueLang(UniqueLangConstraintComponent):  # type: ignore[misc]
    """sh:uniqueLang, which asks for nothing unless it is the literal `true` (SHACL 1.0, 4.4.5)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.string_rules = {str(each) == "true" for each in shape.objects(SH.uniqueLang)}


class _Query:
    """pyshacl's helper for one query, which would look through its text for each focus node."""

    def __init__(self, helper: Any) -> None:
        self.node = helper.node
        self.messages = helper.messages
        self.deactivated = helper.deactivated
        self._helper = helper
        self._bound: tuple[Mapping[str, Node], str] | None = None

    def pre_bind_variables(self, focus: Node) -> tuple[Mapping[str, Node], str]:
        """The variables that are bound beforehand, and the query."""
        if self._bound is None:
            bindings, text = self._helper.pre_bind_variables(focus)
            self._bound = bindings, self._helper.apply_prefixes(text)
        bindings, text = self._bound
        return ({**bindings, "this": focus} if "this" in bindings else bindings), text

    def apply_prefixes(self, text: str) -> str:
        """The query, which has its prefixes already."""
        return text


_COMPONENTS: Final[Mapping[Node, Any]] = CONSTRAINT_PARAMETERS_MAP | {
    SH.property: _Properties,
    SH.sparql: _Queries,
    SH.uniqueLang: _UniqueLang,
}
