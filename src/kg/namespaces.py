"""The namespaces that the code itself must name; other prefixes come from the context."""

from typing import Final

BASE: Final = "https://w3id.org/reported-figures/"
"""The one base of every IRI that is minted here; `/id/…` of a server stands for it."""

RF: Final = BASE + "ns/"
CODE: Final = BASE + "code/"
GRAPH: Final = BASE + "graph/"
FINDINGS: Final = GRAPH + "findings/"
SHAPES: Final = BASE + "shapes/"
FUNCTION: Final = BASE + "function/"

OA: Final = "http://www.w3.org/ns/oa#"
SCHEMA: Final = "https://schema.org/"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"

USUAL_PREFIXES: Final = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": XSD,
    "owl": "http://www.w3.org/2002/07/owl#",
    "rf": RF,
    "rff": FUNCTION,
}
"""Declared for every query that does not declare them itself, before those of the context."""
