"""Tables on standard output, and solutions as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rdflib import Literal, URIRef
from rdflib.term import Node
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kg.query.reading import Solution
from kg.validation.report import compact

_UNBOUNDED = 1_000_000
"""A width at which nothing is folded, for output that a program reads."""


def show_table(table: Table) -> None:
    """The table as wide as the terminal, folding long cells; unfolded where there is none."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_UNBOUNDED)
    table.box = box.SIMPLE_HEAD
    console.print(table)


def solutions_table(
    variables: Sequence[str], solutions: Sequence[Solution], prefixes: Mapping[str, str]
) -> Table:
    """Solutions as a table; IRIs with prefixes, literals as their text, unbound cells empty."""
    table = Table()
    for variable in variables:
        table.add_column(variable, overflow="fold")
    for solution in solutions:
        cells = (_cell(solution.get(variable), prefixes) for variable in variables)
        table.add_row(*map(escape, cells))
    return table


def _cell(term: Node | None, prefixes: Mapping[str, str]) -> str:
    if isinstance(term, URIRef):
        return compact(str(term), prefixes)
    if isinstance(term, Literal):
        return str(term)
    return "" if term is None else f"_:{term}"
