"""Documents that nest too deep for the engine are refused before it reads them."""

from __future__ import annotations

import time

import pytest

from kg.errors import MalformedData
from kg.media import RDF_XML
from kg.store.memory import MemoryDataset

RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://ex/">'


def nested(levels: int) -> bytes:
    opening, closing = "<rdf:Description><e:p>", "</e:p></rdf:Description>"
    return f"{RDF}\n{opening * levels}{closing * levels}</rdf:RDF>".encode()


def test_a_deep_document_is_refused_at_once_with_its_place() -> None:
    start = time.perf_counter()
    with pytest.raises(MalformedData, match="deeper than 1000 levels") as caught:
        MemoryDataset().load(nested(100_000), RDF_XML, "http://ex/g")
    assert (caught.value.line, time.perf_counter() - start < 2) == (2, True)


def test_a_document_of_usual_depth_is_read() -> None:
    dataset = MemoryDataset()
    dataset.load(nested(100), RDF_XML, "http://ex/g")
    assert dataset.triples("http://ex/g").count(b"\n") == 100


@pytest.mark.parametrize(
    "start", [b"", b"<!-- a -- b -->", b'<?xml version="1.0" encoding="x-none"?>']
)
def test_a_fault_before_the_depth_does_not_hide_it(start: bytes) -> None:
    """The engine reads past the comment, which is no XML."""
    with pytest.raises(MalformedData, match="rdfxml"):
        MemoryDataset().load(start + nested(3000), RDF_XML, "http://ex/g")


def test_what_is_no_xml_is_refused_with_its_place() -> None:
    with pytest.raises(MalformedData, match="mismatched tag") as caught:
        MemoryDataset().load(b"<a>\n<b></a>", RDF_XML, "http://ex/g")
    assert (caught.value.line, caught.value.column) == (2, 6)


@pytest.mark.parametrize("encoding", ["x-none", "iso-8859-1", "utf-7", "shift_jis", "idna"])
def test_another_encoding_than_utf_8_is_malformed_data(encoding: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?>{RDF}</rdf:RDF>'.encode()
    with pytest.raises(MalformedData, match="UTF-8"):
        MemoryDataset().load(document, RDF_XML, "http://ex/g")
