"""What pages are made with: one release a request, and what counts as an evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from kg.settings import Settings
from kg.web.pages.site import Site
from kg_server import Server, running
from web.test_pages import BROWSER

RATE = 3


@pytest.fixture
def counted(real_store: Path, tmp_path: Path) -> Iterator[Server]:
    with running(real_store, tmp_path / "log", client_rate=RATE) as server:
        yield server


def statuses(server: Server, path: str, number: int) -> list[int]:
    """Of so many requests, each at an address of its own."""
    sign = "&" if "?" in path else "?"
    asked = (f"{path}{sign}again={n}" for n in range(number))
    return [server.send(each, headers={"Accept": BROWSER}).status for each in asked]


def test_a_request_has_one_release_though_another_becomes_head_meanwhile() -> None:
    moving: Iterator[Any] = iter([SimpleNamespace(name="1"), SimpleNamespace(name="2")])
    store: Any = SimpleNamespace(release=lambda at: next(moving))
    nothing: Any = None
    site = Site(store, Settings(), nothing, nothing, nothing, nothing, nothing)
    app = Flask(__name__)
    with app.test_request_context("/"):
        assert [site.release().name, site.look().release.name, site.release().name] == ["1"] * 3
    with app.test_request_context("/"):
        assert site.release().name == "2"


def test_pages_that_ask_nothing_do_not_count(counted: Server) -> None:
    assert statuses(counted, "/query", 2 * RATE) == [200] * 2 * RATE
    assert statuses(counted, "/licences", 2 * RATE) == [200] * 2 * RATE


@pytest.mark.parametrize(
    "path",
    [
        "/query?" + urlencode({"query": "ASK {}"}),
        "/search?q=a",
        "/search?q=zzzzzz",
        "/sources?q=zz",
    ],
)
def test_a_page_that_asks_counts_once(counted: Server, path: str) -> None:
    assert statuses(counted, path, RATE + 1) == [200] * RATE + [429]


def test_a_bad_bearer_token_is_refused_where_a_script_asks_too(counted: Server) -> None:
    bad = {"Authorization": "Bearer x", "Accept": "application/json"}
    for path in ("/query/vocabulary", "/search?q=a&format=json"):
        assert counted.send(path, headers=bad).status == 401


def test_what_visitors_may_ask_for_bounds_no_page(real_store: Path, tmp_path: Path) -> None:
    limits = {"answer_rows": 5, "answer_bytes": 500, "query_bytes": 100, "nesting": 2}
    with running(real_store, tmp_path / "log", workers=1, **limits) as server:
        refused = server.send("/sparql?query=SELECT*%7B%3Fa%3Fb%3Fc%7D").status
        paths = ("/", "/findings", "/ontology", "/compare", "/areas", "/id/area/TN", "/releases")
        shown = [server.send(path, headers={"Accept": BROWSER}).status for path in paths]
    assert (refused, shown) == (422, [200] * len(paths))


def test_a_page_is_sent_again_when_a_setting_is_another(real_store: Path, tmp_path: Path) -> None:
    """A page whose button needs a token now is not what the browser has."""
    path, tags = "/compare?area=area:TN&cohort=cohort:ff-departed&measure=code:count", []
    asked = {"Accept": BROWSER, "Host": "data.example.org"}
    for number, is_open in enumerate((True, True, False)):
        log = tmp_path / str(number)
        with running(real_store, log, workers=1, open_citations=is_open) as server:
            tags.append(server.send(path, headers=asked).headers["etag"])
    assert (tags[0] == tags[1], tags[1] == tags[2]) == (True, False)
