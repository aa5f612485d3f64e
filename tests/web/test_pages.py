"""The pages for a person with a browser."""

from html.parser import HTMLParser

import pytest

from kg.store.base import Release
from kg_server import Server

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Page(HTMLParser):
    """The tags, the links and the text of a page."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self.words = ""
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "script":
            self.scripts.append(dict(attrs))
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_home_tells_the_release_and_its_counts(server: Server, release: Release) -> None:
    reply = server.send("/", headers={"Accept": BROWSER})
    page = Page(reply.body)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    moment = "1 January 2024, 00:00:00 UTC"  # when the release says that it was made
    for fact in (release.name, release.digest, moment, "304", "CC BY 4.0"):
        assert fact in page.words


def test_every_link_of_home_answers(server: Server) -> None:
    local = [link for link in Page(server.send("/").body).links if link.startswith("/")]
    replies = {link: server.send(link, headers={"Accept": BROWSER}).status for link in local}
    assert len(replies) >= 6
    assert set(replies.values()) == {200}


@pytest.mark.parametrize("path", ["/", "/sparql"])
def test_a_page_needs_no_script_and_fits_a_phone(server: Server, path: str) -> None:
    reply = server.send(path, headers={"Accept": BROWSER})
    assert {"main", "header", "h1"} <= set(Page(reply.body).tags)
    # A block of data runs nothing.
    code = [each for each in Page(reply.body).scripts if each.get("type") != "application/json"]
    assert all(each.keys() == {"type", "src"} for each in code)
    assert b'<meta name="viewport" content="width=device-width, initial-scale=1">' in reply.body


def test_a_browser_without_a_query_gets_a_form(server: Server) -> None:
    reply = server.send("/sparql", headers={"Accept": BROWSER})
    assert {"form", "textarea", "label", "button"} <= set(Page(reply.body).tags)


def test_a_program_without_a_query_gets_no_page(server: Server) -> None:
    reply = server.send("/sparql", headers={"Accept": "*/*"})
    assert (reply.status, reply.headers["content-type"]) == (200, "text/turtle; charset=utf-8")


def test_an_unknown_path_is_404(server: Server) -> None:
    assert server.send("/nowhere").problem["title"] == "Not found"
