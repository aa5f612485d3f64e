"""A plain store over HTTP: no tokens, and a default graph that is one of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kg_server import Reply, Server, running

ONE = b"<http://ex/s> <http://ex/p> <http://ex/o> ."
LINE = ONE.decode() + "\n"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("plain")
    with running(folder / "store", folder / "log", plain=True, workers=1) as server:
        yield server


def _send(plain: Server, method: str, path: str, body: bytes = b"") -> Reply:
    headers = {"Content-Type": "text/turtle", "Accept": "application/n-triples"}
    return plain.send(path, method=method, body=body or None, headers=headers)


def test_the_default_graph_is_written_and_is_not_the_union(plain: Server) -> None:
    assert _send(plain, "PUT", "/graphs/named", b"<http://ex/a> <http://ex/p> 1 .").status == 201
    assert _send(plain, "PUT", "/graphs?default", ONE).status in (201, 204)
    assert _send(plain, "GET", "/graphs?default").body.decode() == LINE
    assert _send(plain, "DELETE", "/graphs?default").status == 204
    assert _send(plain, "GET", "/graphs?default").body == b""


def test_a_path_is_the_graph_of_that_address(plain: Server) -> None:
    address = f"{plain.url}graphs/person/1.ttl"
    assert _send(plain, "PUT", "/graphs/person/1.ttl", b"<> <http://ex/p> <2.ttl> .").status == 201
    expected = f"<{address}> <http://ex/p> <{plain.url}graphs/person/2.ttl> .\n"
    assert _send(plain, "GET", f"/graphs?graph={address}").body.decode() == expected
    assert _send(plain, "DELETE", "/graphs/person/1.ttl").status == 204
    assert _send(plain, "GET", "/graphs/person/1.ttl").status == 404


def test_a_new_graph_is_where_it_says(plain: Server) -> None:
    made = _send(plain, "POST", "/graphs", ONE)
    assert (made.status, made.headers["location"].startswith(plain.url)) == (201, True)
    path = made.headers["location"].removeprefix(plain.url[:-1])
    assert _send(plain, "GET", path).body.decode() == LINE


def test_an_update_may_write_the_default_graph(plain: Server) -> None:
    update = b"CLEAR ALL; INSERT DATA { <http://ex/s> <http://ex/p> <http://ex/o> }"
    assert plain.post(update, "application/sparql-update").status == 204
    assert _send(plain, "GET", "/graphs?default").body.decode() == LINE


def test_the_reserved_name_of_the_default_graph_is_no_graph(plain: Server) -> None:
    _send(plain, "PUT", "/graphs?default", ONE)
    assert _send(plain, "GET", "/graphs?graph=urn:x-kg:default").status == 404
    assert _send(plain, "PUT", "/graphs?graph=urn:x-kg:default", ONE).status == 400
    assert b"x-kg" not in _send(plain, "GET", "/sparql").body
