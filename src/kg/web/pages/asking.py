"""What a page was asked for: IRIs, names and numbers in the query of its address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from flask import request

from kg.errors import BadArgument
from kg.store.iris import absolute_iri

_MOST: Final = 50
"""Values of one parameter."""
_LONGEST: Final = 2_000
"""Characters of all values of one parameter, as an address writes them."""
_LAST: Final = 9_999_999
"""The last part of a list that can be asked for."""


def asked_iri(name: str, prefixes: Mapping[str, str]) -> str:
    """The IRI that a parameter gives, in full or with a prefix; empty where it is not given."""
    iris = asked_iris(name, prefixes)
    if len(iris) > 1:
        raise BadArgument(f"“{name}” is given {len(iris)} times", remedy="Give it once.")
    return iris[0] if iris else ""


def asked_iris(name: str, prefixes: Mapping[str, str]) -> list[str]:
    """The IRIs that a parameter gives, as `asked_iri`; raises BadArgument."""
    return [_iri(name, value, prefixes) for value in asked_values(name)]


def asked_values(name: str) -> list[str]:
    """The values that a parameter has, each once; raises BadArgument.

    Pages say them again, in links above all: so there are not too many, nor too long ones.
    """
    values = list(dict.fromkeys(value for value in request.args.getlist(name) if value))
    if len(values) > _MOST:
        raise BadArgument(
            f"“{name}” has {len(values)} values", remedy=f"Give at most {_MOST} of them."
        )
    if sum(len(quote(value)) for value in values) > _LONGEST:
        raise BadArgument(f"“{name}” is too long", remedy=f"Give at most {_LONGEST:,} characters.")
    return values


def asked_page(most: int = _LAST) -> int:
    """The part of a list that is asked for, from 1; raises BadArgument."""
    return asked_number("page", 1, most)


def asked_number(name: str, usual: int, most: int) -> int:
    """A parameter that is a whole number from 1 to `most`; raises BadArgument."""
    text = request.args.get(name, "")
    if not text:
        return usual
    # The length is looked at first: int() takes no text of thousands of digits.
    good = text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= most
    if not good:
        remedy = f"It takes a whole number from 1 to {most:,}."
        raise BadArgument(f"“{name}” is “{text[:40]}”", remedy=remedy)
    return int(text)


def _iri(name: str, value: str, prefixes: Mapping[str, str]) -> str:
    prefix, _, local = value.strip("<>").partition(":")
    iri = prefixes[prefix] + local if prefix in prefixes else value.strip("<>")
    if not absolute_iri(iri):
        raise BadArgument(
            f"“{name}” is “{value[:80]}”, which is no IRI",
            remedy="Give an IRI, in full or with a prefix such as area:US.",
        )
    return iri
