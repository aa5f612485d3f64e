"""Errors as pages: what a person with a browser gets, where a program gets a problem."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import quote

import pytest

from kg.settings import Settings
from kg.store.base import Release
from kg.store.embedded import EmbeddedStore
from kg.web.app import create_app
from kg.web.running import Running
from kg.web.spots import spot_in
from kg_server import Server
from web.test_pages import Page

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
BROKEN = quote("SELECT *\nWHERE { ?s ?p }")


def test_a_browser_gets_a_page_with_the_status_of_the_problem(server: Server) -> None:
    reply = server.send("/id/nothing", headers=BROWSER)
    assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert reply.headers["cache-control"] == "no-store"
    assert "Accept" in reply.headers["vary"]
    assert {"h1", "main"} <= set(Page(reply.body).tags)


def test_an_unknown_name_leads_to_a_search_and_a_query(server: Server) -> None:
    links = Page(server.send("/id/area/nowhere-land", headers=BROWSER).body).links
    assert any(link.startswith("/search?q=nowhere+land") for link in links)
    assert any(link.startswith("/query?query=SELECT") for link in links)


def test_a_query_that_cannot_be_read_is_shown_at_its_place(server: Server) -> None:
    reply = server.send(f"/sparql?query={BROKEN}", headers=BROWSER)
    page = Page(reply.body)
    assert reply.status == 400
    assert "Line 2, column 16" in page.words
    assert "WHERE { ?s ?p }" in page.words
    assert any(link.startswith("/query?query=SELECT+*") for link in page.links)


def test_a_program_gets_the_same_problem_as_ever(server: Server) -> None:
    for accept in ("*/*", "application/json", "application/json, text/html;q=0.5"):
        reply = server.send(f"/sparql?query={BROKEN}", headers={"Accept": accept})
        assert (reply.status, reply.problem["line"], reply.problem["column"]) == (400, 2, 16)


def test_text_that_is_asked_for_is_text(server: Server) -> None:
    reply = server.send("/id/nothing", headers={"Accept": "text/plain"})
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"


def test_the_fields_of_the_problem_stay(server: Server) -> None:
    reply = server.send("/sparql", method="DELETE", headers=BROWSER)
    assert (reply.status, reply.headers["content-type"]) == (405, "text/html; charset=utf-8")
    assert set(reply.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_an_unknown_release_leads_to_the_newest(server: Server) -> None:
    reply = server.send("/r/99/id/a?x=1", headers=BROWSER)
    assert reply.status == 404
    assert "/id/a?x=1" in Page(reply.body).links


def test_what_a_client_sent_stays_text(server: Server) -> None:
    reply = server.send("/id/%3Cscript%3Ealert(1)%3C/script%3E", headers=BROWSER)
    assert reply.status == 404
    assert b"<script>alert" not in reply.body


def test_a_fault_of_the_server_is_a_page_without_detail(
    folder: Path, release: Release, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = shutil.copytree(folder, tmp_path / "store")
    (copy / "HEAD").write_text("7-000000000000\n")
    with EmbeddedStore(copy, Settings()) as store:
        client = create_app(store, Settings(), Running()).test_client()
        reply = client.get("/", headers=BROWSER)
    assert (reply.status_code, reply.mimetype) == (500, "text/html")
    assert "the cause is in its log" in Page(reply.data).words
    assert "7-000000000000" not in reply.text
    assert "7-000000000000" in caplog.text


@pytest.mark.parametrize(
    ("query", "line", "column", "shown"),
    [
        ("ASK {\n ?s }", 2, 5, " ?s |}|"),
        ("ASK {", 1, 6, "ASK {||"),
        ("ASK {\n # a\u2028b\f\r\n ?s }", 3, 5, " ?s |}|"),
        ("x" * 200, 1, 101, "…" + "x" * 60 + "|x|" + "x" * 60 + "…"),
    ],
)
def test_a_place_in_a_query_is_shown_with_what_is_around(
    query: str, line: int, column: int, shown: str
) -> None:
    found = spot_in(query, line, column)
    assert found is not None
    assert f"{found.before}|{found.at}|{found.after}" == shown


@pytest.mark.parametrize(("line", "column"), [(None, 1), (1, None), (2, 1), (0, 1)])
def test_a_place_that_the_query_does_not_have_is_not_shown(
    line: int | None, column: int | None
) -> None:
    assert spot_in("ASK {", line, column) is None
