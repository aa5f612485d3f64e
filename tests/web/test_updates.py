"""The update operation of SPARQL 1.1 Protocol, section 2.2, on the one road in."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from kg.namespaces import GRAPH
from kg.store.releases import Releases
from kg_server import Reply
from web.writable import CLAIM, Writable

FORM = "application/x-www-form-urlencoded"


def _insert(name: str, value: int = 1) -> str:
    return f"INSERT DATA {{ GRAPH <{GRAPH}{name}> {{ <http://ex/{name}> <http://ex/p> {value} }} }}"


def _form(writable: Writable, path: str = "/sparql", **parameters: str) -> Reply:
    return writable.send("POST", path, urlencode(parameters), FORM)


def _kind(reply: Reply) -> str:
    return str(reply.problem["type"]).rpartition("/")[2]


def test_an_update_by_post_direct_makes_a_release(writable: Writable) -> None:
    reply = writable.update(_insert("direct"))
    assert (reply.status, reply.body, reply.headers["kg-release"]) == (204, b"", writable.release())
    assert writable.ask(f"GRAPH <{GRAPH}direct> {{ ?s ?p 1 }}")
    release = Releases.open(writable.folder).head()
    assert (release.who, release.message) == ("ann", "UPDATE")


def test_an_update_by_a_form_makes_a_release(writable: Writable) -> None:
    assert _form(writable, update=_insert("form")).status == 204
    assert writable.ask(f"GRAPH <{GRAPH}form> {{ ?s ?p 1 }}")


def test_prefixes_of_the_store_need_not_be_declared(writable: Writable) -> None:
    update = f"INSERT DATA {{ GRAPH <{GRAPH}prefix> {{ rf:x rdfs:label 'x' }} }}"
    assert writable.update(update).status == 204


def test_operations_see_what_those_before_them_did(writable: Writable) -> None:
    update = (
        f"{_insert('first')} ; INSERT {{ GRAPH <{GRAPH}second> {{ ?s <http://ex/q> ?o }} }}"
        f" WHERE {{ ?s <http://ex/p> ?o . FILTER(?s = <http://ex/first>) }}"
    )
    assert writable.update(update).status == 204
    assert writable.ask(f"GRAPH <{GRAPH}second> {{ <http://ex/first> <http://ex/q> 1 }}")


def test_an_update_lands_whole_or_not_at_all(writable: Writable) -> None:
    before = writable.release()
    reply = writable.update(f"{_insert('whole')} ; CLEAR GRAPH <http://ex/not-there>")
    assert reply.status in (400, 404, 422)
    assert writable.release() == before
    assert writable.server.send("/graphs/whole").status == 404


def test_an_update_that_changes_nothing_makes_no_release(writable: Writable) -> None:
    writable.update(_insert("nothing"))
    before = writable.release()
    for update in (_insert("nothing"), "", "INSERT {} WHERE {}"):
        reply = writable.update(update)
        assert (reply.status, reply.headers["kg-release"]) == (204, before)


def test_the_dataset_of_the_protocol_is_what_the_pattern_reads(writable: Writable) -> None:
    writable.update(f"{_insert('here')} ; {_insert('there')}")
    copy = f"INSERT {{ GRAPH <{GRAPH}copied> {{ ?s ?p ?o }} }} WHERE {{ ?s ?p ?o }}"
    assert writable.update(copy, **{"using-graph-uri": GRAPH + "here"}).status == 204
    assert [line.split()[0] for line in writable.triples("/graphs/copied")] == ["<http://ex/here>"]


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({}, 400),
        ({"update": "CLEAR"}, 400),
        ({"update": _insert("x"), "query": "ASK {}"}, 400),
        ({"update": _insert("x"), "default-graph-uri": "http://ex/"}, 400),
        ({"update": _insert("x"), "using-graph-uri": "relative"}, 400),
        (
            {
                "update": f"WITH <{GRAPH}x> INSERT {{ <a:> <a:> 1 }} WHERE {{}}",
                "using-graph-uri": "http://ex/",
            },
            400,
        ),
        ({"update": "LOAD <http://127.0.0.1/>"}, 403),
        ({"update": "INSERT {} WHERE { SERVICE <http://127.0.0.1/> {} }"}, 403),
        ({"update": "INSERT DATA { <a:> <a:> 1 }"}, 422),
        ({"update": "CLEAR ALL"}, 422),
        ({"update": f"CLEAR GRAPH <{GRAPH}ontology>"}, 403),
        ({"update": "DELETE WHERE { GRAPH ?g { ?s ?p ?o } }"}, 403),
        ({"update": f"INSERT DATA {{ GRAPH <{GRAPH}x> {{ {CLAIM.decode()} }} }}"}, 422),
    ],
)
def test_an_update_that_may_not_run_changes_nothing(
    writable: Writable, parameters: Mapping[str, str], status: int
) -> None:
    before = writable.release()
    assert _form(writable, **parameters).status == status
    assert writable.release() == before


def test_two_updates_in_one_request_are_refused(writable: Writable) -> None:
    both = urlencode([("update", _insert("x")), ("update", _insert("y"))])
    assert writable.send("POST", "/sparql", both, FORM).status == 400
    text, kind = _insert("x"), "application/sparql-update"
    path = "/sparql?" + urlencode({"update": _insert("y")})
    assert writable.send("POST", path, text, kind).status == 400


def test_an_update_by_get_is_refused(writable: Writable) -> None:
    assert writable.send("GET", "/sparql?" + urlencode({"update": _insert("x")})).status == 400


@pytest.mark.parametrize(
    ("media_type", "body", "status"),
    [
        ("application/sparql-update; charset=utf-16", "CLEAR ALL".encode("utf-16"), 415),
        ("application/sparql-update", "CREATE GRAPH <http://ex/é>".encode("latin-1"), 400),
        ("text/plain", b"CLEAR ALL", 415),
        (None, b"CLEAR ALL", 415),
    ],
)
def test_an_update_is_utf8_and_of_its_type(
    writable: Writable, media_type: str | None, body: bytes, status: int
) -> None:
    assert writable.send("POST", "/sparql", body, media_type).status == status


def test_an_error_of_an_update_has_its_place(writable: Writable) -> None:
    reply = writable.update("CREATE GRAPH <http://ex/a> ;\n INSERT DATA { GRAPH <http://ex/b> { 1")
    assert (reply.status, _kind(reply)) == (400, "query-syntax")
    assert reply.problem["line"] == 2


def test_an_earlier_release_takes_no_update(writable: Writable) -> None:
    release = writable.release()
    path = f"/r/{release}/sparql"
    assert _kind(_form(writable, path, update=_insert("x"))) == "update-refused"
    assert writable.release() == release


def test_a_rejected_update_gets_the_report(writable: Writable) -> None:
    update = f"INSERT DATA {{ GRAPH <{GRAPH}bad> {{ {CLAIM.decode()} }} }}"
    reply = writable.update(update)
    assert (reply.status, reply.headers["content-type"]) == (422, "text/turtle; charset=utf-8")
    assert b"sh:ValidationReport" in reply.body


@pytest.mark.parametrize("field", ["If-Match", "If-None-Match"])
def test_an_update_takes_no_condition_rather_than_pass_over_it(
    writable: Writable, field: str
) -> None:
    kind, before = "application/sparql-update", writable.release()
    reply = writable.send("POST", "/sparql", _insert("if"), kind, headers={field: "*"})
    assert (reply.status, field in reply.problem["detail"]) == (400, True)
    assert writable.release() == before
