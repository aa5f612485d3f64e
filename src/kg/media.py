"""The formats in which an answer is given: name, media type, file suffix, what they can carry."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Form(Enum):
    """The four query forms of SPARQL 1.1 Query, section 16."""

    SELECT = "SELECT"
    ASK = "ASK"
    CONSTRUCT = "CONSTRUCT"
    DESCRIBE = "DESCRIBE"

    @property
    def gives_graph(self) -> bool:
        """Whether the answer is a graph; else it is a table of solutions or a boolean."""
        return self in (Form.CONSTRUCT, Form.DESCRIBE)


@dataclass(frozen=True, slots=True)
class Format:
    """One format: `name` on the command line, `media_type` in HTTP, `suffix` on files."""

    name: str
    media_type: str
    suffix: str
    carries_graph: bool
    aliases: tuple[str, ...] = ()

    @property
    def content_type(self) -> str:
        """The media type as a Content-Type field: text is always UTF-8."""
        text = self.media_type.startswith("text/")
        return f"{self.media_type}; charset=utf-8" if text else self.media_type


JSON: Final = Format("json", "application/sparql-results+json", "srj", False, ("application/json",))
XML: Final = Format(
    "xml", "application/sparql-results+xml", "srx", False, ("application/xml", "text/xml")
)
CSV: Final = Format("csv", "text/csv", "csv", False)
TSV: Final = Format("tsv", "text/tab-separated-values", "tsv", False)

TURTLE: Final = Format("turtle", "text/turtle", "ttl", True, ("application/x-turtle",))
N_TRIPLES: Final = Format("ntriples", "application/n-triples", "nt", True, ("text/plain",))
N_QUADS: Final = Format("nquads", "application/n-quads", "nq", True)
TRIG: Final = Format("trig", "application/trig", "trig", True)
RDF_XML: Final = Format("rdfxml", "application/rdf+xml", "rdf", True, ("application/xml",))
JSON_LD: Final = Format("jsonld", "application/ld+json", "jsonld", True, ("application/json",))

SOLUTION_FORMATS: Final = (JSON, XML, CSV, TSV)
GRAPH_FORMATS: Final = (TURTLE, N_TRIPLES, N_QUADS, TRIG, RDF_XML, JSON_LD)
FORMATS: Final = {format.name: format for format in (*SOLUTION_FORMATS, *GRAPH_FORMATS)}
TITLES: Final = {
    "json": "JSON",
    "xml": "XML",
    "csv": "CSV",
    "tsv": "TSV",
    "turtle": "Turtle",
    "ntriples": "N-Triples",
    "nquads": "N-Quads",
    "trig": "TriG",
    "rdfxml": "RDF/XML",
    "jsonld": "JSON-LD",
}
"""What people call these formats, by name."""

HTML: Final = Format("html", "text/html", "html", False)
RECORD: Final = Format("json", "application/json", "json", False)
TEXT: Final = Format("text", "text/plain", "txt", False)
BIBTEX: Final = Format("bibtex", "application/x-bibtex", "bib", False, ("text/x-bibtex",))
CSL: Final = Format("csl", "application/vnd.citationstyles.csl+json", "csl.json", False)
CFF: Final = Format(
    "cff", "application/yaml", "cff", False, ("application/x-yaml", "text/yaml", "text/x-yaml")
)
CITATION_FORMATS: Final = (TEXT, BIBTEX, CSL, CFF, RECORD)
"""The formats of a citation."""

CLAIMS: Final = Format("claims", "text/plain", "txt", False)
QUAD_LINES: Final = Format("quads", "text/x-diff", "diff", True, ("text/x-patch",))
RDF_PATCH: Final = Format("patch", "application/rdf-patch", "rdfp", True)
DIFFERENCE_FORMATS: Final = (CLAIMS, RECORD, RDF_PATCH, QUAD_LINES)
"""The formats of the difference of two releases."""

SARIF: Final = Format("sarif", "application/sarif+json", "sarif", False)
JUNIT: Final = Format("junit", "application/xml", "xml", False, ("text/xml",))
REPORT_FORMATS: Final = (RECORD, TEXT, TURTLE, N_TRIPLES, SARIF, HTML, JUNIT)
"""The formats of the report of a validation, the default first."""

YAML_LD: Final = Format("yaml", "application/ld+yaml", "yaml", True, ("application/yaml",))
"""The source of an article, which is read but never written."""


def formats_for(form: Form) -> tuple[Format, ...]:
    """The formats in which an answer of this form can be given, the default first."""
    return GRAPH_FORMATS if form.gives_graph else SOLUTION_FORMATS
