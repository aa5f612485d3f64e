"""The functions `rff:` over intervals, for queries, updates and rules (SPARQL 1.1 Query, 17.6).

A term that a function does not take, or too few or too many of them, are an error of the expression
as of any other function of SPARQL: a BIND leaves its variable unbound, a FILTER drops the solution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Final

from pyoxigraph import Literal, NamedNode

from kg.errors import BadArgument
from kg.intervals import Interval, Relation, decimal, interval, number, parse, point
from kg.namespaces import CODE, FUNCTION, XSD
from kg.store.calls import Functions, Term

_Value = Interval | Relation | Fraction | bool

_INTERVAL: Final = NamedNode(FUNCTION + "interval")
"""The constructor, and the datatype of what it gives, as of the casts of XML Schema."""
_DECIMAL: Final = NamedNode(XSD + "decimal")
_NUMBERS: Final = (NamedNode(XSD + "integer"), _DECIMAL)
"""The engine has already made one of the other types of whole numbers."""
_STRING: Final = NamedNode(XSD + "string")
_TRUE: Final = Literal(True)
_FALSE: Final = Literal(False)


@dataclass(frozen=True, slots=True)
class _Function:
    """What is computed of so many terms; a number of terms that is not in `arities` is refused."""

    arities: range | tuple[int, ...]
    work: Callable[[tuple[Term, ...]], _Value]

    def __call__(self, *terms: Term) -> Term | None:
        """The term that it comes to; None is an error of the expression."""
        if len(terms) not in self.arities:
            return None
        try:
            return _term(self.work(terms))
        except BadArgument:
            return None


def functions() -> Functions:
    """All functions."""
    return {NamedNode(FUNCTION + name): function for name, function in _functions().items()}


def function_iris() -> list[str]:
    """The names of all functions, sorted."""
    return sorted(FUNCTION + name for name in _functions())


def _functions() -> dict[str, _Function]:
    return {
        "interval": _Function((1, 2, 4), _constructed),
        "contains": _of_two(Interval.contains),
        "overlaps": _of_two(Interval.overlaps),
        "disjoint": _of_two(Interval.is_disjoint),
        "relation": _of_two(Interval.relation),
        "intersection": _of_many(Interval.intersection),
        "hull": _of_many(Interval.hull),
        "sum": _of_many(Interval.sum),
        "difference": _of_two(Interval.difference),
        "product": _of_many(Interval.product),
        "ratio": _of_two(Interval.ratio),
        "relativeDifference": _of_two(Interval.relative_difference),
        "lower": _of_one(_lower),
        "upper": _of_one(_upper),
        "lowerOpen": _of_one(lambda one: one.lower_open and _lower(one) is not None),
        "upperOpen": _of_one(lambda one: one.upper_open and _upper(one) is not None),
        "isEmpty": _of_one(lambda one: one.is_empty),
    }


def _of_one(work: Callable[[Interval], _Value]) -> _Function:
    return _Function((1,), lambda terms: work(_interval(terms[0])))


def _of_two(work: Callable[[Interval, Interval], _Value]) -> _Function:
    return _Function((2,), lambda terms: work(_interval(terms[0]), _interval(terms[1])))


def _of_many(work: Callable[[Interval, Interval], Interval]) -> _Function:
    return _Function(range(1, 100), lambda terms: reduce(work, map(_interval, terms)))


# --- parts of an interval -----------------------------------------------------------------


def _lower(one: Interval) -> Fraction:
    return _known(one.lower, one)


def _upper(one: Interval) -> Fraction:
    return _known(one.upper, one)


def _known(end: Fraction | None, one: Interval) -> Fraction:
    if end is None or one.is_empty:
        raise BadArgument(f"“{one}” has no such end")
    return end


# --- terms to values, and back ------------------------------------------------------------


def _constructed(terms: tuple[Term, ...]) -> Interval:
    """From an interval; from two ends; from two ends, each with whether it is open."""
    if len(terms) == 1:
        return _interval(terms[0])
    lower, upper = _bound(terms[0]), _bound(terms[len(terms) // 2])
    if lower is not None and upper is not None and lower > upper:
        raise BadArgument("the lower end is above the upper one")
    flags = (_flag(terms[1]), _flag(terms[3])) if len(terms) == 4 else (False, False)
    return interval(lower, upper, lower_open=flags[0], upper_open=flags[1])


def _interval(term: Term) -> Interval:
    """An interval, one in words, or a number, which is the interval of that number alone."""
    if isinstance(term, Literal) and term.datatype in (_INTERVAL, _STRING):
        return parse(term.value)
    return point(_number(term))


def _bound(term: Term) -> Fraction | None:
    """A number, or none where the term is the empty string."""
    if isinstance(term, Literal) and term.datatype == _STRING and not term.value:
        return None
    return _number(term)


def _number(term: Term) -> Fraction:
    if not (isinstance(term, Literal) and term.datatype in _NUMBERS):
        raise BadArgument("a decimal or a whole number belongs here")
    return number(term.value)


def _flag(term: Term) -> bool:
    if term not in (_TRUE, _FALSE):
        raise BadArgument("true or false belongs here")
    return term == _TRUE


def _term(value: _Value) -> Term:
    """Raises BadArgument for an interval with an end that no function could read again."""
    if isinstance(value, bool):
        return Literal(value)
    if isinstance(value, Relation):
        return NamedNode(CODE + value)
    if isinstance(value, Fraction):
        return Literal(decimal(value), datatype=_DECIMAL)
    text = str(value)
    parse(text)
    return Literal(text, datatype=_INTERVAL)
