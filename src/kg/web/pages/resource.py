"""`/id/…` in a browser, and `/resource?iri=…`: any IRI, as the release speaks of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from flask import Request, request
from werkzeug.wrappers import Response

from kg.errors import BadArgument
from kg.media import GRAPH_FORMATS, TITLES
from kg.namespaces import BASE, GRAPH, RF, SCHEMA
from kg.query.claims import Claim, local_name
from kg.query.telling import day
from kg.query.views.claim import QUOTE, Reading, claim_page, inputs_of, quote_page
from kg.query.views.linked_data import claim_data, linked_data
from kg.query.views.look import Label, Look
from kg.query.views.readings import readings
from kg.query.views.resource import (
    CLAIMS_A_PAGE,
    CLAIMS_LOOKED_AT,
    RELEASES,
    Resource,
    Uses,
    claim_groups,
    claims_of_group,
    graph_facts,
    graph_name,
    more_lead_to_it,
    named,
    part,
    property_name,
    resource,
    state_of,
    taken,
    versions,
)
from kg.store.base import Release
from kg.store.catalog import read_catalog
from kg.web.exchange import Exchange
from kg.web.links import base_url
from kg.web.negotiation import prefers_html
from kg.web.pages import article
from kg.web.pages.asking import asked_iri, asked_page
from kg.web.pages.linking import href, place
from kg.web.pages.site import Site
from kg.web.protocol import asked_format
from kg.web.resources import unknown, unknown_in

HTML: Final = "html"
_VERSIONS: Final = 10
_AREAS: Final = frozenset((SCHEMA + "Place", SCHEMA + "Country", RF + "VagueArea"))
_BORDERS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TITLE: Final = 120
_READ: Final = 48
"""Values and subjects that are told in words: about as many as a page has room and time for."""


@dataclass(frozen=True, slots=True)
class ClaimsShown:
    """Claims of one measure or kind: the first in words, and where the others are."""

    name: str
    claims: tuple[tuple[str, str], ...]
    more: str
    link: str


def wants_page(request: Request) -> bool:
    """Whether the client is to get a page of a resource, and not its data."""
    name = asked_format(request)
    return name == HTML if name is not None else prefers_html(request)


def resource_page(site: Site, iri: str) -> Response:
    """The page of an IRI; raises UnknownResource where the release does not speak of it."""
    past = site.store.history.all(RELEASES)

    def make(look: Look) -> dict[str, Any]:
        if _list_of() is None and article.is_article(look, iri):
            frame = _frame_of_article(site, look, iri, past)
            return {"template": article.TEMPLATE, **frame, **article.make(site, look, iri)}
        listed = _listed(look, iri)
        return listed if listed is not None else _made(site, look, iri, past)

    return site.page("resource.html", make, state=_state(past))


def _state(past: Iterable[Release]) -> str:
    """What the page tells besides its release: which others there are."""
    return hashlib.sha256("\0".join(each.name for each in past).encode()).hexdigest()


# --- the page -----------------------------------------------------------------------------


def _made(site: Site, look: Look, iri: str, past: list[Release]) -> dict[str, Any]:
    found = resource(look, iri)
    state = state_of(look.release, iri)
    if found is None and state is None:
        ticket = Exchange.of(request).ticket
        raise unknown_in(look.release, iri, site.store, site.settings, ticket)
    if found is None:
        found = _graph_alone(iri)
    claim = claim_page(look, iri) if found.is_claim else None
    quote = quote_page(look, iri) if QUOTE in found.types else None
    inputs = inputs_of(look, found)
    told = claim.reading if claim else quote.reading if quote else _computed(inputs)
    groups = claim_groups(look, iri) if claim is None else ()
    many = claim is None and (
        sum(len(claims) for _, claims in groups) >= CLAIMS_LOOKED_AT
        or (found.incomplete and more_lead_to_it(look, iri))
    )
    restricted = site.restricted(look.release, iri)
    wanted = {*found.iris(), *(claim.iris() if claim else ())}
    wanted |= {value for by, _ in groups for value in by}
    wanted |= {each.property for each in restricted}
    labels = look.labels(wanted)
    shown = tuple(taken(groups))
    read = readings(
        look,
        (each for each in found.iris() if each not in labels),
        known=(each for claims in shown for each in claims),
        most=_READ,
    )
    graphs = (iri,) if state else found.graphs()
    return {
        "found": found,
        "claim": claim,
        "quote": quote,
        "inputs": inputs,
        "name": told or found.title.text,
        "stated": named(found.stated, labels),
        "links": named(found.links, labels),
        "claims": tuple(
            _claims_shown(iri, group, _read(claims, read), labels, many=many)
            for group, claims in zip(groups, shown, strict=True)
        ),
        "many_claims": many,
        "labels": {**_as_labels(read), **labels},
        "graphs": graph_facts(graphs, look.release, past),
        "state": state,
        "download": _download(iri) if state else "",
        "versions": versions(graphs, past)[:_VERSIONS],
        "formats": _formats(iri, found),
        "restricted": [
            (property_name(each.property, labels) or look.compact(each.property), each)
            for each in restricted
        ],
        "data": claim_data(look, claim.claim, {**labels, **_names(claim.claim)})
        if claim
        else linked_data(found, labels),
        "citation": _citation(look, found, told),
        "cite_query": f"SELECT ?property ?value WHERE {{ <{iri}> ?property ?value }}",
        "may_cite": site.settings.open_citations and bool(found.stated),
        "link": lambda name, property: _page_of(iri, name, property),
        "compared": _comparable(found),
        "graph_name": graph_name,
        "short": partial(_short, look),
        "words": _words,
    }


def _computed(inputs: Sequence[Reading]) -> str:
    """What a derived figure is, with all that it is computed from."""
    from_ = "; ".join(each.text for each in inputs)
    return f"A figure computed here, which nobody reported, from: {from_}" if inputs else ""


def _comparable(found: Resource) -> dict[str, str]:
    """What the page of comparisons takes to show the figures of an area or a cohort."""
    if RF + "Cohort" in found.types:
        return {"cohort": found.iri}
    return {"area": found.iri} if _AREAS & set(found.types) else {}


def _short(look: Look, iri: str) -> str:
    """An IRI with a prefix, else one of ours by its path, else as it is."""
    return look.compact(iri).removeprefix(BASE) or iri


def _words(iri: str) -> str:
    """The end of an IRI as words."""
    return _BORDERS.sub(" ", local_name(iri)).lower()


def _frame_of_article(site: Site, look: Look, iri: str, past: list[Release]) -> dict[str, Any]:
    """What the page of an article has as that of any resource: its data, versions and citation."""
    found = resource(look, iri, links=False)
    if found is None:
        return {"labels": {}}
    labels = look.labels(found.iris())
    return {
        "found": found,
        "labels": labels,
        "versions": versions(found.graphs(), past)[:_VERSIONS],
        "formats": _formats(iri, found),
        "data": linked_data(found, labels),
        "citation": _citation(look, found),
        "cite_query": f"SELECT ?property ?value WHERE {{ <{iri}> ?property ?value }}",
        "may_cite": site.settings.open_citations and bool(found.stated),
    }


def _graph_alone(iri: str) -> Resource:
    """A named graph of which nothing is stated."""
    title = Label(f"The named graph {graph_name(iri)}", "")
    return Resource(iri, title, False, False, None, (), (), (), Uses(), False)


def _names(claim: Claim) -> Mapping[str, Label]:
    """What the values of a claim are called, which were read with it: those that have a name."""
    return {
        value.term[1:-1]: Label(value.text, "")
        for values in claim.statements.values()
        for value in values
        if value.term.startswith("<") and value.text != local_name(value.term[1:-1])
    }


# --- claims -------------------------------------------------------------------------------


def _claims_shown(
    iri: str,
    group: tuple[tuple[str, str], Sequence[str]],
    claims: tuple[tuple[str, str], ...],
    labels: Mapping[str, Label],
    *,
    many: bool,
) -> ClaimsShown:
    """A group of claims about the resource, with the readings of those that are shown of it."""
    (by, value), all_of_it = group
    label = labels.get(value)
    left = len(all_of_it) - len(claims)
    return ClaimsShown(
        name=label.text if label else value,
        claims=claims,
        more="more" if many else f"{left} more" if left else "",
        link=_page_of(iri, by.rpartition("/")[2], value),
    )


def _read(claims: Iterable[str], read: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Those of these claims that are read, with their readings."""
    return tuple((each, read[each]) for each in claims if each in read)


def _as_labels(read: Mapping[str, str]) -> dict[str, Label]:
    """Readings as what these resources are called; what they quote is in many languages."""
    return {iri: Label(text, "") for iri, text in read.items()}


# --- parts of what is stated --------------------------------------------------------------


def _list_of() -> str | None:
    """Which list of a resource is asked for, if one is."""
    asked = [name for name in ("of", "in", "measure", "kind") if request.args.get(name)]
    if len(asked) > 1:
        raise BadArgument(
            f"the address asks for {' and '.join(asked)}", remedy="Ask for one list at a time."
        )
    return asked[0] if asked else None


def _listed(look: Look, iri: str) -> dict[str, Any] | None:
    """One list of the resource, a part at a time, where the address asks for one."""
    name = _list_of()
    if name is None:
        return None
    value, page = asked_iri(name, look.prefixes), asked_page()
    claims: tuple[tuple[str, str], ...] = ()
    group, more = None, False
    if name in ("measure", "kind"):
        by = RF + name
        found = claims_of_group(look, iri, by, value, page)
        more, found = len(found) > CLAIMS_A_PAGE, found[:CLAIMS_A_PAGE]
        claims = _read(found, readings(look, (), known=found))
    else:
        group, more = part(look, iri, value, page, into=name == "in")
    if not claims and not (group and group.statements):
        if page == 1:
            raise unknown(iri)
        raise BadArgument(f"the list has no page {page}", remedy="Go back to the first one.")
    terms = [each.term for each in group.statements] if group else []
    shown = [iri, value, *(term.value for term in terms if term.is_iri)]
    labels = look.labels(shown)
    read = readings(look, (each for each in shown if each not in labels))
    labels = {**_as_labels(read), **labels}
    return {
        "template": "resource-list.html",
        "iri": iri,
        "title": labels[iri].text if iri in labels else look.compact(iri),
        "name": name,
        "value": value,
        "group": named((group,), labels)[0] if group else None,
        "claims": claims,
        "labels": labels,
        "page": page,
        "more": more,
        "pages": lambda number: _page_of(iri, name, value, number),
        "graph_name": graph_name,
        "short": partial(_short, look),
    }


# --- addresses ----------------------------------------------------------------------------


def _page_of(iri: str, name: str, value: str, page: int = 1) -> str:
    """Where a list of the resource is."""
    address = href(iri)
    asked = {name: value} | ({"page": str(page)} if page > 1 else {})
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"


def _formats(iri: str, found: Resource) -> list[tuple[str, str]]:
    """The addresses of its data, by the names of the formats."""
    if not found.stated:
        return []
    address = href(iri)
    sign = "&" if "?" in address else "?"
    return [
        (f"{address}{sign}format={format.name}", TITLES[format.name]) for format in GRAPH_FORMATS
    ]


def _download(graph: str) -> str:
    """Where the statements of a named graph are."""
    if graph.startswith(GRAPH):
        return place("graph", path=graph.removeprefix(GRAPH))
    return place("graph", graph=graph)


def _citation(look: Look, found: Resource, reading: str = "") -> dict[str, str]:
    """What to write, and the address that stays what it is.

    What an article says is cited with all that hedges it, and in no quotation marks of ours.
    """
    catalog, release = read_catalog(look.release.folder), look.release
    address = base_url(request).rstrip("/") + href(found.iri, release.name).removeprefix(
        request.script_root
    )
    names = ", ".join(catalog.creators or ((catalog.publisher,) if catalog.publisher else ()))
    title = found.title.text
    title = title if len(title) <= _TITLE else title[: _TITLE - 1] + "…"
    what = f"{reading.rstrip('.')}." if reading else f"“{title.rstrip('.')}.”"
    text = f"{names + '. ' if names else ''}{what} In: {catalog.title}, release"
    return {"text": f"{text} {release.name} of {day(release.time)}.", "address": address}
