"""The pages of the ontology: its classes, properties, codes and shapes, as the release has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kg.errors import UnknownResource
from kg.query.prefixes import prefixes_of
from kg.query.views.diagram import diagram
from kg.query.views.look import Look
from kg.query.views.ontology import (
    Kind,
    Ontology,
    Version,
    beginnings,
    concepts,
    ontology,
    scheme,
    schemes,
    versions,
)
from kg.query.views.shapes import Shape, shapes
from kg.store.base import Release
from kg.web.exchange import Exchange
from kg.web.pages.asking import asked_iri, asked_page
from kg.web.pages.keeping import Kept
from kg.web.pages.site import Site

_TERMS: Final = 60
"""Classes or properties on one page."""
_SCHEMES: Final = 40
_EACH: Final = 30
"""Concepts that are named beside their scheme."""
_CONCEPTS: Final = 100
_CASES: Final = 40
_LOOKED_AT: Final = 200
"""Releases in which versions are looked for."""
_VERSIONS: Final = 10
"""Versions of the ontology that are compared; as many are kept, and two more."""


def routes(reads: Blueprint, site: Site) -> None:
    """Register `/ontology` and its parts."""
    kept = Kept[Ontology](site.settings.deadline, _VERSIONS + 2)

    def terms(look: Look) -> Ontology:
        return kept.get(look.release.name, lambda: ontology(look))

    def told_versions(began: list[Release]) -> list[Version]:
        if len(began) < 2:
            return []
        ticket = Exchange.of(request).ticket
        looks = (Look(site.store, site.settings, release, ticket) for release in began)
        return versions(began, map(terms, looks))

    @reads.get("/ontology", endpoint="ontology")
    def classes() -> Response:
        page, began = asked_page(), _beginnings(site)

        def make(look: Look) -> dict[str, Any]:
            found = terms(look)
            return {
                "ontology": found,
                "diagram": diagram(found) if page == 1 else None,
                "datatypes": found.of(Kind.DATATYPE) if page == 1 else [],
                "versions": told_versions(began) if page == 1 else [],
                **_part(found.of(Kind.CLASS), page, _TERMS),
            }

        return site.page("ontology.html", make, state=" ".join(each.name for each in began))

    @reads.get("/ontology/properties", endpoint="ontology_properties")
    def properties() -> Response:
        page = asked_page()

        def make(look: Look) -> dict[str, Any]:
            found = terms(look)
            return {"ontology": found, **_part(found.properties, page, _TERMS)}

        return site.page("ontology-properties.html", make)

    @reads.get("/ontology/codes", endpoint="ontology_codes")
    def codes() -> Response:
        page, iri = asked_page(), asked_iri("scheme", prefixes_of(site.release()))

        def make(look: Look) -> dict[str, Any]:
            return _scheme(look, iri, page) if iri else _schemes(look, page)

        template = "ontology-scheme.html" if iri else "ontology-codes.html"
        return site.page(template, make)

    @reads.get("/ontology/shapes", endpoint="ontology_shapes")
    def checked() -> Response:
        page, iri = asked_page(), asked_iri("shape", prefixes_of(site.release()))

        def make(look: Look) -> dict[str, Any]:
            found = shapes(look.release.folder)
            if not iri:
                return {"labels": terms(look).labels(), **_part(found, page, _TERMS * 2)}
            shape = _shape(found, iri, look.release)
            labels = terms(look).labels()
            return {"shape": shape, "labels": labels, **_part(shape.cases, page, _CASES)}

        return site.page("ontology-shape.html" if iri else "ontology-shapes.html", make)


def _part(items: Sequence[object], page: int, size: int) -> dict[str, Any]:
    """The items of a page, and whether there are more."""
    first = (page - 1) * size
    return {
        "items": items[first : first + size],
        "total": len(items),
        "page": page,
        "more": len(items) > first + size,
    }


def _schemes(look: Look, page: int) -> dict[str, Any]:
    found = schemes(look, limit=_SCHEMES + 1, offset=(page - 1) * _SCHEMES, each=_EACH)
    return {"items": found[:_SCHEMES], "page": page, "more": len(found) > _SCHEMES}


def _scheme(look: Look, iri: str, page: int) -> dict[str, Any]:
    about = scheme(look, iri)
    if about is None:
        raise UnknownResource(
            f"release {look.release.name} has no concept in a scheme <{iri}>",
            remedy="The page of codes lists the schemes there are.",
        )
    found = concepts(look, iri, limit=_CONCEPTS + 1, offset=(page - 1) * _CONCEPTS)
    more = len(found) > _CONCEPTS
    return {"about": about, "items": found[:_CONCEPTS], "page": page, "more": more}


def _shape(found: tuple[Shape, ...], iri: str, release: Release) -> Shape:
    for shape in found:
        if shape.iri == iri:
            return shape
    raise UnknownResource(
        f"release {release.name} carries no shape <{iri}>",
        remedy="The page of shapes lists those that it carries.",
    )


def _beginnings(site: Site) -> list[Release]:
    """The releases up to this one that began a version of the ontology."""
    number = site.release().number
    kept = site.store.history.all(_LOOKED_AT)
    return beginnings((each for each in kept if each.number <= number), _VERSIONS)
