"""The query page as the server sends it: it needs no script."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from hostile_labels import make_store
from kg.project import Project
from kg.web.pages.query import _took
from kg_server import Reply, Server, running
from web.test_pages import BROWSER, Page

ALL: Final = "SELECT ?s ?p ?o { ?s ?p ?o } ORDER BY ?s ?p ?o"
CLAIMS: Final = "SELECT ?claim ?wording { ?claim rf:reportedText ?wording } ORDER BY ?claim"
SLOW: Final = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
REPOSITORY: Final = Path(__file__).parents[2]
LARGEST: Final = 100_000


@pytest.fixture(scope="module")
def ours(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(real_store, tmp_path_factory.mktemp("query") / "log") as server:
        yield server


@pytest.fixture(scope="module")
def impatient(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("impatient") / "log"
    with running(real_store, log, deadline=1.0) as server:
        yield server


def ask(server: Server, query: str, at: str = "", **more: str) -> Reply:
    return get(server, f"{at}/query?{urlencode({'query': query, **more})}")


def get(server: Server, path: str) -> Reply:
    return server.send(path, headers={"Accept": BROWSER})


def words(reply: Reply) -> str:
    return " ".join(Page(reply.body).words.split())


def link_to(reply: Reply, text: str) -> str:
    """Where the link with this text leads."""
    found = re.search(rf'<a[^>]*href="([^"]*)"[^>]*>{text}</a>', reply.body.decode())
    assert found, text
    return unescape(found[1])


# --- questions ----------------------------------------------------------------------------


def test_the_page_lists_every_question_by_topic(ours: Server) -> None:
    reply = get(ours, "/query")
    listed = {parse_qs(urlsplit(link).query).get("question", [""])[0] for link in _links(reply)}
    assert {file.stem for file in Project.at(REPOSITORY).questions()} <= listed
    assert "On whose word" in words(reply)


@pytest.mark.parametrize(
    "name", [file.stem for file in (REPOSITORY / "data" / "questions").glob("*.rq")]
)
def test_each_question_is_answered_as_it_stands(ours: Server, name: str) -> None:
    reply = get(ours, f"/query?question={name}")
    assert reply.status == 200
    assert re.search(r"Answer (\d+ rows?|Rows 1\u2013\d+ of \d+|Nothing in release)", words(reply))
    assert len(reply.body) < LARGEST


def test_a_value_of_a_question_fills_its_block_and_its_field(ours: Server) -> None:
    reply = get(ours, "/query?question=figures-of-area&area=area:FR")
    assert 'name="area" value="area:FR"' in reply.body.decode()
    assert "reported-figures/area/FR&gt; }" in reply.body.decode()
    assert reply.status == 200


def test_a_wrong_value_is_told_beside_the_field(ours: Server) -> None:
    reply = get(ours, "/query?question=figures-of-area&area=no+iri")
    assert (reply.status, 'name="area" value="no iri"' in reply.body.decode()) == (400, True)
    assert "Area is 'no iri'. It takes an IRI" in words(reply)


def test_an_unknown_question_is_not_found(ours: Server) -> None:
    reply = ours.send("/query?question=figures-of-are", headers={"Accept": "*/*"})
    assert (reply.status, reply.problem["remedy"]) == (404, "Did you mean figures-of-area?")


# --- answers ------------------------------------------------------------------------------


def test_a_table_has_names_and_on_demand_iris(ours: Server) -> None:
    query = "SELECT ?area { VALUES ?area { area:FR } }"
    named = ask(ours, query)
    assert "France" in words(named)
    assert 'title="https://w3id.org/reported-figures/area/FR"' in named.body.decode()
    shown = get(ours, link_to(named, "Show IRIs"))
    assert ">https://w3id.org/reported-figures/area/FR</bdi>" in shown.body.decode()


def test_what_has_no_name_is_shown_by_a_short_iri(ours: Server) -> None:
    """What stands before the place of the article says nothing."""
    cells = _cells(ask(ours, "SELECT ?step { ?c prov:qualifiedAttribution ?step } LIMIT 5"))
    assert len(cells) == 5
    assert [c for c in cells if not re.fullmatch(r"a/[0-9a-f]{16}/c/[\w-]+/step/\d", c)] == []


def test_a_claim_is_shown_by_its_reading_with_hedges_and_chain(ours: Server) -> None:
    claim = "https://w3id.org/reported-figures/a/0d09b047b72d6408/c/figure-2323-2399"
    told = (
        "Russia, foreign fighters who returned: 400 (estimated, “are estimated”), Fox News, undated"
    )
    (cell,) = _cells(ask(ours, f"SELECT ?claim {{ VALUES ?claim {{ <{claim}> }} }}"))
    assert cell.startswith(f"{told}; on the word of The Soufan Center")
    form = urlencode([("iri", claim)]).encode()
    found = ours.post(form, "application/x-www-form-urlencoded", "/query/labels")
    assert json.loads(found.body)[claim]["text"] == cell


def test_names_are_offered_for_the_beginning_of_an_iri(ours: Server) -> None:
    base = "https://w3id.org/reported-figures/cohort/"
    asked = urlencode({"begins": f"{base}ff-dep"})
    found = json.loads(ours.send(f"/query/names?{asked}").body)
    assert {"iri": f"{base}ff-departed", "label": "foreign fighters who left"} in found
    assert [each["iri"] for each in found if not each["iri"].startswith(f"{base}ff-dep")] == []
    assert json.loads(ours.send("/query/names").body) == []


def test_the_parts_of_a_table_are_all_of_it_once(ours: Server) -> None:
    whole = list(csv.reader(io.StringIO(ours.query(CLAIMS, accept="text/csv").body.decode())))[1:]
    path, seen = f"/query?{urlencode({'query': CLAIMS, 'show': 'iris'})}", list[list[str]]()
    while path:
        reply = get(ours, path)
        rows = re.findall(r"<tr>\s*<td>.*?</tr>", reply.body.decode(), re.DOTALL)
        seen += [[_text(cell) for cell in re.findall(r"<td.*?</td>", row)] for row in rows]
        more = "Next rows</a>" in reply.body.decode()
        path = link_to(reply, "Next rows").partition("#")[0] if more else ""
    assert [row[0] for row in seen] == [row[0] for row in whole]


def test_the_way_back_passes_over_no_row(ours: Server) -> None:
    """Parts of long rows have fewer than a hundred of them."""
    digits, tens = " ".join(map(str, range(1, 11))), " ".join(map(str, range(0, 200, 10)))
    query = (
        f"SELECT (CONCAT(STR(?n), REPLACE(' xxxxxxxxxx', 'x', '{'&' * 30}')) AS ?x)"
        f"{{ VALUES ?a {{ {digits} }} VALUES ?b {{ {tens} }} BIND(?a + ?b AS ?n) }} ORDER BY ?n"
    )
    path = f"/query?{urlencode({'query': query, 'from': '200'})}"
    seen = list[list[int]]()
    while path:
        reply = get(ours, path)
        rows = [int(cell.split()[0]) for cell in _cells(reply)]
        assert f"{rows[0]}\u2013{rows[-1]} of 200" in words(reply)
        seen.insert(0, rows)
        more = "Earlier rows" in reply.body.decode()
        path = link_to(reply, "Earlier rows").partition("#")[0] if more else ""
    assert [row for rows in seen for row in rows] == list(range(1, 201))
    assert any(len(rows) < 100 for rows in seen[1:-1])


def test_a_page_says_which_rows_of_how_many_it_shows(ours: Server) -> None:
    query = "SELECT * { VALUES ?x { " + " ".join(map(str, range(250))) + " } }"
    assert "Rows 1\u2013100 of 250, from release" in words(ask(ours, query))
    assert "Rows 201\u2013250 of 250, from release" in words(ask(ours, query, **{"from": "201"}))
    assert "There are 250 rows, none from row 251 on." in words(ask(ours, query, **{"from": "251"}))


def test_a_page_counts_no_further_than_it_says(ours: Server) -> None:
    reply = words(ask(ours, ALL))
    assert "of more than 10\u202f000, from" in reply.replace("10 000", "10\u202f000")
    assert "the formats to download have all rows" in reply


def test_an_answer_that_is_too_large_for_a_page_is_there_to_download(ours: Server) -> None:
    """However long one literal is, the page takes little of the serving process's time."""
    doubled = " ".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1})" for n in range(21))
    query = f"SELECT ?x21 {{ BIND('{'a' * 16}' AS ?x0) {doubled} }}"
    reply = ask(ours, query)
    assert reply.status == 200
    assert "The answer has more than 8 MiB, and so nothing of it is shown." in words(reply)
    assert b"data-milliseconds" not in reply.body
    link = link_to(reply, "CSV")
    assert len(ours.send(link).body) > 16 << 21


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [(0.5, "0.5 ms"), (12.34, "12.3 ms"), (999.4, "999 ms"), (1160.0, "1.2 s")],
)
def test_times_are_told_in_plain_numbers(milliseconds: float, told: str) -> None:
    assert _took(milliseconds) == told


def test_a_parameter_that_is_no_row_says_what_to_do(ours: Server) -> None:
    zeros = "000000001" + "9" * 5_000
    for wrong in ("", "0", "x", "-1", "10001", "000000001", zeros, "9" * 50, "\uff11"):
        reply = ask(ours, CLAIMS, **{"to" if wrong == "x" else "from": wrong})
        assert (reply.status, "It takes the number of a row" in words(reply)) == (400, True)


def test_columns_that_have_no_room_are_counted(ours: Server) -> None:
    query = "SELECT * { " + " ".join(f"BIND({number} AS ?v{number})" for number in range(60)) + "}"
    assert "The first 50 columns; 10 more are in the formats to download." in words(
        ask(ours, query)
    )


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("ASK { area:FR ?p ?o }", "Yes. Release"),
        ("ASK { <urn:nothing> ?p ?o }", "No. Nothing in release"),
        ("SELECT * { <urn:nothing> ?p ?o }", "Nothing in release"),
        ("SELECT * {}", "1 row, from release"),
        ("CONSTRUCT { <urn:a> <urn:b> 1 } {}", "<urn:a> <urn:b> 1 ."),
        ("DESCRIBE area:FR", "A graph, in Turtle."),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "The beginning of a graph"),
    ],
)
def test_each_form_is_answered_in_its_way(ours: Server, query: str, told: str) -> None:
    reply = ask(ours, query)
    assert reply.status == 200
    assert told in words(reply)


def test_the_formats_are_the_servers_own_bytes(ours: Server) -> None:
    link = link_to(ask(ours, CLAIMS), "CSV")
    assert re.match(r"/r/1-[0-9a-f]{12}/sparql\?", link)
    assert ours.send(link).body == ours.query(CLAIMS, accept="text/csv").body


def test_the_link_to_an_answer_names_the_release_and_gives_it_again(ours: Server) -> None:
    reply = ask(ours, CLAIMS)
    link = link_to(reply, "A link to this answer")
    assert link.startswith(f"/r/{reply.headers['kg-release']}/query?query=")
    again = get(ours, link)
    assert _cells(again) == _cells(reply) != []


def test_an_answer_is_cited_by_a_form(ours: Server) -> None:
    found = re.search(r'formaction="(/cite[^"]*)"', ask(ours, CLAIMS).body.decode())
    assert found
    form = urlencode({"query": CLAIMS}).encode()
    made = ours.post(form, "application/x-www-form-urlencoded", unescape(found[1]))
    assert made.status == 201


def test_the_commands_that_are_shown_give_the_answer(ours: Server, tmp_path: Path) -> None:
    query = 'SELECT ("it\'s \\" \\\\ é" AS ?x)\n{ }'
    curl, python = re.findall(
        r"<pre><code>(.*?)</code></pre>", ask(ours, query).body.decode(), re.S
    )
    expected = json.loads(ours.query(query, accept="application/sparql-results+json").body)
    assert expected["results"]["bindings"][0]["x"]["value"] == "it's \" \\ é"
    for command in (["sh", "-c", unescape(curl)], [sys.executable, "-c", unescape(python)]):
        done = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path)
        assert json.loads(done.stdout) == expected


# --- what goes wrong ----------------------------------------------------------------------


def test_an_error_is_told_with_its_place_and_the_line(ours: Server) -> None:
    reply = ask(ours, "SELECT ?x\nWHERE { ?x a zz:y }")
    assert (reply.status, "Line 2, column 14:" in words(reply)) == (400, True)
    assert "WHERE { ?x a <mark>z</mark>z:y }" in reply.body.decode()
    assert "WHERE { ?x a zz:y }</textarea>" in reply.body.decode()
    assert reply.headers["cache-control"] == "private, no-store"


def test_a_query_that_takes_too_long_is_told_with_its_limit(impatient: Server) -> None:
    reply = ask(impatient, SLOW)
    assert reply.status == 503
    assert "The query was ended after 1 s, its deadline." in words(reply)
    assert "A query may take 1 s" in words(reply)


def test_a_query_that_a_page_runs_is_cancelled_like_any(ours: Server) -> None:
    replies: list[Reply] = []
    fields = {"Accept": BROWSER, "KG-Query-Id": "page-12345678", "KG-Query-Key": "key"}
    path = f"/query?{urlencode({'query': SLOW})}"
    asking = threading.Thread(target=lambda: replies.append(ours.send(path, headers=fields)))
    asking.start()
    key = {"KG-Query-Key": "key"}
    for _ in range(200):
        if ours.send("/queries/page-12345678", method="DELETE", headers=key).status == 204:
            break
        time.sleep(0.05)
    asking.join(timeout=20)
    assert replies[0].status == 503
    assert "cancelled" in words(replies[0])


@pytest.mark.parametrize(
    "query", ["INSERT DATA { <urn:a> <urn:b> 1 }", "SELECT * { SERVICE <http://x/> {} }"]
)
def test_what_may_not_run_is_refused_on_the_page(ours: Server, query: str) -> None:
    reply = ask(ours, query)
    assert reply.status == 403
    assert "No answer" in words(reply)


def test_a_query_that_is_too_long_for_a_page_is_sent_elsewhere(ours: Server) -> None:
    reply = ask(ours, "ASK {} #" + "x" * 20_000)
    assert reply.status == 413
    assert "send it to the endpoint" in words(reply)


# --- how it is kept, and how large it is --------------------------------------------------


def test_a_page_that_a_browser_has_is_not_made_again(ours: Server) -> None:
    path = f"/query?{urlencode({'query': CLAIMS})}"
    tag = get(ours, path).headers["etag"]
    again = ours.send(path, headers={"Accept": BROWSER, "If-None-Match": tag})
    assert (again.status, "server-timing" in again.headers) == (304, False)


def test_a_query_that_answers_anew_each_time_is_made_again(ours: Server) -> None:
    path = f"/query?{urlencode({'query': 'SELECT (RAND() AS ?x) {}'})}"
    tag = get(ours, path).headers["etag"]
    again = ours.send(path, headers={"Accept": BROWSER, "If-None-Match": tag})
    assert again.status == 200


def test_a_page_says_how_long_the_query_took(ours: Server) -> None:
    reply = ask(ours, CLAIMS + " # timed")
    assert re.search(r"in [0-9.]+ m?s", words(reply))
    assert re.search(r"work;dur=[0-9.]+", reply.headers["server-timing"])


@pytest.mark.parametrize(
    "query",
    [
        ALL,
        ALL + " #" + "x" * 18_000,
        "CONSTRUCT WHERE { ?s ?p ?o }",
        "SELECT " + " ".join(f"(?s AS ?s{n})" for n in range(60)) + "{ ?s ?p ?o }",
        'SELECT (REPLACE(STR(?s), ".", "&\\"<") AS ?x) (?x AS ?y) (?x AS ?z) { ?s ?p ?o }',
        'CONSTRUCT { ?s ?p ?x } { ?s ?p ?o BIND(REPLACE(STR(?s), ".", "&\'<") AS ?x) }',
        "ASK {} #" + "<" * 4_000,
        "ASK {} #" + "\\\"'" * 1_800,
    ],
)
def test_a_page_stays_small_whatever_it_shows(ours: Server, query: str) -> None:
    reply = ask(ours, query)
    assert reply.status == 200
    assert len(reply.body) < LARGEST


def test_a_page_of_hostile_names_is_small_and_holds_no_markup_of_theirs(
    real_store: Path, tmp_path: Path
) -> None:
    with running(make_store(real_store, tmp_path / "store"), tmp_path / "log") as server:
        for name in ("figures-of-area", "people-named", "article-card", "who-said-it"):
            reply = get(server, f"/query?question={name}")
            assert (reply.status, len(reply.body) < LARGEST) == (200, True)
            assert b"<script>window" not in reply.body
            assert b"<img" not in reply.body
        reply = ask(server, "SELECT ?s ?n { ?s skos:prefLabel|schema:name ?n }")
        assert len(reply.body) < LARGEST


# --- what the editor asks for -------------------------------------------------------------


def test_the_vocabulary_is_what_the_release_uses(ours: Server) -> None:
    found = json.loads(ours.send("/query/vocabulary").body)
    claims = {each["iri"]: each for each in found["classes"]}
    claim = claims["https://w3id.org/reported-figures/ns/FigureClaim"]
    counted = ours.query("SELECT (COUNT(*) AS ?n) { ?c a rf:FigureClaim }", accept="text/csv")
    assert str(claim["count"]) == counted.body.decode().split()[1]
    assert claim["label"] == "figure claim"
    assert found["prefixes"]["rf"] == "https://w3id.org/reported-figures/ns/"


def test_names_are_given_with_their_places(ours: Server) -> None:
    iris = ["https://w3id.org/reported-figures/area/FR", "urn:nothing"]
    form = urlencode([("iri", iri) for iri in iris]).encode()
    found = ours.post(form, "application/x-www-form-urlencoded", "/query/labels")
    assert json.loads(found.body) == {
        iris[0]: {"text": "France", "language": "en", "place": "/id/area/FR"},
        iris[1]: {"text": iris[1], "language": "", "place": f"/resource?iri={quote(iris[1], ':')}"},
    }


def test_too_many_names_are_refused(ours: Server) -> None:
    form = urlencode([("iri", "urn:x")] * 1000).encode() + b"&a=1"
    refused = ours.post(form, "application/x-www-form-urlencoded", "/query/labels")
    assert refused.problem["status"] == 400


def test_a_browser_at_the_endpoint_gets_the_same_page(ours: Server) -> None:
    assert "Questions to begin with" in words(get(ours, "/sparql"))


def _links(reply: Reply) -> list[str]:
    return Page(reply.body).links


def _cells(reply: Reply) -> list[str]:
    return [_text(cell) for cell in re.findall(r"<td.*?</td>", reply.body.decode(), re.DOTALL)]


def _text(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html)).strip()
