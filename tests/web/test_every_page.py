"""What holds of every page as it is sent: its size, its fields, its marks, whatever labels say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest

import hostile_labels
from every_page import ADDRESSES, STATUSES, addresses, make_store, pages_of
from kg_server import Reply, Server, running
from two_releases import make_store as make_two
from web.test_pages import BROWSER

LARGEST = 100_000
WHOLE = frozenset(("area", "cohort", "agent", "claim", "claim by key", "term", "code"))
"""Pages of one resource, which have what is said of it as it is, however long."""
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr")
)
_DATA = re.compile(
    r"(?s)<(script|code|pre|textarea|blockquote)\b.*?</\1>|<bdi[^>]* class=\"literal\">.*?</bdi>"
)
_TAG = re.compile("<[^>]*>")
_SAFE_LINK = re.compile(r"(?:https?:|mailto:|[/?#.]|$)", re.IGNORECASE)


class Marks(HTMLParser):
    """What a page must not have, and whether its elements nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.feed(html)
        self.close()
        self.wrong += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in _VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.ids += [given["id"] or ""] if "id" in given else []
        self.wrong += [f"{tag} {name}" for name in given if name == "style" or name[:2] == "on"]
        for name in ("href", "src", "action", "formaction", "xlink:href"):
            if not _SAFE_LINK.match(given.get(name) or ""):
                self.wrong.append(f"{tag} {name}={given[name]}")
        if tag in ("style", "iframe", "object", "embed", "base") or (
            tag == "script" and not (given.get("src") or _is_data(given.get("type")))
        ):
            self.wrong.append(f"<{tag}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in ("p", "li") and self.open and self.open[-1] != tag:
            self.wrong.append(f"</{tag}> within <{self.open[-1]}>")
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.wrong.append(f"</{tag}> without a beginning")


def _is_data(type: str | None) -> bool:
    return type in ("application/json", "application/ld+json")


class Site:
    """A server, and the address of each page on it."""

    def __init__(self, server: Server, at: Mapping[str, str]) -> None:
        self.server = server
        self.at = at

    def get(self, name: str) -> Reply:
        reply = self.server.send(self.at[name], headers={"Accept": BROWSER})
        assert reply.status in STATUSES.get(name, {200}), reply.body[:500]
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        return reply


@pytest.fixture(scope="module")
def ours(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    store, before = make_store(real_store, tmp_path_factory.mktemp("pages") / "store")
    with running(store, store.parent / "log", workers=1) as server:
        yield Site(server, addresses(server, before))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("hostile")
    store, before = make_store(make_two(folder), folder / "before")
    store = hostile_labels.make_store(store, folder / "after")
    with running(store, folder / "log", workers=1) as server:
        yield Site(server, addresses(server, before))


def test_every_page_is_in_the_list(built: Path) -> None:
    """So that none goes without these tests."""
    paths = [address.partition("?")[0] for address in ADDRESSES.values()]
    assert {
        page for page in pages_of(built) if not any(path.startswith(page) for path in paths)
    } == set()


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_is_small_whole_and_without_script_of_its_own(ours: Site, name: str) -> None:
    reply = ours.get(name)
    marks = Marks(reply.body.decode())
    assert marks.wrong == []
    assert len(reply.body) < LARGEST
    assert len(marks.ids) == len(set(marks.ids))
    assert marks.headings.count(1) == 1


@pytest.mark.parametrize("name", sorted(ADDRESSES.keys() - {"removed release"}))
def test_a_date_is_told_as_people_write_it(ours: Site, name: str) -> None:
    """But in what is data or a form of citation: literals, code, queries, quoted blocks.

    Nor in the sentence of an error, which is the same for programs.
    """
    text = _DATA.sub(" ", ours.get(name).body.decode())
    assert re.findall(r".{0,60}\b\d{4}-[01]\d(?:-[0-3]\d)?\b", _TAG.sub(" ", text)) == []


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_has_the_fields_that_keep_a_reader_safe(ours: Site, name: str) -> None:
    fields = ours.get(name).headers
    policy = fields["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert fields["x-content-type-options"] == "nosniff"
    assert fields["referrer-policy"] in ("no-referrer", "same-origin")
    assert "Accept" in fields["vary"]
    assert "cache-control" in fields


@pytest.mark.parametrize("name", ADDRESSES)
def test_hostile_labels_break_no_page(hostile: Site, name: str) -> None:
    reply = hostile.get(name)
    text = reply.body.decode()
    assert Marks(text).wrong == []
    assert len(reply.body) < LARGEST
    assert "<img src=x" not in text
    assert "<script>window" not in text
    assert name in WHOLE or "x" * 2000 not in text
    assert "set-cookie" not in reply.headers


def test_hostile_labels_are_shown_as_what_they_say(hostile: Site) -> None:
    text = hostile.get("diff chosen").body.decode()
    assert "&lt;script&gt;" in hostile.get("findings").body.decode() + text
