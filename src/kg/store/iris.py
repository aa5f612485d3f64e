"""IRIs from outside, read as the engine reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pyoxigraph import NamedNode, RdfFormat, parse

from kg.namespaces import BASE

_POSITION: Final = re.compile(r"^Parser error[^:]*: | \(line \d+\)$")


def absolute_iri(text: str) -> bool:
    """Whether the text is an IRI with a scheme (RFC 3987, section 2.2).

    No character of one can end the IRIREF token (SPARQL 1.1, section 19.8) that it is written as:
    what passes cannot break out of a query.
    """
    try:
        NamedNode(text)
    except ValueError:
        return False
    return True


def named_iri(name: str, prologue: str) -> str:
    """What an IRIREF or a prefixed name stands for after these BASE and PREFIX declarations.

    A relative IRI is resolved against the base of all queries, unless one is declared. Raises
    ValueError, with the reason as a phrase, where it stands for no absolute IRI.
    """
    return next(named_iris([name], prologue))


def named_iris(names: Iterable[str], prologue: str) -> Iterator[str]:
    """What each of the names stands for, as of `named_iri`; the prologue is read once."""
    # Names and declarations are those of SPARQL (Turtle 1.2, sections 2.4 and 6.3).
    names = list(names)
    document = "\n".join((prologue, *(f"<a:> <a:> {name} ." for name in names)))
    try:
        quads = parse(document, RdfFormat.TURTLE, base_iri=BASE)
        for name, quad in zip(names, quads, strict=False):
            if not isinstance(quad.object, NamedNode):
                raise ValueError(f"“{name}” is no IRI")
            yield quad.object.value
    except SyntaxError as error:
        raise ValueError(_POSITION.sub("", str(error))) from error
