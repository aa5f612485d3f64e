"""Content codings: RFC 9110, section 12.5.3."""

import gzip
import sys
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import NotAcceptable
from kg.namespaces import BASE
from kg.store.base import Coding
from kg.web.negotiation import coding
from kg_server import Server

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MANY = "/sparql?" + urlencode({"query": f"SELECT ?s ?o WHERE {{ ?s <{BASE}q> ?o }} ORDER BY ?o"})
FEW = "/sparql?" + urlencode({"query": "ASK {}"})


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (None, Coding.IDENTITY),
        ("", Coding.IDENTITY),
        ("gzip", Coding.GZIP),
        ("GZIP", Coding.GZIP),
        ("gzip, deflate, br, zstd", Coding.ZSTD),
        ("zstd;q=0.5, gzip;q=0.8", Coding.GZIP),
        ("gzip;q=0, zstd;q=0", Coding.IDENTITY),
        ("gzip;q=0.2, identity;q=0.9", Coding.IDENTITY),
        ("br", Coding.IDENTITY),
        ("*", Coding.IDENTITY),
        ("identity;q=0, *", Coding.GZIP),
        ("*;q=0, gzip", Coding.GZIP),
        ("identity;q=0, zstd;q=0.1", Coding.ZSTD),
    ],
)
def test_a_coding_is_chosen_from_the_field(field: str | None, expected: Coding) -> None:
    assert coding(field) is expected


@pytest.mark.parametrize("field", ["identity;q=0", "*;q=0", "identity;q=0, br", "br, *;q=0"])
def test_a_client_that_takes_none_of_ours_is_refused(server: Server, field: str) -> None:
    with pytest.raises(NotAcceptable):
        coding(field)
    reply = server.send(FEW, headers={"Accept-Encoding": field})
    assert (reply.status, reply.problem["offered"]) == (406, ["zstd", "gzip", "identity"])


@given(st.text(alphabet="gzipstd*identity;q=01., ", max_size=40))
def test_any_field_chooses_a_coding_or_is_refused(field: str) -> None:
    try:
        assert coding(field) in Coding
    except NotAcceptable as error:
        assert error.offered == ("zstd", "gzip", "identity")


@pytest.mark.parametrize(("name", "unpack"), [("gzip", gzip.decompress), ("zstd", zstd.decompress)])
def test_a_packed_answer_is_the_same_answer(server: Server, name: str, unpack: object) -> None:
    plain = server.send(MANY)
    for _ in range(2):  # evaluated, then kept
        reply = server.send(MANY, headers={"Accept-Encoding": name})
        assert reply.headers["content-encoding"] == name
        assert reply.headers["content-length"] == str(len(reply.body))
        assert len(reply.body) * 3 < len(plain.body)
        assert callable(unpack) and unpack(reply.body) == plain.body
    assert "content-encoding" not in plain.headers


def test_a_small_answer_is_not_packed_unless_it_must_be(server: Server) -> None:
    plain = server.send(FEW, headers={"Accept-Encoding": "gzip"})
    packed = server.send(FEW, headers={"Accept-Encoding": "gzip, identity;q=0"})
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed.body) == plain.body


def test_a_small_answer_is_packed_as_zstd_where_nothing_else_is_taken(server: Server) -> None:
    packed = server.send(FEW, headers={"Accept-Encoding": "zstd, *;q=0"})
    assert zstd.decompress(packed.body) == server.send(FEW).body
