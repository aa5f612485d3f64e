"""The log: its ids, its two forms, and that a query is told at no level but debug."""

from __future__ import annotations

import json
import logging
import re
import sys
from pathlib import Path
from shutil import copytree
from urllib.parse import quote

import pytest

from kg.store.base import Release
from kg.web.logs import Ids, JsonFormatter, LineFormatter, RequestIds, current
from kg_server import Server, running
from processes import alive, eventually, kill, workers
from web.test_access_log import line_of
from web.writable import writable_server

MARK = "s3cretmark"
KILLED = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


def test_a_request_has_an_id_of_its_own_which_an_error_repeats(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with running(folder, log, workers=1) as server:
        good, bad = server.send("/"), server.send("/nowhere")
        again = server.send("/nowhere")
        line_of(log, f"request={again.headers['x-request-id']} ")
    one, other = bad.headers["x-request-id"], again.headers["x-request-id"]
    assert one != other
    assert "x-request-id" not in good.headers
    assert f"status=404 release=- bytes={len(bad.body)} request={one} query=- " in log.read_text()


@pytest.mark.parametrize("path", ["/", "/sparql?query=ASK%7B%7D", "/health/live"])
@pytest.mark.parametrize(
    ("sent", "taken"),
    [("a-B_c.9", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("a=b", False)],
)
def test_an_id_that_a_client_sends_is_taken_where_it_is_a_plain_word(
    server: Server, path: str, sent: str, taken: bool
) -> None:
    for _ in range(2):  # the second from what is kept
        reply = server.send(path, headers={"X-Request-Id": sent})
        assert (reply.headers.get("x-request-id") == sent) is taken


def test_an_evaluated_query_is_in_its_line_by_the_id_of_its_answer(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with running(folder, log, workers=1) as server:
        headers = {"X-Request-Id": "mine", "KG-Query-Id": "my-query-1"}
        reply = server.send("/sparql?query=ASK%7B%7D%23logged", headers=headers)
        line = line_of(log, "request=mine ")
    assert reply.headers["kg-query-id"] == "my-query-1"
    assert " query=my-query-1 " in line


def test_what_happens_to_a_worker_is_logged_with_the_ids_of_its_query(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    """Both roads: the loop's, and a thread's."""
    log, store = tmp_path / "log", copytree(folder, tmp_path / "store")
    with running(store, log, workers=1) as server:
        (store / "releases" / release.name / "public" / "CURRENT").write_text("nonsense\n")
        old = workers(server)
        for worker in old:
            kill(worker)  # so that the release is opened anew
        assert eventually(lambda: not any(map(alive, old)))
        statuses = []
        for number, more in enumerate(["", "x" * 5000]):
            path = f"/sparql?query=ASK%7B%7D%23{number}{more}"
            headers = {"X-Request-Id": f"damage-{number}", "KG-Query-Id": f"query-of-{number}"}
            statuses.append(server.send(path, headers=headers).status)
    assert statuses == [500, 500]
    for number in range(2):
        line = line_of(log, f"request=damage-{number} query=query-of-{number}")
        assert "event=failed kind=store" in line


def test_at_info_no_line_has_a_word_of_a_query(_built_once: Path, tmp_path: Path) -> None:
    assert MARK not in _everything(_built_once, tmp_path, "info")


def test_at_debug_the_text_stands_with_its_ids(_built_once: Path, tmp_path: Path) -> None:
    log = _everything(_built_once, tmp_path, "debug")
    text = f"ASK {{ ?s ?p '{MARK}1' }}"
    (line,) = [line for line in log.splitlines() if f"{MARK}1" in line and "event=query" in line]
    assert f"text={text!r}" in line or f'text="{text}"' in line
    ids = re.search(r" request=(\S+) query=(\S+)$", line)
    assert ids
    assert f" request={ids[1]} query={ids[2]} " in log.replace(line, "")
    assert f"{MARK}9" in log
    assert "path=/health/live" in log


def test_at_warning_requests_are_not_told(folder: Path, release: Release, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(folder, log, workers=1, log_level="warning") as server:
        assert server.send("/").status == 200
    assert log.read_text() == ""


def _everything(built: Path, tmp_path: Path, level: str) -> str:
    """The log of a server that got queries and writes of every kind, each with the mark."""
    folder, log = copytree(built, tmp_path / "store"), tmp_path / "log"
    form = "application/x-www-form-urlencoded"
    literal = f"<http://ex/a> <http://ex/{MARK}> '{MARK}'"
    with writable_server(folder, log, workers=1, deadline=1.0, log_level=level) as writable:
        server = writable.server
        asked = [
            f"ASK {{ ?s ?p '{MARK}1' }}",
            f"ASK {{ ?s ?p '{MARK}2' ",
            f"SELECT * {{ SERVICE <http://{MARK}3/> {{ ?s ?p ?o }} }}",
            KILLED.replace("?n", f"?{MARK}"),
            f"SELECT (<http://{MARK}4/f>(?s) AS ?x) {{ ?s ?p ?o }}",
            f"ASK {{ ?s ?p '{MARK}5' }} #" + "x" * 5000,
        ]
        statuses = {server.query(text).status for text in asked}
        assert statuses >= {200, 400, 403, 503}
        server.post(f"ASK {{ ?s ?p '{MARK}6' }}".encode(), "application/sparql-query")
        server.post(f"query=ASK%7B%3Fs%20%3Fp%20%22{MARK}7%22%7D".encode(), form)
        server.post(quote(MARK).encode(), "text/plain", f"/sparql?query={MARK}8")
        server.send(f"/nowhere?{MARK}")
        server.send("/health/live")
        writable.update(f"INSERT DATA {{ GRAPH <http://ex/g> {{ {literal}, '{MARK}9' }} }}")
        writable.update(f"INSERT DATA {{ {literal} }}")
        writable.update(f"INSERT {MARK}")
        writable.put("/graphs/marked", f"{literal} .")
        writable.put("/graphs/marked", f"{literal} broken")
        server.send("/metrics")
    return log.read_text()


def test_json_is_one_object_a_line_for_every_logger(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    log, store = tmp_path / "log", copytree(folder, tmp_path / "store")
    with running(store, log, workers=1, log_format="json") as server:
        server.query("ASK {} # json")
        server.send('/x%0A"forged":1', headers={"X-Request-Id": "r-1"})
        (store / "HEAD").rename(tmp_path / "HEAD")
        server.send("/")
        line_of(log, '"r-1"')
    members = [json.loads(line) for line in log.read_text().splitlines()]
    events = {each["event"]: each for each in members}
    assert set(events) >= {"request", "worker", "head_lost", "stopping"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z", each["time"]) for each in members)
    (strange,) = [each for each in members if each.get("request") == "r-1"]
    assert (strange["path"], strange["status"], strange["query"]) == ('/x\n"forged":1', 404, "-")
    assert events["head_lost"]["message"].startswith(str(store))


def test_a_message_becomes_members_and_a_traceback_stays_on_its_line() -> None:
    def told(message: str, *values: object, error: bool = False) -> dict[str, object]:
        info = sys.exc_info() if error else None
        record = logging.LogRecord("kg.x", logging.ERROR, "", 0, message, values, info)
        line = JsonFormatter().format(record)
        assert "\n" not in line
        found: dict[str, object] = json.loads(line)
        del found["time"]
        return found

    base = {"level": "ERROR", "logger": "kg.x"}
    assert told("event=a message=%r n=%d", "it's 'so'", 3) == base | {
        "event": "a",
        "message": "it's 'so'",
        "n": "3",
    }
    assert told("event=a path=%r", "a b") == base | {"event": "a", "path": "a b"}
    assert told("no pairs = here") == base | {"message": "no pairs = here"}
    try:
        raise ValueError("lost")
    except ValueError:
        found = told("event=failed", error=True)
    assert found["event"] == "failed"
    assert str(found["traceback"]).endswith("ValueError: lost")


def test_ids_that_are_set_end_each_line() -> None:
    record = logging.LogRecord("kg.x", logging.INFO, "", 0, "event=a", (), None)
    token = current.set(Ids("r", "q"))
    try:
        assert LineFormatter().format(record).endswith(" level=INFO event=a request=r query=q")
    finally:
        current.reset(token)
    assert LineFormatter().format(record).endswith(" level=INFO event=a")


def test_own_ids_never_meet() -> None:
    one, other = RequestIds(), RequestIds()
    ids = [each.id_of(None) for each in (one, other) for _ in range(1000)]
    assert len(set(ids)) == 2000
