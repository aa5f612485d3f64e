"""Answers that are kept: found again in any spelling, bounded, and never older than HEAD."""

import gzip
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlencode

from kg.namespaces import BASE, GRAPH
from kg.store.base import NamedGraph, Owner, Release
from kg.store.embedded import commit
from kg.web.bodies import OpenFile
from kg.web.cache import Cache, Link
from kg.web.exchange import Kept
from kg_server import Reply, Server, running
from raw_http import reply
from store_parts import change

QUERY = f"SELECT ?o WHERE {{ <{BASE}a> <{BASE}p> ?o }}"
SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


def evaluated(reply: Reply) -> bool:
    return "kg-query-id" in reply.headers


def test_the_answer_used_longest_ago_goes_first() -> None:
    cache = Cache(8 * 4000)
    for name in "abcdefg":
        cache.keep(name, Kept(bytes(3400), {}))
        cache.find("a")
    kept = [name for name in "bcdefga" if cache.find(name)]
    cache.keep("h", Kept(bytes(3400), {}))
    assert kept == list("bcdefga")
    assert [name for name in "abcdefgh" if cache.find(name)] == list("acdefgh")


def test_an_answer_takes_at_most_an_eighth() -> None:
    cache = Cache(8 * 4000)
    assert (cache.takes(bytes(3000)), cache.takes(bytes(4000))) == (True, False)


def test_questions_are_bounded_as_well() -> None:
    cache = Cache(8 * 4000)
    for number in range(100):
        cache.lead((str(number),), Link("e", [("a", "b")], []))
    assert cache.led(("99",)) and not cache.led(("0",))


def test_a_question_does_not_lead_to_an_answer_of_another_length() -> None:
    cache = Cache(8 * 4000)
    fields = [("content-length", "2")]
    cache.lead(("a",), Link("e", fields, [("etag", "e")]))
    cache.keep("e", Kept(b"12", {}))
    assert cache.led(("a",)) == Link("e", fields, [("etag", "e")])
    cache.keep("e", Kept(b"123", {}))
    assert cache.led(("a",)) == Link("e", [], [("etag", "e")])


def test_a_file_that_nobody_refers_to_is_closed() -> None:
    cache = Cache(32 * 1024 * 1024)
    file = OpenFile.of(bytes(100_000))
    path = Path(file.path)
    cache.keep("a", Kept(file, {}))
    del file
    assert path.exists()
    cache.keep("a", Kept(b"", {}))
    assert not path.exists()


def test_a_second_client_gets_what_was_evaluated_for_the_first(server: Server) -> None:
    path = "/sparql?" + urlencode({"query": QUERY + " # second client"})
    first, second = server.send(path), server.send(path)
    assert (evaluated(first), evaluated(second)) == (True, False)
    assert (first.status, first.body) == (second.status, second.body)
    own = ("date", "kg-query-id", "server-timing")
    assert {n: v for n, v in first.headers.items() if n not in own} == {
        n: v for n, v in second.headers.items() if n not in own
    }


def test_another_spelling_of_a_question_has_its_answer(server: Server) -> None:
    query = QUERY + " # spellings"
    first = server.query(query)
    others = [
        server.send(f"/sparql?timeout=1&query={quote(query, safe='')}"),
        server.send("/sparql?" + urlencode({"query": query, "format": "json"})),
        server.post(query.encode(), "application/sparql-query"),
        server.post(urlencode({"query": query}).encode(), "application/x-www-form-urlencoded"),
    ]
    assert evaluated(first)
    assert [(evaluated(other), other.body) for other in others] == [(False, first.body)] * 4


def test_an_answer_in_a_file_is_kept_and_sent_whole_to_many(server: Server) -> None:
    path = "/sparql?" + urlencode({"query": f"SELECT * {{ ?s <{BASE}q> ?o, ?p }}"})
    first = server.send(path)
    with ThreadPoolExecutor(8) as clients:
        replies = list(clients.map(server.send, [path] * 40))
    assert len(first.body) > 40_000
    assert {(reply.body, evaluated(reply)) for reply in replies} == {(first.body, False)}


def test_a_commit_is_seen_by_the_next_request(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    store = shutil.copytree(folder, tmp_path / "store")
    with running(store, tmp_path / "log", workers=1) as server:
        for number in range(4):
            said = f'<{BASE}a> <{BASE}p> "{number}" .\n'.encode()
            made = commit(
                store, change(NamedGraph(GRAPH + "one", said, Owner.DATA)), now=datetime.now(UTC)
            )
            assert made
            for _ in range(3):
                reply = server.query(QUERY, accept="text/csv")
                assert (reply.headers["kg-release"], reply.body) == (
                    made.name,
                    f"o\r\n{number}\r\n".encode(),
                )


def test_a_head_that_is_moved_back_has_its_own_answers(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    store = shutil.copytree(folder, tmp_path / "store")
    with running(store, tmp_path / "log", workers=1) as server:
        before = server.query(QUERY)
        said = NamedGraph(GRAPH + "one", f'<{BASE}a> <{BASE}p> "new" .\n'.encode(), Owner.DATA)
        assert commit(store, change(said), now=datetime.now(UTC))
        assert server.query(QUERY).body != before.body
        (store / "HEAD.moved").write_text(f"{release.name}\n")
        (store / "HEAD.moved").rename(store / "HEAD")
        assert server.query(QUERY).body == before.body


def test_one_question_of_many_clients_at_once_is_evaluated_once(server: Server) -> None:
    with ThreadPoolExecutor(12) as clients:
        started = time.monotonic()
        replies = list(clients.map(lambda _: server.query(SLOW + "# once", timeout=2), range(12)))
        took = time.monotonic() - started
    assert {reply.status for reply in replies} == {503}
    assert {reply.problem["title"] for reply in replies} == {"Deadline exceeded"}
    assert sum(map(evaluated, replies)) == 1
    assert took < 6  # one after the other, two at a time, they would take twelve seconds


def test_two_spellings_at_once_of_a_query_with_fresh_blank_nodes_get_whole_answers(
    server: Server,
) -> None:
    """Their ETag is one, and packed they differ in length."""
    query = f"CONSTRUCT {{ [] <{BASE}q> ?o }} WHERE {{ ?s <{BASE}q> ?o }}"
    paths = ["/sparql?" + urlencode({"query": query, "timeout": 1 + n / 10}) for n in range(8)]

    def whole(path: str) -> bool:
        fields = {"Accept": "application/n-triples", "Accept-Encoding": "gzip"}
        return gzip.decompress(server.send(path, headers=fields).body).count(b"\n") == 300

    with ThreadPoolExecutor(8) as clients:
        assert all(clients.map(whole, [*paths, *paths]))


def test_what_is_new_each_time_is_evaluated_for_each(server: Server) -> None:
    with ThreadPoolExecutor(6) as clients:
        query = "SELECT (STRUUID() AS ?x) {}"
        replies = list(clients.map(lambda _: server.query(query), range(6)))
    assert len({reply.body for reply in replies}) == 6


def test_an_answer_at_hand_does_not_meet_the_condition_of_another_client(server: Server) -> None:
    """Two ask the same at once, and one of them wants an answer only if it is another."""
    path = "/sparql?timeout=1&" + urlencode({"query": f"{SLOW} # a condition"})
    fields: list[dict[str, str]] = [{}, {"If-Match": '"another"'}]
    with ThreadPoolExecutor(2) as clients:
        asked = []
        for each in fields:
            asked.append(clients.submit(server.send, path, headers=each))
            time.sleep(0.3)
        first, second = (each.result() for each in asked)
    assert (first.status, second.status) == (503, 412)


def test_a_release_that_comes_after_its_head_is_answered_from_once_it_is_there(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    """A copy of a store may bring HEAD first."""
    store = shutil.copytree(folder, tmp_path / "store")
    said = NamedGraph(GRAPH + "one", f'<{BASE}a> <{BASE}p> "new" .\n'.encode(), Owner.DATA)
    with running(store, tmp_path / "log", workers=1) as server:
        assert server.query(QUERY).headers["kg-release"] == release.name
        copied = shutil.copytree(store, tmp_path / "copied")
        made = commit(copied, change(said), now=datetime.now(UTC))
        assert made
        shutil.copy(copied / "HEAD", store / "HEAD")
        assert server.query(QUERY).headers["kg-release"] == release.name
        shutil.copytree(made.folder, store / "releases" / made.name)
        assert server.query(QUERY).headers["kg-release"] == made.name


def test_fields_that_are_given_twice_are_one_list(server: Server) -> None:
    path = "/sparql?" + urlencode({"query": f"{QUERY} # twice"})

    def status(*fields: str) -> int:
        lines = (f"GET {path} HTTP/1.1", "Host: x", *fields, "\r\n")
        return reply(server.port, "\r\n".join(lines).encode()).status

    assert status("KG-Query-Id: twice-one", "KG-Query-Id: twice-two") == 400
    tag = server.send(path).headers["etag"]
    assert status('If-Match: "x"', f"If-Match: {tag}") == 200
    assert status('If-None-Match: "x"', f"If-None-Match: {tag}") == 304
