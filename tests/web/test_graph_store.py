"""SPARQL 1.1 Graph Store HTTP Protocol: what each method does to one graph."""

from __future__ import annotations

import re
import threading
import time

import pytest

from kg.namespaces import GRAPH
from kg.store.releases import Releases
from kg_server import Reply
from web.writable import CLAIM, LIMITED, Writable, indirect

ONE = "<http://ex/s> <http://ex/p> 1 ."
TWO = "<http://ex/s> <http://ex/p> 2 ."
BOUNDARY = "multipart/form-data; boundary=cut"


def _integer(number: int) -> str:
    datatype = "<http://www.w3.org/2001/XMLSchema#integer>"
    return f'<http://ex/s> <http://ex/p> "{number}"^^{datatype} .'


def _part(name: str, media_type: str, content: str) -> str:
    return (
        f'--cut\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n{content}\r\n"
    )


# --- PUT, GET, DELETE ---------------------------------------------------------------------


def test_put_creates_then_replaces_then_delete_removes(writable: Writable) -> None:
    assert writable.server.send("/graphs/cycle").status == 404
    created = writable.put("/graphs/cycle", ONE)
    assert (created.status, created.body) == (201, b"")
    assert created.headers["kg-release"] == writable.release()
    assert writable.triples("/graphs/cycle") == [_integer(1)]
    assert writable.put("/graphs/cycle", TWO).status == 204
    assert writable.triples("/graphs/cycle") == [_integer(2)]
    assert writable.send("DELETE", "/graphs/cycle").status == 204
    assert writable.server.send("/graphs/cycle").status == 404
    assert writable.send("DELETE", "/graphs/cycle").status == 404


def test_direct_and_indirect_identification_are_one_graph(writable: Writable) -> None:
    writable.put("/graphs/some/path-one", ONE)
    address = indirect(GRAPH + "some/path-one")
    assert writable.triples(address) == writable.triples("/graphs/some/path-one")
    assert writable.ask(f"GRAPH <{GRAPH}some/path-one> {{ ?s ?p 1 }}")


def test_a_graph_may_have_any_iri(writable: Writable) -> None:
    address = indirect("http://elsewhere.example/a?b=c#é")
    assert writable.put(address, ONE).status == 201
    assert writable.triples(address) == [_integer(1)]


def test_what_is_written_is_seen_by_the_next_query_and_in_the_union(writable: Writable) -> None:
    writable.put("/graphs/seen", '<http://ex/seen> <http://ex/p> "x" .')
    assert writable.ask("<http://ex/seen> ?p ?o")
    assert '<http://ex/seen> <http://ex/p> "x" .' in writable.triples("/graphs?default")


def test_the_release_says_who_wrote(writable: Writable) -> None:
    name = writable.put("/graphs/who", ONE).headers["kg-release"]
    release = Releases.open(writable.folder).named(name)
    assert (release.who, release.message) == ("ann", f"PUT <{GRAPH}who>")


def test_the_same_content_again_makes_no_release(writable: Writable) -> None:
    first = writable.put("/graphs/same", ONE)
    again = writable.put("/graphs/same", ONE)
    assert (again.status, again.headers["kg-release"]) == (204, first.headers["kg-release"])


@pytest.mark.parametrize("accept", ["text/turtle", "application/rdf+xml", "application/ld+json"])
def test_head_has_the_fields_of_get_and_no_body(writable: Writable, accept: str) -> None:
    writable.put("/graphs/head", ONE)
    get, head = (
        writable.server.send("/graphs/head", method=method, headers={"Accept": accept})
        for method in ("GET", "HEAD")
    )
    assert (head.status, head.body, head.headers["content-type"]) == (
        200,
        b"",
        get.headers["content-type"],
    )
    assert head.headers["content-length"] == str(len(get.body))
    assert head.headers["etag"] == get.headers["etag"]
    assert writable.server.send("/graphs/none", method="HEAD").status == 404


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/turtle; charset=UTF-8", ONE),
        ("application/n-triples", _integer(1)),
        ("text/plain", _integer(1)),
        ("application/ld+json", '{"@id": "http://ex/s", "http://ex/p": 1}'),
        (
            "application/rdf+xml",
            '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://ex/">'
            '<r:Description r:about="http://ex/s"><e:p r:datatype='
            '"http://www.w3.org/2001/XMLSchema#integer">1</e:p></r:Description></r:RDF>',
        ),
    ],
)
def test_every_format_of_a_graph_is_taken(writable: Writable, media_type: str, body: str) -> None:
    writable.send("DELETE", "/graphs/format")
    assert writable.send("PUT", "/graphs/format", body, media_type).status == 201
    assert writable.triples("/graphs/format") == [_integer(1)]


def test_an_earlier_release_has_the_graph_as_it_was(writable: Writable) -> None:
    first = writable.put("/graphs/then", ONE).headers["kg-release"]
    writable.put("/graphs/then", TWO)
    assert writable.triples(f"/r/{first}/graphs/then") == [_integer(1)]
    reply = writable.server.send(f"/r/{first}{indirect(GRAPH + 'then')}")
    assert (reply.status, reply.headers["kg-release"]) == (200, first)
    assert "immutable" in reply.headers["cache-control"]
    assert writable.server.send(f"/r/{first.split('-')[0]}/graphs/not-yet").status == 404


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_an_earlier_release_is_not_written(writable: Writable, method: str) -> None:
    release = writable.release()
    reply = writable.send(method, f"/r/{release}/graphs/then", ONE)
    assert (reply.status, "PUT" in reply.headers["allow"]) == (405, False)
    assert writable.release() == release


def test_another_method_is_refused_with_those_there_are(writable: Writable) -> None:
    reply = writable.send("PATCH", "/graphs/head")
    assert reply.status == 405
    assert set(reply.headers["allow"].split(", ")) == {
        *("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS")
    }


# --- POST ---------------------------------------------------------------------------------


def test_post_adds_to_a_graph(writable: Writable) -> None:
    assert writable.send("POST", "/graphs/merge", ONE).status == 201
    assert writable.send("POST", "/graphs/merge", TWO).status == 204
    assert writable.triples("/graphs/merge") == [_integer(1), _integer(2)]


def test_blank_nodes_of_a_post_are_its_own(writable: Writable) -> None:
    body = "_:a <http://ex/p> 1 ."
    writable.put("/graphs/blank", body)
    writable.send("POST", "/graphs/blank", body)
    assert len(writable.triples("/graphs/blank")) == 2


def test_post_of_several_files_adds_them_all(writable: Writable) -> None:
    body = (
        _part("one.ttl", "text/turtle; charset=utf-8", ONE)
        + _part("two.nt", "application/n-triples", _integer(2))
        + "--cut--\r\n"
    )
    assert writable.send("POST", "/graphs/files", body, BOUNDARY).status == 201
    assert writable.triples("/graphs/files") == [_integer(1), _integer(2)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("--cut--\r\n", 201),
        ("nothing", 400),
        (_part("one.ttl", "text/turtle", ONE), 400),
        (_part("one.ttl", "text/html", ONE) + "--cut--\r\n", 415),
        (_part("one.ttl", "text/turtle; charset=latin-1", ONE) + "--cut--\r\n", 415),
        (_part("a", "text/turtle", ONE) * 101 + "--cut--\r\n", 400),
        (_part("a", "text/turtle", "<http://ex/s> <") + "--cut--\r\n", 400),
    ],
)
def test_a_form_is_read_whole_or_refused(writable: Writable, body: str, status: int) -> None:
    before = writable.release()
    reply = writable.send("POST", "/graphs/form", body, BOUNDARY)
    # A form without parts adds nothing, and is no error (Graph Store Protocol, 5.5).
    assert reply.status == (204 if status == 201 else status)
    assert writable.release() == before


def test_a_form_may_not_be_put(writable: Writable) -> None:
    body = _part("one.ttl", "text/turtle", ONE) + "--cut--\r\n"
    assert writable.send("PUT", "/graphs/form", body, BOUNDARY).status == 415


def test_post_to_the_store_makes_a_new_graph_each_time(writable: Writable) -> None:
    made = [writable.send("POST", "/graphs", ONE) for _ in range(2)]
    assert [reply.status for reply in made] == [201, 201]
    paths = {reply.headers["location"].partition(writable.server.url[:-1])[2] for reply in made}
    assert len(paths) == 2
    assert [writable.triples(path) for path in paths] == [[_integer(1)], [_integer(1)]]


@pytest.mark.parametrize("body", ["", "# nothing", "@prefix : <http://ex/> ."])
def test_post_of_no_triple_makes_no_graph(writable: Writable, body: str) -> None:
    before = writable.release()
    reply = writable.send("POST", "/graphs", body)
    assert (reply.status, "location" in reply.headers) == (400, False)
    assert writable.release() == before


def test_a_part_of_a_graph_is_not_taken_as_all_of_it(writable: Writable) -> None:
    headers = {"Content-Range": "bytes 0-9/100"}
    assert writable.send("PUT", "/graphs/part", ONE, headers=headers).status == 400
    assert writable.server.send("/graphs/part").status == 404


def test_a_token_for_some_graphs_makes_new_ones_there(writable: Writable) -> None:
    reply = writable.send("POST", "/graphs", ONE, token="limited")  # noqa: S106
    assert reply.status == 201
    assert f"/graphs/{LIMITED.removeprefix(GRAPH)}" in reply.headers["location"]


# --- refusals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/graphs", 400),
        ("/graphs?graph=relative", 400),
        ("/graphs?graph=", 400),
        ("/graphs?graph=http://a/&graph=http://b/", 400),
        ("/graphs?graph=http://a/&default", 400),
        ("/graphs/x?default", 400),
        ("/graphs/a%20b", 400),
        ("/graphs/a%3Eb", 400),
        ("/graphs?graph=http://a/%FF", 400),
        ("/graphs?graph=urn:x-kg:default", 404),
        ("/graphs/absent", 404),
        ("/r/99999/graphs/x", 404),
    ],
)
def test_what_names_no_graph_is_refused(writable: Writable, path: str, status: int) -> None:
    assert writable.server.send(path).status == status


@pytest.mark.parametrize(
    "path", ["/graphs?graph=relative", "/graphs?graph=http://a/&default", "/graphs/a%20b"]
)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_write_to_what_names_no_graph_is_refused(
    writable: Writable, method: str, path: str
) -> None:
    assert writable.send(method, path, ONE).status == 400


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_the_default_graph_is_not_written(writable: Writable, method: str) -> None:
    reply = writable.send(method, "/graphs?default", ONE)
    assert (reply.status, reply.problem["type"].rpartition("/")[2]) == (422, "default-graph")


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("name", ["ontology", "derived/x", "sensitive/x"])
def test_a_graph_of_the_files_or_the_rules_is_not_written(
    writable: Writable, method: str, name: str
) -> None:
    before = writable.release()
    reply = writable.send(method, f"/graphs/{name}", ONE)
    assert (reply.status, reply.problem["type"].rpartition("/")[2]) == (403, "foreign-graph")
    assert writable.release() == before


@pytest.mark.parametrize(
    ("media_type", "headers"),
    [
        (None, {}),
        ("text/html", {}),
        ("application/trig", {}),
        ("application/n-quads", {}),
        ("text/turtle; charset=latin-1", {}),
        ("text/turtle", {"Content-Encoding": "gzip"}),
    ],
)
def test_a_body_of_another_type_is_refused(
    writable: Writable, media_type: str | None, headers: dict[str, str]
) -> None:
    reply = writable.send("PUT", "/graphs/type", ONE, media_type, headers=headers)
    assert (reply.status, "text/turtle" in reply.problem["remedy"]) == (415, True)


def test_a_body_that_is_not_what_it_says_is_refused_with_its_place(writable: Writable) -> None:
    reply = writable.put("/graphs/type", f"{ONE}\n<http://ex/s> 5 .")
    assert (reply.status, reply.problem["line"]) == (400, 2)


def test_what_the_gate_rejects_gets_the_report(writable: Writable) -> None:
    before = writable.release()
    reply = writable.put("/graphs/rejected", CLAIM)
    assert (reply.status, reply.headers["content-type"]) == (422, "text/turtle; charset=utf-8")
    assert b"sh:ValidationReport" in reply.body and b"<http://ex/claim>" in reply.body
    assert writable.server.send("/graphs/rejected").status == 404
    assert writable.release() == before


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "text/turtle; charset=utf-8"),
        ("application/n-triples", "application/n-triples"),
        ("application/ld+json", "application/ld+json"),
        ("application/json", "application/problem+json"),
        ("application/problem+json, text/turtle;q=0.5", "application/problem+json"),
        ("image/png", "text/turtle; charset=utf-8"),
    ],
)
def test_the_report_is_as_the_client_prefers(
    writable: Writable, accept: str, content_type: str
) -> None:
    reply = writable.put("/graphs/rejected", CLAIM, Accept=accept)
    assert (reply.status, reply.headers["content-type"]) == (422, content_type)
    assert b"http://ex/claim" in reply.body
    assert b"ValidationReport" in reply.body or "Violation" in reply.problem["detail"]


# --- conditions ---------------------------------------------------------------------------


def test_if_match_lets_the_state_that_was_read_be_replaced_once(writable: Writable) -> None:
    writable.put("/graphs/match", ONE)
    read = writable.server.send("/graphs/match", headers={"Accept": "application/ld+json"})
    tag = read.headers["etag"]
    assert writable.put("/graphs/match", TWO, If_Match=tag).status == 204
    lost = writable.put("/graphs/match", ONE, If_Match=tag)
    assert (lost.status, lost.problem["type"].rpartition("/")[2]) == (412, "graph-changed")
    assert writable.triples("/graphs/match") == [_integer(2)]
    assert writable.send("DELETE", "/graphs/match", headers={"If-Match": tag}).status == 412


def test_the_digest_of_a_write_is_a_tag_for_the_next(writable: Writable) -> None:
    digest = writable.put("/graphs/chain", ONE).headers["kg-graph-digest"]
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert writable.put("/graphs/chain", TWO, If_Match=f'"{digest}"').status == 204


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("If-Match", "*", 204),
        ("If-Match", '"x"', 412),
        ("If-Match", 'W/"{tag}"', 412),
        ("If-Match", '"x", "{tag}"', 204),
        ("If-Match", f'"{"0" * 64}", "{{tag}}"', 204),
        ("If-Match", f'"{"0" * 64}", W/"{{tag}}"', 412),
        ("If-Match", '"*"', 412),
        ("If-Match", "", 412),
        ("If-Match", "nonsense", 412),
        ("If-None-Match", "*", 412),
        ("If-None-Match", '"x"', 204),
        ("If-None-Match", 'W/"{tag}"', 412),
    ],
)
def test_conditions_of_a_write(writable: Writable, field: str, value: str, status: int) -> None:
    writable.put("/graphs/condition", ONE)
    tag = writable.server.send("/graphs/condition").headers["etag"].strip('"')
    headers = {field: value.format(tag=tag)}
    assert writable.send("PUT", "/graphs/condition", ONE, headers=headers).status == status


def test_if_match_of_a_graph_that_is_not_there_fails(writable: Writable) -> None:
    assert writable.put("/graphs/no-such", ONE, If_Match="*").status == 412


def test_if_none_match_creates_once(writable: Writable) -> None:
    assert writable.put("/graphs/once", ONE, If_None_Match="*").status == 201
    assert writable.put("/graphs/once", TWO, If_None_Match="*").status == 412
    assert writable.triples("/graphs/once") == [_integer(1)]


def test_a_graph_that_was_read_is_not_sent_again_until_it_changes(writable: Writable) -> None:
    writable.put("/graphs/fresh", ONE)
    tag = writable.server.send("/graphs/fresh").headers["etag"]
    writable.put("/graphs/other", f'<http://ex/t> <http://ex/p> "{time.time()}" .')
    unchanged = writable.server.send("/graphs/fresh", headers={"If-None-Match": tag})
    assert (unchanged.status, unchanged.headers["kg-release"]) == (304, writable.release())
    writable.put("/graphs/fresh", TWO)
    assert writable.server.send("/graphs/fresh", headers={"If-None-Match": tag}).status == 200


def test_each_format_has_a_tag_of_its_own(writable: Writable) -> None:
    writable.put("/graphs/tags", ONE)
    replies = [writable.server.send(f"/graphs/tags?format={name}") for name in ("turtle", "jsonld")]
    tags = {reply.headers["etag"] for reply in replies}
    assert len(tags) == 2
    assert len({tag.partition(".")[0] for tag in tags}) == 1


def test_of_many_who_write_at_once_with_one_tag_one_wins(writable: Writable) -> None:
    writable.put("/graphs/race", ONE)
    tag = writable.server.send("/graphs/race").headers["etag"]
    replies: list[Reply] = []

    def write(number: int) -> None:
        body = f"<http://ex/s> <http://ex/p> {number} ."
        replies.append(writable.put("/graphs/race", body, If_Match=tag))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.status for reply in replies) == [204, 412, 412, 412, 412, 412]
