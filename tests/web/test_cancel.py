"""Running queries that are ended: by their key, or because their client left."""

import http.client
import time
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import pytest

from kg.store.base import Release
from kg_server import Reply, Server, running
from processes import at_work, eventually
from raw_http import connect, reply, request

SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
_numbers = count()


def ask(server: Server, **headers: str) -> Reply:
    """A query that nobody else asks and that ends at its deadline."""
    query = urlencode({"query": f"{SLOW} # {next(_numbers)}", "timeout": "2.5"})
    return server.send(f"/sparql?{query}", headers=headers)


def cancel(server: Server, id: str, key: str | None = None) -> Reply:
    headers = {"KG-Query-Key": key} if key is not None else {}
    return server.send(f"/queries/{id}", method="DELETE", headers=headers)


def cancelled_in_time(server: Server, id: str, key: str) -> Reply:
    """The first answer that is not 404: the query may not have started yet."""
    end = time.monotonic() + 2
    while (reply := cancel(server, id, key)).status == 404 and time.monotonic() < end:
        time.sleep(0.02)
    return reply


def test_a_query_is_cancelled_with_its_key(server: Server) -> None:
    with ThreadPoolExecutor(1) as client:
        headers = {"KG-Query-Id": "my-query-1", "KG-Query-Key": "secret"}
        running: Future[Reply] = client.submit(lambda: ask(server, **headers))
        ended = cancelled_in_time(server, "my-query-1", "secret")
        reply = running.result()
    assert (ended.status, ended.body) == (204, b"")
    assert (reply.status, reply.problem["title"]) == (503, "Cancelled")
    assert reply.headers["kg-query-id"] == "my-query-1"


@pytest.mark.parametrize("key", ["wrong", "", "secret ", None])
def test_a_wrong_key_is_answered_as_an_unknown_id(server: Server, key: str | None) -> None:
    unknown = cancel(server, "nobody-has-it", key)
    with ThreadPoolExecutor(1) as client:
        headers = {"KG-Query-Id": "my-query-2", "KG-Query-Key": "secret-2"}
        running = client.submit(lambda: ask(server, **headers))
        assert eventually(lambda: at_work(server))
        wrong = cancel(server, "my-query-2", key)
        assert not running.done()
        assert cancelled_in_time(server, "my-query-2", "secret-2").status == 204
    assert (wrong.status, wrong.body) == (unknown.status, unknown.body)
    assert wrong.status == 404


@pytest.mark.parametrize("key", [None, "", "anything"])
def test_a_query_without_a_key_cannot_be_cancelled(server: Server, key: str | None) -> None:
    with ThreadPoolExecutor(1) as client:
        running = client.submit(lambda: ask(server, **{"KG-Query-Id": "no-key-at-all"}))
        assert eventually(lambda: at_work(server))
        assert cancel(server, "no-key-at-all", key).status == 404
        assert running.result().problem["title"] == "Deadline exceeded"


def test_an_id_in_use_is_409(server: Server) -> None:
    with ThreadPoolExecutor(1) as client:
        headers = {"KG-Query-Id": "taken-id", "KG-Query-Key": "k"}
        running = client.submit(lambda: ask(server, **headers))
        assert eventually(lambda: at_work(server))
        assert ask(server, **headers).status == 409
        assert cancelled_in_time(server, "taken-id", "k").status == 204
        running.result()
    assert server.send("/sparql?query=ASK%7B%7D%23free", headers=headers).status == 200


@pytest.mark.parametrize("id", ["short", "x" * 65, "with space", "a/b/c/d/e", "semi;colon"])
def test_a_malformed_id_is_400_and_not_echoed(server: Server, id: str) -> None:
    reply = server.send("/sparql?query=ASK%7B%7D%23malformed", headers={"KG-Query-Id": id})
    assert (reply.status, reply.problem["detail"]) == (400, "KG-Query-Id is malformed")
    assert "kg-query-id" not in reply.headers


def test_a_client_that_leaves_ends_its_query(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    """The workers are free again long before the queries would end."""
    asked = request("GET", f"/sparql?{urlencode({'query': SLOW})}")
    with running(folder, tmp_path / "log", workers=1, deadline=60.0) as server:
        for _ in range(2):
            with connect(server.port) as client:
                client.sendall(asked)
                assert eventually(lambda: at_work(server))
            assert eventually(lambda: not at_work(server))
        assert server.query("ASK {}").status == 200


def test_a_connection_goes_on_after_a_query_was_cancelled(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"KG-Query-Id": "kept-alive", "KG-Query-Key": "k"}
    connection.request("GET", "/sparql?" + urlencode({"query": SLOW}), headers=headers)
    assert cancelled_in_time(server, "kept-alive", "k").status == 204
    first = connection.getresponse()
    first.read()
    connection.request("GET", "/sparql?query=ASK%7B%7D")
    second = connection.getresponse()
    second.read()
    assert (first.status, second.status) == (503, 200)
    connection.close()


def test_when_the_first_of_those_who_ask_the_same_leaves_one_other_asks_for_all(
    server: Server,
) -> None:
    asked = request("GET", f"/sparql?timeout=2.5&{urlencode({'query': f'{SLOW} # the same'})}")
    with connect(server.port) as first, ThreadPoolExecutor() as others:
        first.sendall(asked)
        assert eventually(lambda: at_work(server))
        replies = [others.submit(reply, server.port, asked) for _ in range(4)]
        time.sleep(0.2)
        first.close()
        answers = [each.result() for each in replies]
    assert {answer.status for answer in answers} == {503}
    assert len({answer.field("kg-query-id") for answer in answers} - {""}) == 1
