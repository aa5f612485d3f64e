"""The status page: for operators alone; it shows what runs, and ends it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from kg.store.tokens import Scope
from kg.web.metrics import Histogram
from kg_server import Reply
from web.reading import Reading, readers_of

SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


@pytest.fixture(scope="module")
def harbour(_built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    with readers_of(_built_once, tmp_path_factory.mktemp("status")) as reading:
        yield reading


def text(reply: Reply) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", reply.body.decode())))


def test_a_person_without_a_token_is_asked_to_sign_in(harbour: Reading) -> None:
    reply = harbour.page("/status")
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert 'name="to" value="/status"' in reply.body.decode()
    assert "workers" not in text(reply)


def test_a_program_without_a_token_gets_a_problem(harbour: Reading) -> None:
    assert harbour.server.send("/status").problem["status"] == 401
    headers = {"Authorization": f"Bearer {harbour.secrets[Scope.RESTRICTED]}"}
    assert harbour.server.send("/status", headers=headers).problem["status"] == 403


@pytest.mark.parametrize("scope", [Scope.RESTRICTED, Scope.WRITE])
def test_another_scope_is_not_enough(harbour: Reading, scope: Scope) -> None:
    reply = harbour.by(scope, "/status")
    assert reply.status == 403 and "Running queries" not in text(reply)


def test_an_operator_sees_what_the_server_does(harbour: Reading) -> None:
    assert harbour.server.query("ASK {}").status == 200
    page = text(harbour.by(Scope.ADMIN, "/status"))
    for fact in ("ready The server answers", "workers busy", "waited for a worker", "the server"):
        assert fact in page
    assert re.search(r"in all [1-9]\d* ≤ [\d.]+ m?s", page)
    assert re.search(r"Requests since .* 200 [1-9]", page)
    assert re.search(r"Releases kept 1 Disk [\d.]+ [KM]iB; [\d.]+ [GT]iB free", page)
    assert re.search(r"the server \d+ [\d.]+ MiB", page) and re.search(r"a worker \d+ ", page)


def test_the_page_comes_again_without_a_script(harbour: Reading) -> None:
    page = harbour.by(Scope.ADMIN, "/status?every=5").body
    assert b'<meta http-equiv="refresh" content="5">' in page
    assert b"http-equiv" not in harbour.by(Scope.ADMIN, "/status?every=1").body


def test_an_operator_ends_a_running_query(harbour: Reading) -> None:
    cookie = harbour.signed_in(Scope.ADMIN)
    came: list[Reply] = []
    asking = threading.Thread(target=lambda: came.append(harbour.server.query(SLOW)))
    asking.start()
    id = _running(harbour, cookie)
    reply = harbour.post("/status/cancel", cookie=cookie, id=id)
    asking.join(timeout=20)
    assert (reply.status, reply.headers["location"]) == (303, "/status")
    assert came[0].problem["title"] == "Cancelled"


def test_only_an_operator_ends_a_query(harbour: Reading) -> None:
    reader = harbour.signed_in(Scope.RESTRICTED)
    assert harbour.post("/status/cancel", cookie=reader, id="12345678").status == 403
    assert harbour.post("/status/cancel", id="12345678").status == 401
    operator = harbour.signed_in(Scope.ADMIN)
    assert harbour.post("/status/cancel", cookie=operator, id="12345678").status == 404


def test_a_share_of_values_lies_within_a_bound() -> None:
    seconds = Histogram((1.0, 2.0, 5.0))
    assert seconds.within(0.5) is None
    for value in (0.5, 0.5, 1.5, 9.0):
        seconds.add(value)
    assert [seconds.within(share) for share in (0.5, 0.75, 0.99)] == [1.0, 2.0, float("inf")]


def _running(harbour: Reading, cookie: str) -> str:
    """The id of the query that the page lists, once it does."""
    for _ in range(100):
        page = harbour.page("/status", cookie=cookie).body.decode()
        found = re.search(r'name="id" value="([\w-]+)"', page)
        if found:
            return found[1]
        time.sleep(0.05)
    raise AssertionError("the page lists no query")
