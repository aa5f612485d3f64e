"""The lexical form of a YAML value as a datatype of XML Schema."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from kg.errors import MalformedData
from kg.namespaces import XSD
from kg.store.memory import MemoryDataset

WANTED: Final = {
    XSD + "decimal": "a number, such as 5000 or 0.25",
    XSD + "integer": "a whole number from 0",
    XSD + "boolean": "true or false",
    XSD + "date": "a date, such as 2017-10-24",
    XSD + "gYearMonth": "a month, such as 2017-10",
    XSD + "gYear": "a year, such as 2015",
    XSD + "gMonthDay": "a day of an unstated year, such as --10-24",
    "@id": "a name, such as org/fox-news",
    "@vocab": "the name of a concept",
}
"""What a value of each type looks like."""

_PATTERNS: Final = {
    XSD + "gYearMonth": re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])"),
    XSD + "gYear": re.compile(r"[0-9]{4}"),
    XSD + "gMonthDay": re.compile(r"--(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"),
}
_IRIREF: Final = re.compile(r"[^\x00-\x20<>\"{}|^`\\]+")
"""The inside of an IRIREF (Turtle 1.1, 6.5)."""

_SCALE: Final = 18
_LARGEST: Final = Decimal("170141183460469231731.687303715884105727")
"""The engine computes decimals with 128 bits, 18 digits after the point; beyond, it gives none."""


@lru_cache(maxsize=4096)
def is_iri(text: str) -> bool:
    """Whether the text is an absolute IRI that the engine takes (RFC 3987, section 2.2)."""
    if not _IRIREF.fullmatch(text):
        return False
    try:
        MemoryDataset().add("urn:graph", f"<{text}> <{text}> <{text}> .".encode())
    except MalformedData:
        return False
    return True


def lexical(value: Any, datatype: str | None) -> str | None:
    """The lexical form of `value` as this datatype; None where it is not of it."""
    if isinstance(value, bool):
        return str(value).lower() if datatype == XSD + "boolean" else None
    if datatype == XSD + "boolean" or isinstance(value, dict | list):
        return None
    if datatype in (XSD + "decimal", XSD + "integer"):
        return _number(value, whole=datatype == XSD + "integer")
    if datatype == XSD + "date":
        return _date(value)
    if datatype in _PATTERNS:
        return str(value) if _PATTERNS[datatype].fullmatch(str(value)) else None
    return str(value) if isinstance(value, str | int | float | datetime.date) else None


def _number(value: Any, *, whole: bool) -> str | None:
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    if not number.is_finite() or number.copy_abs() > _LARGEST:
        return None
    if whole:
        return str(int(number)) if number == int(number) and 0 <= number < 2**63 else None
    return f"{number:f}" if -int(number.as_tuple().exponent) <= _SCALE else None


def _date(value: Any) -> str | None:
    try:
        return datetime.date.fromisoformat(str(value)).isoformat()
    except ValueError:
        return None
