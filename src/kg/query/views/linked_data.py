"""A resource in the terms of schema.org, as JSON-LD that its page carries for search engines.

It has what the release says publicly, and nothing else: no number without the words of its hedge
and of whose word it is, no author but one whom the words name, no words of a quote without its
speaker, and of a person who is withheld the IRI alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kg.namespaces import RF, SCHEMA
from kg.query.changes import ARTICLE
from kg.query.claims import Claim
from kg.query.telling import is_attributed, reading
from kg.query.views.look import WITHHELD, Label, Look, Term
from kg.query.views.resource import SKOS, Resource

_AS_SCHEMA: Final = {
    RF + "Cohort": "StatisticalPopulation",
    "http://www.w3.org/ns/org#Organization": "Organization",
    "http://www.w3.org/2004/02/skos/core#Concept": "DefinedTerm",
    "http://www.w3.org/2004/02/skos/core#ConceptScheme": "DefinedTermSet",
}
_TYPES: Final = frozenset(
    (
        *("Place", "Country", "City", "AdministrativeArea", "Person", "Organization"),
        *("NewsMediaOrganization", "GovernmentOrganization", "NewsArticle", "BlogPosting"),
        *("Report", "ImageObject", "VideoObject"),
    )
)
_SAME: Final = (SKOS + "exactMatch", SCHEMA + "sameAs")
_TEXTS: Final = {
    SCHEMA + "headline": "headline",
    SCHEMA + "datePublished": "datePublished",
    SCHEMA + "dateModified": "dateModified",
    SCHEMA + "inLanguage": "inLanguage",
    SCHEMA + "version": "version",
}
_LINKS: Final = {
    SCHEMA + "author": "author",
    SCHEMA + "publisher": "publisher",
    SCHEMA + "isPartOf": "isPartOf",
    SCHEMA + "containedInPlace": "containedInPlace",
}
"""What the data say with these properties themselves."""
_TERMINAL: Final = RF + "terminalSource"
_ABOUT: Final = (
    "http://purl.org/linked-data/sdmx/2009/dimension#refArea",
    RF + "cohort",
    RF + "about",
)


def linked_data(found: Resource, labels: Mapping[str, Label]) -> dict[str, Any]:
    """The object of a resource that is no claim."""
    types = sorted(filter(None, (_type(iri) for iri in found.types)))
    quoted = RF + "Quote" in found.types
    members: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": types[0] if len(types) == 1 else types or "Thing",
        "@id": found.iri,
        "name": _text(found.title.text, found.title.language) if found.named else None,
        "description": _literal(found.description) if found.description and not quoted else None,
        "sameAs": [term.value for name in _SAME for term in found.terms(name) if term.is_iri],
    }
    for property, name in _TEXTS.items():
        members[name] = [_literal(term) for term in found.terms(property)]
    for property, name in _LINKS.items():
        members[name] = [_named(term.value, labels) for term in found.terms(property)]
    members["url"] = [term.value for term in found.terms(SCHEMA + "url")]
    return _filled(members)


def claim_data(look: Look, claim: Claim, labels: Mapping[str, Label]) -> dict[str, Any]:
    """The object of a claim: what it says, hedged as it is, where it appears, on whose word."""
    article = claim.source.article
    appearance = {
        "@type": "CreativeWork",
        "@id": article,
        "name": labels[article].text if article in labels else None,
        "publisher": {"@type": "Organization", "name": claim.source.publisher}
        if claim.source.publisher
        else None,
        "datePublished": claim.source.published or None,
    }
    return _filled(
        {
            "@context": "https://schema.org",
            "@type": "Claim",
            "@id": claim.iri,
            "description": reading(claim),
            "author": [_named(value.term[1:-1], labels) for value in claim.values(_TERMINAL)]
            if is_attributed(claim)
            else None,
            "appearance": _filled(appearance) if claim.values(ARTICLE) else None,
            "about": [
                _named(value.term[1:-1], labels)
                for property in _ABOUT
                for value in claim.values(property)
                if value.term.startswith("<")
            ],
            "version": look.release.name,
        }
    )


def _type(iri: str) -> str:
    name = iri.removeprefix(SCHEMA)
    return name if iri.startswith(SCHEMA) and name in _TYPES else _AS_SCHEMA.get(iri, "")


def _literal(term: Term) -> Any:
    return _text(term.value, term.language)


def _text(text: str, language: str) -> Any:
    return {"@value": text, "@language": language} if language else text


def _named(iri: str, labels: Mapping[str, Label]) -> dict[str, Any]:
    label = labels.get(iri)
    return _filled({"@id": iri, "name": label.text if label and label != WITHHELD else None})


def _filled(members: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not known; a list of one thing as that thing."""
    return {
        name: value[0] if isinstance(value, list) and len(value) == 1 else value
        for name, value in members.items()
        if value not in (None, [], "")
    }
