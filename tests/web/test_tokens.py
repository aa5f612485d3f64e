"""Who may write over HTTP: a bearer token that is known, in time, and good for the graph."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree

import pytest

from kg.namespaces import GRAPH
from kg.store.tokens import Scope, Tokens
from kg_server import Reply, running
from web.writable import LIMITED, Writable, indirect

ONE = "<http://ex/s> <http://ex/p> 1 ."
MINE = LIMITED.removeprefix(GRAPH)


def _challenge(reply: Reply) -> tuple[int, str | None]:
    return reply.status, reply.headers.get("www-authenticate")


def _update(graph: str) -> str:
    return f"INSERT DATA {{ GRAPH <{graph}> {{ {ONE} }} }}"


def test_without_tokens_nobody_may_write_and_the_answer_says_what_to_do(
    _built_once: Path, tmp_path: Path
) -> None:
    folder = copytree(_built_once, tmp_path / "store")
    with running(folder, tmp_path / "log", workers=1) as server:
        headers = {"Content-Type": "text/turtle", "Authorization": "Bearer x"}
        refused = server.send("/graphs/x", method="PUT", body=ONE.encode(), headers=headers)
        assert (refused.status, "kg token create" in refused.problem["remedy"]) == (403, True)
        refused = server.post(_update(GRAPH + "x").encode(), "application/sparql-update")
        assert (refused.status, refused.problem["detail"]) == (
            403,
            "nobody may write here: the store has no tokens",
        )
        tokens, now = Tokens(folder), datetime.now(UTC)
        secret = tokens.create("late", (Scope.WRITE,), days=1, now=now)
        headers["Authorization"] = f"bearer {secret}"
        made = server.send("/graphs/x", method="PUT", body=ONE.encode(), headers=headers)
        assert made.status == 201
        tokens.revoke("late")
        tokens.create("other", (Scope.WRITE,), days=1, now=now)
        ended = server.send("/graphs/x", method="DELETE", headers=headers)
        assert _challenge(ended) == (401, 'Bearer error="invalid_token"')
        assert secret not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_write_without_a_token_is_challenged(writable: Writable, method: str) -> None:
    reply = writable.send(method, "/graphs/token", ONE, token=None)
    assert _challenge(reply) == (401, "Bearer")


@pytest.mark.parametrize("token", ["unknown", "old"])
def test_a_token_that_is_unknown_or_expired_is_challenged(writable: Writable, token: str) -> None:
    for reply in (
        writable.send("PUT", "/graphs/token", ONE, token=token),
        writable.update(_update(GRAPH + "token"), token),
    ):
        assert _challenge(reply) == (401, 'Bearer error="invalid_token"')
        assert writable.secrets[token].encode() not in reply.body


@pytest.mark.parametrize(
    "field", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer é", "Bearer x,Bearer y"]
)
def test_another_authorization_is_challenged_and_not_repeated(
    writable: Writable, field: str
) -> None:
    headers = {"Authorization": field, "Content-Type": "text/turtle"}
    reply = writable.server.send("/graphs/x", method="PUT", body=ONE.encode(), headers=headers)
    assert reply.status == 401
    assert not field or field.encode("latin-1") not in reply.body.replace(b"Bearer TOKEN", b"")


def test_a_token_without_the_scope_may_not_write(writable: Writable) -> None:
    for reply in (
        writable.send("PUT", "/graphs/token", ONE, token="operator"),  # noqa: S106
        writable.update(_update(GRAPH + "token"), "operator"),
    ):
        assert (reply.status, reply.problem["detail"]) == (
            403,
            "the token operator has not the scope write",
        )


def test_reads_need_no_token_and_mind_no_wrong_one(writable: Writable) -> None:
    assert writable.send("GET", "/graphs/ontology", token="unknown").status == 200  # noqa: S106


@pytest.mark.parametrize(
    ("graph", "status"),
    [(LIMITED + "a", 201), (GRAPH + "yours", 403), (GRAPH + "mine", 403), ("http://ex/g", 403)],
)
def test_a_token_for_some_graphs_writes_no_other(
    writable: Writable, graph: str, status: int
) -> None:
    reply = writable.send("PUT", indirect(graph), ONE, token="limited")  # noqa: S106
    assert reply.status == status
    if status == 403:
        assert (LIMITED in reply.problem["remedy"], "limited" in reply.problem["detail"]) == (
            True,
            True,
        )


@pytest.mark.parametrize(
    ("update", "status"),
    [
        (_update(LIMITED + "b"), 204),
        (f"PREFIX m: <{LIMITED}> INSERT DATA {{ GRAPH m:c {{ {ONE} }} }}", 204),
        (f"COPY <{LIMITED}b> TO <{LIMITED}copy>", 204),
        (f"{_update(LIMITED + 'd')} ; {_update(GRAPH + 'yours')}", 403),
        (f"MOVE <{GRAPH}yours> TO <{LIMITED}e>", 403),
        (f"INSERT {{ GRAPH ?g {{ {ONE} }} }} WHERE {{ BIND(<{LIMITED}f> AS ?g) }}", 204),
        (f"INSERT {{ GRAPH ?g {{ {ONE} }} }} WHERE {{ BIND(<{GRAPH}yours> AS ?g) }}", 403),
        ("CLEAR NAMED", 403),
        (f"INSERT DATA {{ GRAPH rf:x {{ {ONE} }} }}", 403),
        ("INSERT DATA { GRAPH <http://ex/none> {} }" + " " * 300_000, 403),
    ],
)
def test_so_does_an_update_with_it(writable: Writable, update: str, status: int) -> None:
    before = writable.release()
    assert writable.update(update, "limited").status == status
    assert (writable.release() == before) is (status != 204)


def test_a_token_for_some_graphs_does_not_reach_the_default_graph(writable: Writable) -> None:
    reply = writable.send("PUT", "/graphs?default", ONE, token="limited")  # noqa: S106
    assert reply.status == 403


def test_the_log_has_no_secret(writable: Writable) -> None:
    writable.put("/graphs/log", ONE)
    log = (writable.folder.parent / "server.log").read_text()
    assert "path=/graphs/log" in log or "graphs" in log
    assert not any(secret in log for secret in writable.secrets.values())
