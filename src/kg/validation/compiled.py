"""SPARQL SELECT queries made into Python functions: the same solutions as rdflib's own evaluation.

pyshacl asks one query for each focus node, thousands of times, and rdflib walks the algebra anew
each time. Here each operator of the algebra (SPARQL 1.1, 18.2) is turned into a function once.
What is not covered exactly is not compiled: `compiled` then says None, and rdflib evaluates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, Final, cast

from rdflib import BNode, Graph, Literal, Variable
from rdflib.paths import Path
from rdflib.plugins.sparql.datatypes import XSD_DTs
from rdflib.plugins.sparql.operators import EBV, string
from rdflib.plugins.sparql.parserutils import CompValue, Expr
from rdflib.plugins.sparql.sparql import FrozenBindings, Query, QueryContext, SPARQLError
from rdflib.term import Node

Row = dict[Any, Node]
"""A solution; blank nodes of a query are variables, too."""
Rows = Callable[[QueryContext, Row], Iterator[Row]]
"""The solutions of a pattern that extend the one given."""
Value = Callable[[QueryContext, Row], Any]
"""The value of an expression; raises SPARQLError."""
Compiled = Callable[[Graph, Mapping[Variable, Node]], list[Row]]
"""The solutions in a graph, with these variables bound beforehand, projected."""

_TRUE: Final = Literal(True)
_FALSE: Final = Literal(False)
_NOTHING: Final[frozenset[Any]] = frozenset()


class _NotCovered(Exception):
    """The query has something that is left to rdflib."""


def compiled(query: Query, bound: AbstractSet[str]) -> Compiled | None:
    """The query as a function, for calls that bind these variables beforehand; None if not covered.

    Variables bound beforehand are seen in every part of the query (SHACL 1.0, 5.3.1).
    """
    try:
        return _select(query.algebra, frozenset(Variable(name) for name in bound))
    except _NotCovered:
        return None


def _select(algebra: CompValue, bound: frozenset[Any]) -> Compiled:
    if algebra.name != "SelectQuery" or algebra.datasetClause:
        raise _NotCovered
    project = algebra.p
    distinct = project.name == "Distinct"
    project = project.p if distinct else project
    if project.name != "Project":
        raise _NotCovered
    rows = _Compiler(bound).rows(project.p, _NOTHING)
    wanted = frozenset(project.PV)

    def run(graph: Graph, bindings: Mapping[Variable, Node]) -> list[Row]:
        context = QueryContext(graph, initBindings=cast(Any, bindings))
        start = dict(bindings)
        found = [
            {name: value for name, value in row.items() if name in wanted}
            for row in rows(context, start)
        ]
        return _without_duplicates(found) if distinct else found

    return run


def _without_duplicates(rows: Sequence[Row]) -> list[Row]:
    return list({frozenset(row.items()): row for row in rows}.values())


class _Compiler:
    """Turns patterns and expressions into functions.

    `outer` are the variables that solutions given from outside may bind. Where rdflib would hide
    one of them from an inner part, and that part uses it, the query is not covered.
    """

    def __init__(self, bound: frozenset[Any]) -> None:
        self._bound = bound

    def rows(self, part: CompValue, outer: frozenset[Any]) -> Rows:
        """A pattern as a function."""
        make = {
            "BGP": self._bgp,
            "Filter": self._filter,
            "Extend": self._extend,
            "Join": self._join,
            "LeftJoin": self._left_join,
            "Union": self._union,
        }.get(part.name)
        if make is None:
            raise _NotCovered
        return make(part, outer - self._bound)

    def _bgp(self, part: CompValue, outer: frozenset[Any]) -> Rows:
        """A basic graph pattern, the most bound triple patterns first."""
        waiting = list(part.triples)
        if any(isinstance(predicate, Path) for _, predicate, _ in waiting):
            raise _NotCovered
        known = outer | self._bound
        steps = []
        while waiting:
            pattern = min(waiting, key=lambda each: _unknown(each, known))
            waiting.remove(pattern)
            known |= {node for node in pattern if _is_variable(node)}
            steps.append(_matcher(pattern))
        return _chained(steps)

    def _filter(self, part: CompValue, outer: frozenset[Any]) -> Rows:
        rows = self.rows(part.p, outer)
        if not part.no_isolated_scope:
            self._check_scope(part.expr, outer - frozenset(part["_vars"]))
        condition = self._condition(part.expr, outer | _bound_by(part.p))

        def filtered(context: QueryContext, row: Row) -> Iterator[Row]:
            return (each for each in rows(context, row) if condition(context, each))

        return filtered

    def _extend(self, part: CompValue, outer: frozenset[Any]) -> Rows:
        inner = _bound_by(part.p)
        if part.var in outer or part.var in self._bound or part.var in inner:
            raise _NotCovered
        self._check_scope(part.expr, outer - frozenset(part["_vars"]))
        rows = self.rows(part.p, outer)
        value = self.value(part.expr, outer | inner)
        name = part.var

        def extended(context: QueryContext, row: Row) -> Iterator[Row]:
            for each in rows(context, row):
                try:
                    found = value(context, each)
                except SPARQLError:
                    yield each
                    continue
                yield each if isinstance(found, SPARQLError) else {**each, name: found}

        return extended

    def _join(self, part: CompValue, outer: frozenset[Any]) -> Rows:
        left = self.rows(part.p1, outer)
        right = self.rows(part.p2, outer | _bound_by(part.p1))

        def joined(context: QueryContext, row: Row) -> Iterator[Row]:
            for each in left(context, row):
                yield from right(context, each)

        return joined

    def _left_join(self, part: CompValue, outer: frozenset[Any]) -> Rows:
        first, second = _bound_by(part.p1), _variables_in(part.p2)
        if outer & (second - first):
            raise _NotCovered
        self._check_scope(part.expr, outer)
        left = self.rows(part.p1, outer)
        right = self.rows(part.p2, outer | first)
        condition = self._condition(part.expr, outer | first | second)

        def left_joined(context: QueryContext, row: Row) -> Iterator[Row]:
            for each in left(context, row):
                found = [both for both in right(context, each) if condition(context, both)]
                yield from found or [each]

        return left_joined

    def _union(self, part: CompValue, outer: frozenset[Any]) -> Rows:
        first, second = self.rows(part.p1, outer), self.rows(part.p2, outer)

        def united(context: QueryContext, row: Row) -> Iterator[Row]:
            yield from first(context, row)
            yield from second(context, row)

        return united

    def _check_scope(self, expression: Any, hidden: frozenset[Any]) -> None:
        """An expression sees what its own group binds (SPARQL 1.1, 18.2.2), and the prebound."""
        if _variables_in(expression) & (hidden - self._bound):
            raise _NotCovered

    # --- expressions -----------------------------------------------------------------------

    def value(self, expression: Any, outer: frozenset[Any]) -> Value:
        """An expression as a function."""
        if _is_variable(expression):
            return _variable(expression)
        if isinstance(expression, Node):
            return lambda context, row: expression
        if not isinstance(expression, Expr):
            raise _NotCovered
        make = {
            "Builtin_EXISTS": self._exists,
            "Builtin_NOTEXISTS": self._exists,
            "ConditionalAndExpression": self._and,
            "ConditionalOrExpression": self._or,
            "UnaryNot": self._not,
            "RelationalExpression": self._relation,
            "Builtin_isLITERAL": self._is_literal,
            "Builtin_STR": self._string,
            "Builtin_STRLEN": self._length,
        }.get(expression.name)
        if make is not None:
            return make(expression, outer)
        if _has_pattern(expression):
            raise _NotCovered
        if expression.name == "Builtin_BOUND" and _is_variable(expression.arg):
            name = expression.arg
            return lambda context, row: _TRUE if name in row else _FALSE
        return lambda context, row: expression.eval(FrozenBindings(context, row))

    def _condition(self, expression: Any, outer: frozenset[Any]) -> Callable[..., bool]:
        """The effective boolean value of an expression, false where it is an error."""
        value = self.value(expression, outer)

        def holds(context: QueryContext, row: Row) -> bool:
            try:
                return _truth(value(context, row))
            except SPARQLError:
                return False

        return holds

    def _exists(self, expression: Expr, outer: frozenset[Any]) -> Value:
        rows = self.rows(expression.graph, outer)
        found, missing = _TRUE, _FALSE
        if expression.name == "Builtin_NOTEXISTS":
            found, missing = missing, found

        def exists(context: QueryContext, row: Row) -> Node:
            return missing if next(rows(context, row), None) is None else found

        return exists

    def _and(self, expression: Expr, outer: frozenset[Any]) -> Value:
        """False wherever an operand before the first error is: as rdflib does it."""
        names, values = self._operands(expression, outer)

        def conjunction(context: QueryContext, row: Row) -> Node:
            _check_bound(names, row)
            return _TRUE if all(_truth(value(context, row)) for value in values) else _FALSE

        return conjunction

    def _or(self, expression: Expr, outer: frozenset[Any]) -> Value:
        names, values = self._operands(expression, outer)

        def disjunction(context: QueryContext, row: Row) -> Node:
            _check_bound(names, row)
            error = None
            for value in values:
                try:
                    if _truth(value(context, row)):
                        return _TRUE
                except SPARQLError as met:
                    error = met
            if error:
                raise error
            return _FALSE

        return disjunction

    def _operands(self, expression: Expr, outer: frozenset[Any]) -> tuple[list[Any], list[Value]]:
        """The operands that are variables, and the values of all."""
        operands = (expression.expr, *(expression.other or ()))
        names = [each for each in operands if _is_variable(each)]
        return names, [self.value(each, outer) for each in operands]

    def _not(self, expression: Expr, outer: frozenset[Any]) -> Value:
        value = self.value(expression.expr, outer)
        return lambda context, row: _FALSE if _truth(value(context, row)) else _TRUE

    def _relation(self, expression: Expr, outer: frozenset[Any]) -> Value:
        if expression.other is None:
            return self.value(expression.expr, outer)
        compare = _COMPARISONS.get(expression.op)
        if compare is None:
            if _has_pattern(expression):
                raise _NotCovered
            return lambda context, row: expression.eval(FrozenBindings(context, row))
        left = self.value(expression.expr, outer)
        right = self.value(expression.other, outer)

        def related(context: QueryContext, row: Row) -> Node:
            return _compared(compare, left(context, row), right(context, row))

        return related

    def _is_literal(self, expression: Expr, outer: frozenset[Any]) -> Value:
        value = self.value(expression.arg, outer)

        def is_literal(context: QueryContext, row: Row) -> Node:
            return _TRUE if isinstance(value(context, row), Literal) else _FALSE

        return is_literal

    def _string(self, expression: Expr, outer: frozenset[Any]) -> Value:
        value = self.value(expression.arg, outer)
        return lambda context, row: _text(_no_error(value(context, row)))

    def _length(self, expression: Expr, outer: frozenset[Any]) -> Value:
        value = self.value(expression.arg, outer)
        return lambda context, row: _number(len(string(_no_error(value(context, row)))))


# --- triple patterns ----------------------------------------------------------------------


def _matcher(pattern: Sequence[Node]) -> Rows:
    """One triple pattern as a function."""
    subject, predicate, obj = pattern
    places = [(place, node) for place, node in enumerate(pattern) if _is_variable(node)]
    of_subject, of_predicate, of_object = (_is_variable(node) for node in pattern)

    def match(context: QueryContext, row: Row) -> Iterator[Row]:
        wanted = (
            row.get(subject) if of_subject else subject,
            row.get(predicate) if of_predicate else predicate,
            row.get(obj) if of_object else obj,
        )
        graph: Any = context.graph
        for triple in graph.triples(wanted):
            extended = dict(row)
            for place, name in places:
                node = triple[place]
                if wanted[place] is None and extended.setdefault(name, node) != node:
                    break
            else:
                yield extended

    return match


def _chained(steps: Sequence[Rows]) -> Rows:
    """Each step extends the solutions of the one before it."""
    if not steps:
        return lambda context, row: iter((row,))
    if len(steps) == 1:
        return steps[0]
    first, others = steps[0], _chained(steps[1:])

    def chain(context: QueryContext, row: Row) -> Iterator[Row]:
        for each in first(context, row):
            yield from others(context, each)

    return chain


def _unknown(pattern: Sequence[Node], known: frozenset[Any]) -> tuple[int, bool]:
    """How many places nothing is known of; between equals, a known subject comes first."""
    unknown = [_is_variable(node) and node not in known for node in pattern]
    return sum(unknown), unknown[0]


# --- values -------------------------------------------------------------------------------


def _variable(name: Any) -> Value:
    def look_up(context: QueryContext, row: Row) -> Node:
        try:
            return row[name]
        except KeyError:
            raise SPARQLError(f"{name} is not bound") from None

    return look_up


def _check_bound(names: Sequence[Any], row: Row) -> None:
    """rdflib looks variables up before it decides anything: an unbound one is always an error."""
    for name in names:
        if name not in row:
            raise SPARQLError(f"{name} is not bound")


def _truth(value: Any) -> bool:
    """The effective boolean value (SPARQL 1.1, 17.2.2)."""
    if value is _TRUE:
        return True
    if value is _FALSE:
        return False
    if isinstance(value, SPARQLError):
        raise value
    return bool(EBV(value))


def _compared(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> Node:
    """As rdflib compares two terms; it raises where they cannot be."""
    for each in (left, right):
        if isinstance(each, SPARQLError):
            raise each
        if not isinstance(each, Node):
            raise SPARQLError(f"not comparable: {each!r}")
    try:
        result = compare(left, right)
    except TypeError as error:
        raise SPARQLError(*error.args) from error
    if result is NotImplemented:
        raise SPARQLError("not comparable")
    return _TRUE if result else _FALSE


def _ordered(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Only literals have an order, and those of other datatypes than XML Schema's have none."""

    def compared(left: Any, right: Any) -> Any:
        if not (isinstance(left, Literal) and isinstance(right, Literal)):
            raise SPARQLError("only literals have an order")
        foreign = (
            each.datatype is not None and each.datatype not in XSD_DTs for each in (left, right)
        )
        if all(foreign):
            raise SPARQLError("literals of these datatypes have no order")
        return compare(left, right)

    return compared


def _no_error(value: Any) -> Any:
    if isinstance(value, SPARQLError):
        raise value
    return value


@lru_cache(maxsize=4096)
def _text(term: Node) -> Literal:
    return Literal(str(term))


@lru_cache(maxsize=4096)
def _number(value: int) -> Literal:
    return Literal(value)


_COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": lambda left, right: left.eq(right),
    "!=": lambda left, right: left.neq(right),
    "<": _ordered(lambda left, right: left.__lt__(right)),
    ">": _ordered(lambda left, right: left.__gt__(right)),
    "<=": _ordered(lambda left, right: left.__le__(right)),
    ">=": _ordered(lambda left, right: left.__ge__(right)),
}


# --- algebra ------------------------------------------------------------------------------


def _is_variable(node: Any) -> bool:
    return isinstance(node, Variable | BNode)


def _bound_by(part: CompValue) -> frozenset[Any]:
    """Every variable that a solution of this pattern may bind."""
    if part.name == "BGP":
        return _variables_in(part.triples)
    if part.name in ("Join", "LeftJoin", "Union"):
        return _bound_by(part.p1) | _bound_by(part.p2)
    if part.name == "Extend":
        return _bound_by(part.p) | {part.var}
    if part.name == "Filter":
        return _bound_by(part.p)
    raise _NotCovered


def _variables_in(value: Any) -> frozenset[Any]:
    """Every variable that this part of the algebra names."""
    if _is_variable(value):
        return frozenset((value,))
    if isinstance(value, CompValue):
        parts = [each for key, each in value.items() if key != "_vars"]
        return frozenset().union(*(_variables_in(each) for each in parts))
    if isinstance(value, list | tuple | set | frozenset):
        return frozenset().union(*(_variables_in(each) for each in value))
    return frozenset()


def _has_pattern(expression: Any) -> bool:
    """Whether an expression has a graph pattern in it."""
    if isinstance(expression, CompValue):
        if expression.name in ("Builtin_EXISTS", "Builtin_NOTEXISTS"):
            return True
        return any(_has_pattern(each) for each in expression.values())
    if isinstance(expression, list | tuple):
        return any(_has_pattern(each) for each in expression)
    return False
