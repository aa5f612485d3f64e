"""The addresses of every page, and a store that has something to show on each."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from pyoxigraph import Literal, Quad

from hostile_labels import change_graphs
from kg.namespaces import BASE, RF
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore
from kg.store.removals import Removal, record_removals
from kg.web.app import create_app
from kg.web.running import Running
from kg_server import Server

SELECT: Final = "SELECT ?claim ?wording { ?claim rf:reportedText ?wording } ORDER BY ?claim"
WRONG: Final = "SELECT ?claim {\n  ?claim rf:reportedText }"
GRAPH: Final = "CONSTRUCT { ?s ?p ?o } WHERE { ?s a rf:FigureClaim ; ?p ?o } LIMIT 20"
ADDRESSES: Final[Mapping[str, str]] = {
    "home": "/",
    "query": "/query",
    "query with a table": "/query?" + urlencode({"query": SELECT}),
    "query with a graph": "/query?" + urlencode({"query": GRAPH}),
    "query with an answer": "/query?" + urlencode({"query": "ASK { ?claim a rf:FigureClaim }"}),
    "query with an error": "/query?" + urlencode({"query": WRONG}),
    "sparql form": "/sparql",
    "area": "{area}",
    "cohort": "{cohort}",
    "agent": "{agent}",
    "claim": "{claim}",
    "claim by key": "{claim_by_key}",
    "article": "{article}",
    "article by key": "{article_by_key}",
    "term": "/id/ns/FigureClaim",
    "code": "/id/code/around",
    "graph as a resource": "/id/graph/entities",
    "resource elsewhere": "/resource?" + urlencode({"iri": "https://schema.org/NewsArticle"}),
    "compare": "/compare",
    "compare chosen": "/compare?area={area_iri}&cohort={cohort_iri}&measure={measure_iri}",
    "sources": "/sources",
    "people": "/people",
    "areas": "/areas",
    "cohorts": "/cohorts",
    "search empty": "/search",
    "search": "/search?q=foreign",
    "search without a result": "/search?q=qqqqqq",
    "findings": "/findings",
    "ontology": "/ontology",
    "ontology properties": "/ontology/properties",
    "ontology codes": "/ontology/codes",
    "ontology shapes": "/ontology/shapes",
    "releases": "/releases",
    "diff": "/diff",
    "diff chosen": "/diff?from={before}",
    "licences": "/licences",
    "sign-in": "/sign-in",
    "status": "/status",
    "citation": "/c/{citation}",
    "nowhere": "/nowhere",
    "unknown resource": "/id/area/nowhere",
    "wrong parameter": "/diff?from=HEAD&how=new",
    "removed release": "/r/" + "0-000000000000/",
    "home of a release": "/r/{before}/",
    "area of a release": "/r/{before}{area}",
    "findings of a release": "/r/{before}/findings",
    "ontology of a release": "/r/{before}/ontology",
}
"""By what each shows; what stands in braces is looked up in the store that is served."""
STATUSES: Final[Mapping[str, frozenset[int]]] = {
    "query with an error": frozenset({200, 400}),
    "status": frozenset({200, 401}),
    "nowhere": frozenset({404}),
    "unknown resource": frozenset({404}),
    "wrong parameter": frozenset({400}),
    "removed release": frozenset({410}),
}
"""Those that are no 200."""
NO_PAGES: Final = frozenset(
    ("void", "catalog", "graph", "download", "dereference", "query_vocabulary", "query_names")
)
"""Endpoints that read, and answer programs alone or lead to a page of their own."""
_FOUND: Final = """\
SELECT ?claim ?article ?area ?cohort ?measure ?agent ?by_key ?by_key_article {
  { SELECT * {
    ?claim a rf:FigureClaim ; prov:wasQuotedFrom ?article ; sdmx-dimension:refArea ?area ;
           rf:cohort ?cohort ; rf:measure ?measure ; rf:terminalSource ?agent ; rf:anchor ?anchor ;
           rf:hedge ?hedge .
  } ORDER BY ?claim LIMIT 1 }
  { SELECT * {
    ?by_key a rf:FigureClaim ; prov:wasQuotedFrom ?by_key_article ;
            rf:anchorStatus code:textNotHeld .
  } ORDER BY ?by_key LIMIT 1 }
}
"""


def addresses(server: Server, before: str) -> Mapping[str, str]:
    """The address of each page on this server; `before` names a release before HEAD."""
    ((claim, article, area, cohort, measure, agent, key, keyed),) = _table(server, _FOUND)
    citation = json.loads(server.post(SELECT.encode(), "application/sparql-query", "/cite").body)
    places = {
        "claim": _path(claim),
        "article": _path(article),
        "area": _path(area),
        "cohort": _path(cohort),
        "agent": _path(agent),
        "claim_by_key": _path(key),
        "article_by_key": _path(keyed),
        "area_iri": quote(area, safe=""),
        "cohort_iri": quote(cohort, safe=""),
        "measure_iri": quote(measure, safe=""),
        "citation": citation["id"],
        "before": before,
    }
    return {name: _filled(address, places) for name, address in ADDRESSES.items()}


def pages_of(store: Path) -> set[str]:
    """The path of each page that a server of this store has, up to its first variable."""
    with EmbeddedStore(store, Settings()) as opened:
        rules = list(create_app(opened, Settings(), Running()).url_map.iter_rules())
    return {
        str(rule).partition("<")[0]
        for rule in rules
        if rule.endpoint.startswith("head.") and "GET" in (rule.methods or ())
        if rule.endpoint.removeprefix("head.") not in NO_PAGES
    }


def make_store(built: Path, folder: Path) -> tuple[Path, str]:
    """A copy of a store that was built, with a release in which wordings changed, and that before.

    One release is told to be gone.
    """
    store = shutil.copytree(built, folder)
    gone = Removal(
        "0-000000000000", "0" * 64, "2025-01-01T00:00:00Z", "2025-02-02T00:00:00Z", "old"
    )
    record_removals(store, [gone])
    release = change_graphs(store, _reworded, "A wording was corrected", who="a curator")
    assert release.parent is not None
    return store, release.parent


def _reworded(quad: Quad) -> Iterable[Quad]:
    wording = quad.object
    if quad.predicate.value != RF + "reportedText" or wording != Literal("3,000"):
        return [quad]
    return [Quad(quad.subject, quad.predicate, Literal("about 3,000"), quad.graph_name)]


def _table(server: Server, query: str) -> list[list[str]]:
    reply = server.query(query, accept="text/csv")
    assert reply.status == 200, reply.body
    rows = list(csv.reader(io.StringIO(reply.body.decode())))[1:]
    assert rows, "the store lacks what pages are about"
    return rows


def _path(iri: str) -> str:
    return f"/id/{iri.removeprefix(BASE)}"


def _filled(address: str, places: Mapping[str, str]) -> str:
    for name, value in places.items():
        address = address.replace(f"{{{name}}}", value)
    return address
