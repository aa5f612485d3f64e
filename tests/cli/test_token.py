"""`kg token`, from the making of a token to its end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner, Result

from kg.cli import main
from kg.store.tokens import Tokens


def run(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result


def test_a_token_is_made_listed_and_revoked(built: Path) -> None:
    made = run("token", "create", "ann", "--store", built, "--days", "9", "--graph", "http://a/")
    (secret,) = made.stdout.split()
    token = Tokens(built).holder(secret, datetime.now(UTC))
    assert (token.name, token.scopes, token.graphs) == ("ann", ("write",), ("http://a/",))
    listed = run("token", "list", "--store", built).stdout
    assert "ann" in listed and "http://a/*" in listed and token.expires in listed
    assert secret not in listed and token.digest not in listed
    assert run("token", "revoke", "ann", "--store", built).output == ""
    assert "ann" not in run("token", "list", "--store", built).stdout


def test_scopes_may_be_more_than_one(built: Path) -> None:
    run("token", "create", "ann", "--store", built, "--scope", "write", "--scope", "admin")
    assert [token.scopes for token in Tokens(built).all()] == [("write", "admin")]


def test_an_expired_token_is_listed_as_such(built: Path) -> None:
    (built / "tokens.json").write_text(
        '{"tokens": [{"name": "old", "digest": "0", "scopes": ["write"], "graphs": [],'
        ' "created": "2020-01-01T00:00:00+00:00", "expires": "2020-02-01T00:00:00+00:00"}]}'
    )
    assert "expired" in run("token", "list", "--store", built).stdout


def test_a_name_that_cannot_be_is_refused(built: Path) -> None:
    assert "the name of the token" in run("token", "create", "a b", "--store", built, code=2).stderr


def test_tokens_belong_to_a_store_that_is_there(tmp_path: Path) -> None:
    assert "no release yet" in run("token", "create", "a", "--store", tmp_path, code=5).stderr
    assert list(tmp_path.iterdir()) == []
