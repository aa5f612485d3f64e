"""The pages of the history: the log of releases, the form that compares two, what changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner

from kg.cli import main
from kg.query.changes import Change, ChangedClaim, Difference
from kg.query.claims import Claim, Source, Value
from kg.query.views.difference import A_PAGE, Choice, Piece, Wanted, part
from kg.store.base import Release
from kg.store.releases import Releases
from kg_server import Reply, Server, running
from store_parts import change, committed, graph
from two_releases import make_store
from web.test_pages import BROWSER, Page


def get(server: Server, path: str, **headers: str) -> Reply:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.send(path, headers={"Accept": BROWSER, **fields})


def words(reply: Reply) -> str:
    """What the page says, on one line."""
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    cells = reply.body.replace(b"</dt>", b" </dt>").replace(b"</th>", b" ").replace(b"</td>", b" ")
    return " ".join(Page(cells).words.split())


def command(store: Path, *arguments: str) -> None:
    result = CliRunner().invoke(main, [arguments[0], "--store", str(store), *arguments[1:]])
    assert result.exit_code == 0, result.output


# --- the log ------------------------------------------------------------------------------


def test_the_log_tells_each_release_the_newest_first(
    history: Server, two: tuple[Release, Release]
) -> None:
    said = words(get(history, "/releases"))
    before, after = two
    assert said.index("Release 2 newest second") < said.index("Release 1 first")
    added, removed = after.changes.quads_added, after.changes.quads_removed
    assert f"+{added} \u2212{removed} statements" in said
    assert {before.digest, after.digest} <= set(said.replace(".", " ").split())


def test_every_link_of_the_log_answers(history: Server) -> None:
    links = [link for link in Page(get(history, "/releases").body).links if link[0] == "/"]
    statuses = {link: get(history, link).status for link in links if "static" not in link}
    assert {"/dump/" in link for link in links} == {True, False}
    assert set(statuses.values()) == {200}


def test_programs_get_the_log_as_data(history: Server) -> None:
    types = [
        history.send("/releases", headers={"Accept": accept}).headers["content-type"]
        for accept in ("*/*", "text/plain", "text/html;q=0.5, application/json", BROWSER)
    ]
    assert [each.partition(";")[0] for each in types] == [
        "application/json",
        "text/plain",
        "application/json",
        "text/html",
    ]


def test_the_log_is_the_same_at_every_release_and_is_not_kept(
    history: Server, two: tuple[Release, Release]
) -> None:
    reply = get(history, f"/r/{two[0].name}/releases")
    assert "Release 2 newest" in words(reply)
    assert reply.headers["cache-control"] == "no-cache"
    again = get(history, "/releases", If_None_Match=get(history, "/releases").headers["etag"])
    assert again.status == 304


def test_a_later_part_of_the_log_is_sent_again_when_a_tag_is_new(tmp_path: Path) -> None:
    """Its form offers every tag, also those of releases that the part does not show."""
    store = make_store(tmp_path)
    with running(store, tmp_path / "log", workers=1) as server:
        before = get(server, "/releases?page=2")
        command(store, "tag", "paper", "1")
        after = get(server, "/releases?page=2", If_None_Match=before.headers["etag"])
    assert (after.status, b"paper (tag of 1-" in after.body) == (200, True)


def test_a_dump_shows_its_size_once_it_is_made(two_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two_folder, tmp_path / "store")
    shutil.rmtree(copy / "dumps", ignore_errors=True)
    with running(copy, tmp_path / "log", workers=1) as server:
        first = get(server, "/releases")
        dump = server.send("/dump/2.nq.gz")
        second = get(server, "/releases", If_None_Match=first.headers["etag"])
    assert "gzipped" not in words(first)
    assert f"{len(dump.body) / 1000:.1f} kB, gzipped" in words(second)


def test_what_is_gone_is_told_in_its_place(two_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two_folder, tmp_path / "store")
    (first, _) = Releases.open(copy).all()
    command(copy, "tag", "as-in-the-paper", "2")
    command(copy, "prune", "--keep", "1")
    with running(copy, tmp_path / "log", workers=1) as server:
        said = words(get(server, "/releases"))
        gone = get(server, f"/diff?from={first.name}")
    assert "1 release is here; 1 was removed" in said
    assert (
        said.index("as-in-the-paper") < said.index("Release 1 removed") < said.index(first.digest)
    )
    assert "Release 1, which it rests on, is gone" in said
    assert gone.status == 410


def test_steps_back_are_told(two_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two_folder, tmp_path / "store")
    command(copy, "rollback", "1", "--message", "2 counted twice")
    with running(copy, tmp_path / "log", workers=1) as server:
        said = words(get(server, "/releases"))
    assert "2 counted twice" in said
    assert "Release 1 newest" in said


def test_a_long_log_has_parts(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    for number in range(25):
        committed(folder, graph("one", f":a :p :x{number}"))
    with running(folder, tmp_path / "log", workers=1) as server:
        first, second, third = (get(server, f"/releases?page={page}") for page in (1, 2, 3))
        bad = get(server, "/releases?page=0")
    pages = [Page(each.body) for each in (first, second)]
    assert [page.tags.count("blockquote") for page in pages] == [20, 5]
    assert "Page 1 of 2" in words(first)
    assert "/releases?page=2" in pages[0].links
    assert "This part of the log is empty" in words(third)
    assert bad.status == 400


# --- what changed -------------------------------------------------------------------------


def test_people_read_what_changed_with_hedges_and_sources(history: Server) -> None:
    said = words(get(history, "/diff?from=1"))
    for fact in (
        "4 claims changed, 2 added, 1 withdrawn",
        "Before Northland, foreign fighters who left: 2,926, The harbour guild, 5 March 2020",
        "After Northland, foreign fighters who left: 2,920, The harbour guild, 5 March 2020",
        "who returned: 12 (believed, “are believed”), The harbour guild",
        "Modality believed → became asserted",
        "The harbour guild (publisher's voice) ← Harbour News, the paper (explicit)",
        "The roads are bad (possible, “may be”); The harbour guild, 5 March 2020",
        "Northland, people who travelled or tried to: 50, The harbour guild, 5 March 2020",
    ):
        assert fact in said


def test_a_withdrawn_claim_leads_to_the_release_that_had_it(
    history: Server, two: tuple[Release, Release]
) -> None:
    before, after = two
    links = Page(get(history, "/diff?from=1&how=withdrawn").body).links
    (claim,) = [link for link in links if "/c/" in link]
    assert claim.startswith(f"/r/{before.name}/id/a/")
    assert get(history, claim).status == 200
    assert get(history, claim.replace(before.name, after.name)).status == 404


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 7),
        ({"how": "added"}, 2),
        ({"how": ["added", "withdrawn"]}, 3),
        ({"kind": "opinion"}, 1),
        ({"how": "changed", "kind": "opinion"}, 0),
        ({"article": "http://ex/none"}, 0),
    ],
)
def test_claims_are_filtered(history: Server, filters: dict[str, Any], count: int) -> None:
    page = get(history, f"/diff?{urlencode({'from': '1', **filters}, doseq=True)}")
    assert f"{count} claim{'' if count == 1 else 's'}" in words(page)
    assert page.body.count(b'<li class="card">') == count


def test_a_pair_by_full_names_is_kept_as_data_and_asked_for_again_as_a_page(
    history: Server, two: tuple[Release, Release]
) -> None:
    """The page offers other releases and tags to choose from, which change."""
    names = urlencode({"from": two[0].name, "to": two[1].name})
    page = get(history, f"/diff?{names}").headers["cache-control"]
    data = history.send(f"/diff?{names}&format=json").headers["cache-control"]
    assert (page, "immutable" in data) == ("no-cache", True)


def test_below_a_release_the_difference_ends_there(
    history: Server, two: tuple[Release, Release]
) -> None:
    assert "What changed from release 2 to 1" in words(get(history, "/r/1/diff?from=2"))
    reply = history.send("/r/1/diff?from=2&format=json")
    assert reply.headers["kg-release"] == two[0].name


def test_without_a_first_release_there_is_a_form(history: Server) -> None:
    reply = get(history, "/diff")
    assert Page(reply.body).tags.count("select") == 2
    assert "1-" in words(reply)
    assert history.send("/diff").status == 400


def test_a_difference_of_nothing_says_so(history: Server) -> None:
    assert "Nothing differs." in words(get(history, "/diff?from=2&to=2"))


@pytest.mark.parametrize("query", ["how=new", "page=x", "page=-1", "page=9999999999"])
def test_a_filter_that_cannot_be_is_told(history: Server, query: str) -> None:
    assert get(history, f"/diff?from=1&{query}").status == 400


def test_every_whole_difference_is_there_to_take(history: Server) -> None:
    links = [link for link in Page(get(history, "/diff?from=1").body).links if "format=" in link]
    types = {history.send(link).headers["content-type"].partition(";")[0] for link in links}
    assert types == {"text/plain", "application/json", "text/x-diff", "application/rdf-patch"}


# --- in parts -----------------------------------------------------------------------------


def claim(number: int, article: str, value: str = "7") -> Claim:
    said = {
        "https://w3id.org/reported-figures/ns/reportedText": (Value(f'"{value}"', value),),
    }
    return Claim(f"http://ex/c/{number}", said, (), Source(article, "A paper", "2020-01-01"))


def difference(
    two: tuple[Release, Release],
    added: tuple[Claim, ...] = (),
    changed: tuple[ChangedClaim, ...] = (),
) -> Difference:
    return Difference(*two, added, (), changed, (), (), quads_removed=1, quads_added=1)


def test_many_claims_come_in_parts_by_article(two: tuple[Release, Release]) -> None:
    added = tuple(claim(number, f"http://ex/{number % 2}") for number in range(A_PAGE + 4))
    found = difference(two, added=added)
    first, last = (part(found, Wanted(page=number)) for number in (1, 2))
    sizes = [[len(told) for _, told in each.articles] for each in (first, last)]
    assert sizes == [[12, 8], [4]]
    assert (first.total, first.pages, first.more, last.more) == (24, 2, True, False)
    assert first.sources == (
        Choice("http://ex/0", 12, False),
        Choice("http://ex/1", 12, False),
    )


def test_the_words_that_differ_are_told_apart(two: tuple[Release, Release]) -> None:
    changed = ChangedClaim(claim(1, "http://ex/a", "2,926"), claim(1, "http://ex/a", "2,920"), ())
    ((_, (told,)),) = part(difference(two, changed=(changed,)), Wanted()).articles
    assert [piece for piece in told.was if not piece.same] == [Piece("2,926", False)]
    assert [piece for piece in told.now if not piece.same] == [Piece("2,920", False)]


def test_what_follows_from_a_change_stands_after_it(two: tuple[Release, Release]) -> None:
    """A value that is another now is told, also where its wording says so already."""
    changes = (
        Change("http://ex/value", "value", ("500",), ("600",), follows=True),
        Change("http://ex/text", "reported text", ("500",), ("about 600",)),
    )
    changed = ChangedClaim(claim(1, "http://ex/a", "1"), claim(1, "http://ex/a", "2"), changes)
    ((_, (told,)),) = part(difference(two, changed=(changed,)), Wanted()).articles
    assert [change.name for change in told.changes] == ["reported text", "value"]


def test_words_are_compared_of_the_claims_of_a_page_alone(
    two: tuple[Release, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def pieces(was: str, now: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        compared.append(was)
        return (), ()

    monkeypatch.setattr("kg.query.views.difference._pieces", pieces)
    changed = tuple(
        ChangedClaim(claim(n, "http://ex/a", "1"), claim(n, "http://ex/a", "2"), ())
        for n in range(5 * A_PAGE)
    )
    found = part(difference(two, changed=changed), Wanted(page=2))
    assert (found.total, len(compared)) == (5 * A_PAGE, A_PAGE)


def test_a_commit_without_claims_has_no_claim_that_differs(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    committed(folder, graph("one", ":a :p :x"))
    committed(folder, *change(graph("one", ":a :p :y")).graphs)
    with running(folder, tmp_path / "log", workers=1) as server:
        said = words(get(server, "/diff?from=1"))
    assert "No claim differs." in said
    assert "ex:one 1 1" in said
