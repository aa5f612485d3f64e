"""The files of the pages, as they are sent: packed, and asked for once by who keeps them."""

from __future__ import annotations

import gzip
import re

import pytest

from kg.web.assets import STATIC
from kg_server import Server
from web.test_pages import BROWSER

STYLE = "/static/style.css"
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def named(server: Server) -> list[str]:
    """The addresses of files that a page names."""
    page = server.send("/", headers={"Accept": BROWSER}).body.decode()
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', page)


def test_what_a_page_names_is_kept_without_asking_again(server: Server, named: list[str]) -> None:
    """Asking on every page, a browser on a slow network waited twice for each."""
    kept = {path: server.send(path).headers["cache-control"] for path in named}
    assert kept == dict.fromkeys(named, FOR_EVER)
    assert len(kept) >= 2


def test_an_address_with_the_mark_of_other_content_is_asked_for_again(server: Server) -> None:
    addresses = (STYLE, f"{STYLE}?v=0123456789abcdef", "/static/icon.svg")
    told = {server.send(each).headers["cache-control"] for each in addresses}
    assert told == {"no-cache"}


def test_a_file_is_packed_for_who_takes_it(server: Server, named: list[str]) -> None:
    for path in named:
        plain, packed, zstd = (
            server.send(path, headers={"Accept-Encoding": each})
            for each in ("identity", "gzip", "zstd")
        )
        assert plain.body == (STATIC / path.removeprefix("/static/").partition("?")[0]).read_bytes()
        assert gzip.decompress(packed.body) == plain.body
        assert zstd.headers["content-encoding"] == "zstd"
        assert len({each.headers["etag"] for each in (plain, packed, zstd)}) == 3
        assert {each.headers["vary"] for each in (plain, packed, zstd)} == {"Accept-Encoding"}


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_who_has_a_file_is_told_so(server: Server, coding: str) -> None:
    asked = {"Accept-Encoding": coding}
    first = server.send(STYLE, headers=asked)
    again = server.send(STYLE, headers=asked | {"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body, "content-encoding" in again.headers) == (304, b"", False)


def test_head_has_the_fields_of_a_file_alone(server: Server) -> None:
    got, head = (server.send(STYLE, method=method) for method in ("GET", "HEAD"))
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(got.body))
    assert head.headers["content-type"] == "text/css; charset=utf-8"
