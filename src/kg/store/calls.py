"""Running what may call a function of our own, which the engine is told of when it asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

Term = NamedNode | BlankNode | Literal | Triple
Functions = dict[NamedNode, Callable[..., Term | None]]
"""By name, as the engine takes them; a function that gives None is an error of the expression."""

_Result = TypeVar("_Result")
_MISSING: Final = re.compile(r"The custom function <.*> is not supported", re.DOTALL)


def with_functions(run: Callable[[Functions | None], _Result]) -> _Result:
    """What `run` gives: it is told of no function first, and of ours where one is missing.

    The engine looks for all functions of a query before it evaluates any of it. Telling it of ours
    each time would make a point query slower by a fourth, and importing them each worker.
    """
    try:
        return run(None)
    except RuntimeError as error:
        if not _MISSING.fullmatch(str(error)):
            raise
    from kg.store.functions import functions

    return run(functions())
