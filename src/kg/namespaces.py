"""The namespaces that the code itself must name; other prefixes come from the context."""

from typing import Final

BASE: Final = "https://w3id.org/reported-figures/"
"""The one base of every IRI that is minted here; `/id/…` of a server stands for it."""

RF: Final = BASE + "ns/"
CODE: Final = BASE + "code/"
GRAPH: Final = BASE + "graph/"
SHAPES: Final = BASE + "shapes/"

DCTERMS: Final = "http://purl.org/dc/terms/"
OA: Final = "http://www.w3.org/ns/oa#"
PROV: Final = "http://www.w3.org/ns/prov#"
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
SCHEMA: Final = "https://schema.org/"
SH: Final = "http://www.w3.org/ns/shacl#"
SKOS: Final = "http://www.w3.org/2004/02/skos/core#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"

USUAL_PREFIXES: Final = {
    "rdf": RDF,
    "rdfs": RDFS,
    "xsd": XSD,
    "owl": "http://www.w3.org/2002/07/owl#",
    "rf": RF,
}
"""Declared for every query that does not declare them itself, before those of the context."""
