"""Behind a reverse proxy: who the client is, and that every link leads back through the proxy."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import copytree

import pytest

from kg.store.base import Release
from kg_server import Reply, Server, running
from raw_http import reply, request
from reverse_proxy import reverse_proxy
from web.test_access_log import line_of
from web.writable import TURTLE, Writable, writable_server

URL = "https://data.example.org/kg/"
TOLD = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "data.example.org"}
BROWSER = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def behind(
    _built_once: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Writable, str]]:
    """A server with a public URL."""
    folder = copytree(_built_once, tmp_path_factory.mktemp("proxy") / "store")
    log = folder.parent / "log"
    with writable_server(
        folder, log, workers=1, public_url=URL, trusted_proxies="127.0.0.1/32"
    ) as server:
        yield server, URL


def send(
    port: int,
    path: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """A request to a proxy."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request(method, path, body or None, headers or {})
    answer = client.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    reply = Reply(answer.status, found, answer.read())
    client.close()
    return reply


FAMILIES = [
    "/",
    "/sparql",
    "/sparql?query=ASK%7B%7D",
    "/id/code/unitScheme",
    "/graphs?default",
    "/r/1/sparql?query=ASK%7B%7D",
    "/r/1/",
    "/dump/1.nq.gz",
    "/static/style.css",
    "/health/ready",
    "/metrics",
]


@pytest.mark.parametrize("path", FAMILIES)
@pytest.mark.parametrize("strips", ["", "/kg"], ids=["prefix kept", "prefix stripped"])
def test_every_family_of_paths_is_found_below_the_prefix(
    behind: tuple[Writable, str], path: str, strips: str
) -> None:
    with reverse_proxy(behind[0].server.port, strips=strips) as port:
        found = send(port, f"/kg{path}")
    direct = behind[0].server.send(path)
    assert (found.status, direct.status) == (200, 200)
    assert found.headers["content-type"] == direct.headers["content-type"]
    if path != "/metrics":
        assert found.body == direct.body


@pytest.mark.parametrize("path", ["/", "/sparql", "/r/1/", "/r/1/sparql"])
def test_the_links_of_pages_lead_through_the_proxy(behind: tuple[Writable, str], path: str) -> None:
    with reverse_proxy(behind[0].server.port) as port:
        page = send(port, f"/kg{path}", headers=BROWSER)
        assert page.headers["content-type"].startswith("text/html"), page.body
        links = re.findall(r'(?:href|action|src)="([^"]+)"', page.body.decode())
        own = [link.replace("&amp;", "&") for link in links if not link.startswith(("http", "#"))]
        assert len(own) >= 3
        assert [link for link in own if not link.startswith("/kg/")] == []
        # One that a form posts to is there, and refuses GET.
        assert {send(port, link).status for link in own} <= {200, 405}


def test_absolute_addresses_are_those_of_the_public_url(behind: tuple[Writable, str]) -> None:
    server, url = behind
    described = server.server.send("/kg/sparql", headers={"Accept": "application/n-triples"})
    assert f"<{url}sparql>" in described.body.decode()
    made = server.send("POST", "/kg/graphs", "<http://ex/a> <http://ex/b> 1 .", TURTLE)
    assert made.status == 201, made.body
    assert made.headers["location"].startswith(f"{url}graphs/")
    path = made.headers["location"].removeprefix("https://data.example.org")
    assert server.server.send(path).status == 200


def test_a_redirect_keeps_the_prefix(behind: tuple[Writable, str]) -> None:
    found = behind[0].server.send("/kg/r/1")
    assert (found.status, found.headers["location"]) == (308, "/kg/r/1/")


def test_a_trusted_proxy_tells_scheme_host_and_prefix(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    fields = TOLD | {"X-Forwarded-Prefix": "/there"}
    with (
        running(folder, tmp_path / "log", workers=1, trusted_proxies="127.0.0.1") as server,
        reverse_proxy(server.port, strips="/there", fields=fields) as port,
    ):
        described = send(port, "/there/sparql", headers={"Accept": "application/n-triples"})
        page = send(port, "/there/", headers=BROWSER).body.decode()
        direct = server.send("/sparql", headers={"Accept": "application/n-triples"})
    assert "<https://data.example.org/there/sparql>" in described.body.decode()
    assert 'href="/there/static/style.css?v=' in page
    assert f"<http://127.0.0.1:{server.port}/sparql>" in direct.body.decode()


# --- who the client is --------------------------------------------------------------------


def asked(server: Server, number: int, **fields: str) -> int:
    """The status of a query that nobody asked before, with these fields."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    return server.send(f"/sparql?query=ASK%7B%7D%23{number}", headers=headers).status


def test_a_made_up_address_does_not_help_against_the_rate(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with running(folder, log, workers=1, client_rate=2, trusted_proxies="10.0.0.0/8") as server:
        told = [
            asked(server, number, X_Forwarded_For=f"10.0.0.{number}, 5.5.5.{number}")
            for number in range(5)
        ]
        line = line_of(log, "status=429")
    assert told == [200, 200, 429, 429, 429]
    assert " client=127.0.0.1 " in line


def test_behind_a_trusted_proxy_each_client_has_its_own_rate(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with running(folder, log, workers=1, client_rate=1, trusted_proxies="127.0.0.1") as server:
        one, other = "5.5.5.1", "6.6.6.6, 5.5.5.2"
        told = [asked(server, n, X_Forwarded_For=each) for n, each in enumerate([one, other, one])]
        line = line_of(log, "status=429")
    assert told == [200, 200, 429]
    assert " client=5.5.5.1 " in line


def test_without_trust_fields_change_no_link(server: Server) -> None:
    fields = [f"{name}: {value}" for name, value in TOLD.items()]
    fields += ["X-Forwarded-Prefix: /evil", "Forwarded: for=1.2.3.4;host=evil.org;proto=https"]
    fields += ["Accept: application/n-triples"]
    found = reply(server.port, request("GET", "/sparql", fields))
    assert b"<http://localhost/sparql>" in found.body
