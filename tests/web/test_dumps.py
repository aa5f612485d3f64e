"""`/dump/…`: a release as a file."""

import base64
import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from kg.media import N_QUADS
from kg.namespaces import BASE, GRAPH
from kg.settings import Settings
from kg.store.base import Release
from kg.store.embedded import EmbeddedStore, commit
from kg.web.dumps import Dumps
from kg_server import Server
from store_parts import CONTEXT, NOW, change, graph

CATALOG = (
    "<https://example.org/d> a <http://www.w3.org/ns/dcat#Dataset> ;"
    ' <http://purl.org/dc/terms/title> "D"'
)


def test_a_dump_is_the_public_named_graphs(server: Server, release: Release) -> None:
    lines = gzip.decompress(server.send(f"/dump/{release.name}.nq.gz").body).decode().splitlines()
    kept = [line for line in lines if "/many/" not in line]
    assert len(lines) == release.quads == 304
    assert kept == [
        f'<{BASE}a> <{BASE}p> "one" <{GRAPH}one> .',
        f'<{BASE}shared> <{BASE}p> "both" <{GRAPH}one> .',
        f'<{BASE}b> <{BASE}p> "two" <{GRAPH}two> .',
        f'<{BASE}shared> <{BASE}p> "both" <{GRAPH}two> .',
    ]


def test_a_dump_has_digests_and_length(server: Server, release: Release) -> None:
    reply = server.send(f"/dump/{release.name}.nq.gz")
    digest = hashlib.sha256(reply.body).digest()
    wanted = {
        "content-type": "application/gzip",
        "content-length": str(len(reply.body)),
        "content-disposition": f"attachment; filename={release.name}.nq.gz",
        "etag": f'"{digest.hex()}"',
        "repr-digest": f"sha-256=:{base64.b64encode(digest).decode()}:",
        "kg-digest": release.digest,
        "kg-release": release.name,
    }
    assert {name: reply.headers.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("licence", "link"),
    [
        ("", None),
        ("<https://example.org/by>", '<https://example.org/by>; rel="license"'),
        ("<https://example.org/l\u00e4>", '<https://example.org/l%C3%A4>; rel="license"'),
    ],
)
def test_a_dump_names_the_licence_that_its_release_carries_and_no_other(
    tmp_path: Path, licence: str, link: str | None
) -> None:
    said = (
        f"{CATALOG} ; <http://purl.org/dc/terms/license> {licence} ." if licence else f"{CATALOG} ."
    )
    files = {"context.jsonld": CONTEXT, "catalog.ttl": said.encode()}
    made = commit(tmp_path, replace(change(graph("one", ":a :b :c")), files=files), now=NOW)
    assert made
    with EmbeddedStore(tmp_path, Settings()) as store, Flask("test").test_request_context():
        response = Dumps(store).response(made.name, N_QUADS)
    assert response.headers.get("Link") == link


def test_a_dump_that_the_client_has_is_304(server: Server, release: Release) -> None:
    path = f"/dump/{release.name}.nq.gz"
    etag = server.send(path).headers["etag"]
    reply = server.send(path, headers={"If-None-Match": etag})
    assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", etag)


def test_a_dump_goes_on_where_it_broke_off(server: Server, release: Release) -> None:
    path = f"/dump/{release.name}.nq.gz"
    whole, rest = server.send(path), server.send(path, headers={"Range": "bytes=10-"})
    assert (rest.status, rest.body) == (206, whole.body[10:])
    assert rest.headers["repr-digest"] == whole.headers["repr-digest"]


def test_a_range_past_the_end_is_416_with_the_length(server: Server, release: Release) -> None:
    path = f"/dump/{release.name}.nq.gz"
    length = server.send(path).headers["content-length"]
    reply = server.send(path, headers={"Range": f"bytes={length}-"})
    assert (reply.status, reply.headers.get("content-range")) == (416, f"bytes */{length}")


@pytest.mark.parametrize("field", ["items=0-1", "bytes=0-0,5-6", "bytes=abc", "nonsense"])
def test_a_range_that_is_not_understood_is_ignored(
    server: Server, release: Release, field: str
) -> None:
    """RFC 9110, section 14.2: a unit that is not known must be; several ranges may be."""
    path = f"/dump/{release.name}.nq.gz"
    whole, reply = server.send(path), server.send(path, headers={"Range": field})
    assert (reply.status, reply.body) == (200, whole.body)


def test_head_of_a_dump_has_the_headers_of_get(server: Server, release: Release) -> None:
    path = f"/dump/{release.name}.trig.gz"
    get, head = server.send(path), server.send(path, method="HEAD")
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}


def test_trig_holds_the_same_graphs(server: Server, release: Release) -> None:
    text = gzip.decompress(server.send(f"/dump/{release.name}.trig.gz").body).decode()
    assert [text.count(word) for word in ('"one"', '"two"', '"both"')] == [1, 1, 2]


@pytest.mark.parametrize("name", ["9-000000000000", "nothing", "..", "%2e%2e%2fHEAD"])
@pytest.mark.parametrize("suffix", ["nq", "trig"])
def test_an_unknown_release_is_404(server: Server, name: str, suffix: str) -> None:
    reply = server.send(f"/dump/{name}.{suffix}.gz")
    assert (reply.status, reply.problem["title"]) == (404, "Not found")
