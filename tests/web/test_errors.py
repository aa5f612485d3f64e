"""Errors over HTTP: status, problem details, and the query after them."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kg.errors import (
    DefaultGraphRefused,
    EvaluationError,
    EvaluationFailed,
    Forbidden,
    ForeignGraph,
    GraphChanged,
    KgError,
    MalformedData,
    QueryCancelled,
    QueryError,
    Rejected,
    StoreBusy,
    TooManyRequests,
    TooManyRows,
    Unauthorized,
)
from kg.namespaces import BASE
from kg.settings import Settings
from kg.store.base import Release
from kg.store.embedded import EmbeddedStore
from kg.web.app import create_app
from kg.web.errors import STATUS, refusal
from kg.web.running import Running
from kg_server import Reply, Server

SLOW = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
DOUBLED = "".join(f"BIND(CONCAT(?s{n}, ?s{n}) AS ?s{n + 1})\n" for n in range(40))
HUGE = f'SELECT (STRLEN(?s40) AS ?n) WHERE {{ BIND("{"x" * 64}" AS ?s0) {DOUBLED} }}'
DEADLY = "ASK { {}" + " UNION {}" * 20_000 + " }"
LARGE = "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f }"


@pytest.fixture(autouse=True)
def good_query_afterwards(server: Server) -> object:
    """Whatever a test sent, the next client is answered."""
    yield
    assert server.query("ASK {}").status == 200


def test_a_syntax_error_has_line_and_column(server: Server) -> None:
    reply = server.query("SELECT *\nWHERE { ?s ?p }")
    assert (reply.status, reply.problem["line"], reply.problem["column"]) == (400, 2, 16)


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ("SELECT * FROM <a:> FROM <http://[> {}", 25),
        ("SELECT * FROMgraph:one FROMgraph:two {}", 10),
    ],
)
def test_a_graph_that_is_no_iri_is_400_with_its_place(
    server: Server, query: str, column: int
) -> None:
    reply = server.query(query)
    assert (reply.status, reply.problem["line"], reply.problem["column"]) == (400, 1, column)


def test_an_answer_that_its_format_cannot_hold_is_406(server: Server) -> None:
    reply = server.query(r'SELECT ("\u0001" AS ?x) {}', accept="application/sparql-results+xml")
    assert (reply.status, reply.problem["offered"]) == (406, ["json", "csv", "tsv"])


def test_a_problem_says_what_was_met_and_what_to_do(server: Server) -> None:
    reply = server.query("ASK {}", accept="image/png")
    offered = ["application/sparql-results+json", "application/sparql-results+xml"]
    offered += ["text/csv", "text/tab-separated-values"]
    assert (reply.status, reply.problem) == (
        406,
        {
            "type": BASE + "problem/not-acceptable",
            "title": "Not acceptable",
            "status": 406,
            "detail": "this answer cannot be given as image/png",
            "remedy": f"It can be given as: {', '.join(offered)}.",
            "offered": offered,
        },
    )
    assert reply.headers["vary"] == "Accept"


@pytest.mark.parametrize("accept", ["text/plain", "text/*", "text/plain,text/html;q=0.9"])
def test_a_person_without_a_browser_gets_an_error_as_text(server: Server, accept: str) -> None:
    reply = server.send("/id/nothing", headers={"Accept": accept})
    assert (reply.status, reply.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert reply.body.decode() == (
        f"nothing is said here of <{BASE}nothing>\n"
        "Search for it by name, or ask a query for what names it.\n"
    )


def test_a_method_that_is_not_taken_is_405_with_allow(server: Server) -> None:
    reply = server.send("/sparql", method="DELETE")
    assert (reply.status, reply.problem["title"]) == (405, "Method not allowed")
    assert set(reply.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize(
    "query", ["ASK { SERVICE <http://127.0.0.1:9/> {} }", "CLEAR ALL", "LOAD <http://127.0.0.1:9/>"]
)
def test_what_would_call_or_change_is_403(server: Server, query: str) -> None:
    assert server.query(query).status == 403


def test_nesting_over_the_limit_is_400_and_names_it(server: Server) -> None:
    reply = server.query("ASK " + "{" * 200 + "}" * 200)
    assert (reply.status, reply.problem["limit"]) == (400, 128)


def test_a_query_over_its_deadline_is_503(server: Server) -> None:
    reply = server.query(SLOW, timeout=0.3)
    assert (reply.status, reply.problem["title"]) == (503, "Deadline exceeded")
    assert (reply.problem["limit"], reply.headers.get("retry-after")) == (0.3, None)


def test_a_client_cannot_ask_for_more_than_the_operator_s_deadline(server: Server) -> None:
    assert server.query(SLOW, timeout=1000).problem["limit"] == 3.0


def test_a_query_that_takes_too_much_memory_is_503(server: Server) -> None:
    reply = server.query(HUGE)
    assert (reply.status, reply.problem["title"]) == (503, "Memory exceeded")
    assert (reply.problem["limit"], reply.headers.get("retry-after")) == (400 * 1024**2, None)


def test_a_query_that_ends_its_worker_is_503(server: Server) -> None:
    reply = server.post(DEADLY.encode(), "application/sparql-query")
    assert (reply.status, reply.problem["title"]) == (503, "Worker died")
    assert "retry-after" not in reply.headers


def test_an_answer_over_the_limit_is_422_and_not_cut(server: Server) -> None:
    reply = server.query(LARGE, accept="text/csv")
    assert (reply.status, reply.problem["limit"]) == (422, 1024 * 1024)


def test_a_full_queue_is_503_with_retry_after_while_pages_answer(server: Server) -> None:
    with ThreadPoolExecutor(3) as clients:
        slow = [f"{SLOW} # {number}" for number in range(2)]  # the same would be evaluated once
        busy = [clients.submit(server.query, query, timeout=3) for query in slow]
        waiting = clients.submit(_until_busy, server)
        page = server.send("/static/style.css")
        assert [page.status, waiting.result().status] == [200, 503]
        assert not any(query.done() for query in busy)
    assert waiting.result().headers["retry-after"] == "5"
    assert waiting.result().problem["title"] == "Busy"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DefaultGraphRefused("CLEAR"), 422),
        (Rejected(["one"]), 422),
        (TooManyRows(5), 422),
        (ForeignGraph("g", "data", "api"), 403),
        (Forbidden("no"), 403),
        (GraphChanged("g"), 412),
        (MalformedData("Turtle", "a", 1, 2), 400),
        (QueryCancelled(), 503),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_has_its_status(error: KgError, status: int) -> None:
    assert refusal(error, "").status_code == status


def test_errors_that_pass_say_when_to_try_again_and_how() -> None:
    answers = {
        "Retry-After": refusal(StoreBusy(Path("s")), ""),
        "WWW-Authenticate": refusal(Unauthorized("no token"), ""),
    }
    assert {name: reply.headers[name] for name, reply in answers.items()} == {
        "Retry-After": "5",
        "WWW-Authenticate": "Bearer",
    }
    late = refusal(TooManyRequests(10, 7), "")
    assert (late.status_code, late.headers["Retry-After"]) == (429, "7")


def test_malformed_data_is_told_with_its_place() -> None:
    body = refusal(MalformedData("Turtle", "no dot", 3, 7), "").get_json()
    assert (body["line"], body["column"]) == (3, 7)


def _until_busy(server: Server) -> Reply:
    """The first answer that is not good: the two slow queries may not have arrived yet."""
    replies = (server.query(f"ASK {{}} # {number}") for number in range(1000))
    return next(reply for reply in replies if reply.status != 200)


def test_an_unexpected_error_is_500_logged_and_without_traceback(
    folder: Path, release: Release, caplog: pytest.LogCaptureFixture
) -> None:
    with EmbeddedStore(folder, Settings()) as store:
        app = create_app(store, Settings(), Running())
        app.add_url_rule("/broken", view_func=lambda: str(1 / 0))
        reply = app.test_client().get("/broken")
    assert (reply.status_code, reply.get_json()) == (500, _untold("Internal server error"))
    assert "ZeroDivisionError" in caplog.text


def test_a_fault_of_the_store_is_500_and_told_to_the_operator_alone(
    folder: Path, release: Release, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = tmp_path / "store"
    shutil.copytree(folder, copy)
    (copy / "HEAD").write_text("7-000000000000\n")
    with EmbeddedStore(copy, Settings()) as store:
        reply = create_app(store, Settings(), Running()).test_client().get("/")
    assert (reply.status_code, reply.get_json()) == (500, _untold("No such release"))
    assert "7-000000000000" in caplog.text


def test_no_path_of_the_machine_reaches_a_client(
    folder: Path, release: Release, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = shutil.copytree(folder, tmp_path / "store")
    query = {"query": "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }", "format": "jsonld"}
    with EmbeddedStore(copy, Settings()) as store:
        client = create_app(store, Settings(), Running()).test_client()
        assert client.get("/sparql", query_string=query).status_code == 200
        (copy / "releases" / release.name / "context.jsonld").unlink()
        reply = client.get("/sparql", query_string=query)
    assert (reply.status_code, reply.get_json()) == (500, _untold("Store"))
    assert "context.jsonld" in caplog.text


def test_every_error_of_a_query_has_its_status() -> None:
    """But for the engine's own, which may name files: 500 without detail."""
    kinds = {*QueryError.__subclasses__(), *EvaluationError.__subclasses__()}
    without = {kind for kind in kinds if not STATUS.keys() & {*kind.__mro__}}
    assert without == {EvaluationFailed}


def _untold(title: str) -> dict[str, object]:
    """The whole problem of what is the operator's matter."""
    return {
        "type": f"{BASE}problem/{title.lower().replace(' ', '-')}",
        "title": title,
        "status": 500,
        "detail": "The server could not answer; the cause is in its log.",
    }
