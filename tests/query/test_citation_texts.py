"""A citation in the formats of others, read back by programs of others."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import citeproc
import pytest
from cffconvert.citation import Citation as CffCitation
from citeproc.source.json import CiteProcJSON
from hypothesis import given, settings
from hypothesis import strategies as st
from pybtex.database import parse_string
from ruamel.yaml import YAML

from kg.media import BIBTEX, CFF, CITATION_FORMATS, CSL, RECORD, TEXT
from kg.query.citation_texts import written
from kg.store.catalog import Catalog
from kg.store.citations import Citation

URL = "https://data.example.org/kg/c/0123456789abcdef"
DIGEST = "ab" * 32
CITATION = Citation(
    id="0123456789abcdef",
    title="Figures of Jordan",
    query="SELECT * {}",
    prefixes={},
    base="https://w3id.org/reported-figures/",
    default_graphs=(),
    named_graphs=(),
    question="",
    parameters={},
    release="3-0123456789ab",
    release_digest="cd" * 32,
    release_time="2026-01-02T03:04:05Z",
    form="SELECT",
    variables=("s",),
    rows=1234,
    ordered=False,
    cut=False,
    notes=(),
    digest=DIGEST,
    sequence="",
    engine="Oxigraph 0.5.13",
    kg="0.1.0",
    cited="2026-02-03T04:05:06Z",
    dataset=Catalog(
        title="Reported figures",
        publisher="the kg project",
        creators=("Ann Author", "Bo and Co"),
        licence="https://creativecommons.org/licenses/by/4.0/",
        homepage="https://example.org/",
    ),
)
NASTY = 'A "title" with {braces, 100 % \\of #1 & _x_ ~ ^ $2, “quotes”, é, 阿, \U0001f600'


def titled(title: str, **dataset: Any) -> Citation:
    return replace(CITATION, title="", dataset=replace(CITATION.dataset, title=title, **dataset))


def clean(text: str) -> str:
    """Without what no format can hold: control characters."""
    return "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)


def on_one_line(text: str) -> str:
    return " ".join(text.split())


def read_bibtex(text: str) -> Mapping[str, str]:
    """The fields of the one entry, with what LaTeX escapes as it is printed."""
    ((key, entry),) = parse_string(text, "bibtex").entries.items()
    assert (entry.type, key) == ("misc", "kg-0123456789abcdef")
    names = [" ".join(person.last_names) for person in entry.persons.get("author", [])]
    authors = {"author": " and ".join(names)} if names else {}
    return {name: printed(value) for name, value in (authors | dict(entry.fields)).items()}


def printed(latex: str) -> str:
    """What a value prints: its commands as characters, and braces not at all."""
    parts = r"\\text(\w+)\{\}|\\(.)|[{}]"
    return re.sub(parts, lambda met: PRINTS[met[1]] if met[1] else met[2] or "", latex)


PRINTS = {
    "backslash": "\\",
    "braceleft": "{",
    "braceright": "}",
    "asciitilde": "~",
    "asciicircum": "^",
}


def read_csl(text: str) -> Mapping[str, Any]:
    (item,) = json.loads(text)
    return dict(item)


def read_cff(text: str) -> Mapping[str, Any]:
    """The document, once the schema of CFF 1.2.0 has let it pass."""
    CffCitation(text).validate()
    return dict(YAML(typ="safe", pure=True).load(text))


def test_the_text_has_all_that_finds_the_result() -> None:
    assert written(CITATION, TEXT, URL) == (
        "Ann Author, Bo and Co (2026). Reported figures: Figures of Jordan [Data set]."
        " Release 3-0123456789ab, 2026-01-02. the kg project."
        f" {URL}. Result of a SELECT query: 1,234 solutions, SHA-256 {DIGEST}."
        " Accessed 2026-02-03.\n"
    )


def test_the_text_of_what_nobody_made_begins_with_its_title() -> None:
    nobody = replace(CITATION, title="", rows=1, notes=("Note.",), dataset=Catalog())
    assert written(nobody, TEXT, "") == (
        "a kg dataset (2026) [Data set]. Release 3-0123456789ab, 2026-01-02."
        f" Citation 0123456789abcdef. Result of a SELECT query: 1 solution, SHA-256 {DIGEST}."
        " Accessed 2026-02-03. Note.\n"
    )


def test_bibtex_has_its_fields() -> None:
    assert read_bibtex(written(CITATION, BIBTEX, URL)) == {
        "author": "Ann Author and Bo and Co",
        "title": "Reported figures: Figures of Jordan",
        "year": "2026",
        "month": "1",
        "version": "release 3-0123456789ab",
        "publisher": "the kg project",
        "howpublished": "Data set",
        "url": URL,
        "urldate": "2026-02-03",
        "note": "Result of a SELECT query on release 3-0123456789ab: 1,234 solutions,"
        f" SHA-256 {DIGEST}.",
    }
    assert "author = {{Ann Author} and {Bo and Co}}," in written(CITATION, BIBTEX, URL)


def test_csl_has_its_members() -> None:
    assert read_csl(written(CITATION, CSL, URL)) == {
        "id": "kg-0123456789abcdef",
        "type": "dataset",
        "title": "Reported figures: Figures of Jordan",
        "author": [{"literal": "Ann Author"}, {"literal": "Bo and Co"}],
        "issued": {"date-parts": [[2026, 1, 2]]},
        "accessed": {"date-parts": [[2026, 2, 3]]},
        "version": "release 3-0123456789ab",
        "publisher": "the kg project",
        "URL": URL,
        "note": "Result of a SELECT query on release 3-0123456789ab: 1,234 solutions,"
        f" SHA-256 {DIGEST}.",
    }


def test_a_processor_of_csl_writes_a_bibliography() -> None:
    source = CiteProcJSON(json.loads(written(CITATION, CSL, URL)))
    style = citeproc.CitationStylesStyle("harvard-cite-them-right", validate=False)
    bibliography = citeproc.CitationStylesBibliography(style, source, citeproc.formatter.plain)
    bibliography.register(citeproc.Citation([citeproc.CitationItem("kg-0123456789abcdef")]))
    (line,) = (str(entry) for entry in bibliography.bibliography())
    for part in ("Ann Author", "2026", "Figures of Jordan", URL):
        assert part in line


def test_cff_conforms_and_has_its_keys() -> None:
    document = read_cff(written(CITATION, CFF, URL))
    assert document["authors"] == [{"name": "Ann Author"}, {"name": "Bo and Co"}]
    assert document["type"] == "dataset"
    assert document["title"] == "Reported figures: Figures of Jordan"
    assert document["url"] == URL
    assert document["date-released"] == "2026-01-02"
    assert document["license-url"] == "https://creativecommons.org/licenses/by/4.0/"
    assert document["identifiers"][0]["value"] == f"sha256:{DIGEST}"


def test_cff_conforms_where_next_to_nothing_is_known() -> None:
    document = read_cff(written(replace(CITATION, title="", dataset=Catalog()), CFF, ""))
    assert document["authors"] == [{"name": "a kg dataset"}]
    assert "url" not in document


def test_the_record_is_a_citation_with_its_address() -> None:
    text = written(CITATION, RECORD, URL)
    assert json.loads(text)["url"] == URL
    assert json.loads(text) == CITATION.members() | {"url": URL} | json.loads(
        json.dumps(CITATION.members())
    )


@pytest.mark.parametrize("title", [NASTY, NASTY + "}", "\\", "{", "a\nb\r\n\tc", "x" * 10_000])
def test_a_nasty_title_survives_every_format(title: str) -> None:
    citation = titled(title)
    expected = on_one_line(title)
    assert read_bibtex(written(citation, BIBTEX, URL))["title"] == expected
    assert read_csl(written(citation, CSL, URL))["title"] == expected
    assert read_cff(written(citation, CFF, URL))["title"] == expected
    assert expected in written(citation, TEXT, URL)
    assert json.loads(written(citation, RECORD, URL))["dataset"]["title"] == title


TITLES = st.one_of(
    st.text(st.sampled_from("\\{}\"%&#$_~^@,='`-<>: \n\téß阿ab1"), max_size=30),
    st.text(max_size=60),
)


@settings(max_examples=150)
@given(title=TITLES, creators=st.lists(TITLES, max_size=2))
def test_any_title_and_any_names_can_be_read_back(title: str, creators: list[str]) -> None:
    citation = titled(title, creators=tuple(creators), publisher="")
    read = {format: written(citation, format, URL) for format in CITATION_FORMATS}
    item, document = read_csl(read[CSL]), read_cff_quickly(read[CFF])
    fields = read_bibtex(read[BIBTEX])
    names = [author["literal"] for author in item.get("author", [])]
    assert json.loads(read[RECORD])["dataset"]["title"] == title
    assert item["title"] == document["title"] == fields["title"]
    assert item["title"] == (on_one_line(clean(title)) or "a kg dataset")
    assert [author["name"] for author in document["authors"]] == (names or [item["title"]])
    assert fields.get("author", "") == " and ".join(names)
    assert read[TEXT].count("\n") == 1


def read_cff_quickly(text: str) -> Mapping[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(text))
