"""`kg releases`: the history of a store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click
from rich.markup import escape
from rich.table import Table

from kg.cli.options import format_option, store_option
from kg.cli.tables import show_table
from kg.store.base import Changes, Release
from kg.store.moves import Move
from kg.store.releases import Releases

Row = Mapping[str, object]
_MINUS: Final = "\N{MINUS SIGN}"


@click.command()
@store_option
@format_option
@click.option("--moves", is_flag=True, help="Show the rollbacks, too.")
@click.option("--limit", type=click.IntRange(1), help="Show only so many, the newest.")
def releases(store: Path, written: str, moves: bool, limit: int | None) -> None:
    """List the releases of the store, the newest last; HEAD is marked with a star.

    Each is shown with what it changed in its parent.
    """
    folder = Releases.open(store)
    rows = _rows(folder, limit)
    told = [_move_row(move) for move in folder.moves()] if moves else []
    if limit:
        told = told[-limit:]
    if written == "json":
        click.echo(json.dumps({"releases": rows, "moves": told} if moves else rows, indent=2))
        return
    show_table(_table(rows))
    if moves:
        show_table(_moves_table(told))


def _rows(folder: Releases, limit: int | None) -> list[Row]:
    head, cited = folder.head().name, folder.citations()
    tags: dict[str, list[str]] = {}
    for tag in folder.tags():
        tags.setdefault(tag.release, []).append(tag.name)
    return [
        _row(release, head, tags.get(release.name, []), cited[release.name])
        for release in folder.all(limit)
    ]


def _row(release: Release, head: str, tags: list[str], cited: int) -> Row:
    changes = release.changes
    return {
        "number": release.number,
        "name": release.name,
        "head": release.name == head,
        "time": release.time,
        "parent": release.parent,
        "quads": release.quads,
        "graphs": len(release.graphs),
        "unchecked": sum(not graph.checked for graph in release.graphs),
        "digest": release.digest,
        "who": release.who,
        "message": release.message,
        "changes": {name: getattr(changes, name) for name in Changes.__dataclass_fields__},
        "tags": tags,
        "cited": cited,
        "changed": changed(changes),
    }


def changed(changes: Changes) -> str:
    """The counts in words: `+12 quads; 1 graph new, 2 changed`."""
    quads = [
        f"{sign}{count:,}"
        for sign, count in (("+", changes.quads_added), (_MINUS, changes.quads_removed))
        if count
    ]
    counts = (
        (changes.graphs_added, "new"),
        (changes.graphs_changed, "changed"),
        (changes.graphs_removed, "gone"),
    )
    told = [(count, what) for count, what in counts if count]
    graphs = [f"{count:,} {what}" for count, what in told]
    if graphs:
        noun = "graph" if told[0][0] == 1 else "graphs"
        graphs[0] = f"{told[0][0]:,} {noun} {told[0][1]}"
    parts = [" ".join(quads) + " quads"] if quads else []
    return "; ".join([*parts, *([", ".join(graphs)] if graphs else [])]) or "no quads"


def _table(rows: list[Row]) -> Table:
    columns = ("name", "time", "quads", "changed", "who", "message")
    # A column that would be empty is left out.
    extra = [name for name in ("tags", "cited", "unchecked") if any(row[name] for row in rows)]
    table = Table("", *columns, *extra)
    for row in rows:
        cells = [str(row[name]) for name in columns]
        tags = row["tags"]
        shown = {
            "tags": ", ".join(tags) if isinstance(tags, list) else "",
            "cited": str(row["cited"] or ""),
            "unchecked": f"{row['unchecked']} graphs" if row["unchecked"] else "",
        }
        star = "*" if row["head"] else ""
        table.add_row(star, *map(escape, [*cells, *(shown[name] for name in extra)]))
    return table


def _move_row(move: Move) -> Row:
    return {
        "from": move.before,
        "to": move.after,
        "time": move.time,
        "who": move.who,
        "message": move.message,
    }


def _moves_table(rows: list[Row]) -> Table:
    table = Table("HEAD moved at", "from", "to", "who", "message")
    for row in rows:
        cells = (str(row[name]) for name in ("time", "from", "to", "who", "message"))
        table.add_row(*map(escape, cells))
    return table
