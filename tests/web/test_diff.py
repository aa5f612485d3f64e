"""`/diff` and `/releases`: how releases differ, over HTTP."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from kg.cli import main
from kg.store.base import Release
from kg_server import Server, running
from processes import workers
from two_releases import TOLD

FORMATS = {
    "claims": "text/plain; charset=utf-8",
    "json": "application/json",
    "quads": "text/x-diff; charset=utf-8",
    "patch": "application/rdf-patch",
}


def command(store: Path, *arguments: str) -> bytes:
    result = CliRunner().invoke(main, ["diff", "--store", str(store), *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout_bytes


def test_people_read_claims(history: Server) -> None:
    reply = history.send("/diff?from=1", headers={"Accept": "text/plain"})
    assert reply.headers["content-type"] == FORMATS["claims"]
    assert reply.body.decode().split("\n", 2)[2].partition("\nAnd ")[0] == TOLD


@pytest.mark.parametrize("name", FORMATS)
def test_the_command_line_tells_the_same(history: Server, two_folder: Path, name: str) -> None:
    reply = history.send(f"/diff?from=1&to=2&format={name}")
    assert (reply.status, reply.headers["content-type"]) == (200, FORMATS[name])
    assert reply.body == command(two_folder, "1", "2", "--format", name)


@pytest.mark.parametrize("name", FORMATS)
def test_the_format_is_negotiated(history: Server, name: str) -> None:
    accepted = {"Accept": f"text/turtle, {FORMATS[name].partition(';')[0]};q=0.4"}
    named = history.send(f"/diff?from=1&format={name}")
    assert history.send("/diff?from=1", headers=accepted).body == named.body


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_packed_and_not_sent_again(history: Server, name: str) -> None:
    path = f"/diff?from=1&format={name}"
    plain, packed = (history.send(path, headers=head) for head in ({}, {"Accept-Encoding": "gzip"}))
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["etag"] != plain.headers["etag"]
    again = history.send(path, headers={"If-None-Match": plain.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    other = history.send(path, headers={"If-Match": packed.headers["etag"]})
    assert other.status == 412


def test_a_client_that_refuses_what_is_not_packed_gets_it_packed(history: Server) -> None:
    only = {"Accept-Encoding": "gzip, identity;q=0"}
    for name in FORMATS:
        reply = history.send(f"/diff?from=2&to=2&format={name}", headers=only)
        assert reply.headers["content-encoding"] == "gzip"


def test_only_full_names_mean_the_same_for_ever(
    history: Server, two: tuple[Release, Release]
) -> None:
    before, after = (release.name for release in two)
    asked = (f"from={before}&to={after}", f"from={before}", f"from=1&to={after}")
    replies = [history.send(f"/diff?{each}") for each in asked]
    assert [reply.headers["cache-control"] for reply in replies] == [
        "public, max-age=31536000, immutable",
        "no-cache",
        "no-cache",
    ]
    assert {reply.headers["kg-release"] for reply in replies} == {after}
    assert {reply.headers["vary"] for reply in replies} == {"Accept, Accept-Encoding"}


def test_head_has_the_fields_alone(history: Server) -> None:
    got, head = (history.send("/diff?from=1", method=method) for method in ("GET", "HEAD"))
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(got.body))


@pytest.mark.parametrize("path", ["/diff", "/releases"])
def test_what_it_allows_is_told(history: Server, path: str) -> None:
    reply = history.send(path, method="OPTIONS")
    assert (reply.status, set(reply.headers["allow"].split(", "))) == (
        204,
        {"GET", "HEAD", "OPTIONS"},
    )
    assert history.send(path, method="POST", body=b"").status == 405


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ("", 400, "bad-request"),
        ("from=1&from=2", 400, "bad-request"),
        ("from=9", 404, "not-found"),
        ("from=1&to=no-tag", 404, "not-found"),
        ("from=1&format=turtle", 406, "not-acceptable"),
        ("from=%FF", 400, "bad-request"),
    ],
)
def test_what_cannot_be_compared_is_a_problem(
    history: Server, query: str, status: int, kind: str
) -> None:
    reply = history.send(f"/diff?{query}")
    assert (reply.status, reply.problem["type"].rpartition("/")[2]) == (status, kind)


def test_limits_are_those_of_answers(two_folder: Path, tmp_path: Path) -> None:
    with running(two_folder, tmp_path / "log", workers=1, answer_bytes=300) as server:
        for name in FORMATS:
            reply = server.send(f"/diff?from=1&format={name}")
            assert (reply.status, reply.problem["limit"]) == (422, 300)
            assert "kg diff" in reply.problem["remedy"]


def test_a_difference_has_the_deadline_of_a_query(two_folder: Path, tmp_path: Path) -> None:
    with running(two_folder, tmp_path / "log", workers=1, deadline=1.0) as server:
        for worker in workers(server):
            os.kill(worker, signal.SIGSTOP)
        problem = server.send("/diff?from=1").problem
    assert (problem["status"], problem["limit"]) == (503, 1.0)
    assert "kg diff" in problem["remedy"]


def test_a_release_that_was_taken_away_is_gone(two_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two_folder, tmp_path / "store")
    pruned = ["prune", "--store", str(copy), "--keep", "1"]
    result = CliRunner().invoke(main, pruned)
    assert result.exit_code == 0, result.output
    with running(copy, tmp_path / "log", workers=1) as server:
        reply = server.send("/diff?from=1")
        assert (reply.status, "was removed" in reply.problem["detail"]) == (410, True)
        (left,) = json.loads(server.send("/releases").body)["releases"]
        assert "diff" not in left["links"]


# --- /releases ----------------------------------------------------------------------------


def test_releases_are_listed_with_what_leads_to_them(
    history: Server, two_folder: Path, two: tuple[Release, Release]
) -> None:
    reply = history.send("/releases")
    first, second = json.loads(reply.body)["releases"]
    before, after = two
    assert (reply.headers["kg-release"], reply.headers["content-type"]) == (
        after.name,
        "application/json",
    )
    base = f"http://127.0.0.1:{history.port}/"
    assert second == {
        "number": 2,
        "name": after.name,
        "head": True,
        "time": after.time,
        "parent": before.name,
        "digest": after.digest,
        "who": "tests",
        "message": "second",
        "quads": after.quads,
        "graphs": len(after.graphs),
        "changes": {
            "graphs_added": 0,
            "graphs_removed": 0,
            "graphs_changed": after.changes.graphs_changed,
            "quads_added": after.changes.quads_added,
            "quads_removed": after.changes.quads_removed,
        },
        "tags": [],
        "links": {
            "sparql": f"{base}r/{after.name}/sparql",
            "dump": f"{base}dump/{after.name}.nq.gz",
            "diff": f"{base}diff?from={before.name}&to={after.name}",
        },
    }
    assert (first["head"], "diff" in first["links"]) == (False, False)
    for link in second["links"].values():
        assert history.send("/" + link.removeprefix(base)).status == 200


def test_releases_are_a_list_for_people_where_text_is_asked_for(
    history: Server, two: tuple[Release, Release]
) -> None:
    lines = history.send("/releases", headers={"Accept": "text/plain"}).body.decode().splitlines()
    before, after = two
    assert [line.split()[:2] for line in lines] == [[before.name, before.time], ["*", after.name]]
    tag = history.send("/releases").headers["etag"]
    assert history.send("/releases", headers={"If-None-Match": tag}).status == 304
