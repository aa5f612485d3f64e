"""Validators: the ETag of an answer, and whether a client has it already (RFC 9110, section 13)."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

from kg.query.run import Plan

_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')
_STRONG: Final = re.compile(r'(?:^|,)[ \t]*("[^"]*")')


def etag(plan: Plan, door: str = "") -> str:
    """The strong validator of an answer, known before it is evaluated, with its quotes.

    It stands for the release, the query, the dataset, the format, the coding and the rows: one
    other of these is another answer, and nothing else makes one. A `door` that may refuse the same
    query has answers of its own.
    """
    task = plan.task
    parts = (
        door,
        plan.release.name,
        plan.format.name,
        task.coding.value,
        str(task.rows),
        *task.dataset.default_graphs,
        "",  # no graph has this name
        *task.dataset.named_graphs,
        "",
        task.query,
    )
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return f'"{base64.urlsafe_b64encode(digest[:18]).decode()}"'


def has(if_none_match: str | None, etag: str) -> bool:
    """Whether the field names this ETag, compared weakly (RFC 9110, 13.1.2)."""
    if not if_none_match:
        return False
    return if_none_match == etag or etag in _TAG.findall(if_none_match)


def holds(if_match: str, etag: str | None) -> bool:
    """Whether the field names this ETag, compared strongly (RFC 9110, 13.1.1); `*` names any."""
    return if_match.strip() == "*" or etag in _STRONG.findall(if_match)
