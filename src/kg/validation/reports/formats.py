"""The formats of a report by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from kg.validation.reports.html import html
from kg.validation.reports.junit import junit
from kg.validation.reports.report import Report
from kg.validation.reports.sarif import sarif
from kg.validation.reports.shacl import turtle
from kg.validation.reports.structured import json_report
from kg.validation.reports.text import text

WRITERS: Final[Mapping[str, Callable[[Report], str]]] = {
    "text": text,
    "json": json_report,
    "turtle": turtle,
    "sarif": sarif,
    "html": html,
    "junit": junit,
}
