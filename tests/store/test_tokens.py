"""Tokens: kept as digests, good for their time, their scopes and their graphs."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kg.errors import BadArgument, Forbidden, StoreDamaged, StoreError, Unauthorized
from kg.store.tokens import Scope, Tokens

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MADE = {"scopes": (Scope.WRITE,), "days": 90, "now": NOW}


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path)


def _create(tokens: Tokens, name: str, *scopes: Scope, days: int = 90, graphs: str = "") -> str:
    prefixes = tuple(graphs.split())
    return tokens.create(name, scopes or (Scope.WRITE,), days=days, graphs=prefixes, now=NOW)


def test_a_folder_without_the_file_has_no_tokens(tokens: Tokens) -> None:
    assert tokens.all() == ()
    with pytest.raises(Unauthorized):
        tokens.holder("", NOW)


def test_a_token_is_known_by_its_secret(tokens: Tokens) -> None:
    secrets = {name: _create(tokens, name) for name in ("b", "a")}
    assert {tokens.holder(secret, NOW).name for secret in secrets.values()} == {"a", "b"}
    assert tokens.holder(secrets["a"], NOW).name == "a"
    assert [token.name for token in tokens.all()] == ["a", "b"]


def test_the_secret_is_kept_nowhere_and_the_file_is_for_its_owner_alone(
    tokens: Tokens, tmp_path: Path
) -> None:
    secret = _create(tokens, "a")
    (file,) = tmp_path.iterdir()
    assert secret not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(secret) > 40


@pytest.mark.parametrize("secret", ["", "kg_", "\udcff", "a" * 10_000])
def test_an_unknown_secret_is_refused_and_not_repeated(tokens: Tokens, secret: str) -> None:
    _create(tokens, "a")
    with pytest.raises(Unauthorized) as caught:
        tokens.holder(secret + "x", NOW)
    assert (secret + "x") not in str(caught.value) or not secret
    assert caught.value.challenge == 'Bearer error="invalid_token"'


def test_a_token_expires(tokens: Tokens) -> None:
    secret = _create(tokens, "a", days=2)
    assert tokens.holder(secret, NOW + timedelta(days=2, seconds=-1)).name == "a"
    with pytest.raises(Unauthorized, match=r"a expired at 2026-01-04T03:04:05\+00:00"):
        tokens.holder(secret, NOW + timedelta(days=2))


def test_a_revoked_token_is_refused_by_whoever_knew_it(tokens: Tokens, tmp_path: Path) -> None:
    secret = _create(tokens, "a")
    assert tokens.holder(secret, NOW).name == "a"
    Tokens(tmp_path).revoke("a")
    with pytest.raises(Unauthorized):
        tokens.holder(secret, NOW)


def test_scopes_are_asked_for(tokens: Tokens) -> None:
    token = tokens.holder(_create(tokens, "a"), NOW)
    token.check_scope(Scope.WRITE)
    with pytest.raises(Forbidden, match="admin"):
        token.check_scope(Scope.ADMIN)


def test_an_operator_may_not_write_without_that_scope(tokens: Tokens) -> None:
    with pytest.raises(Forbidden, match="write"):
        tokens.holder(_create(tokens, "a", Scope.ADMIN), NOW).check_scope(Scope.WRITE)


def test_graphs_are_those_that_begin_so(tokens: Tokens) -> None:
    token = tokens.holder(_create(tokens, "a", graphs="http://a/x/ http://b/"), NOW)
    token.check_graph("http://a/x/1")
    token.check_graph("http://b/")
    for graph in ("http://a/x", "http://a/", None):
        with pytest.raises(Forbidden, match="http://a/x/"):
            token.check_graph(graph)


def test_a_token_without_prefixes_may_write_any_graph(tokens: Tokens) -> None:
    token = tokens.holder(_create(tokens, "a"), NOW)
    token.check_graph("http://a/")
    token.check_graph(None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": "a\nb"},
        {"name": "x" * 65},
        {"scopes": ()},
        {"days": 0},
        {"days": 3651},
        {"graphs": ("relative",)},
    ],
)
def test_what_a_token_cannot_be_is_refused(
    tokens: Tokens, tmp_path: Path, wrong: dict[str, object]
) -> None:
    with pytest.raises(BadArgument):
        tokens.create(**({"name": "a"} | MADE | wrong))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_name_is_taken_once(tokens: Tokens) -> None:
    _create(tokens, "a")
    with pytest.raises(BadArgument, match="already"):
        _create(tokens, "a")


def test_only_a_token_that_is_there_is_revoked(tokens: Tokens) -> None:
    _create(tokens, "a")
    with pytest.raises(BadArgument, match="no token 'b'") as caught:
        tokens.revoke("b")
    assert caught.value.remedy == "There are: a."


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"tokens": [{}]}',
        '{"tokens": {"a": 1}}',
        json.dumps(
            {
                "tokens": [
                    {"name": "a", "digest": "é", "scopes": [], "created": "", "graphs": []}
                    | {"expires": "2030-01-01T00:00:00+00:00"}
                ]
            }
        ),
    ],
)
def test_a_damaged_file_lets_nobody_write(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokens.json").write_text(content)
    with pytest.raises(StoreDamaged):
        Tokens(tmp_path).holder("x", NOW)


def test_a_file_that_cannot_be_read_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "tokens.json").mkdir()
    with pytest.raises(StoreError, match=r"tokens\.json cannot be read"):
        Tokens(tmp_path).all()


def test_tokens_made_at_one_moment_are_all_kept(tmp_path: Path) -> None:
    program = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path;"
        "from kg.store.tokens import Scope, Tokens;"
        "[Tokens(Path(sys.argv[1])).create(f'{sys.argv[2]}-{n}', (Scope.WRITE,), days=1,"
        " now=datetime.now(UTC)) for n in range(10)]"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), str(n)], env=environment)
        for n in range(3)
    ]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert len(Tokens(tmp_path).all()) == 30
