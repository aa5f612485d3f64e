"""The JSON-LD context: what the keys of sources mean, and the prefixes of queries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kg.errors import MalformedFile, Place
from kg.files import read_text
from kg.namespaces import BASE


@dataclass(frozen=True, slots=True)
class TermDefinition:
    """One term of a context: the property it stands for, and how its values are read.

    `type` is a datatype's IRI, `@id`, `@vocab`, or None for plain text; `vocabulary` is what the
    values of an `@vocab` term are appended to.
    """

    iri: str
    type: str | None
    vocabulary: str


@dataclass(frozen=True, slots=True)
class Context:
    """A JSON-LD 1.1 context, as far as the sources of articles use it."""

    document: Mapping[str, object]
    base: str
    prefixes: Mapping[str, str]
    terms: Mapping[str, TermDefinition]

    @classmethod
    def read(cls, file: Path) -> Context:
        """The context in this file. Raises MissingFile or MalformedFile."""
        try:
            return cls.parse(read_text(file, "it says what the keys of the sources mean").encode())
        except json.JSONDecodeError as error:
            place = Place(file, error.lineno, error.colno)
            raise MalformedFile(place, "JSON", error.msg) from error
        except (KeyError, AttributeError, TypeError) as error:
            problem = "it has no object @context"
            raise MalformedFile(Place(file), "a JSON-LD context", problem) from error

    @classmethod
    def parse(cls, content: bytes) -> Context:
        """The context in these bytes of JSON."""
        document = json.loads(content)
        entries = document["@context"]
        prefixes = {
            name: iri
            for name, iri in entries.items()
            if isinstance(iri, str) and not name.startswith("@") and iri.endswith(("#", "/"))
        }
        terms = {
            name: _definition(entry, prefixes)
            for name, entry in entries.items()
            if name not in prefixes and not name.startswith("@") and entry not in ("@id", "@type")
        }
        return cls(document, entries.get("@base", BASE), prefixes, terms)

    def expand(self, compact: str, vocabulary: str = "") -> str:
        """The IRI of `prefix:local`, of an IRI itself, or of a name relative to `vocabulary`."""
        prefix, colon, local = compact.partition(":")
        if colon and prefix in self.prefixes and not local.startswith("//"):
            return self.prefixes[prefix] + local
        return compact if colon else (vocabulary or self.base) + compact

    def value_iri(self, key: str, value: str) -> str | None:
        """The IRI that `value` stands for under this key; None where the key takes no IRI."""
        term = self.terms[key]
        if term.type not in ("@id", "@vocab"):
            return None
        if term.type == "@vocab":  # JSON-LD 1.1 API, 5.2.2: a term comes first
            if value in self.terms:
                return self.terms[value].iri
            value = self.prefixes.get(value, value)
        return self.expand(value, term.vocabulary)


def _definition(entry: object, prefixes: Mapping[str, str]) -> TermDefinition:
    if isinstance(entry, str):
        entry = {"@id": entry}
    if not isinstance(entry, dict):
        raise TypeError(entry)
    scoped = entry.get("@context", {})
    return TermDefinition(
        iri=_curie(entry["@id"], prefixes),
        type=_curie(entry["@type"], prefixes) if "@type" in entry else None,
        vocabulary=scoped.get("@vocab", ""),
    )


def _curie(name: str, prefixes: Mapping[str, str]) -> str:
    prefix, _, local = name.partition(":")
    return prefixes[prefix] + local if prefix in prefixes else name
