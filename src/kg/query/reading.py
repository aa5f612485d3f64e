"""Reading a store from Python: typed solutions, graphs, or the bytes of a format."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import overload

from rdflib import Graph
from rdflib.exceptions import ParserError
from rdflib.query import Result
from rdflib.term import Node

from kg.closing import Closing
from kg.errors import NotAcceptable
from kg.media import JSON, N_TRIPLES, Form, Format, formats_for
from kg.query.request import Chooser, QueryRequest
from kg.query.run import Answer, answer
from kg.settings import Settings
from kg.store.base import Release
from kg.store.embedded import EmbeddedStore

Solution = dict[str, Node]
"""One solution of a SELECT: variable names, without `?`, and the terms that they are bound to.

Terms are rdflib's: URIRef, BNode, and Literal, whose `toPython()` gives a Decimal for a decimal.
"""


class Store(Closing):
    """A store that was built, open for reading; a context manager.

    Queries run in a worker process of their own, which ends with the store: one that never
    comes to an end is ended at its deadline, and one that crashes its worker is an error.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._settings = settings
        self._store = EmbeddedStore(folder, settings)

    def release(self) -> Release:
        """The release that queries are answered from now."""
        return self._store.release()

    def releases(self) -> list[Release]:
        """All releases, the oldest first."""
        return self._store.releases()

    @overload
    def query(
        self, query: str, *, format: None = None, deadline: float | None = None
    ) -> list[Solution] | bool | Graph: ...

    @overload
    def query(self, query: str, *, format: str, deadline: float | None = None) -> bytes: ...

    def query(
        self, query: str, *, format: str | None = None, deadline: float | None = None
    ) -> list[Solution] | bool | Graph | bytes:
        """The answer to a SPARQL query.

        Without `format`: a list of solutions for SELECT, a bool for ASK, an rdflib Graph for
        CONSTRUCT and DESCRIBE. With the name of a format, such as "csv" or "turtle": its bytes.
        `deadline` is in seconds. The prefixes of the project are declared. Raises QueryError,
        EvaluationError, NotAcceptable.
        """
        given = self.answer(query, named(format) if format else readable, deadline=deadline)
        with given.spool as spool:
            content = spool.read()
        return content if format else _readable(content, given.form)

    def answer(self, query: str, choose: Chooser, *, deadline: float | None = None) -> Answer:
        """The answer as it is spooled, in the format that is chosen."""
        request = QueryRequest(query=query, choose=choose, deadline=deadline)
        return answer(request, self._store, self._settings)

    def close(self) -> None:
        """End the workers."""
        self._store.close()


def named(name: str) -> Chooser:
    """Chooses the format with this name; it raises NotAcceptable where it is not offered."""

    def choose(offered: Sequence[Format]) -> Format:
        for format in offered:
            if format.name == name:
                return format
        raise NotAcceptable(name, [format.name for format in offered])

    return choose


def readable(offered: Sequence[Format]) -> Format:
    """The format of those offered that Python reads back."""
    return N_TRIPLES if N_TRIPLES in offered else JSON


def _readable(content: bytes, form: Form) -> list[Solution] | bool | Graph:
    try:
        return _typed(content, form)
    except (NotImplementedError, ParserError) as error:
        offered = [format.name for format in formats_for(form)]
        raise NotAcceptable("Python terms: rdflib does not read RDF 1.2", offered) from error


def _typed(content: bytes, form: Form) -> list[Solution] | bool | Graph:
    if form.gives_graph:
        return Graph().parse(data=content, format="nt")
    result = Result.parse(io.BytesIO(content), format="json")
    if form is Form.ASK:
        return bool(result.askAnswer)
    return typed_solutions(result)


def typed_solutions(result: Result) -> list[Solution]:
    """The solutions of a result that rdflib has read."""
    return [{str(name): term for name, term in row.items()} for row in result.bindings]
