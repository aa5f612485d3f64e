"""Signing in with a token: what the cookie is good for, and what it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.store.tokens import Scope, Tokens
from kg.web.front import _says_who
from web.reading import Reading, readers_of

PERSON = "/id/a/0d09b047b72d6408/person/3220-3238"
NAME = b"Abaaoud"


@pytest.fixture(scope="module")
def real(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    with readers_of(real_store, tmp_path_factory.mktemp("readers")) as reading:
        yield reading


def test_the_cookie_is_for_this_server_and_no_script(real: Reading) -> None:
    reply = real.post("/sign-in", token=real.secrets[Scope.RESTRICTED], to="/status")
    parts = reply.headers["set-cookie"].split("; ")
    assert set(parts[1:]) == {"HttpOnly", "Path=/", "SameSite=Strict"}  # no Max-Age: a session
    assert (reply.status, reply.headers["location"]) == (303, "/status")
    assert real.secrets[Scope.RESTRICTED] not in reply.headers["set-cookie"]


def test_the_cookie_is_secure_and_below_the_path_where_a_proxy_says_https(
    _built_once: Path, tmp_path: Path
) -> None:
    public = "https://data.example.org/kg/"
    settings = {"public_url": public, "trusted_proxies": "127.0.0.1"}
    with readers_of(_built_once, tmp_path, **settings) as reading:
        reply = reading.post("/kg/sign-in", token=reading.secrets[Scope.RESTRICTED])
        parts = reply.headers["set-cookie"].split("; ")
        assert {"Secure", "Path=/kg", "HttpOnly", "SameSite=Strict"} <= set(parts)
        assert reply.headers["location"] == "/kg/"


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example/", "/\\evil.example", "x"])
def test_signing_in_leads_nowhere_else(real: Reading, to: str) -> None:
    reply = real.post("/sign-in", token=real.secrets[Scope.RESTRICTED], to=to)
    assert (reply.status, reply.headers["location"]) == (303, "/")


@pytest.mark.parametrize("door", ["/", "/id/a/0d09b047b72d6408", "/resource?iri=http://x/"])
def test_pages_of_a_known_reader_are_that_readers_own(real: Reading, door: str) -> None:
    cookie = real.signed_in(Scope.RESTRICTED)
    reply = real.page(door, cookie=cookie)
    assert reply.headers["cache-control"] in ("private, no-store", "no-store")
    assert "etag" not in reply.headers


def test_two_readers_of_one_page_get_each_their_own(real: Reading) -> None:
    """Neither is answered with what was made, or is kept, for the other."""
    cookie = real.signed_in(Scope.RESTRICTED)
    for _ in range(2):
        assert NAME not in real.page(PERSON).body
        assert NAME in real.page(PERSON, cookie=cookie).body
    tag = real.page(PERSON).headers["etag"]
    reply = real.page(PERSON, cookie=cookie, **{"If-None-Match": tag})
    assert (reply.status, NAME in reply.body) == (200, True)
    assert real.page(PERSON, **{"If-None-Match": tag}).status == 304


def test_a_reader_is_not_answered_with_data_that_is_kept_for_all(real: Reading) -> None:
    cookie = real.signed_in(Scope.RESTRICTED)
    turtle = {"Accept": "text/turtle"}
    article = "/id/a/0d09b047b72d6408"
    kept = [real.server.send(article, headers=turtle) for _ in range(2)]
    own = real.server.send(article, headers=turtle | {"Cookie": cookie})
    assert [reply.status for reply in kept] == [200, 200]
    assert "kg-query-id" not in kept[1].headers  # it was kept
    assert own.status == 200 and NAME not in own.body + kept[1].body


def test_a_bearer_token_does_for_pages_as_well(real: Reading) -> None:
    assert NAME in real.by(Scope.RESTRICTED, PERSON).body
    assert NAME not in real.by(Scope.ADMIN, PERSON).body
    assert real.page(PERSON, Authorization="Bearer kg_unknown").status == 401
    assert real.page(PERSON, Authorization="Basic eDp5").status == 200


def test_signing_out_ends_the_session(real: Reading) -> None:
    cookie = real.signed_in(Scope.RESTRICTED)
    reply = real.post("/sign-out", cookie=cookie)
    assert reply.status == 303 and "Expires=Thu, 01 Jan 1970" in reply.headers["set-cookie"]
    assert NAME not in real.page(PERSON, cookie=cookie).body


def test_signing_in_again_ends_the_session_before(real: Reading) -> None:
    first = real.signed_in(Scope.RESTRICTED)
    assert NAME in real.page(PERSON, cookie=first).body
    real.post("/sign-in", cookie=first, token=real.secrets[Scope.RESTRICTED])
    assert NAME not in real.page(PERSON, cookie=first).body


def test_a_session_ends_with_its_token(real: Reading) -> None:
    cookie, tokens = real.signed_in(Scope.RESTRICTED), Tokens(real.folder)
    assert NAME in real.page(PERSON, cookie=cookie).body
    file = real.folder / "tokens.json"
    before = file.read_bytes()
    tokens.revoke(Scope.RESTRICTED.value)
    assert NAME not in real.page(PERSON, cookie=cookie).body
    file.write_bytes(before)


@pytest.mark.parametrize(("sent", "status"), [("", 401), ("kg_guess", 401), ("write", 403)])
def test_a_token_that_shows_nothing_is_refused_on_the_form(
    real: Reading, sent: str, status: int
) -> None:
    secret = real.secrets[Scope.WRITE] if sent == "write" else sent
    reply = real.post("/sign-in", token=secret)
    assert (reply.status, "set-cookie" in reply.headers) == (status, False)
    assert b'role="alert"' in reply.body
    assert secret == "" or secret.encode() not in reply.body


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/status/cancel"])
@pytest.mark.parametrize(
    "fields",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {},
    ],
)
def test_a_form_of_another_site_is_refused(
    real: Reading, path: str, fields: dict[str, str]
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    cookie = {"Cookie": real.signed_in(Scope.ADMIN)}
    body = f"token={real.secrets[Scope.ADMIN]}&id=12345678".encode()
    reply = real.server.send(path, method="POST", body=body, headers=form | cookie | fields)
    assert (reply.status, "set-cookie" in reply.headers) == (403, False)


def test_a_form_with_the_origin_of_this_server_is_taken(real: Reading) -> None:
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": real.server.url.rstrip("/"),
    }
    body = f"token={real.secrets[Scope.ADMIN]}".encode()
    assert real.server.send("/sign-in", method="POST", body=body, headers=headers).status == 303


def test_the_cookie_writes_nothing(real: Reading) -> None:
    """The holder of all scopes signs in; without the token itself no write is let in."""
    cookie = {"Cookie": real.signed_in(Scope.ADMIN), "Sec-Fetch-Site": "same-origin"}
    put = {"Content-Type": "text/turtle"} | cookie
    update = {"Content-Type": "application/sparql-update"} | cookie
    body = b"<http://ex/s> <http://ex/p> 1 ."
    for method in ("PUT", "POST", "DELETE"):
        reply = real.server.send("/graphs/cookie", method=method, body=body, headers=put)
        assert reply.status == 401, method
    inserted = b"INSERT DATA { GRAPH <http://ex/g> { <http://ex/s> <http://ex/p> 1 } }"
    assert real.server.send("/sparql", method="POST", body=inserted, headers=update).status == 401


def test_signing_in_is_tried_a_few_times_a_minute(_built_once: Path, tmp_path: Path) -> None:
    with readers_of(_built_once, tmp_path) as reading:
        replies = [reading.post("/sign-in", token=f"kg_{n}") for n in range(25)]
        assert [reply.status for reply in replies[:20]] == [401] * 20
        assert replies[-1].status == 429 and int(replies[-1].headers["retry-after"]) > 0


def test_no_page_shows_the_token(real: Reading) -> None:
    cookie = real.signed_in(Scope.ADMIN)
    page = real.page("/", cookie=cookie).body
    assert b"Signed in with the token" in page and b"admin" in page
    assert real.secrets[Scope.ADMIN].encode() not in page
    assert not re.search(rb"kg_[\w-]{20,}", page)


@pytest.mark.parametrize(
    ("fields", "own"),
    [
        ({}, False),
        ({"cookie": "theme=dark"}, False),
        ({"cookie": "theme=dark; kg-session=x"}, True),
        ({"authorization": "Bearer x"}, True),
    ],
)
def test_what_a_known_reader_asks_is_no_question_that_is_kept(
    fields: dict[str, str], own: bool
) -> None:
    assert _says_who(_Fields(fields)) is own


class _Fields:
    """Fields as granian gives them."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields

    def get(self, key: str, default: str | None = None) -> str | None:
        return self._fields.get(key, default)

    def get_all(self, key: str) -> list[str]:
        return [self._fields[key]] if key in self._fields else []

    def items(self) -> list[tuple[str, str]]:
        return list(self._fields.items())
