"""`POST /cite`, `/c/<id>` and `/c/<id>/verify` on a real server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from kg.media import CITATION_FORMATS
from kg.store.base import Release
from kg.store.releases import Releases
from kg.store.retention import Policy, retain
from kg_server import Reply, Server, running
from store_parts import committed, graph
from web.test_pages import BROWSER, Page
from web.writable import writable_server

PAIRS = "SELECT ?s ?o { ?s <http://ex/p> ?o }"
DIRECT = "application/sparql-query"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Citing:
    """A server of a store of two releases, the second of which has less."""

    server: Server
    folder: Path
    first: Release

    def cite(self, query: str = PAIRS, *, accept: str = "*/*", **parameters: str) -> Reply:
        path = "/cite" + (f"?{urlencode(parameters)}" if parameters else "")
        headers = {"Content-Type": DIRECT, "Accept": accept}
        return self.server.send(path, method="POST", body=query.encode(), headers=headers)

    def made(self, query: str = PAIRS, **parameters: str) -> dict[str, Any]:
        reply = self.cite(query, **parameters)
        assert reply.status in (200, 201), reply.body
        record: dict[str, Any] = json.loads(reply.body)
        return record

    def get(self, id: str, accept: str = "*/*", **headers: str) -> Reply:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.send(f"/c/{id}", headers={"Accept": accept, **fields})

    def verify(self, id: str, accept: str = "*/*", **parameters: str) -> Reply:
        path = f"/c/{id}/verify" + (f"?{urlencode(parameters)}" if parameters else "")
        return self.server.send(path, method="POST", headers={"Accept": accept})


@pytest.fixture(scope="module")
def citing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Citing]:
    folder = tmp_path_factory.mktemp("citations") / "store"
    secret = graph("secret", ":hidden :p :x", restricted=True)
    first = committed(folder, graph("one", ":a :p :x", ":b :p :x"), secret)
    committed(folder, graph("one", ":a :p :x"), secret)
    with running(folder, folder.parent / "log", workers=1, citation_rate=10**6) as server:
        yield Citing(server, folder, first)


# --- who may make them ---------------------------------------------------------------------


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_of_another_site_makes_none(citing: Citing, site: str) -> None:
    headers = {"Content-Type": FORM, "Sec-Fetch-Site": site}
    body = urlencode({"query": f"ASK {{}} # {site}"}).encode()
    reply = citing.server.send("/cite", method="POST", body=body, headers=headers)
    assert reply.status == 403
    assert "another site" in reply.problem["detail"]


def test_one_address_makes_so_many_in_a_minute(citing: Citing, tmp_path: Path) -> None:
    folder = shutil.copytree(citing.folder, tmp_path / "store")
    with running(folder, tmp_path / "log", workers=1, citation_rate=2) as server:
        body = [f"ASK {{}} # {number}".encode() for number in range(3)]
        replies = [server.post(each, DIRECT, "/cite") for each in body]
    assert [reply.status for reply in replies] == [201, 201, 429]
    assert "KG_CITATION_RATE" in replies[2].problem["remedy"]


# --- making -------------------------------------------------------------------------------


def test_a_citation_is_made_once_and_found_again(citing: Citing) -> None:
    first, second = (citing.cite(PAIRS + " # once") for _ in range(2))
    record = json.loads(first.body)
    assert [each.status for each in (first, second)] == [201, 200]
    assert first.headers["location"] == f"{citing.server.url}c/{record['id']}"
    assert (first.body, first.headers["location"]) == (second.body, second.headers["location"])
    assert (record["rows"], record["url"]) == (1, first.headers["location"])
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["kg-release"] == record["release"]
    assert "work;dur=" in first.headers["server-timing"]
    assert citing.get(record["id"], "application/json").body == first.body


def test_a_form_cites_as_a_body_does(citing: Citing) -> None:
    pairs = [("query", PAIRS), ("release", "1"), ("title", "Two"), ("default-graph-uri", "ex:g")]
    reply = citing.server.post(urlencode(pairs).encode(), FORM, "/cite")
    record = json.loads(reply.body)
    assert reply.status == 201
    assert (record["release"], record["title"]) == (citing.first.name, "Two")
    assert (record["default_graphs"], record["rows"]) == (["ex:g"], 0)


@pytest.mark.parametrize("format", CITATION_FORMATS, ids=lambda each: each.name)
def test_every_format_is_given_by_name_and_by_type(citing: Citing, format: Any) -> None:
    id = citing.made()["id"]
    named = citing.server.send(f"/c/{id}?format={format.name}")
    accepted = citing.get(id, format.media_type)
    assert named.status == accepted.status == 200
    assert named.body == accepted.body == citing.cite(accept=format.media_type).body
    assert named.headers["content-type"] == format.content_type
    assert accepted.headers["vary"] == "Accept"


def test_another_format_is_406(citing: Citing) -> None:
    id = citing.made()["id"]
    assert [citing.get(id, "image/png").status, citing.cite(accept="image/png").status] == [406] * 2
    assert citing.server.send(f"/c/{id}?format=csv").status == 406


@pytest.mark.parametrize(
    ("query", "parameters", "status"),
    [
        ("SELECT (RAND() AS ?r) {}", {}, 422),
        (PAIRS, {"rows": "1"}, 400),
        (PAIRS, {"title": "x" * 201}, 400),
        (PAIRS, {"release": "99"}, 404),
        ("SELECT ?s {", {}, 400),
        ("INSERT DATA { <a:a> <a:b> 1 }", {}, 403),
        ("ASK { SERVICE <http://127.0.0.1:9/> {} }", {}, 403),
        (PAIRS + "#" * 70_000, {}, 422),
    ],
)
def test_what_cannot_be_cited_is_refused(
    citing: Citing, query: str, parameters: dict[str, str], status: int
) -> None:
    reply = citing.cite(query, **parameters)
    assert (reply.status, reply.problem["status"]) == (status, status)


def test_citing_takes_no_get_and_an_update_is_refused(citing: Citing) -> None:
    assert citing.server.send(f"/cite?{urlencode({'query': PAIRS})}").status == 405
    assert citing.server.post(b"update=CLEAR+ALL", FORM, "/cite").status == 403


def test_a_restricted_graph_is_not_seen(citing: Citing) -> None:
    assert citing.made("SELECT ?s { GRAPH <http://ex/secret> { ?s ?p ?o } }")["rows"] == 0
    assert citing.made("SELECT * { <http://ex/hidden> ?p ?o }")["rows"] == 0


# --- showing ------------------------------------------------------------------------------


def test_the_page_tells_all_and_needs_no_script(citing: Citing) -> None:
    record = citing.made(PAIRS + " LIMIT 1", release="1", title="<script>alert(1)</script>")
    reply = citing.get(record["id"], BROWSER)
    page = Page(reply.body)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert all(each.keys() == {"type", "src"} for each in page.scripts)
    for fact in ("query", "release", "release_digest", "digest", "title"):
        assert record[fact] in page.words
    assert record["release_time"] == "2026-01-02T03:04:05Z"
    assert "made 2 January 2026, 03:04:05 UTC" in page.words
    assert "cuts an unordered result" in page.words
    assert record["url"] in page.words


def test_the_page_leads_to_the_result_and_to_every_format(citing: Citing) -> None:
    record = citing.made(release="1")
    links, root = Page(citing.get(record["id"], BROWSER).body).links, citing.server.url
    local = [link.removeprefix(root) for link in links if link.startswith(root)]
    replies = {link: citing.server.send("/" + link.lstrip("/")) for link in local}
    assert len(replies) == 1 + len(CITATION_FORMATS)
    assert {each.status for each in replies.values()} == {200}
    (result,) = (each for link, each in replies.items() if link.startswith("r/"))
    assert len(json.loads(result.body)["results"]["bindings"]) == record["rows"] == 2


def test_a_long_query_is_run_again_by_a_form(citing: Citing) -> None:
    record = citing.made(PAIRS + " #" + "x" * 5000)
    reply = citing.get(record["id"], BROWSER)
    assert reply.body.count(b'method="post"') == 3
    assert not any("sparql?" in link for link in Page(reply.body).links)


def test_a_page_is_not_sent_again_until_it_changes(citing: Citing) -> None:
    id = citing.made()["id"]
    reply = citing.get(id, BROWSER)
    again = citing.get(id, BROWSER, If_None_Match=reply.headers["etag"])
    other = citing.get(id, "application/json", If_None_Match=reply.headers["etag"])
    assert (again.status, again.body, other.status) == (304, b"", 200)
    assert reply.headers["cache-control"] == "no-cache"


def test_programs_find_what_to_cite_in_the_link_field(citing: Citing) -> None:
    record = citing.made()
    link = citing.get(record["id"]).headers["link"]
    assert f'<{record["url"]}>; rel="cite-as"' in link
    assert 'rel="describedby"; type="application/x-bibtex"' in link


@pytest.mark.parametrize("id", ["0123456789abcdef", "x", "..%2F..%2FHEAD", "%00", "a" * 500])
def test_an_unknown_citation_is_404(citing: Citing, id: str) -> None:
    assert [citing.get(id).status, citing.verify(id).status] == [404, 404]


def test_the_form_of_queries_cites_what_is_in_it(citing: Citing) -> None:
    path = f"/query?{urlencode({'query': PAIRS})}"
    page = citing.server.send(path, headers={"Accept": BROWSER}).body.decode()
    head = Releases.open(citing.folder).head().name
    assert f'formmethod="post" formaction="/cite?release={head}"' in page
    reply = citing.server.send(
        f"/cite?release={head}",
        method="POST",
        body=urlencode({"query": PAIRS}).encode(),
        headers={"Content-Type": FORM, "Accept": BROWSER},
    )
    assert (reply.status, reply.headers["content-type"]) in (
        (200, "text/html; charset=utf-8"),
        (201, "text/html; charset=utf-8"),
    )


# --- verifying ----------------------------------------------------------------------------


def test_a_citation_is_run_again_on_its_release_and_on_another(citing: Citing) -> None:
    id = citing.made(release="1")["id"]
    replies = [citing.verify(id), citing.verify(id, at="HEAD"), citing.verify(id, at="1")]
    verdicts = [json.loads(each.body) for each in replies]
    assert [each["verdict"] for each in verdicts] == ["same", "different", "same"]
    assert (verdicts[1]["cited"]["rows"], verdicts[1]["now"]["rows"]) == (2, 1)
    assert {each.headers["cache-control"] for each in replies} == {"no-store"}
    assert citing.verify(id, at="99").status == 404


def test_what_to_compare_with_may_stand_in_a_form(citing: Citing) -> None:
    path = f"/c/{citing.made(release='1')['id']}/verify"
    sent = [
        citing.server.send(path, method="POST", body=b"at=HEAD", headers={"Content-Type": type})
        for type in (FORM, "application/json")
    ]
    assert [each.status for each in sent] == [200, 415]
    assert json.loads(sent[0].body)["verdict"] == "different"


def test_head_may_be_cited_by_its_name(citing: Citing) -> None:
    assert citing.made(release="HEAD")["release"] == citing.made()["release"]


def test_a_verdict_is_given_as_text_and_as_a_page(citing: Citing) -> None:
    id = citing.made(release="1")["id"]
    text = citing.verify(id, "text/plain", at="HEAD")
    page = Page(citing.verify(id, BROWSER, at="HEAD").body)
    assert text.body.startswith(b"Different: 2 solutions when it was cited")
    assert "Run again: different" in page.words


def test_citing_and_verifying_count_against_the_rate(citing: Citing, tmp_path: Path) -> None:
    store = shutil.copytree(citing.folder, tmp_path / "store")
    with running(store, tmp_path / "log", workers=1, client_rate=2) as server:
        limited = Citing(server, store, citing.first)
        id = limited.made(PAIRS + " # rate")["id"]
        statuses = [limited.verify(id).status, limited.verify(id).status, limited.cite().status]
        assert limited.get(id).status == 200
    assert statuses == [200, 429, 429]


# --- who may, how many, and what is gone --------------------------------------------------


def test_citing_may_need_a_token_and_gives_the_public_address(
    citing: Citing, tmp_path: Path
) -> None:
    store = shutil.copytree(citing.folder, tmp_path / "store")
    public: dict[str, Any] = {"public_url": "https://data.example.org/kg/"}
    with writable_server(
        store, tmp_path / "log", workers=1, open_citations=False, **public
    ) as server:
        replies = [
            server.send("POST", "/cite", PAIRS + " # token", DIRECT, token=token)
            for token in (None, "unknown", "operator", "ann")
        ]
    record = json.loads(replies[-1].body)
    assert [each.status for each in replies] == [401, 401, 403, 201]
    assert record["url"] == f"https://data.example.org/kg/c/{record['id']}"


def test_a_full_store_says_so_and_gives_what_it_has(citing: Citing, tmp_path: Path) -> None:
    store = shutil.copytree(citing.folder, tmp_path / "store")
    shutil.rmtree(store / "citations", ignore_errors=True)
    with running(store, tmp_path / "log", workers=1, citations=1) as server:
        full = Citing(server, store, citing.first)
        statuses = [full.cite(query).status for query in (PAIRS, PAIRS + " ", PAIRS)]
        assert full.cite(PAIRS + " ").problem["limit"] == 1
    assert statuses == [201, 507, 200]


def test_a_citation_outlives_its_release_and_a_restart(citing: Citing, tmp_path: Path) -> None:
    store = shutil.copytree(citing.folder, tmp_path / "store")
    with running(store, tmp_path / "log", workers=1) as server:
        before = Citing(server, store, citing.first)
        id = before.made(release="1")["id"]
        page = before.get(id, BROWSER)
    releases = Releases.open(store)
    with releases.lock():
        now = datetime(2026, 6, 1, tzinfo=UTC)
        assert retain(releases, Policy(releases=1), now=now, cited=True).removed
    with running(store, tmp_path / "log", workers=1) as server:
        after = Citing(server, store, citing.first)
        gone = after.get(id, BROWSER, If_None_Match=page.headers["etag"])
        assert gone.status == 200
        assert f"Release {citing.first.name} is gone" in Page(gone.body).words
        assert json.loads(after.verify(id).body)["verdict"] == "release gone"
        assert json.loads(after.verify(id, at="HEAD").body)["verdict"] == "different"
        assert after.cite(release="1").status in (404, 410)
        assert after.cite(release=citing.first.name).status == 410


def test_a_damaged_record_is_the_operators_matter(citing: Citing) -> None:
    id = citing.made(PAIRS + " # damaged")["id"]
    file = citing.folder / "citations" / f"{id}.json"
    file.write_bytes(file.read_bytes()[:-20])
    reply = citing.get(id)
    assert reply.status == 500
    assert str(citing.folder).encode() not in reply.body
    assert f"the citation {id} cannot be read" in (citing.folder.parent / "log").read_text()
