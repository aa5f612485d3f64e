"""A server whose store has a history: tags, rollbacks, and releases that go."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from kg.errors import ReleaseRemoved
from kg.store.releases import Releases
from kg_server import Reply, Server
from processes import eventually, opened, workers
from web.writable import Writable, writable_server

PATH = "/graphs/history"
ASKED = "sparql?" + urlencode({"query": "SELECT ?o { <http://ex/s> <http://ex/p> ?o }"})
CSV = {"Accept": "text/csv"}


@pytest.fixture
def server(_built_once: Path, tmp_path: Path) -> Iterator[Writable]:
    """A server that keeps three releases; its store has one, made by a build."""
    folder = shutil.copytree(_built_once, tmp_path / "store")
    log = tmp_path / "server.log"
    with writable_server(folder, log, workers=1, keep_releases=3) as writable:
        yield writable


def put(server: Writable, *words: str) -> list[str]:
    """The release that each write makes, of a graph that says one word."""
    made = []
    for word in words:
        reply = server.put(PATH, f'<http://ex/s> <http://ex/p> "{word}" .')
        assert reply.status in (201, 204), reply.body
        made.append(reply.headers["kg-release"])
    return made


def ask(server: Writable, at: str = "") -> Reply:
    return server.server.send(f"{at}/{ASKED}", headers=CSV)


def said(reply: Reply) -> bytes:
    assert reply.status == 200, reply.body
    return b"".join(reply.body.split()[1:])


def _held(server: Server, name: str) -> bool:
    """Whether a worker has a file of that release open."""
    paths = {path for worker in workers(server) for path in opened(worker)}
    return any(f"/{name}/" in path or path.endswith(f"/{name}") for path in paths)


def test_writes_keep_as_many_releases_as_the_setting_says(server: Writable) -> None:
    asked = ask(server, "/r/1")
    first = asked.headers["kg-release"]
    assert said(asked) == b""
    made = put(server, *"abcd")
    # A worker with nothing to do lets go of what is not HEAD.
    assert eventually(lambda: not _held(server.server, first))
    made += put(server, "e")
    assert Releases.open(server.folder).names() == made[-3:]
    log = (server.folder.parent / "server.log").read_text()
    (digest,) = [it.digest for it in Releases.open(server.folder).removed() if it.name == first]
    assert f"event=release_removed release={first} digest={digest}" in log
    assert log.count("event=release_removed") == 3
    assert said(ask(server)) == b"e"


def test_a_removed_release_is_gone_and_the_answer_says_when_and_what_it_was(
    server: Writable,
) -> None:
    """Also where its answers were kept, and its manifest was read."""
    (name,) = put(server, "a")
    assert said(ask(server, f"/r/{name}")) == b"a"
    assert said(ask(server)) == b"a"
    put(server, *"bc")
    assert said(ask(server)) == b"c"  # so that the worker lets go
    put(server, *"def")
    (removed,) = [it for it in Releases.open(server.folder).removed() if it.name == name]
    number = name.partition("-")[0]
    for path in (f"/r/{name}", f"/r/{number}"):
        reply = ask(server, path)
        assert reply.status == 410
        assert reply.problem["type"].endswith("/release-removed")
        assert removed.digest in reply.problem["detail"]
        assert removed.removed in reply.problem["detail"]
    assert server.server.send(f"/dump/{name}.nq.gz").status == 410
    assert server.server.send("/r/99/").status == 404


def test_a_release_in_use_is_kept_and_goes_once_it_is_not(server: Writable) -> None:
    (name,) = put(server, "a")
    assert said(ask(server, f"/r/{name}")) == b"a"
    put(server, *"bcdef")
    other = "sparql?" + urlencode({"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"})
    assert server.server.send(f"/r/{name}/{other}").status == 200
    assert name in Releases.open(server.folder).names()
    assert said(ask(server)) == b"f"
    put(server, "g")
    assert name not in Releases.open(server.folder).names()


def test_a_tag_is_an_address_whose_answers_may_change(server: Writable) -> None:
    made, releases = put(server, *"ab"), Releases.open(server.folder)

    def tag(release: str) -> None:
        releases.tag("best", releases.named(release), who="", message="", now=_now(), move=True)

    tag(made[0])
    reply = ask(server, "/r/best")
    assert (said(reply), reply.headers["cache-control"]) == (b"a", "no-cache")
    assert reply.headers["kg-release"] == made[0]
    assert said(ask(server, "/r/best")) == b"a"
    tag(made[1])
    assert said(ask(server, "/r/best")) == b"b"
    put(server, *"cdef")
    assert said(ask(server, "/r/best")) == b"b"
    releases.untag("best")
    assert ask(server, "/r/best").status == 404


def test_a_rollback_is_served_at_the_next_request_and_written_upon(server: Writable) -> None:
    made, releases = put(server, *"ab"), Releases.open(server.folder)
    assert said(ask(server)) == b"b"
    releases.rollback(releases.named(made[0]), who="", message="", now=_now())
    assert said(ask(server)) == b"a"
    (third,) = put(server, "c")
    assert Releases.open(server.folder).named(third).parent == made[0]
    assert int(third.partition("-")[0]) == int(made[1].partition("-")[0]) + 1


def test_retention_that_fails_fails_no_write_and_is_logged(server: Writable) -> None:
    (server.folder / "citations").mkdir()
    (server.folder / "citations" / "bad.json").write_text("{")
    made = put(server, *"abcd")
    assert Releases.open(server.folder).names()[-4:] == made
    assert "event=retention_failed" in (server.folder.parent / "server.log").read_text()


def test_what_was_removed_is_told_in_process_too(server: Writable) -> None:
    (name,) = put(server, "a")
    put(server, *"bcd")
    with pytest.raises(ReleaseRemoved):
        Releases.open(server.folder).named(name)


def _now() -> datetime:
    return datetime.now(UTC)
