"""The findings of the audit, read from a release."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rdflib.query import Result

from kg.media import JSON, Format
from kg.namespaces import FINDINGS, SCHEMA
from kg.query.request import QueryRequest
from kg.query.run import answer
from kg.query.telling import day
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore

AUDITED: Final = FINDINGS + "release"
"""The graph that says of which release the findings are, where they are not of this one."""

_QUERY: Final = Path(__file__).with_suffix(".rq")


@dataclass(frozen=True, slots=True, order=True)
class Concerned:
    """A claim or a quote that a finding is about, with its source and its place there."""

    iri: str
    source: str
    place: str
    wording: str


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One rf:Finding, with the labels of its concepts; empty where it has none."""

    iri: str
    rule: str
    severity: str
    verdict: str
    reason: str
    reading: str
    message: str
    concerned: tuple[Concerned, ...]


def findings(
    store: EmbeddedStore, settings: Settings, release: str | None = None
) -> list[AuditFinding]:
    """The findings of a release (None: HEAD) by rule, warnings first, then by message.

    Raises StoreError for an unknown release, and EvaluationError.
    """
    request = QueryRequest(query=_QUERY.read_text(), choose=_json, release=release)
    with answer(request, store, settings).spool as spool:
        solutions = Result.parse(io.BytesIO(spool.read()), format="json").bindings
    return read([{str(name): str(term) for name, term in row.items()} for row in solutions])


def read(rows: Iterable[dict[str, str]]) -> list[AuditFinding]:
    """The findings of the solutions of `findings.rq`, in the same order."""
    grouped: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        grouped.setdefault(row["finding"], []).append(row)
    return sorted((_finding(iri, group) for iri, group in grouped.items()), key=_order)


def audited_release(store: EmbeddedStore, settings: Settings) -> str | None:
    """The release that the findings of HEAD are of, where they are not of HEAD itself."""
    query = f"SELECT ?name {{ GRAPH <{AUDITED}> {{ <{FINDINGS}> <{SCHEMA}version> ?name }} }}"
    request = QueryRequest(query=query, choose=_json)
    with answer(request, store, settings).spool as spool:
        found = Result.parse(io.BytesIO(spool.read()), format="json").bindings
    return next((str(term) for row in found for term in row.values()), None)


def new_since(
    findings: Iterable[AuditFinding], earlier: Iterable[AuditFinding]
) -> list[AuditFinding]:
    """Those that are not among the earlier ones, or are there with another content."""
    known = {_said(finding) for finding in earlier}
    return [finding for finding in findings if _said(finding) not in known]


def _said(finding: AuditFinding) -> tuple[object, ...]:
    """The finding less what its claims say besides: a claim may change without it."""
    claims = tuple(claim.iri for claim in finding.concerned)
    parts = (finding.severity, finding.verdict, finding.reason, finding.reading, finding.message)
    return (finding.iri, *parts, claims)


def _json(offered: Sequence[Format]) -> Format:
    return JSON


def _finding(iri: str, rows: Sequence[dict[str, str]]) -> AuditFinding:
    first = rows[0]
    return AuditFinding(
        iri=iri,
        rule=first["rule"],
        severity=first["severity"].rsplit("#", 1)[-1],
        verdict=first["verdict"],
        reason=first.get("reason", ""),
        reading=first.get("reading", ""),
        message=first["message"],
        concerned=tuple(sorted({_concerned(row) for row in rows})),
    )


def _concerned(row: dict[str, str]) -> Concerned:
    parts = (row.get("publisher", ""), day(row.get("published", "")))
    source = ", ".join(part for part in parts if part)
    return Concerned(row["node"], source, _place(row), row.get("wording", ""))


def _place(row: dict[str, str]) -> str:
    """The block and the code points; the claim's key where the text is not held."""
    if "start" in row:
        block = f"block {row['block']}, " if "block" in row else ""
        return f"{block}{row['start']}-{row['end']}"
    return row.get("identifier", "")


def _order(finding: AuditFinding) -> tuple[str, int, bool, str, str]:
    """W2 comes before W10."""
    letters, digits = re.sub(r"\d+$", "", finding.rule), re.search(r"\d+$", finding.rule)
    number = int(digits.group()) if digits else 0
    return letters, number, finding.severity != "Warning", finding.message, finding.iri
