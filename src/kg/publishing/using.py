"""The dataset of the protocol as USING clauses (SPARQL 1.1 Protocol, 2.2.3)."""

from __future__ import annotations

from kg.errors import BadArgument
from kg.query.lexer import Kind, Token, tokens
from kg.store.base import Dataset
from kg.store.iris import absolute_iri


def with_dataset(operation: str, dataset: Dataset) -> str:
    """The operation, its pattern read from this dataset; as it is where it has no pattern.

    `operation` is one that `operations` gave and that describes no dataset. Raises BadArgument
    for a name that is no IRI.
    """
    head = [token for token in _outermost(operation) if token.kind is not Kind.COMMENT]
    where = next((token for token in head if _is(token, "WHERE")), None)
    if where is None:
        return operation
    clauses = " ".join(_clauses(dataset))
    template = ""
    if _is(
        head[head.index(where) - 1], "DELETE"
    ):  # DELETE WHERE takes no clause: made one that does
        template = operation[where.start + len("WHERE") :]
    return f"{operation[: where.start]}{template} {clauses} {operation[where.start :]}"


def _clauses(dataset: Dataset) -> list[str]:
    for iri in (*dataset.default_graphs, *dataset.named_graphs):
        if not absolute_iri(iri):
            raise BadArgument(f"{iri!r} is no IRI", remedy="Name a graph by its absolute IRI.")
    return [
        *(f"USING <{iri}>" for iri in dataset.default_graphs),
        *(f"USING NAMED <{iri}>" for iri in dataset.named_graphs),
    ]


def _outermost(text: str) -> list[Token]:
    """The tokens outside of all braces."""
    found, depth = [], 0
    for token in tokens(text):
        depth -= token.text == "}"
        if depth == 0:
            found.append(token)
        depth += token.text == "{"
    return found


def _is(token: Token, word: str) -> bool:
    return token.kind is Kind.WORD and token.text.upper() == word
