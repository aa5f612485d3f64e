"""Where an answer is written: memory or a file, up to a limit, and only XML as XML."""

from __future__ import annotations

import io

import pytest

from kg.store.output import NotXml, Output, XmlOutput


@pytest.mark.parametrize(("memory", "in_memory"), [(0, False), (1, False), (2, True)])
def test_more_than_the_memory_goes_to_a_file_at_once(memory: int, in_memory: bool) -> None:
    with Output(limit=None, memory=memory) as output:
        output.write(b"ab")
        assert isinstance(output._file, io.BytesIO) == in_memory
        assert output.content() == b"ab"


@pytest.mark.parametrize(
    "document",
    [b"<a>\x01</a>", b"<a>\xef\xbf\xbe</a>", b"<a>\r</a>", b"<p: xmlns:p='x'/>", b"<p:a/>"],
)
def test_what_is_no_xml_is_refused_however_it_is_cut(document: bytes) -> None:
    with XmlOutput(limit=100, memory=100) as output, pytest.raises(NotXml):
        for byte in document:
            output.write(bytes([byte]))
